"""What administrators ask of both brokers about access, tokens, leaders and reassignments; the form is that of scenarios.py."""

from scenarios import Scenario, create, delete, fetch, only

ANY, TOPIC, LITERAL, READ, ALLOW = 1, 2, 3, 3, 3


def acl(**fields):
    return {"resourceType": TOPIC, "resourceName": "t", "resourcePatternType": LITERAL, "principal": "User:a", "host": "*", "operation": READ,
            "permissionType": ALLOW, **fields}  # fmt: skip


def acl_filter(**fields):
    return {"resourceTypeFilter": ANY, "resourceNameFilter": None, "patternTypeFilter": ANY, "principalFilter": None, "hostFilter": None,
            "operation": ANY, "permissionType": ANY, **fields}  # fmt: skip


def elect(*topics, kind=0):
    named = None if topics == (None,) else [{"topic": topic, "partitions": partitions} for topic, partitions in topics]
    return ("ElectLeaders", {"electionType": only(range(1, 3), kind), "topicPartitions": named, "timeoutMs": 5000})


def reassignments(*topics):
    named = None if topics == (None,) else [{"name": topic, "partitionIndexes": partitions} for topic, partitions in topics]
    return ("ListPartitionReassignments", {"topics": named, "timeoutMs": 5000})


def config_resources(*kinds):
    return ("ListConfigResources", {"resourceTypes": only(range(1, 2), list(kinds))})


def token_of(**fields):
    return ("CreateDelegationToken", {"renewers": [{"principalType": "User", "principalName": "r"}], "maxLifetimeMs": -1, **fields})


def next_fetch(epoch):
    """Of the session that was opened before: nothing new is asked."""
    return ("Fetch", {"maxWaitMs": 0, "minBytes": 1, "maxBytes": 1 << 20, "sessionId": "$session", "sessionEpoch": epoch, "topics": []})


TWICE = "twice-{n}"
OPENED = (*fetch(TWICE, sessionId=0, sessionEpoch=0), {"session": "sessionId"})

ADMIN_SCENARIOS = [
    # Access and tokens: nobody is authenticated, and no authorizer is configured
    Scenario("describe acls", [("DescribeAcls", acl_filter(**fields)) for fields in (
        {}, {"resourceTypeFilter": TOPIC, "resourceNameFilter": "t", "patternTypeFilter": LITERAL}, {"operation": 99},
        {"resourceTypeFilter": 0}, {"patternTypeFilter": 0}, {"operation": 0}, {"permissionType": 0})]),
    Scenario("create acls", [("CreateAcls", {"creations": creations}) for creations in (
        [], [acl()], [acl(), acl(resourceName="")], [acl(operation=0)], [acl(), acl(resourceType=0)], [acl(resourcePatternType=ANY)])]),
    Scenario("delete acls", [("DeleteAcls", {"filters": filters}) for filters in (
        [], [acl_filter()], [acl_filter(), acl_filter(operation=READ)], [acl_filter(permissionType=0)])]),
    Scenario("create a token", [token_of(), token_of(renewers=[]), token_of(renewers=[{"principalType": "Group", "principalName": "g"}]),
                                token_of(ownerPrincipalType=only(range(3, 4), "User"), ownerPrincipalName=only(range(3, 4), "o"))]),
    Scenario("renew a token", [("RenewDelegationToken", {"hmac": "YQ==", "renewPeriodMs": period}) for period in (-1, 1000)]),
    Scenario("expire a token", [("ExpireDelegationToken", {"hmac": "YQ==", "expiryTimePeriodMs": period}) for period in (-1, 1000)]),
    Scenario("describe tokens", [("DescribeDelegationToken", {"owners": owners}) for owners in (
        None, [], [{"principalType": "User", "principalName": "o"}])]),
    # Leaders and reassignments
    Scenario("elect leaders", [elect(("elect-{v}", [0, 1]), kind=kind) for kind in (0, 1)] + [
        elect(("elect-{v}", [0, 9, -1, 0])), elect(("never", [0]), ("elect-{v}", [0])), elect(("elect-{v}", [])), elect(), elect(("", [0]))],
             topics={"elect-{v}": 2}),
    Scenario("elect leaders of an unknown kind", [elect(("elect-odd-{v}", [0, 1]), kind=7), elect(None, kind=-1), elect(kind=7)],
             topics={"elect-odd-{v}": 2}, versions=range(1, 3)),
    Scenario("elect all leaders", [elect(None), elect(None, kind=1)], topics={"elect-all-{v}": 1}, versions=range(1, 3)),
    Scenario("list reassignments", [reassignments(None), reassignments(("moved-{v}", [0, 1])), reassignments(("never", [0])), reassignments()],
             topics={"moved-{v}": 1}),
    Scenario("list config resources, the first version", [config_resources()], versions=range(1)),
    Scenario("list config resources", [config_resources(2), config_resources(4), config_resources(16), config_resources(32),
                                       config_resources(2, 4, 16), config_resources(3), config_resources(0), config_resources(-1), config_resources(2, 7)],
             topics={"listed-{v}": 1}, versions=range(1, 2)),
    Scenario("list broker loggers with all others", [config_resources(8), config_resources()], versions=range(1, 2)),
    # A session stands for the topic that it was opened with
    Scenario("fetch in a session while its topic comes and goes", [
        OPENED, next_fetch(1), delete(TWICE), ("$gone", TWICE), next_fetch(2), next_fetch(3),
        create(name=TWICE), ("$there", TWICE), next_fetch(4), next_fetch(5)], topics={TWICE: 1}, versions=range(13, 19)),
]  # fmt: skip
