"""Checks of Kafka's tools for consumer groups; tools_test.py runs them.

One topic `grouped` with 30 keyed records in three partitions is read by the groups `gone` (classic, no members left),
`old` (classic, one member) and `new` (KIP-848, one member), then by groups of their own for the other checks.
"""

import json
import re
import time
from datetime import datetime, timezone

from lib.report import Skipped

from tools import dump, expect

TOPIC = "grouped"
ENDS = {0: 9, 1: 12, 2: 9}  # where Kafka's default partitioner puts the keys k1 to k30
NO_MEMBERS = r"^Consumer group '{}' has no active members\."


def groups(tools, *arguments, expect=0):
    return tools.run("consumer-groups", *arguments, expect=expect)


def consume_in_group(tools):
    tools.run("topics", "--create", "--topic", TOPIC, "--partitions", 3)
    lines = "".join(f"k{n}:v{n}\n" for n in range(1, 31))
    properties = ("parse.key=true", "key.separator=:")
    tools.run("console-producer", "--topic", TOPIC, *[part for item in properties for part in ("--reader-property", item)], stdin=lines)
    for group, protocol in (("gone", "classic"), ("gone-new", "consumer")):
        reading = ("--topic", TOPIC, "--group", group, "--from-beginning", "--consumer-property", f"group.protocol={protocol}")
        got = tools.run("console-consumer", *reading, "--max-messages", 30, "--timeout-ms", 30000)
        assert sorted(re.findall(r"^v\d+$", got, re.M)) == sorted(f"v{n}" for n in range(1, 31)), got
        again = tools.run("console-consumer", *reading, "--timeout-ms", 4000)
        expect(r"^Processed a total of 0 messages$", again)  # the group goes on where it was


def consumer_perf(tools):
    output = tools.run("consumer-perf-test", "--topic", "perf", "--group", "perf-readers", "--num-records", 20000, "--timeout", 30000)
    read = expect(r"^\d{4}-[^,]+, [^,]+, [\d.]+, [\d.]+, (\d+), ", output)
    assert int(read[1]) >= 20000, output


def members_join(tools):
    """Leaves one member in `old` and one in `new`."""
    reading = ("--topic", TOPIC, "--from-beginning", "--consumer-property", "client.id=reader", "--consumer-property")
    tools.start("console-consumer", *reading, "group.protocol=classic", "--group", "old")
    tools.start("console-consumer", *reading, "group.protocol=consumer", "--group", "new")
    deadline = time.monotonic() + 40
    while True:
        states = dict(re.findall(r"^(old|new)\s+(\w+)", groups(tools, "--list", "--state"), re.M))
        if states == {"old": "Stable", "new": "Stable"} and all(committed(tools, group) == ENDS for group in ("old", "new")):
            return
        assert time.monotonic() < deadline, states


def list_groups(tools):
    listed = groups(tools, "--list").split()
    assert {"gone", "old", "new", "gone-new"} <= set(listed) and len(set(listed)) == len(listed), listed
    states = groups(tools, "--list", "--state")
    for line in (r"GROUP\s+STATE", r"new\s+Stable", r"old\s+Stable", r"gone\s+Empty", r"gone-new\s+Empty"):
        expect(rf"^{line}\s*$", states)
    types = groups(tools, "--list", "--type")
    for line in (r"GROUP\s+TYPE", r"new\s+Consumer", r"gone-new\s+Consumer", r"old\s+Classic", r"gone\s+Classic"):
        expect(rf"^{line}\s*$", types)


def list_groups_filtered(tools):
    def names(*arguments):
        return set(re.findall(r"^([\w-]+)", groups(tools, "--list", *arguments), re.M)) - {"GROUP", "perf-readers"}

    assert names("--state", "Empty") == {"gone", "gone-new"}
    assert names("--state", "stable,empty") == {"gone", "gone-new", "old", "new"}
    assert names("--state", "Dead") == set()
    assert names("--type", "consumer") == {"new", "gone-new"}
    assert names("--type", "classic", "--state", "stable") == {"old"}
    expect(r"^Invalid state list 'nope'", groups(tools, "--list", "--state", "nope", expect=1))
    expect(r"^Invalid types list 'nope'", groups(tools, "--list", "--type", "nope", expect=1))


def list_groups_of_all_types(tools):
    """kafka-groups.sh."""
    listed = tools.run("groups", "--list")
    for line in (r"GROUP\s+TYPE\s+PROTOCOL", r"new\s+Consumer\s+consumer", r"old\s+Classic\s+consumer", r"gone\s+Classic\s+consumer"):
        expect(rf"^{line}\s*$", listed)
    for option, wanted in ((("--consumer",), {"new", "old", "gone"}), (("--group-type", "consumer"), {"new"}), (("--group-type", "classic"), {"old", "gone"}),
                           (("--protocol", "consumer"), {"new", "old", "gone"}), (("--share",), set()), (("--streams",), set())):  # fmt: skip
        found = set(re.findall(r"^(new|old|gone)\s", tools.run("groups", "--list", *option), re.M))
        assert found == wanted, f"{option}: {found}"


def describe_offsets(tools):
    for group, member in (("old", r"reader-[0-9a-f-]{36}"), ("new", r"[\w-]{22}")):
        output = groups(tools, "--describe", "--group", group)
        expect(r"^GROUP\s+TOPIC\s+PARTITION\s+CURRENT-OFFSET\s+LOG-END-OFFSET\s+LAG\s+CONSUMER-ID\s+HOST\s+CLIENT-ID\s*$", output)
        for partition, end in ENDS.items():
            expect(rf"^{group}\s+{TOPIC}\s+{partition}\s+{end}\s+{end}\s+0\s+{member}\s+/127\.0\.0\.1\s+reader\s*$", output)
        verbose = groups(tools, "--describe", "--group", group, "--offsets", "--verbose")
        expect(r"^GROUP\s+TOPIC\s+PARTITION\s+LEADER-EPOCH\s+CURRENT-OFFSET\s", verbose)
        expect(rf"^{group}\s+{TOPIC}\s+0\s+[0-]\s+9\s+9\s+0\s+{member}\s", verbose)


def describe_members(tools):
    for group, member, verbose in (("old", r"reader-[0-9a-f-]{36}", rf"-\s+{TOPIC}:0,1,2\s+-\s+-"),
                                   ("new", r"[\w-]{22}", rf"[1-9]\d*\s+{TOPIC}:0,1,2\s+[1-9]\d*\s+{TOPIC}:0,1,2")):  # fmt: skip
        output = groups(tools, "--describe", "--group", group, "--members")
        expect(r"^GROUP\s+CONSUMER-ID\s+HOST\s+CLIENT-ID\s+#PARTITIONS\s*$", output)
        expect(rf"^{group}\s+{member}\s+/127\.0\.0\.1\s+reader\s+3\s*$", output)
        output = groups(tools, "--describe", "--group", group, "--members", "--verbose")
        expect(r"#PARTITIONS\s+CURRENT-EPOCH\s+CURRENT-ASSIGNMENT\s+TARGET-EPOCH\s+TARGET-ASSIGNMENT\s*$", output)
        expect(rf"^{group}\s+{member}\s+/127\.0\.0\.1\s+reader\s+3\s+{verbose}\s*$", output)


def describe_state(tools):
    coordinator = re.escape(tools.target.address) + r"\s+\(1\)"
    for group, assignor, epochs in (("old", "range", r"-\s+-"), ("new", "uniform", r"[1-9]\d*\s+[1-9]\d*")):
        output = groups(tools, "--describe", "--group", group, "--state")
        expect(rf"^{group}\s+{coordinator}\s+{assignor}\s+Stable\s+1\s*$", output)
        output = groups(tools, "--describe", "--group", group, "--state", "--verbose")
        expect(r"STATE\s+GROUP-EPOCH\s+TARGET-ASSIGNMENT-EPOCH\s+#MEMBERS\s*$", output)
        expect(rf"^{group}\s+{coordinator}\s+{assignor}\s+Stable\s+{epochs}\s+1\s*$", output)


def describe_without_members(tools):
    for group in ("gone", "gone-new"):
        output = groups(tools, "--describe", "--group", group)
        expect(NO_MEMBERS.format(group), output)
        expect(rf"^{group}\s+{TOPIC}\s+1\s+12\s+12\s+0\s+-\s+-\s+-\s*$", output)
        expect(NO_MEMBERS.format(group), groups(tools, "--describe", "--group", group, "--members"))
        expect(rf"^{group}\s+\S+\s+\(1\)\s+\S+\s+Empty\s+0\s*$", groups(tools, "--describe", "--group", group, "--state"))


def describe_all_groups(tools):
    output = groups(tools, "--describe", "--all-groups")
    for group in ("gone", "gone-new", "old", "new"):
        expect(rf"^{group}\s+{TOPIC}\s+1\s+12\s+12\s+0\s", output)
    states = groups(tools, "--describe", "--all-groups", "--state")
    assert len(re.findall(r"^(?:gone|gone-new|old|new)\s.*(?:Stable|Empty)", states, re.M)) == 4, states


def unknown_group(tools):
    for part in ("--offsets", "--members", "--state"):
        expect(r"GroupIdNotFoundException: Group never not found\.", groups(tools, "--describe", "--group", "never", part))
    expect(r"'never' could not be deleted due to: .*GroupIdNotFoundException", groups(tools, "--delete", "--group", "never"))
    expect(r"^Error: The group id does not exist\.", groups(tools, "--delete-offsets", "--group", "never", "--topic", TOPIC))


def members_protect_their_group(tools):
    for group in ("old", "new"):
        refused = groups(tools, "--reset-offsets", "--group", group, "--to-earliest", "--topic", TOPIC, "--execute")
        expect(rf"Assignments can only be reset if the group '{group}' is inactive, but the current state is Stable", refused)
        expect(r"could not be deleted due to: .*GroupNotEmptyException", groups(tools, "--delete", "--group", group))
        refused = groups(tools, "--delete-offsets", "--group", group, "--topic", f"{TOPIC}:1")
        expect(rf"^{TOPIC}\s+1\s+Error: .*GroupSubscribedToTopicException", refused)
        assert committed(tools, group) == ENDS, committed(tools, group)


def members_leave(tools):
    tools.stop_background()
    states = groups(tools, "--list", "--state")
    for group in ("old", "new"):
        expect(rf"^{group}\s+Empty\s*$", states)
        expect(NO_MEMBERS.format(group), groups(tools, "--describe", "--group", group, "--members"))


# ---- offsets


def committed(tools, group):
    """{partition: committed offset} as the tool describes the group."""
    output = groups(tools, "--describe", "--group", group)
    return {int(p): int(o) for p, o in re.findall(rf"^{group}\s+{TOPIC}\s+(\d+)\s+(\d+)\s", output, re.M)}


def reset(tools, group, *arguments, topic=TOPIC):
    """{partition: new offset} as the tool tells it."""
    output = groups(tools, "--reset-offsets", "--group", group, *arguments, *(["--topic", topic] if topic else []))
    return {int(p): int(o) for p, o in re.findall(rf"^{group}\s+{TOPIC}\s+(\d+)\s+(\d+)\s*$", output, re.M)}


def reset_rules(tools):
    """A dry run tells the same as an execution and changes nothing; each row goes on where the one before left off."""
    hour_ago = datetime.fromtimestamp(time.time() - 3600, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000")
    rows = [
        (("--to-offset", 5), f"{TOPIC}:0,2", {0: 5, 2: 5}),
        (("--to-latest",), f"{TOPIC}:1", {1: 12}),
        (("--to-earliest",), TOPIC, {0: 0, 1: 0, 2: 0}),
        (("--to-offset", 7), TOPIC, {0: 7, 1: 7, 2: 7}),
        (("--shift-by", 1), f"{TOPIC}:0", {0: 8}),
        (("--shift-by", -3), f"{TOPIC}:1,2", {1: 4, 2: 4}),
        (("--to-current",), TOPIC, {0: 8, 1: 4, 2: 4}),
        (("--shift-by", 100), f"{TOPIC}:0", {0: 9}),  # no further than the end
        (("--shift-by", -100), f"{TOPIC}:1", {1: 0}),  # nor the start
        (("--to-offset", 100), f"{TOPIC}:2", {2: 9}),
        (("--to-datetime", hour_ago), TOPIC, {0: 0, 1: 0, 2: 0}),
        (("--by-duration", "PT0S"), TOPIC, ENDS),
        (("--by-duration", "PT1H"), TOPIC, {0: 0, 1: 0, 2: 0}),
        (("--to-latest",), TOPIC, ENDS),
    ]
    now = {}
    for rule, topic, wanted in rows:
        dry = reset(tools, "reset", *rule, "--dry-run", topic=topic)
        done = reset(tools, "reset", *rule, "--execute", topic=topic)
        assert dry == done == wanted, f"{rule} {topic}: dry run {dry}, execution {done}"
        now |= wanted
    assert committed(tools, "reset") == now == ENDS, committed(tools, "reset")
    reset(tools, "reset", "--to-earliest", "--dry-run")
    assert committed(tools, "reset") == ENDS, "a dry run changed the offsets"


def reset_through_a_file(tools):
    plan = tools.target.home / "offsets.csv"
    plan.write_text(f"{TOPIC},0,3\n{TOPIC},1,4\n")
    assert reset(tools, "planned", "--from-file", plan, "--execute", topic=None) == {0: 3, 1: 4}
    assert committed(tools, "planned") == {0: 3, 1: 4}
    exported = groups(tools, "--reset-offsets", "--group", "planned", "--to-current", "--all-topics", "--dry-run", "--export")
    assert sorted(exported.split()) == [f"{TOPIC},0,3", f"{TOPIC},1,4"], exported
    both = ("--group", "planned", "--group", "gone")
    exported = groups(tools, "--reset-offsets", *both, "--to-current", "--all-topics", "--dry-run", "--export")
    assert {f'planned,{TOPIC},0,3', f'gone,{TOPIC},1,12'} <= set(exported.split()), exported
    plan.write_text(f"planned,{TOPIC},0,1\ngone,{TOPIC},1,2\n")
    groups(tools, "--reset-offsets", *both, "--from-file", plan, "--execute")
    assert committed(tools, "planned")[0] == 1 and committed(tools, "gone")[1] == 2, (committed(tools, "planned"), committed(tools, "gone"))


def reset_is_where_reading_goes_on(tools):
    reset(tools, "gone", "--to-latest", "--execute")
    reset(tools, "gone", "--to-offset", 10, "--execute", topic=f"{TOPIC}:1")
    got = tools.run("console-consumer", "--topic", TOPIC, "--group", "gone", "--max-messages", 2, "--timeout-ms", 30000)
    assert len(re.findall(r"^v\d+$", got, re.M)) == 2, got
    assert committed(tools, "gone") == ENDS, committed(tools, "gone")


def delete_offsets(tools):
    done = groups(tools, "--delete-offsets", "--group", "gone", "--topic", f"{TOPIC}:1")
    expect(r"^Request succeeded for deleting offsets from group gone\.$", done)
    expect(rf"^{TOPIC}\s+1\s+Successful\s*$", done)
    assert committed(tools, "gone") == {0: 9, 2: 9}, committed(tools, "gone")
    refused = groups(tools, "--delete-offsets", "--group", "gone", "--topic", f"{TOPIC}:7")
    expect(rf"^{TOPIC}\s+7\s+Error: .*UnknownTopicOrPartitionException", refused)


def delete_groups(tools):
    expect(r"^Deletion of requested consumer groups \('gone'\) was successful\.$", groups(tools, "--delete", "--group", "gone"))
    mixed = groups(tools, "--delete", "--group", "gone", "--group", "old")
    expect(r"'gone' could not be deleted due to: .*GroupIdNotFoundException", mixed)
    expect(r"^These consumer groups were deleted successfully: 'old'$", mixed)
    expect(r"\('new'\) was successful", groups(tools, "--delete", "--group", "new"))
    left = set(groups(tools, "--list").split())
    assert not left & {"gone", "old", "new"} and "gone-new" in left, left


def validate_regex(tools):
    """The tool asks no broker for this."""
    expect(r"is valid\.", tools.run("consumer-groups", "--validate-regex", "orders-.*", bootstrap=False))
    expect(r"is invalid: ", tools.run("consumer-groups", "--validate-regex", "a(?=b)", bootstrap=False))


def verifiable_consumer(tools):
    for group, *options in (
        ("verified-classic",),
        ("verified-sticky", "--assignment-strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
        ("verified-static", "--group-instance-id", "desk-1"),
        ("verified-new", "--group-protocol", "consumer"),
        ("verified-range", "--group-protocol", "consumer", "--group-remote-assignor", "range"),
    ):
        output = tools.run("verifiable-consumer", "--topic", TOPIC, "--group-id", group, "--max-messages", 30, *options)
        events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        names = [event["name"] for event in events]
        assert names[:2] == ["startup_complete", "partitions_assigned"] and "shutdown_complete" in names, f"{group}: {names}"
        assert sum(event["count"] for event in events if event["name"] == "records_consumed") == 30, f"{group}: {output}"
        commits = [event for event in events if event["name"] == "offsets_committed"]
        assert commits and all(event["success"] for event in commits), f"{group}: {output}"
        assert committed(tools, group) == ENDS, f"{group}: {committed(tools, group)}"


# ---- after the graceful stop, and after the start that follows


def dump_group_log(tools):
    """__consumer_offsets as Kafka's own deserializers read it."""
    if tools.target.data is None:
        raise Skipped("the broker's data directory is not ours to read")
    logs = [log for log in sorted(tools.target.data.glob("__consumer_offsets-*/*.log")) if log.stat().st_size]
    records = re.findall(r"^\| offset: .* key: (\{.*?\}\}) payload: (.*)$", dump(tools, logs, "--offsets-decoder"), re.M)
    seen = [(json.loads(key), payload) for key, payload in records]
    types = {int(key["type"]) for key, _ in seen}
    wanted = {1, 2, 3, 5, 6, 7, 8}  # offsets, classic groups; consumer groups: epoch, members, target epoch and assignments, current assignments
    assert wanted <= types, f"record types {sorted(types)}, wanted {sorted(wanted)}"
    last = {json.dumps(key["data"], sort_keys=True) + key["type"]: payload for key, payload in seen}
    left = {key: payload for key, payload in last.items() if re.search(r'"(?:group|groupId)": "(?:gone|old|new)"', key) and payload != "<DELETE>"}
    assert not left, f"records of deleted groups without a tombstone: {left}"
    offsets = {key["data"]["partition"]: json.loads(last[json.dumps(key["data"], sort_keys=True) + "1"])["data"]["offset"]
               for key, _ in seen if key["type"] == "1" and key["data"]["group"] == "reset"}  # fmt: skip
    assert offsets == ENDS, offsets


def offsets_survive_a_restart(tools):
    for group in ("reset", "gone-new", "verified-new"):
        assert committed(tools, group) == ENDS, f"{group}: {committed(tools, group)}"
    listed = groups(tools, "--list", "--type")
    expect(r"^gone-new\s+Consumer\s*$", listed)
    expect(r"^verified-classic\s+Classic\s*$", listed)
    assert not re.search(r"^(?:gone|old|new)\s", listed, re.M), listed


ONLINE = [
    ("kafka-console-consumer --group", consume_in_group),
    ("kafka-consumer-perf-test --group", consumer_perf),
    ("kafka-consumer-groups: two groups with members", members_join),
    ("kafka-consumer-groups --list", list_groups),
    ("kafka-consumer-groups --list, filtered", list_groups_filtered),
    ("kafka-groups --list", list_groups_of_all_types),
    ("kafka-consumer-groups --describe --offsets", describe_offsets),
    ("kafka-consumer-groups --describe --members", describe_members),
    ("kafka-consumer-groups --describe --state", describe_state),
    ("kafka-consumer-groups --describe without members", describe_without_members),
    ("kafka-consumer-groups --describe --all-groups", describe_all_groups),
    ("kafka-consumer-groups: an unknown group", unknown_group),
    ("kafka-consumer-groups: members protect their group", members_protect_their_group),
    ("kafka-consumer-groups: the members leave", members_leave),
    ("kafka-consumer-groups --reset-offsets: every rule", reset_rules),
    ("kafka-consumer-groups --reset-offsets --from-file, --export", reset_through_a_file),
    ("kafka-consumer-groups --reset-offsets: reading goes on there", reset_is_where_reading_goes_on),
    ("kafka-consumer-groups --delete-offsets", delete_offsets),
    ("kafka-consumer-groups --delete", delete_groups),
    ("kafka-consumer-groups --validate-regex", validate_regex),
    ("kafka-verifiable-consumer", verifiable_consumer),
]
STOPPED = [("kafka-dump-log --offsets-decoder", dump_group_log)]
RESTARTED = [("kafka-consumer-groups after a restart", offsets_survive_a_restart)]
