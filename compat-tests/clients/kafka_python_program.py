"""kafka-python against a broker: `kafka_python_program.py HOST:PORT NAME`; runs with 2.0.2 as with 3.x, inside its environment.

2.0.2 guesses the broker's version from the ranges in the ApiVersions answer and refuses codecs it thinks too new.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.report import Report, Skipped  # noqa: E402

import six_moves  # noqa: E402,F401  (for 2.0.2)
import kafka  # noqa: E402
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition  # noqa: E402
from kafka.admin import NewPartitions, NewTopic  # noqa: E402

ADDRESS, NAME = sys.argv[1], sys.argv[2]
OLD = kafka.__version__.startswith("2.0")


def topic_name(what):
    return f"{NAME}-{what}"


def producer(**settings):
    return KafkaProducer(bootstrap_servers=ADDRESS, **settings)


def consume(topic, start=0, count=None, seconds=15):
    """The records of partition 0 from `start`: `count` of them, or all up to the end as it is now."""
    reader = KafkaConsumer(bootstrap_servers=ADDRESS, group_id=None, enable_auto_commit=False)
    partition = TopicPartition(topic, 0)
    reader.assign([partition])
    reader.seek(partition, start)
    if count is None:
        count = reader.end_offsets([partition])[partition] - start
    got, deadline = [], time.monotonic() + seconds
    while len(got) < count and time.monotonic() < deadline:
        for batch in reader.poll(timeout_ms=500).values():
            got += batch
    reader.close()
    assert len(got) >= count, f"{len(got)} of {count} records"
    return got[:count]


def round_trip():
    topic = topic_name("round-trip")
    with_headers = [("from", b"Franz"), ("to", "Milena ✉".encode())]
    sender = producer(acks="all")
    sent = [sender.send(topic, key=b"k%d" % n, value=b"v%d" % n, headers=with_headers, partition=0) for n in range(100)]
    sender.flush()
    assert [future.get(timeout=10).offset for future in sent] == list(range(100))
    sender.close()
    got = consume(topic)
    assert [(r.offset, r.key, r.value) for r in got] == [(n, b"k%d" % n, b"v%d" % n) for n in range(100)]
    assert [tuple(header) for header in got[0].headers] == with_headers, got[0].headers


def tombstones():
    topic = topic_name("tombstones")
    sender = producer()
    sender.send(topic, key=b"k", value=b"v", partition=0)
    sender.send(topic, key=b"k", value=None, partition=0)
    sender.close()
    assert [r.value for r in consume(topic)] == [b"v", None]


def codecs():
    lines = [b"%d " % n + b"letters " * 40 for n in range(100)]
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        sender = producer(compression_type=codec, linger_ms=50)
        for line in lines:
            sender.send(topic_name(codec), value=line, partition=0)
        sender.close()
        assert [r.value for r in consume(topic_name(codec))] == lines, codec


def acks():
    for setting in (0, 1, "all"):
        sender = producer(acks=setting, **({} if OLD else {"enable_idempotence": False}))
        sender.send(topic_name(f"acks-{setting}"), value=b"one", partition=0).get(timeout=10)
        sender.close()
        assert [r.value for r in consume(topic_name(f"acks-{setting}"), count=1)] == [b"one"], setting


def idempotence():
    if OLD:
        raise Skipped("kafka-python 2.0.2 has no idempotent producer")
    sender = producer(enable_idempotence=True, batch_size=2000)
    for n in range(2000):
        sender.send(topic_name("idempotent"), value=b"%d" % n, partition=0)
    sender.close()
    assert [r.value for r in consume(topic_name("idempotent"))] == [b"%d" % n for n in range(2000)]


def offsets():
    topic = topic_name("offsets")
    sender = producer()
    stamps = [1_600_000_000_000 + 1000 * n for n in range(5)]
    for stamp in stamps:
        sender.send(topic, value=b"%d" % stamp, partition=0, timestamp_ms=stamp).get(timeout=10)
    sender.close()
    partition = TopicPartition(topic, 0)
    reader = KafkaConsumer(bootstrap_servers=ADDRESS, group_id=None)
    assert reader.beginning_offsets([partition]) == {partition: 0}
    assert reader.end_offsets([partition]) == {partition: 5}
    for asked, wanted in ((stamps[0], 0), (stamps[2], 2), (stamps[2] + 1, 3)):
        found = reader.offsets_for_times({partition: asked})[partition]
        assert (found.offset, found.timestamp) == (wanted, stamps[wanted]), found
    assert reader.offsets_for_times({partition: stamps[4] + 1})[partition] is None
    assert reader.partitions_for_topic(topic) == {0}
    reader.close()
    assert [r.offset for r in consume(topic, start=3)] == [3, 4]


def admin():
    topic = topic_name("admin")
    client = KafkaAdminClient(bootstrap_servers=ADDRESS)
    client.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    _eventually(lambda: topic in client.list_topics(), "the topic is listed")
    _eventually(lambda: _partition_count(client, topic) == 2, "two partitions")
    client.create_partitions({topic: NewPartitions(total_count=4)})
    _eventually(lambda: _partition_count(client, topic) == 4, "four partitions")
    client.delete_topics([topic])
    _eventually(lambda: topic not in client.list_topics(), "the topic is gone")
    client.close()


def _partition_count(client, topic):
    (described,) = client.describe_topics([topic])
    return len(described["partitions"])


def _eventually(holds, what, seconds=10):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not after {seconds} s: {what}"
        time.sleep(0.05)


def main():
    report = Report(NAME, as_json=True)
    for check in (round_trip, tombstones, codecs, acks, idempotence, offsets, admin):
        report.run(f"{NAME}: {check.__name__.replace('_', ' ')}", check)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
