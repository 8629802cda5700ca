"""confluent-kafka (librdkafka) against a broker: `confluent_kafka_program.py HOST:PORT NAME`, inside its environment.

Consumers assign partitions themselves and commit nothing, so no group is involved.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.report import Report  # noqa: E402

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer, TopicCollection, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType  # noqa: E402

ADDRESS, NAME = sys.argv[1], sys.argv[2]


def topic_name(what):
    return f"{NAME}-{what}"


def produce(topic, records, **settings):
    """Produces dicts of Producer.produce's arguments to partition 0 and returns the offsets that were acknowledged."""
    offsets = []

    def delivered(error, message):
        if error is not None:
            raise KafkaException(error)
        offsets.append(message.offset())

    sender = Producer({"bootstrap.servers": ADDRESS, "linger.ms": 20, **settings})
    for record in records:
        sender.produce(topic, partition=0, on_delivery=delivered, **record)
        sender.poll(0)
    assert sender.flush(20) == 0, "not all records were delivered"
    return offsets


def consumer(**settings):
    return Consumer({"bootstrap.servers": ADDRESS, "group.id": "unused", "enable.auto.commit": False, **settings})


def consume(topic, start=0, count=None, seconds=15, **settings):
    """The messages of partition 0 from `start`: `count` of them, or all up to the end as it is now."""
    reader = consumer(**settings)
    if count is None:
        count = reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1] - start
    reader.assign([TopicPartition(topic, 0, start)])
    got, deadline = [], time.monotonic() + seconds
    while len(got) < count and time.monotonic() < deadline:
        got += [message for message in reader.consume(count - len(got), timeout=0.5) if message.error() is None]
    reader.close()
    assert len(got) == count, f"{len(got)} of {count} records"
    return got


def round_trip():
    headers = [("from", b"Franz"), ("to", "Milena ✉".encode()), ("null", None), ("empty", b"")]
    records = [{"key": b"k%d" % n, "value": b"v%d" % n, "headers": headers} for n in range(100)]
    assert produce(topic_name("round-trip"), records) == list(range(100))
    got = consume(topic_name("round-trip"))
    assert [(m.offset(), m.key(), m.value()) for m in got] == [(n, b"k%d" % n, b"v%d" % n) for n in range(100)]
    assert got[0].headers() == headers, got[0].headers()


def tombstones():
    produce(topic_name("tombstones"), [{"key": b"k", "value": b"v"}, {"key": b"k", "value": None}])
    assert [m.value() for m in consume(topic_name("tombstones"))] == [b"v", None]


def codecs():
    lines = [b"%d " % n + b"letters " * 40 for n in range(100)]
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        produce(topic_name(codec), [{"value": line} for line in lines], **{"compression.codec": codec})
        assert [m.value() for m in consume(topic_name(codec))] == lines, codec


def acks():
    for setting in ("0", "1", "all"):
        produce(topic_name(f"acks-{setting}"), [{"value": b"one"}], acks=setting)
        assert [m.value() for m in consume(topic_name(f"acks-{setting}"), count=1)] == [b"one"], setting


def idempotence():
    settings = {"enable.idempotence": True, "batch.num.messages": 50, "max.in.flight": 5, "linger.ms": 1}
    offsets = produce(topic_name("idempotent"), [{"value": b"%d" % n} for n in range(5000)], **settings)
    assert offsets == list(range(5000)), "offsets out of order"
    assert [m.value() for m in consume(topic_name("idempotent"))] == [b"%d" % n for n in range(5000)]


def too_large():
    try:
        produce(topic_name("too-large"), [{"value": b"x" * 1_500_000}], **{"message.max.bytes": 3_000_000})
    except KafkaException as error:
        assert error.args[0].name() == "MSG_SIZE_TOO_LARGE", error
    else:
        raise AssertionError("a record of 1.5 MB was accepted")


def offsets():
    topic = topic_name("offsets")
    stamps = [1_600_000_000_000 + 1000 * n for n in range(5)]
    for stamp in stamps:
        produce(topic, [{"value": b"%d" % stamp, "timestamp": stamp}])
    reader = consumer()
    assert reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10) == (0, 5)
    for asked, wanted in ((stamps[0], 0), (stamps[2], 2), (stamps[2] + 1, 3), (stamps[4] + 1, -1)):
        (found,) = reader.offsets_for_times([TopicPartition(topic, 0, asked)], timeout=10)
        assert found.offset == wanted and found.error is None, f"at {asked}: {found}"
    reader.assign([TopicPartition(topic, 0, 0)])
    assert reader.consume(1, timeout=10)[0].offset() == 0
    reader.seek(TopicPartition(topic, 0, 4))
    assert reader.consume(1, timeout=10)[0].offset() == 4
    reader.close()


def end_of_partition():
    topic = topic_name("end")
    produce(topic, [{"value": b"only"}])
    reader = consumer(**{"enable.partition.eof": True})
    reader.assign([TopicPartition(topic, 0, 0)])
    first, second = reader.consume(1, timeout=10) + reader.consume(1, timeout=10)
    assert first.value() == b"only" and second.error() is not None and second.error().name() == "_PARTITION_EOF"
    reader.close()


def admin_topics():
    topic, admin = topic_name("admin"), AdminClient({"bootstrap.servers": ADDRESS})
    admin.create_topics([NewTopic(topic, 2, 1, config={"retention.ms": "3600000"})])[topic].result(10)
    _eventually(lambda: len(_describe(admin, topic).partitions) == 2, "two partitions")
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(10)
    _eventually(lambda: len(_describe(admin, topic).partitions) == 3, "three partitions")
    resource = ConfigResource(ResourceType.TOPIC, topic)
    config = admin.describe_configs([resource])[resource].result(10)
    assert config["retention.ms"].value == "3600000" and not config["retention.ms"].is_default, config["retention.ms"]
    assert config["cleanup.policy"].value == "delete" and config["cleanup.policy"].is_default, config["cleanup.policy"]
    admin.delete_topics([topic])[topic].result(10)
    _eventually(lambda: topic not in admin.list_topics(timeout=10).topics, "the topic is gone")


def admin_records():
    topic, admin = topic_name("records"), AdminClient({"bootstrap.servers": ADDRESS})
    produce(topic, [{"value": b"%d" % n} for n in range(10)])
    partition = TopicPartition(topic, 0, 4)
    (deleted,) = admin.delete_records([partition]).values()
    assert deleted.result(10).low_watermark == 4
    for spec, wanted in ((OffsetSpec.earliest(), 4), (OffsetSpec.latest(), 10)):
        (found,) = admin.list_offsets({TopicPartition(topic, 0): spec}, isolation_level=IsolationLevel.READ_UNCOMMITTED).values()
        assert found.result(10).offset == wanted, found.result(10)
    assert [m.offset() for m in consume(topic, start=4)] == list(range(4, 10))


def admin_cluster():
    admin = AdminClient({"bootstrap.servers": ADDRESS})
    described = admin.describe_cluster().result(10)
    assert [f"{node.host}:{node.port}" for node in described.nodes] == [ADDRESS], described.nodes
    assert described.controller.id == 1 and len(described.cluster_id) == 22, described


def _describe(admin, topic):
    return admin.describe_topics(TopicCollection([topic]))[topic].result(10)


def _eventually(holds, what, seconds=10):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not after {seconds} s: {what}"
        time.sleep(0.05)


CHECKS = (
    round_trip, tombstones, codecs, acks, idempotence, too_large, offsets, end_of_partition, admin_topics, admin_records, admin_cluster,
)  # fmt: skip


def main():
    report = Report(NAME, as_json=True)
    for check in CHECKS:
        report.run(f"{NAME}: {check.__name__.replace('_', ' ')}", check)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
