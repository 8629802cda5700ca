"""What is asked of both brokers about consumer groups; the form is that of scenarios.py."""

from lib.wire import Writer

from scenarios import LONG_MAX, UNKNOWN_ID, Scenario, only

TOPIC = "read-{n}"
CONSUMER = "consumer"


def subscription(topic):
    """What a consumer tells the others in JoinGroup: version 1, no user data, nothing owned."""
    return Writer().i16(1).array([topic], Writer.string).i32(-1).array([], Writer.string).bytes()


def assignment(topic):
    """What the leader hands out in SyncGroup: partitions 0 and 1."""
    return Writer().i16(1).array([topic], lambda w, name: w.string(name).array([0, 1], Writer.i32)).i32(-1).bytes()


# Strings of these forms become bytes once their {n} is known: "$subscription:TOPIC", "$assignment:TOPIC".
ENCODED = {"$subscription": subscription, "$assignment": assignment}


def find(*keys, kind=0):
    return ("FindCoordinator", {"key": only(range(4), keys[0]), "keyType": only(range(1, 7), kind), "coordinatorKeys": only(range(4, 7), list(keys))})


def join(group="group-{n}", member="", keep="member", **fields):
    protocols = [{"name": name, "metadata": f"$subscription:{TOPIC}"} for name in fields.pop("assignors", ["range"])]
    body = {"groupId": group, "sessionTimeoutMs": 60_000, "rebalanceTimeoutMs": only(range(1, 10), 1000), "memberId": member, "protocolType": CONSUMER}
    return ("JoinGroup", body | {"protocols": protocols} | fields, {keep: "memberId", keep + "-generation": "generationId"})


def sync(group="group-{n}", member="$member", generation="$member-generation", assignments=None, **fields):
    if assignments is None:
        assignments = [{"memberId": member, "assignment": f"$assignment:{TOPIC}"}]
    named = {"protocolType": only(range(5, 6), CONSUMER), "protocolName": only(range(5, 6), "range")}
    return ("SyncGroup", {"groupId": group, "generationId": generation, "memberId": member, "assignments": assignments, **named, **fields})


def heartbeat(group="group-{n}", member="$member", generation="$member-generation", **fields):
    return ("Heartbeat", {"groupId": group, "generationId": generation, "memberId": member, **fields})


def leave(*members, group="group-{n}"):
    """Before version 3 the first one alone."""
    identities = [{"memberId": one, "groupInstanceId": None} if isinstance(one, str) else one for one in members]
    return ("LeaveGroup", {"groupId": group, "memberId": only(range(3), identities[0]["memberId"]), "members": only(range(3, 6), identities)})


# A member in a stable group of its own.
LIVE = [join(), join(member="$member"), sync()]


def commit(*offsets, group="group-{n}", topic=TOPIC, topic_id=None, **fields):
    """`offsets` are (partition, offset, metadata)."""
    partitions = [{"partitionIndex": p, "committedOffset": offset, "committedMetadata": metadata} for p, offset, metadata in offsets]
    named = {"name": only(range(10), topic), "topicId": only(range(10, 11), topic_id or f"$id:{topic}"), "partitions": partitions}
    return ("OffsetCommit", {"groupId": group, "generationIdOrMemberEpoch": -1, "memberId": "", "topics": [named], **fields})


def fetch_offsets(*partitions, group="group-{n}", topic=TOPIC, every=False, topic_id=None, more=None, **fields):
    """Of some partitions, or with `every` of all; `more` groups from version 8 on."""
    old = [{"name": topic, "partitionIndexes": list(partitions)}]
    new = [{"name": only(range(10), topic), "topicId": only(range(10, 11), topic_id or f"$id:{topic}"), "partitionIndexes": list(partitions)}]
    named = {"groupId": group, "topics": None if every else new, **fields.pop("named", {})}
    body = {"groupId": only(range(8), group), "topics": only(range(8), None if every else old), "groups": only(range(8, 11), [named, *(more or [])])}
    return ("OffsetFetch", body | fields)


def beat(member="member-1", epoch=0, group="new-{n}", **fields):
    """A KIP-848 heartbeat; with epoch 0 it joins."""
    joining = {"rebalanceTimeoutMs": 5000, "subscribedTopicNames": [TOPIC], "topicPartitions": []} if epoch == 0 else {}
    return ("ConsumerGroupHeartbeat", {"groupId": group, "memberId": member, "memberEpoch": epoch} | joining | fields)


def holding(*partitions):
    return [{"topicId": f"$id:{TOPIC}", "partitions": list(partitions)}]


def describe(*groups, **fields):
    return ("DescribeGroups", {"groups": list(groups), **fields})


def describe_new(*groups, **fields):
    return ("ConsumerGroupDescribe", {"groupIds": list(groups), **fields})


def delete(*groups):
    return ("DeleteGroups", {"groupsNames": list(groups)})


def delete_offsets(*partitions, group="group-{n}", topic=TOPIC):
    return ("OffsetDelete", {"groupId": group, "topics": [{"name": topic, "partitions": [{"partitionIndex": p} for p in partitions]}]})


def listed(states=(), types=()):
    return ("ListGroups", {"statesFilter": only(range(4, 6), list(states)), "typesFilter": only(range(5, 6), list(types))})


def on(name, requests, **fields):
    """A scenario with the topic that the groups read."""
    return Scenario(name, requests, topics={TOPIC: 4}, **fields)


GROUP_SCENARIOS = [
    # ListGroups; first, for it tells of all the groups that there are
    on("list groups", [*LIVE, beat(), commit((0, 5, ""), group="simple-{n}"), listed()], varies="ListGroups"),
    on("list groups by state and type", [listed(states=["Stable"]), listed(states=["stable", "EMPTY"]), listed(states=["Dead"]), listed(states=["nope"]),
                                         listed(states=["Assigning", "Reconciling", "PreparingRebalance"])], varies="ListGroups", versions=range(4, 6)),
    on("list groups by type", [listed(types=["classic"]), listed(types=["Consumer"]), listed(types=["share"]), listed(types=["nope"]),
                               listed(states=["Empty"], types=["classic"])], varies="ListGroups", versions=range(5, 6)),
    Scenario("find the coordinator of groups", [find("a"), find("b", "c", "b"), find("")]),
    # JoinGroup
    on("join a group", [join(), join(member="$member"), sync(), join(member="$member"), describe("group-{n}"), leave("$member")], varies="JoinGroup"),
    on("join with bad ids", [join(group=""), join(member="ghost"), join(group="other-{n}", member="ghost")]),
    on("join with bad timeouts", [join(sessionTimeoutMs=timeout) for timeout in (0, -1, 5999, 1_800_001, 2**31 - 1)]),
    on("join with a bad rebalance timeout", [join(group="slow-{n}-a", rebalanceTimeoutMs=-1), join(group="slow-{n}-b", rebalanceTimeoutMs=0)], versions=range(1, 10)),
    on("join without protocols", [join(assignors=[]), join(protocolType=""), join(protocolType="", assignors=[])]),
    on("join with another protocol", [*LIVE, join(keep="second", protocolType="connect"), join(keep="third", assignors=["roundrobin"])], varies="JoinGroup"),
    on("join as a static member", [join(groupInstanceId="desk-1"), sync(groupInstanceId="desk-1"), join(keep="again", groupInstanceId="desk-1"),
                                   heartbeat(groupInstanceId="desk-1"), heartbeat(member="$again", groupInstanceId="desk-1"),
                                   join(keep="lost", member="$member", groupInstanceId="desk-1"), describe("group-{n}")],
       versions=range(5, 10)),
    # SyncGroup, Heartbeat, LeaveGroup
    on("sync", [*LIVE, sync(), sync(assignments=[]), heartbeat()], varies="SyncGroup"),
    on("sync with bad ids", [*LIVE, sync(group=""), sync(group="never"), sync(member="ghost"), sync(member=""), sync(generation=77), sync(generation=-1)],
       varies="SyncGroup"),
    on("sync with another protocol", [*LIVE, sync(protocolName="roundrobin"), sync(protocolType="connect"), sync(protocolType=None, protocolName=None)],
       varies="SyncGroup", versions=range(5, 6)),
    on("sync before all have joined", [join(), sync(), heartbeat()], varies="SyncGroup"),
    on("heartbeat", [*LIVE, heartbeat(), heartbeat(generation=0), heartbeat(generation=-1), heartbeat(generation=78)], varies="Heartbeat"),
    on("heartbeat with bad ids", [*LIVE, heartbeat(group=""), heartbeat(group="never"), heartbeat(member="ghost"), heartbeat(member="")], varies="Heartbeat"),
    on("heartbeat with an instance id", [*LIVE, heartbeat(groupInstanceId="desk-9")], varies="Heartbeat", versions=range(3, 5)),
    on("heartbeat after joining", [join(), join(member="$member"), heartbeat()], varies="Heartbeat"),
    on("leave", [*LIVE, leave("$member"), leave("$member"), heartbeat(), describe("group-{n}")], varies="LeaveGroup"),
    on("leave with bad ids", [*LIVE, leave("ghost"), leave(""), leave("ghost", group="never"), leave("ghost", group=""), leave("$member", "ghost")],
       varies="LeaveGroup"),
    on("leave nobody", [*LIVE, ("LeaveGroup", {"groupId": "group-{n}", "members": []})], varies="LeaveGroup", versions=range(3, 6)),
    on("leave by instance id", [join(groupInstanceId="desk-1"), leave({"memberId": "", "groupInstanceId": "desk-2"}),
                                leave({"memberId": "ghost", "groupInstanceId": "desk-1"}), leave({"memberId": "", "groupInstanceId": "desk-1"}),
                                describe("group-{n}")], varies="LeaveGroup", versions=range(3, 6)),
    # OffsetCommit and OffsetFetch
    on("commit and fetch offsets", [commit((0, 5, ""), (1, 7, "why")), commit((2, 0, None)), fetch_offsets(0, 1, 2, 3), fetch_offsets(every=True)],
       varies="OffsetCommit"),
    on("commit odd offsets", [commit((0, offset, "")) for offset in (-1, -2, LONG_MAX)] + [commit((0, 9, "x" * 4096)), commit((1, 9, "x" * 4097)),
                                                                                            fetch_offsets(0, 1)], varies="OffsetCommit"),
    on("commit to no partition", [commit((9, 1, "")), commit((-1, 1, "")), commit((0, 1, ""), (9, 1, "")), fetch_offsets(every=True)], varies="OffsetCommit"),
    on("commit to no topic", [commit((0, 1, ""), topic="never"), commit((0, 1, ""), topic="a/b")], varies="OffsetCommit", versions=range(2, 10)),
    on("commit by an unknown id", [commit((0, 1, ""), topic_id=UNKNOWN_ID), commit((0, 1, ""), topic_id="AAAAAAAAAAAAAAAAAAAAAA")], versions=range(10, 11)),
    on("commit nothing", [commit(), ("OffsetCommit", {"groupId": "group-{n}", "topics": []})], varies="OffsetCommit"),
    on("commit with bad ids", [commit((0, 1, ""), group=""), commit((0, 1, ""), memberId="ghost"), commit((0, 1, ""), generationIdOrMemberEpoch=3),
                               commit((0, 1, ""), memberId="ghost", generationIdOrMemberEpoch=3)], varies="OffsetCommit"),
    on("commit as a member", [*LIVE, commit((0, 1, ""), memberId="$member", generationIdOrMemberEpoch="$member-generation"),
                              commit((0, 2, ""), memberId="$member", generationIdOrMemberEpoch=88),
                              commit((0, 3, ""), memberId="ghost", generationIdOrMemberEpoch="$member-generation"), commit((0, 4, "")),
                              commit((3, 4, ""), memberId="$member", generationIdOrMemberEpoch="$member-generation"), fetch_offsets(0, 3)],
       varies="OffsetCommit"),
    on("commit during a rebalance", [*LIVE, join(member="$member"), commit((0, 1, ""), memberId="$member", generationIdOrMemberEpoch="$member-generation")],
       varies="OffsetCommit"),
    on("commit with an instance id", [*LIVE, commit((0, 1, ""), memberId="$member", generationIdOrMemberEpoch="$member-generation", groupInstanceId="desk-8")],
       varies="OffsetCommit", versions=range(7, 11)),
    on("fetch offsets", [commit((0, 5, "note")), fetch_offsets(0, 1), fetch_offsets(every=True), fetch_offsets(0, 9, -1), fetch_offsets()],
       varies="OffsetFetch", versions=range(2, 11)),
    on("fetch offsets, the first version", [commit((0, 5, "note")), fetch_offsets(0, 1), fetch_offsets(0, group="never"), fetch_offsets(0, group="")],
       varies="OffsetFetch", versions=range(1, 2)),
    on("fetch offsets of nothing", [fetch_offsets(0, group="never"), fetch_offsets(every=True, group="never"), fetch_offsets(0, group=""),
                                    fetch_offsets(every=True, group="")], versions=range(2, 11)),
    on("fetch offsets of no topic", [commit((0, 5, "")), fetch_offsets(0, topic="never"), fetch_offsets(0, topic="a/b")], varies="OffsetFetch",
       versions=range(2, 10)),
    on("fetch offsets by an unknown id", [commit((0, 5, "")), fetch_offsets(0, topic_id=UNKNOWN_ID), fetch_offsets(0, topic_id="AAAAAAAAAAAAAAAAAAAAAA")],
       varies="OffsetFetch", versions=range(10, 11)),
    on("fetch stable offsets", [commit((0, 5, "")), fetch_offsets(0, requireStable=True)], varies="OffsetFetch", versions=range(7, 11)),
    on("fetch offsets of two groups", [commit((0, 5, "")), commit((1, 6, ""), group="other-{n}"),
                                       fetch_offsets(0, more=[{"groupId": "other-{n}", "topics": None}, {"groupId": "never", "topics": None}, {"groupId": "", "topics": None}])],
       varies="OffsetFetch", versions=range(8, 11)),
    on("fetch offsets as a member", [beat(), commit((0, 5, ""), group="new-{n}", memberId="member-1", generationIdOrMemberEpoch=1)]
        + [fetch_offsets(0, group="new-{n}", named={"memberId": member, "memberEpoch": epoch}) for member, epoch in (
            ("member-1", 1), ("member-1", 2), ("member-1", 0), ("member-1", -1), ("ghost", 1), (None, -1), (None, 1), ("", -1))],
       varies="OffsetFetch", versions=range(9, 11)),
    # DescribeGroups, DeleteGroups, OffsetDelete
    on("describe groups", [*LIVE, commit((0, 5, ""), group="simple-{n}"), describe("group-{n}", "simple-{n}", "never", ""), describe(),
                           describe("group-{n}", "group-{n}"), leave("$member"), describe("group-{n}")], varies="DescribeGroups"),
    on("describe groups with authorized operations", [*LIVE, describe("group-{n}", "never", includeAuthorizedOperations=True)],
       varies="DescribeGroups", versions=range(3, 7)),
    on("describe groups of the other type", [beat(), describe("new-{n}"), describe_new("new-{n}")], varies="DescribeGroups"),
    on("delete groups", [*LIVE, commit((0, 5, ""), group="simple-{n}"), delete("group-{n}", "simple-{n}", "never", ""), delete("simple-{n}"),
                         fetch_offsets(0, group="simple-{n}"), leave("$member"), delete("group-{n}", "group-{n}"), describe("group-{n}")], varies="DeleteGroups"),
    on("delete groups of the new type", [beat(), delete("new-{n}"), beat(epoch=-1), delete("new-{n}"), describe_new("new-{n}")], varies="DeleteGroups"),
    on("delete offsets", [commit((0, 5, ""), (1, 6, "")), delete_offsets(0, 2, 9), fetch_offsets(every=True), delete_offsets(0, topic="never"),
                          delete_offsets(0, group="never"), delete_offsets(0, group=""), delete_offsets(), delete_offsets(-1)], varies="OffsetDelete"),
    on("delete offsets under members", [*LIVE, commit((0, 1, ""), memberId="$member", generationIdOrMemberEpoch="$member-generation"), delete_offsets(0),
                                        leave("$member"), delete_offsets(0), fetch_offsets(every=True)], varies="OffsetDelete"),
    on("delete offsets under new members", [beat(), delete_offsets(0, group="new-{n}")], varies="OffsetDelete"),
    # ConsumerGroupHeartbeat and ConsumerGroupDescribe
    on("a new member", [beat(), beat(epoch=1, topicPartitions=holding(0, 1, 2, 3)), beat(epoch=1), describe_new("new-{n}"), beat(epoch=-1),
                        describe_new("new-{n}")], varies="ConsumerGroupHeartbeat"),
    on("a new member joins again", [beat(), beat(), beat(epoch=1), describe_new("new-{n}")], varies="ConsumerGroupHeartbeat"),
    on("two new members", [beat(), beat(epoch=1, topicPartitions=holding(0, 1, 2, 3)), beat(member="member-2"), beat(epoch=1), describe_new("new-{n}"),
                           beat(epoch=1, topicPartitions=holding(0, 1)), beat(epoch=2), beat(member="member-2", epoch=2), describe_new("new-{n}")],
       varies="ConsumerGroupHeartbeat"),
    on("new members with bad ids", [beat(group=""), beat(member="ghost", epoch=5), beat(), beat(member="ghost", epoch=1), beat(epoch=7), beat(epoch=-3),
                                    beat(member="ghost", epoch=-1), beat(member="ghost", epoch=-1, group="never"), beat(member="x" * 300)],
       varies="ConsumerGroupHeartbeat"),
    on("a new member without an id", [beat(member="")], varies="ConsumerGroupHeartbeat"),
    on("new members that ask for the impossible", [
        beat(rebalanceTimeoutMs=-1), beat(rebalanceTimeoutMs=0), beat(topicPartitions=None), beat(topicPartitions=holding(0)), beat(subscribedTopicNames=None),
        beat(subscribedTopicNames=[]), beat(serverAssignor="tarot"), beat(serverAssignor=""), beat(instanceId=""), beat(rackId=""), beat(serverAssignor="range")],
       varies="ConsumerGroupHeartbeat"),
    on("new members with an expression", [beat(subscribedTopicNames=None, subscribedTopicRegex="read-{n}"), beat(member="member-2", subscribedTopicRegex="("),
                                          beat(member="member-3", subscribedTopicNames=None, subscribedTopicRegex="")],
       varies="ConsumerGroupHeartbeat", versions=range(1, 2)),
    on("new static members", [beat(instanceId="desk-1"), beat(member="member-2", instanceId="desk-1"), beat(epoch=-2, instanceId="desk-1"),
                              describe_new("new-{n}"), beat(member="member-3", instanceId="desk-1"), beat(epoch=1, instanceId="desk-1"),
                              beat(member="member-3", epoch=-2), beat(member="member-3", epoch=-1, instanceId="desk-1"), describe_new("new-{n}")],
       varies="ConsumerGroupHeartbeat"),
    on("a new member changes its subscription", [beat(), beat(epoch=1, topicPartitions=holding(0, 1, 2, 3)), beat(epoch=1, subscribedTopicNames=["never"]),
                                                 beat(epoch=1, topicPartitions=[]), describe_new("new-{n}")], varies="ConsumerGroupHeartbeat"),
    on("commit as a new member", [beat()] + [commit((0, 5, ""), group="new-{n}", memberId=member, generationIdOrMemberEpoch=epoch) for member, epoch in (
        ("member-1", 1), ("member-1", 0), ("member-1", 2), ("ghost", 1), ("", -1))] + [fetch_offsets(0, group="new-{n}")],
       varies="OffsetCommit"),
    on("the two kinds of members meet", [*LIVE, beat(group="group-{n}"), describe("group-{n}"), describe_new("group-{n}"), leave("$member"),
                                         beat(group="group-{n}"), describe_new("group-{n}"), join(keep="late"), heartbeat(member="member-1", generation=1)],
       varies="ConsumerGroupHeartbeat"),
    on("describe new groups", [beat(), describe_new("new-{n}", "never", ""), describe_new(), describe_new("new-{n}", "new-{n}"),
                               describe_new("new-{n}", includeAuthorizedOperations=True)], varies="ConsumerGroupDescribe"),
    on("describe new groups of the other type", [*LIVE, commit((0, 5, ""), group="simple-{n}"), describe_new("group-{n}", "simple-{n}")],
       varies="ConsumerGroupDescribe"),
]  # fmt: skip
