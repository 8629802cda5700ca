"""Checks of Kafka's tools for access, tokens, leaders and reassignments on a node that has nothing of them; tools_test.py runs them.

The topic `orders` is there. The exit codes are those of Apache Kafka without an authorizer.
"""

from tools import expect

SECURITY_DISABLED = r"SecurityDisabledException"
NO_TOKENS = r"Delegation Token requests are not allowed"


def acls(tools):
    expect(SECURITY_DISABLED, tools.run("acls", "--list", expect=1))
    expect(SECURITY_DISABLED, tools.run("acls", "--add", "--allow-principal", "User:a", "--operation", "Read", "--topic", "orders", expect=1))
    expect(SECURITY_DISABLED, tools.run("acls", "--remove", "--force", "--allow-principal", "User:a", "--topic", "orders", expect=1))


def delegation_tokens(tools):
    for arguments in (
        ["--describe"], ["--create", "--max-life-time-period", -1, "--renewer-principal", "User:a"],
        ["--renew", "--renew-time-period", -1, "--hmac", "YQ=="], ["--expire", "--expiry-time-period", -1, "--hmac", "YQ=="],
    ):  # fmt: skip
        expect(NO_TOKENS, tools.run("delegation-tokens", "--command-config", "/dev/null", *arguments, expect=1))


def leader_election(tools):
    tools.run("leader-election", "--election-type", "preferred", "--all-topic-partitions")
    for kind in ("preferred", "unclean"):
        output = tools.run("leader-election", "--election-type", kind, "--topic", "orders", "--partition", 0)
        expect(r"^Valid replica already elected for partitions orders-0$", output)
    expect(r"UnknownTopicOrPartitionException", tools.run("leader-election", "--election-type", "preferred", "--topic", "orders", "--partition", 99, expect=1))


def reassignments(tools):
    expect(r"^No partition reassignments found\.$", tools.run("reassign-partitions", "--list"))


def config_resources(tools):
    assert tools.run("client-metrics", "--list").strip() == ""
    for kind in ("groups", "client-metrics"):
        assert tools.run("configs", "--describe", "--entity-type", kind).strip() == ""
    tools.run("configs", "--alter", "--entity-type", "groups", "--entity-name", "configured", "--add-config", "consumer.session.timeout.ms=50000")
    expect(r"Dynamic configs for group configured are:", tools.run("configs", "--describe", "--entity-type", "groups"))


ONLINE = [
    ("kafka-acls", acls),
    ("kafka-delegation-tokens", delegation_tokens),
    ("kafka-leader-election", leader_election),
    ("kafka-reassign-partitions --list", reassignments),
    ("kafka-client-metrics, kafka-configs of groups", config_resources),
]
