"""What the directories of the upgrade tests hold: written through the protocol, so by any broker, ours or Kafka's.

`write` leaves two groups with a living member and a transaction open, and returns what a later reader has to know of
them. What a broker then serves of all this says `inspection`.
"""

import subprocess

from lib import admin_api, api, cache, records  # noqa: F401  (admin_api brings the requests)
from lib.wire import Writer

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
SEGMENT_BYTES = 1 << 20
TOPIC, BROKER, GROUP = 2, 4, 32  # kinds of resources
OPEN_TIMEOUT_MS = 2_000_000_000  # of the transaction that stays open; transaction.max.timeout.ms must allow it
PROPERTIES = {
    "transaction.max.timeout.ms": 2_147_483_647,
    "offsets.topic.num.partitions": 3,
    "transaction.state.log.num.partitions": 3,
    "group.initial.rebalance.delay.ms": 0,
    "log.retention.ms": -1,
}
CLASSIC_SESSION_MS = 1_800_000


def write(broker):
    """Everything; a dict of notes, ready for JSON."""
    notes = {}
    with api.Client(broker.address, timeout=30.0) as client:
        _plain_topics(broker, client)
        _changed_topics(client)
        notes["idempotent"] = _idempotent(client)
        _groups(client, notes)
        _configs(client)
        _finished_transactions(client)
        notes["open"] = _open_transaction(client)
    return notes


def _plain_topics(broker, client):
    client.make_topic("codecs", len(CODECS))
    client.produce("codecs", 0, records.batch([records.Record(b"v", b"k", [(b"h", b"1"), (b"h", None)], 1_700_000_000_123), b"", None]))
    for partition, codec in list(enumerate(CODECS))[1:]:
        _kcat(broker, "codecs", partition, codec, [f"{codec} {n} " + "x" * 50 for n in range(40)])
    client.make_topic("segments", 1, {"segment.bytes": SEGMENT_BYTES})
    for n in range(28):
        _produce(client, "segments", 0, [bytes([65 + n % 26]) * 100_000])
    client.make_topic("appended-at", 1, {"message.timestamp.type": "LogAppendTime"})
    _produce(client, "appended-at", 0, [b"a", b"b"])
    client.make_topic("compacted", 1, {"cleanup.policy": "compact"})
    for value in (b"1", b"2", None):
        _produce(client, "compacted", 0, [records.Record(value, b"key")])
    client.make_topic("empty", 2)


def _changed_topics(client):
    """What was changed or taken away after it was made."""
    client.make_topic("grown", 1)
    _produce(client, "grown", 0, [b"before"])
    _done(client.call("CreatePartitions", topics=[{"name": "grown", "count": 3}])["results"])
    api.until_ready(lambda: client.offset("grown", 2))
    _produce(client, "grown", 2, [b"after"])
    client.make_topic("cut")
    for n in range(4):
        _produce(client, "cut", 0, [b"%d" % (5 * n + m) for m in range(5)])
    topics = [{"name": "cut", "partitions": [{"partition_index": 0, "offset": 12}]}]
    _done(client.call("DeleteRecords", topics=topics, timeout_ms=10000)["topics"][0]["partitions"])
    for name in ("deleted", "made-again"):
        client.make_topic(name, 2)
        _produce(client, name, 1, [b"of the first " + name.encode()] * 3)
        _done([client.delete_topic(name)])
    client.make_topic("made-again", 1)
    _produce(client, "made-again", 0, [b"of the second"])


def _idempotent(client):
    """A producer that may come back: its batches can be sent again, and it can go on."""
    client.make_topic("idempotent")
    producer_id, epoch = client.init_producer_id()
    batches = []
    for sequence in (0, 2, 4):
        batch = records.batch([b"%d" % sequence, b"%d" % (sequence + 1)], producer_id=producer_id, producer_epoch=epoch, base_sequence=sequence)
        _done([client.produce("idempotent", 0, batch)])
        batches.append(batch.hex())
    return {"producer_id": producer_id, "epoch": epoch, "next_sequence": 6, "batches": batches}


def _groups(client, notes):
    topics = ["codecs", "grown"]
    for group in ("offsets-only", "removed", "left"):
        client.await_group(group)
    commit(client, "offsets-only", {("codecs", 0): 1, ("codecs", 3): 17, ("grown", 2): 1}, metadata="a note")
    commit(client, "removed", {("codecs", 0): 2})
    _done(client.call("DeleteGroups", groups_names=["removed"])["results"])
    member = join_classic(client, "left", topics)
    commit(client, "left", {("codecs", 1): 4}, **member)
    _done([client.call("LeaveGroup", group_id="left", members=[{"member_id": member["member_id"]}])])
    notes["classic"] = join_classic(client, "classic", topics)
    commit(client, "classic", {("codecs", 2): 9}, **notes["classic"])
    _done(alter(client, GROUP, "consumer", {"consumer.session.timeout.ms": "55000"}))
    member = {"member_id": "a-consumer-0000", "member_epoch": 0}
    joined = client.call(
        "ConsumerGroupHeartbeat", group_id="consumer", rebalance_timeout_ms=300_000, subscribed_topic_names=topics, topic_partitions=[], **member
    )
    _done([joined])
    notes["consumer"] = {"member_id": joined["member_id"], "member_epoch": joined["member_epoch"]}
    commit(client, "consumer", {("grown", 0): 1}, member_id=joined["member_id"], generation_id=joined["member_epoch"])


def _configs(client):
    _done(alter(client, TOPIC, "codecs", {"max.message.bytes": "2000000", "retention.ms": "-1"}))
    _done(alter(client, BROKER, "", {"message.max.bytes": "3000000"}))


def _finished_transactions(client):
    """Two partitions with committed and aborted records, and offsets of a group within a transaction."""
    client.make_topic("transactions", 2)
    for number, committed in enumerate((True, False, True)):
        transaction = begin(client, "finished", 60_000)
        for partition in (0, 1):
            add_records(client, transaction, "transactions", partition, [b"%d of %d" % (n, number) for n in range(3)])
        if number == 2:
            add_offsets(client, transaction, "in-transaction", {("codecs", 4): 11})
        end(client, transaction, committed)


def _open_transaction(client):
    """One that nobody ends, with records behind it that readers of committed records must not see."""
    transaction = begin(client, "open", OPEN_TIMEOUT_MS)
    add_records(client, transaction, "transactions", 1, [b"open"] * 2)
    add_offsets(client, transaction, "in-transaction", {("codecs", 4): 12})
    _produce(client, "transactions", 1, [b"behind the open one"])
    return transaction


# ---- single requests, also for those who go on with what was written


def begin(client, transactional_id, timeout_ms):
    client_ready = lambda: client.call("FindCoordinator", key_type=1, coordinator_keys=[transactional_id])["coordinators"][0]  # noqa: E731
    api.until_ready(client_ready)
    ask = lambda: client.call("InitProducerId", transactional_id=transactional_id, transaction_timeout_ms=timeout_ms)  # noqa: E731
    answer = until(lambda: ask(), api.NOT_YET | {51})
    _done([answer])
    return {"id": transactional_id, "producer_id": answer["producer_id"], "epoch": answer["producer_epoch"], "sequences": {}}


def _of(transaction):
    return {"transactional_id": transaction["id"], "producer_id": transaction["producer_id"], "producer_epoch": transaction["epoch"]}


def add_records(client, transaction, topic, partition, values):
    topics = [{"name": topic, "partitions": [partition]}]
    ask = lambda: client.call("AddPartitionsToTxn", topics=topics, **_of(transaction))["topics"][0]["partitions"][0]  # noqa: E731
    _done([until(ask, {51})])
    place = f"{topic}-{partition}"
    sequence = transaction["sequences"].get(place, 0)
    batch = records.batch(
        values,
        attributes=records.TRANSACTIONAL_BIT,
        producer_id=transaction["producer_id"],
        producer_epoch=transaction["epoch"],
        base_sequence=sequence,
    )
    _done([client.produce(topic, partition, batch, transactional_id=transaction["id"])])
    transaction["sequences"][place] = sequence + len(values)


def add_offsets(client, transaction, group, offsets):
    client.await_group(group)
    _done([until(lambda: client.call("AddOffsetsToTxn", group_id=group, **_of(transaction)), {51})])
    answer = client.call("TxnOffsetCommit", group_id=group, topics=_offset_topics(offsets, "metadata", None), **_of(transaction))
    _done([partition for topic in answer["topics"] for partition in topic["partitions"]])


def end(client, transaction, committed):
    _done([client.call("EndTxn", committed=committed, **_of(transaction))])


def commit(client, group, offsets, metadata=None, member_id="", generation_id=-1):
    client.await_group(group)
    topics = _offset_topics(offsets, "committed_metadata", metadata)
    answer = client.call("OffsetCommitOfMember", group_id=group, topics=topics, member_id=member_id, generation_id=generation_id)
    _done([partition for topic in answer["topics"] for partition in topic["partitions"]])


def _offset_topics(offsets, metadata_field, metadata):
    return [
        {"name": topic, "partitions": [{"partition_index": partition, "committed_offset": offset, metadata_field: metadata}]}
        for (topic, partition), offset in offsets.items()
    ]


def join_classic(client, group, topics):
    """The only member of a classic group, its leader, with an assignment; what its requests say of it."""
    client.await_group(group)
    asked = {"group_id": group, "session_timeout_ms": CLASSIC_SESSION_MS, "protocols": [{"name": "range", "metadata": _subscription(topics)}]}
    needed = client.call("JoinGroup", **asked)
    joined = client.call("JoinGroup", member_id=needed["member_id"], **asked)
    _done([joined])
    member = {"member_id": joined["member_id"], "generation_id": joined["generation_id"]}
    assignments = [{"member_id": joined["member_id"], "assignment": _assignment(topics)}]
    _done([client.call("SyncGroup", group_id=group, protocol_name="range", assignments=assignments, **member)])
    return member


def _subscription(topics):
    """ConsumerProtocolSubscription, version 0."""
    return Writer().i16(0).array(topics, lambda w, topic: w.string(topic)).i32(-1).bytes()


def _assignment(topics):
    """ConsumerProtocolAssignment, version 0: partition 0 of each topic."""
    return Writer().i16(0).array(topics, lambda w, topic: w.string(topic).array([0], lambda v, p: v.i32(p))).i32(-1).bytes()


def alter(client, kind, name, configs):
    changes = [{"name": key, "config_operation": 0, "value": value} for key, value in configs.items()]
    return client.call("IncrementalAlterConfigs", resources=[{"resource_type": kind, "resource_name": name, "configs": changes}])["responses"]


def until(ask, not_yet, seconds=15.0):
    """Asks again while the answer is one of these errors: 51 is a transaction whose end is still being written."""
    answer = api.until_ready(ask, seconds)
    while answer["error_code"] in not_yet and seconds > 0:
        seconds -= 0.05
        answer = api.until_ready(ask, 0.05)
    return answer


def _produce(client, topic, partition, values):
    _done([client.produce(topic, partition, records.batch(values))])


def _done(answers):
    for answer in answers:
        assert answer["error_code"] == 0, answer


def _kcat(broker, topic, partition, codec, values):
    cache.need_command("kcat", "kcat")
    command = ["kcat", "-P", "-b", broker.address, "-t", topic, "-p", str(partition), "-z", codec]
    subprocess.run(command, input="\n".join(values), text=True, check=True, timeout=60)


def await_offset(client, group, place, offset):
    """Waits until a group has this offset, as the end of a transaction brings it."""

    def ask():
        found = client.call("OffsetFetch", groups=[{"group_id": group}])["groups"][0]
        told = {(t["name"], p["partition_index"]): p["committed_offset"] for t in found["topics"] for p in t["partitions"]}
        return {"error_code": found["error_code"] or (0 if told.get(place) == offset else 51), "told": told}

    answer = until(ask, {51})
    assert answer["error_code"] == 0, f"{group} should have {offset} for {place}, it has {answer['told']}"
