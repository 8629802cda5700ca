"""A group member on kafka-python, 2.0.2 as well as 3.x; its lines are described in scenario.py.

Arguments: HOST:PORT TOPIC GROUP NAME STRATEGY, the strategy an assignor: range, roundrobin, sticky.
"""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import six_moves  # noqa: E402,F401  (for 2.0.2)
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition  # noqa: E402
from kafka.coordinator.assignors.range import RangePartitionAssignor  # noqa: E402
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor  # noqa: E402
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor  # noqa: E402
from kafka.errors import KafkaError  # noqa: E402
from kafka.structs import OffsetAndMetadata  # noqa: E402

ADDRESS, TOPIC, GROUP, NAME, STRATEGY = sys.argv[1:6]
ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor, "sticky": StickyPartitionAssignor}
stopped = False


def say(*words):
    print(*words, flush=True)


def next_offset(offset):
    """The struct grew a field with 3.x."""
    return OffsetAndMetadata(offset, "", *[-1] * (len(OffsetAndMetadata._fields) - 2))


class Listener(ConsumerRebalanceListener):
    """Tells what is owned; these assignors revoke everything before they assign."""

    def on_partitions_assigned(self, assigned):
        say("owns", ",".join(str(one.partition) for one in sorted(assigned)) or "-")

    def on_partitions_revoked(self, revoked):
        say("owns", "-")


def stop(*_):
    global stopped
    stopped = True


signal.signal(signal.SIGTERM, stop)
consumer = KafkaConsumer(
    bootstrap_servers=ADDRESS,
    group_id=GROUP,
    client_id=NAME,
    auto_offset_reset="earliest",
    enable_auto_commit=False,
    session_timeout_ms=6000,
    heartbeat_interval_ms=1000,
    partition_assignment_strategy=[ASSIGNORS[STRATEGY]],
)
consumer.subscribe([TOPIC], listener=Listener())
while not stopped:
    following = {}
    for partition, batch in consumer.poll(timeout_ms=200).items():
        for record in batch:
            say("record", record.partition, record.offset)
        following[partition.partition] = batch[-1].offset + 1
    if not following:
        continue
    try:
        consumer.commit({TopicPartition(TOPIC, p): next_offset(offset) for p, offset in following.items()})
        for partition, offset in following.items():
            say("committed", partition, offset)
    except KafkaError as error:  # a rebalance came between, or the broker is away
        say("note", repr(error))
consumer.close(autocommit=False)
say("left")
