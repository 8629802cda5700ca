"""Consumer groups: F21 names and F26 members. The codes are Apache Kafka's own answers."""

import random

from lib import api
from lib.wire import Writer, frame

from ground import ANSWERED, TOPIC, kind

UNKNOWN_ERROR, REBALANCING = api.ERROR["UNKNOWN_SERVER_ERROR"], api.ERROR["REBALANCE_IN_PROGRESS"]
OK, TOO_LARGE, TOO_MUCH_METADATA, GROUP_IS_FULL = 0, 10, 12, 81
INVALID_GROUP, INCONSISTENT, UNKNOWN_MEMBER, MEMBER_ID_REQUIRED = 24, 23, 25, 79
UNKNOWN_TOPIC = api.ERROR["UNKNOWN_TOPIC_OR_PARTITION"]
BAD_REQUEST = api.ERROR["INVALID_REQUEST"]
BAD_EXPRESSION = 128
GROUP_IDS = {"an empty id": "", "a slash": "a/b", "a new line": "a\nb", "a NUL": "a\0b", "30,000 letters": "x" * 30_000, "dots": ".."}
SUBSCRIPTION = Writer().i16(1).array([TOPIC], Writer.string).i32(-1).array([], Writer.string).bytes()
RANGE = [{"name": "range", "metadata": SUBSCRIPTION}]


def join(client, group, member="", protocols=None, **fields):
    return client.call("JoinGroup", group_id=group, member_id=member, protocols=RANGE if protocols is None else protocols, **fields)


def enter(client, group, **fields):
    """Joins an empty group with the id that the broker hands out; the answer."""
    client.await_group(group)
    return join(client, group, join(client, group, **fields)["member_id"], **fields)


def sync(client, group, joined, assignments, **fields):
    return client.call("SyncGroup", group_id=group, generation_id=joined["generation_id"], member_id=joined["member_id"],
                       protocol_name=joined["protocol_name"], assignments=assignments, **fields)  # fmt: skip


def leave(client, group, member):
    return client.call("LeaveGroup", group_id=group, members=[{"member_id": member}])["error_code"]


def beat(client, group, member, **fields):
    joining = {"member_epoch": 0, "rebalance_timeout_ms": 5000, "topic_partitions": []}
    return client.call("ConsumerGroupHeartbeat", group_id=group, member_id=member, **(joining | fields))["error_code"]


def commit(client, group, partitions, topic=TOPIC):
    answer = client.call("OffsetCommit", group_id=group, topics=[{"name": topic, "partitions": partitions}])
    return {partition["error_code"] for partition in answer["topics"][0]["partitions"]}


def group_ids(ground):
    observed, wanted = {}, {}
    with ground.client() as client:
        client.await_group("ready")
        for name, group in GROUP_IDS.items():
            partition = {"partition_index": 0, "committed_offset": 1, "committed_metadata": ""}
            observed[f"join: {name}"] = api.until_ready(lambda group=group: join(client, group))["error_code"]
            (observed[f"commit: {name}"],) = commit(client, group, [partition])
            observed[f"heartbeat: {name}"] = beat(client, group + "-new" if group else "", "m", subscribed_topic_names=[TOPIC])
            wanted[f"join: {name}"] = MEMBER_ID_REQUIRED if group else INVALID_GROUP
            wanted[f"commit: {name}"] = OK  # old clients keep offsets under no name
            wanted[f"heartbeat: {name}"] = OK if group else BAD_REQUEST
    ground.expect(wanted, observed)


def odd_protocols(ground):
    many = [{"name": f"protocol-{n}", "metadata": SUBSCRIPTION} for n in range(10_000)]
    with ground.client() as client:
        client.await_group("odd")
        observed = {
            "no protocols": join(client, "odd", protocols=[])["error_code"],
            "an empty protocol type": join(client, "odd", protocol_type="")["error_code"],
            "one protocol twice": enter(client, "odd-twice", protocols=RANGE * 2)["error_code"],
            "10,000 protocols": enter(client, "odd-many", protocols=many)["error_code"],
        }
    ground.expect({"no protocols": INCONSISTENT, "an empty protocol type": INCONSISTENT, "one protocol twice": OK, "10,000 protocols": OK}, observed)


def junk_subscriptions(ground):
    """What members tell each other is nobody else's business: a group works whatever its bytes are."""
    dice = random.Random(26)
    junk = [b"", b"\0", b"sub", b"subscription", b"\xff" * 64, b"\x00\x01\x7f\xff\xff\xff", *(dice.randbytes(dice.randrange(1, 300)) for _ in range(20))]
    for n, metadata in enumerate(junk):
        with ground.client(timeout=10.0) as client:
            group = f"junk-{n}"
            joined = enter(client, group, protocols=[{"name": "range", "metadata": metadata}])
            assert joined["error_code"] == OK and joined["members"][0]["metadata"] == metadata, f"{metadata!r}: {joined}"
            synced = sync(client, group, joined, [{"member_id": joined["member_id"], "assignment": metadata}])
            assert synced["error_code"] == OK and synced["assignment"] == metadata, f"{metadata!r}: {synced}"
            assert commit(client, group, [{"partition_index": 0, "committed_offset": 1}]) == {UNKNOWN_MEMBER}, "a stranger commits"
            assert leave(client, group, joined["member_id"]) == OK


def large_metadata(ground):
    """A subscription of 5 MB is more than a record may hold; it is refused at once or the group recovers from it."""
    with ground.client(timeout=30.0) as client:
        joined = enter(client, "large", protocols=[{"name": "range", "metadata": b"\0" * (5 << 20)}])
        assert joined["error_code"] in (OK, TOO_LARGE), joined["error_code"]
        if joined["error_code"] == OK:
            sync(client, "large", joined, [{"member_id": joined["member_id"], "assignment": b"x" * (5 << 20)}])
            leave(client, "large", joined["member_id"])
    with ground.client(timeout=30.0) as client:
        joined = enter(client, "large")
        synced = sync(client, "large", joined, [{"member_id": joined["member_id"], "assignment": b"fits"}])
        assert (synced["error_code"], synced["assignment"]) == (OK, b"fits"), synced
        leave(client, "large", joined["member_id"])


def enter_together(clients, group):
    """The answers to JoinGroup of members that join an empty group at the same time, each on its connection."""
    clients[0].await_group(group)
    ids = [join(client, group)["member_id"] for client in clients]
    for client, member in zip(clients, ids):
        client.send(frame(api.request_payload("JoinGroup", group_id=group, member_id=member, protocols=RANGE)))
    joined = [api.decode("JoinGroup", client.receive()[1]) for client in clients]
    assert {one["error_code"] for one in joined} == {OK} and len({one["generation_id"] for one in joined}) == 1, joined
    return joined


def large_assignments(ground):
    """Assignments that together are more than a record may hold fail for every member, and the group begins again."""
    with ground.client(timeout=30.0) as first, ground.client(timeout=30.0) as second:
        clients = [first, second]
        joined = enter_together(clients, "heavy")
        assignments = [{"member_id": one["member_id"], "assignment": b"x" * 900_000} for one in joined]
        for client, one in sorted(zip(clients, joined), key=lambda pair: pair[1]["leader"] == pair[1]["member_id"]):
            given = assignments if one["leader"] == one["member_id"] else []
            request = {"group_id": "heavy", "generation_id": one["generation_id"], "member_id": one["member_id"], "protocol_name": "range"}
            client.send(frame(api.request_payload("SyncGroup", **request, assignments=given)))
        synced = [api.decode("SyncGroup", client.receive()[1])["error_code"] for client in clients]
        beats = [client.call("Heartbeat", group_id="heavy", generation_id=one["generation_id"], member_id=one["member_id"])["error_code"]
                 for client, one in zip(clients, joined)]  # fmt: skip
        ground.expect({"syncs": UNKNOWN_ERROR, "heartbeats": REBALANCING}, {"syncs": same(synced), "heartbeats": same(beats)})
        for client, one in zip(clients, joined):
            leave(client, "heavy", one["member_id"])


def same(codes):
    """The one code that all are, or all of them in words."""
    return codes[0] if len(set(codes)) == 1 else str(codes)


def assignments_of_a_follower(ground):
    """Only the leader's assignments count, and only those for members."""
    with ground.client(timeout=30.0) as first, ground.client(timeout=30.0) as second:
        clients = [first, second]
        joined = enter_together(clients, "pair")
        ids = [one["member_id"] for one in joined]
        order = sorted(zip(clients, joined), key=lambda pair: pair[1]["leader"] == pair[1]["member_id"])
        for (client, one), told in zip(order, (b"false", b"true")):  # the follower speaks first
            assignments = [{"member_id": member, "assignment": told} for member in (*ids, "ghost", "")]
            request = {"group_id": "pair", "generation_id": one["generation_id"], "member_id": one["member_id"], "protocol_name": "range"}
            client.send(frame(api.request_payload("SyncGroup", **request, assignments=assignments)))
        synced = [api.decode("SyncGroup", client.receive()[1]) for client in clients]
        assert [(one["error_code"], one["assignment"]) for one in synced] == [(OK, b"true")] * 2, synced
        for client, member in zip(clients, ids):
            leave(client, "pair", member)


def members_that_never_come(ground):
    """20,000 ids are asked for and none is used: handed out, or refused from some number on."""
    with ground.client(timeout=60.0) as client:
        client.await_group("crowd")
        request = frame(api.request_payload("JoinGroup", group_id="crowd", session_timeout_ms=1_800_000, protocols=RANGE))
        for _ in range(100):
            client.send(request * 200)
            answers = [api.decode("JoinGroup", client.receive()[1]) for _ in range(200)]
            assert {answer["error_code"] for answer in answers} <= {MEMBER_ID_REQUIRED, GROUP_IS_FULL}, answers[0]
    with ground.client() as client:
        assert enter(client, "next-to-the-crowd")["error_code"] == OK


def offset_commits(ground):
    def partitions(count, metadata=""):
        return [{"partition_index": n, "committed_offset": n, "committed_metadata": metadata} for n in range(count)]

    with ground.client(timeout=30.0) as client:
        client.await_group("bookkeeper")
        observed = {
            "50,000 unknown partitions": commit(client, "bookkeeper", partitions(50_000), topic="never"),
            "4,097 letters": commit(client, "bookkeeper", partitions(1, "x" * 4097)),
            "30,000 letters": commit(client, "bookkeeper", partitions(1, "x" * 30_000)),
            "one partition 1,000 times": commit(client, "bookkeeper", partitions(1) * 1000),
        }
        asked = [{"group_id": f"unknown-{n}", "topics": None} for n in range(20_000)]
        groups = client.call("OffsetFetch", groups=asked)["groups"]
        observed["20,000 groups at once"] = {group["error_code"] for group in groups} if len(groups) == len(asked) else len(groups)
    wanted = {name: OK for name in observed}
    wanted |= {"50,000 unknown partitions": UNKNOWN_TOPIC, "4,097 letters": TOO_MUCH_METADATA, "30,000 letters": TOO_MUCH_METADATA}
    ground.expect(wanted, {name: codes.pop() if len(codes) == 1 else str(codes) for name, codes in observed.items()})


def expressions(ground):
    """Regular expressions that are a trap for those who match by trying, and for those who descend."""
    traps = {
        "nested repeats": "(x+x+)+y", "alternatives": "(a|a)*b" * 20, "deep brackets": "(" * 5000 + "a" + ")" * 5000, "a long one": "a?" * 5000 + "a" * 5000,
        "a huge repeat": "((a{1000}){1000}){1000}", "an open bracket": "(", "a look-ahead": "a(?=b)", "a back reference": r"(a)\1", "NULs": "a\0b",
    }  # fmt: skip
    observed = {}
    for name, text in traps.items():
        with ground.client(timeout=10.0) as client:
            client.await_group(f"traps-{name}")
            observed[name] = beat(client, f"traps-{name}", "m", subscribed_topic_regex=text)
    allowed = {OK, BAD_EXPRESSION}
    ground.expect({name: allowed for name in traps}, observed)


def odd_heartbeats(ground):
    unknown = [{"topic_id": random.Random(n).randbytes(16), "partitions": [0]} for n in range(20_000)]
    with ground.client(timeout=30.0) as client:
        client.await_group("odd-new")
        observed = {
            "10,000 topics": kind(beat(client, "odd-new", "a", subscribed_topic_names=[f"topic-{n}" for n in range(10_000)])),
            "20,000 partitions that nobody gave": kind(beat(client, "odd-new", "b", member_epoch=1, topic_partitions=unknown)),
            "a member id of 30,000 letters": kind(beat(client, "odd-new", "m" * 30_000, subscribed_topic_names=[TOPIC])),
        }
    ground.expect({name: ANSWERED for name in observed}, observed)


CHECKS = {
    "F21 group ids": group_ids,
    "F26 odd protocols": odd_protocols,
    "F26 junk subscriptions": junk_subscriptions,
    "F26 subscriptions of 5 MB": large_metadata,
    "F26 assignments of 2 x 900 KB": large_assignments,
    "F26 assignments by a follower": assignments_of_a_follower,
    "F26 20,000 members that never come": members_that_never_come,
    "F26 offset commits": offset_commits,
    "F26 regular expressions": expressions,
    "F26 odd heartbeats": odd_heartbeats,
}
_NO_ANSWER = "its coordinator never answers some of these, nor anybody after them"
NOT_FOR_KAFKA = {
    "F26 odd protocols": _NO_ANSWER,
    "F26 regular expressions": _NO_ANSWER,
    "F26 odd heartbeats": _NO_ANSWER,
    "F26 junk subscriptions": "Kafka reads subscriptions, and some bytes stop its rebalance: the members wait for ever",
}
