"""Well-formed requests that ask for nonsense: F23 to F25 of the catalogue. The codes are Apache Kafka's own answers."""

import time

from lib import api, records

from ground import ANSWERED, CLOSED, TOPIC, kind

OK = 0
UNKNOWN_TOPIC = api.ERROR["UNKNOWN_TOPIC_OR_PARTITION"]
OUT_OF_RANGE = api.ERROR["OFFSET_OUT_OF_RANGE"]
BAD_REQUEST = api.ERROR["INVALID_REQUEST"]
BAD_TOPIC = api.ERROR["INVALID_TOPIC_EXCEPTION"]
NEWER_EPOCH, OLDER_EPOCH = api.ERROR["UNKNOWN_LEADER_EPOCH"], api.ERROR["FENCED_LEADER_EPOCH"]
NOT_FOLLOWER = api.ERROR["NOT_LEADER_OR_FOLLOWER"]
TOO_OLD_VERSION = api.ERROR["UNSUPPORTED_VERSION"]  # these came with later versions of ListOffsets than the one asked with
LONG_MAX, INT_MAX = 2**63 - 1, 2**31 - 1

# name: (fields of the partition, fields of the request, error code of the partition, or of the answer when it has none)
FETCH = {
    "offset -1": ({"fetch_offset": -1}, {}, OUT_OF_RANGE),
    "offset LONG_MIN": ({"fetch_offset": -(2**63)}, {}, OUT_OF_RANGE),
    "offset LONG_MAX": ({"fetch_offset": LONG_MAX}, {}, OUT_OF_RANGE),
    "partition -1": ({"partition": -1}, {}, UNKNOWN_TOPIC),
    "partition INT_MAX": ({"partition": INT_MAX}, {}, UNKNOWN_TOPIC),
    "partition bytes 0": ({"partition_max_bytes": 0}, {}, OK),
    "partition bytes -1": ({"partition_max_bytes": -1}, {}, {OK, BAD_REQUEST}),
    "partition bytes INT_MAX": ({"partition_max_bytes": INT_MAX}, {}, OK),
    "max bytes 0": ({}, {"max_bytes": 0}, OK),
    "max bytes -1": ({}, {"max_bytes": -1}, {OK, BAD_REQUEST}),
    "max bytes INT_MAX": ({}, {"max_bytes": INT_MAX}, OK),
    "min bytes above max bytes": ({}, {"min_bytes": INT_MAX, "max_bytes": 1, "max_wait_ms": 100}, OK),
    "min bytes -1": ({}, {"min_bytes": -1}, OK),
    "max wait -1": ({}, {"max_wait_ms": -1, "min_bytes": INT_MAX}, OK),
    "max wait INT_MIN": ({}, {"max_wait_ms": -(2**31), "min_bytes": INT_MAX}, OK),
    "a newer leader epoch": ({"current_leader_epoch": INT_MAX}, {}, NEWER_EPOCH),
    "leader epoch -2": ({"current_leader_epoch": -2}, {}, OK),
    "last fetched epoch 99": ({"last_fetched_epoch": 99}, {}, OUT_OF_RANGE),
    "log start offset -5": ({"log_start_offset": -5}, {}, OK),
    "a client as replica 1": ({}, {"replica_id": 1}, NOT_FOLLOWER),
    "a client as replica 77": ({}, {"replica_id": 77}, NOT_FOLLOWER),
    "replica -2": ({}, {"replica_id": -2}, OK),
    "an unknown rack": ({}, {"rack_id": "x" * 30_000}, OK),
}
# name: (session id, session epoch, error code of the answer)
SESSIONS = {
    "an unknown session": (12345, 1, api.ERROR["FETCH_SESSION_ID_NOT_FOUND"]),
    "session 0 with epoch 5": (0, 5, api.ERROR["FETCH_SESSION_ID_NOT_FOUND"]),
    "session -7": (-7, 3, api.ERROR["FETCH_SESSION_ID_NOT_FOUND"]),
    "closing an unknown session": (12345, -1, OK),
    "opening under an unknown id": (12345, 0, OK),
    "epoch INT_MIN": (12345, -(2**31), api.ERROR["FETCH_SESSION_ID_NOT_FOUND"]),
}
LIST_OFFSETS = {
    "timestamp -3": ({"timestamp": -3}, OK),
    "timestamp -4": ({"timestamp": -4}, TOO_OLD_VERSION),
    "timestamp -5": ({"timestamp": -5}, TOO_OLD_VERSION),
    "timestamp -6": ({"timestamp": -6}, TOO_OLD_VERSION),
    "timestamp -7": ({"timestamp": -7}, TOO_OLD_VERSION),
    "timestamp -100": ({"timestamp": -100}, TOO_OLD_VERSION),
    "timestamp LONG_MIN": ({"timestamp": -(2**63)}, TOO_OLD_VERSION),
    "timestamp LONG_MAX": ({"timestamp": LONG_MAX}, OK),
    "timestamp 0": ({"timestamp": 0}, OK),
    "ListOffsets of partition -1": ({"timestamp": -1, "partition_index": -1}, UNKNOWN_TOPIC),
    "ListOffsets with a newer epoch": ({"timestamp": -1, "current_leader_epoch": 99}, NEWER_EPOCH),
    "ListOffsets with epoch -2": ({"timestamp": -1, "current_leader_epoch": -2}, OLDER_EPOCH),
}
# name: (fields, (error code, end offset: -1, or "start" or "end" of the log))
EPOCHS = {
    "epoch INT_MAX": ({"leader_epoch": INT_MAX}, (OK, -1)),
    "epoch -1": ({"leader_epoch": -1}, (OK, -1)),
    "epoch INT_MIN": ({"leader_epoch": -(2**31)}, (OK, "start")),
    "the current epoch": ({"leader_epoch": 0}, (OK, "end")),
    "an unknown partition": ({"leader_epoch": 0, "partition": 9}, (UNKNOWN_TOPIC, -1)),
    "a newer current epoch": ({"leader_epoch": 0, "current_leader_epoch": 99}, (NEWER_EPOCH, -1)),
}


def fetch(ground, partition=None, **fields):
    """The decoded answer to a Fetch of the topic, or CLOSED."""
    fields = {"max_wait_ms": 0, **fields}
    answer = ground.exchange(api.request("Fetch", topics=[{"topic": TOPIC, "partitions": [partition or {}]}], **fields))
    return answer if isinstance(answer, str) else api.decode("Fetch", answer)


def fetches(ground):
    with ground.client() as client:
        client.produce(TOPIC, 0, records.batch([b"something to fetch"]))
    observed = {}
    for name, (partition, fields, _) in FETCH.items():
        answer = fetch(ground, partition, **fields)
        if isinstance(answer, str):
            observed[name] = answer
        else:
            topics = answer["topics"]
            observed[name] = topics[0]["partitions"][0]["error_code"] if topics else answer["error_code"]
    ground.expect({name: code for name, (_, _, code) in FETCH.items()}, observed)


def long_polls_end(ground):
    """A wait of INT_MAX ms is served as soon as there is something; its connection's end ends it too."""
    with ground.client(timeout=0.5) as client:
        end = client.offset(TOPIC, 0)["offset"]
        topics = [{"topic": TOPIC, "partitions": [{"fetch_offset": end}]}]
        client.send(api.request("Fetch", topics=topics, max_wait_ms=INT_MAX))
        try:
            client.receive()
            raise AssertionError("answered before there was anything")
        except TimeoutError:
            pass
        with ground.client() as other:
            other.produce(TOPIC, 0, records.batch([b"at last"]))
        client.socket.settimeout(5.0)
        answer = api.decode("Fetch", client.receive()[1])
        assert answer["topics"][0]["partitions"][0]["records"], answer


def one_partition_twice(ground):
    twice = api.request("Fetch", topics=[{"topic": TOPIC, "partitions": [{}, {"fetch_offset": -1}]}] * 2, max_wait_ms=0)
    assert kind(ground.exchange(twice)) in (ANSWERED, CLOSED)


def fetch_sessions(ground):
    observed = {}
    for name, (session_id, epoch, _) in SESSIONS.items():
        answer = fetch(ground, session_id=session_id, session_epoch=epoch)
        observed[name] = answer if isinstance(answer, str) else answer["error_code"]
    ground.expect({name: code for name, (_, _, code) in SESSIONS.items()}, observed)


def session_epochs(ground):
    """A real session: the next epoch is served, any other is an error, forgetting what it never had is not."""
    with ground.client() as client:

        def ask(session_id, epoch, **fields):
            return client.call("Fetch", session_id=session_id, session_epoch=epoch, max_wait_ms=0, **fields)

        opened = ask(0, 0, topics=[{"topic": TOPIC, "partitions": [{}]}])
        session = opened["session_id"]
        assert opened["error_code"] == OK and session > 0, opened
        assert ask(session, 1)["error_code"] == OK
        assert ask(session, 5)["error_code"] == api.ERROR["INVALID_FETCH_SESSION_EPOCH"]
        unknown = [{"topic": "never-heard-of", "partitions": [0, 1, -1]}, {"topic": TOPIC, "partitions": [99]}]
        assert ask(session, 2, forgotten=unknown)["error_code"] == OK
        closed = ask(session, -1, topics=[{"topic": TOPIC, "partitions": [{}]}])
        assert closed["error_code"] == OK and closed["session_id"] == 0, closed
        assert ask(session, 3)["error_code"] == api.ERROR["FETCH_SESSION_ID_NOT_FOUND"]


def ten_thousand_sessions(ground):
    """Sessions are opened and abandoned; the cache has a bound, and past it clients are served without a session."""
    ids = set()
    with ground.client() as client:
        for _ in range(10_000):
            answer = client.call("Fetch", session_epoch=0, max_wait_ms=0, topics=[{"topic": TOPIC, "partitions": [{}]}], max_bytes=1)
            assert answer["error_code"] == OK, answer["error_code"]
            ids.add(answer["session_id"])
    ids.discard(0)
    assert 1 <= len(ids) <= 10_000


def produces(ground):
    """Odd acks, time-outs and partitions of Produce."""
    good = records.batch([b"v"])

    def ask(topics, **fields):
        answer = ground.exchange(api.request("Produce", topics=topics, **fields))
        if isinstance(answer, str):
            return answer
        return {p["error_code"] for topic in api.decode("Produce", answer)["topics"] for p in topic["partitions"]}

    def to(*partitions, topic=TOPIC):
        return [{"name": topic, "partitions": [{"index": index, "records": good} for index in partitions]}]

    observed = {
        "acks 2": ask(to(0), acks=2),
        "acks -2": ask(to(0), acks=-2),
        "acks 32767": ask(to(0), acks=32767),
        "time-out -1": ask(to(0), timeout_ms=-1),
        "time-out 0": ask(to(0), timeout_ms=0),
        "an unknown topic": ask(to(0, topic="never-heard-of")),
        "produce to partition -1": ask(to(-1)),
        "produce to partition INT_MAX": ask(to(INT_MAX)),
        "no topics": ask([]),
        "a topic without partitions": ask([{"name": TOPIC, "partitions": []}]),
        "a transactional id nobody initialised": ask(to(0), transactional_id="nobody"),
    }
    wanted = {
        "acks 2": 21,
        "acks -2": 21,
        "acks 32767": 21,
        "time-out -1": OK,
        "time-out 0": OK,
        "an unknown topic": UNKNOWN_TOPIC,
        "produce to partition -1": UNKNOWN_TOPIC,
        "produce to partition INT_MAX": UNKNOWN_TOPIC,
        "no topics": None,
        "a topic without partitions": None,
        "a transactional id nobody initialised": OK,
    }
    ground.expect(wanted, {name: _single(codes) for name, codes in observed.items()})


def internal_topics(ground):
    """Clients do not write to internal topics, whatever they say; a good batch is refused like a bad one."""
    name = "__consumer_offsets"
    with ground.client() as client:
        assert client.create_topic(name)["error_code"] in (OK, api.ERROR["TOPIC_ALREADY_EXISTS"])
        api.until_ready(lambda: client.offset(name, 0))
        answer = client.call("Produce", topics=[{"name": name, "partitions": [{"records": records.batch([b"forged offset"])}]}])
        end = client.offset(name, 0)["offset"]
    (topic,) = answer["topics"]
    ground.expect({"produce to an internal topic": BAD_TOPIC}, {"produce to an internal topic": topic["partitions"][0]["error_code"]})
    assert end == 0, f"{end} records in {name}"


def _single(codes):
    if isinstance(codes, str):
        return codes
    return next(iter(codes)) if len(codes) == 1 else (None if not codes else tuple(sorted(codes)))


def one_partition_twice_in_produce(ground):
    """Whatever becomes of the two batches for one partition, the answer accounts for what is in the log."""
    with ground.client() as client:
        before = client.offset(TOPIC, 0)["offset"]
        batch = records.batch([b"twin"])
        topics = [{"name": TOPIC, "partitions": [{"index": 0, "records": batch}, {"index": 0, "records": batch}]}]
        answer = ground.exchange(api.request("Produce", topics=topics))
        after = client.offset(TOPIC, 0)["offset"]
    if answer != CLOSED:
        codes = [p["error_code"] for topic in api.decode("Produce", answer)["topics"] for p in topic["partitions"]]
        assert after - before <= 2 and (after > before or OK not in codes), f"{codes}, the log grew by {after - before}"
    else:
        assert after == before


def acks_0(ground):
    """A good one is answered by nothing; a failed one closes the connection, so that the client notices."""
    with ground.client() as client:
        before = client.offset(TOPIC, 0)["offset"]
    good = api.request("Produce", acks=0, topics=[{"name": TOPIC, "partitions": [{"records": records.batch([b"v"])}]}])
    with ground.connect(timeout=1.0) as connection:
        connection.send(good + api.request("ApiVersions"))
        assert api.decode("ApiVersions", connection.receive()[1])["error_code"] == OK, "the next answer is not that of the next request"
    with ground.client() as client:
        deadline = time.monotonic() + 5
        while client.offset(TOPIC, 0)["offset"] != before + 1:
            assert time.monotonic() < deadline, "the record never came"
    bad = {
        "acks 0 to an unknown partition": [{"name": TOPIC, "partitions": [{"index": 55, "records": records.batch([b"v"])}]}],
        "acks 0 with a bad CRC": [{"name": TOPIC, "partitions": [{"records": records.batch([b"v"], crc=1)}]}],
    }
    observed = {name: kind(ground.exchange(api.request("Produce", acks=0, topics=topics), timeout=2.0)) for name, topics in bad.items()}
    ground.expect({name: CLOSED for name in bad}, observed)


def list_offsets(ground):
    observed = {}
    for name, (fields, _) in LIST_OFFSETS.items():
        answer = ground.exchange(api.request("ListOffsets", topics=[{"name": TOPIC, "partitions": [fields]}]))
        observed[name] = answer if isinstance(answer, str) else api.decode("ListOffsets", answer)["topics"][0]["partitions"][0]["error_code"]
    ground.expect({name: code for name, (_, code) in LIST_OFFSETS.items()}, observed)


def list_offsets_twice(ground):
    """A partition that is asked for twice is refused for both."""
    partitions = [{"timestamp": -1}, {"timestamp": -2}]
    answer = ground.exchange(api.request("ListOffsets", topics=[{"name": TOPIC, "partitions": partitions}]))
    codes = [p["error_code"] for p in api.decode("ListOffsets", answer)["topics"][0]["partitions"]]
    ground.expect({"ListOffsets twice": BAD_REQUEST}, {"ListOffsets twice": _single(set(codes))})


def leader_epochs(ground):
    observed, wanted = {}, {}
    with ground.client() as client:
        bounds = {"start": client.offset(TOPIC, 0, -2)["offset"], "end": client.offset(TOPIC, 0)["offset"], -1: -1}
    for name, (fields, (code, offset)) in EPOCHS.items():
        answer = ground.exchange(api.request("OffsetForLeaderEpoch", topics=[{"topic": TOPIC, "partitions": [fields]}]))
        partition = api.decode("OffsetForLeaderEpoch", answer)["topics"][0]["partitions"][0]
        observed[name] = (partition["error_code"], partition["end_offset"])
        wanted[name] = (code, bounds[offset])
    ground.expect(wanted, observed)


CHECKS = {
    "F23 fetches": fetches,
    "F23 long polls end": long_polls_end,
    "F23 one partition twice": one_partition_twice,
    "F23 session ids": fetch_sessions,
    "F23 session epochs": session_epochs,
    "F23 10,000 sessions": ten_thousand_sessions,
    "F24 produces": produces,
    "F24 one partition twice": one_partition_twice_in_produce,
    "F24 internal topics": internal_topics,
    "F24 acks 0": acks_0,
    "F25 list offsets": list_offsets,
    "F25 list offsets twice": list_offsets_twice,
    "F25 leader epochs": leader_epochs,
}
NOT_FOR_KAFKA = {}
