"""A group member on aiokafka; its lines are described in scenario.py. Arguments: HOST:PORT TOPIC GROUP NAME STRATEGY."""

import asyncio
import signal
import sys

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError

ADDRESS, TOPIC, GROUP, NAME, STRATEGY = sys.argv[1:6]
ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor, "sticky": StickyPartitionAssignor}


def say(*words):
    print(*words, flush=True)


class Listener(ConsumerRebalanceListener):
    async def on_partitions_assigned(self, assigned):
        say("owns", ",".join(str(one.partition) for one in sorted(assigned)) or "-")

    async def on_partitions_revoked(self, revoked):
        say("owns", "-")


async def main():
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    consumer = AIOKafkaConsumer(
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
    await consumer.start()
    while not stopped.is_set():
        following = {}
        for partition, batch in (await consumer.getmany(timeout_ms=200)).items():
            for record in batch:
                say("record", record.partition, record.offset)
            following[partition.partition] = batch[-1].offset + 1
        if not following:
            continue
        try:
            await consumer.commit({TopicPartition(TOPIC, p): offset for p, offset in following.items()})
            for partition, offset in following.items():
                say("committed", partition, offset)
        except KafkaError as error:  # a rebalance came between, or the broker is away
            say("note", repr(error))
    await consumer.stop()
    say("left")


asyncio.run(main())
