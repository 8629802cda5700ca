"""Reads every partition of a topic from the start, read_committed, on confluent-kafka, and tells what it polled.

Arguments: HOST:PORT TOPIC PARTITIONS END. END is `stopped` (until SIGTERM) or `all`: it ends when no partition has more,
and says that it has read everything.
"""

import json
import signal
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

ADDRESS, TOPIC, PARTITIONS, END = sys.argv[1:5]
stopped = False


def tell(op, **fields):
    print(json.dumps({"time": time.time(), "op": op, **fields}), flush=True)


def stop(*_):
    global stopped
    stopped = True


signal.signal(signal.SIGTERM, stop)
consumer = Consumer({"bootstrap.servers": ADDRESS, "group.id": "reader-without-a-group", "enable.auto.commit": False, "isolation.level": "read_committed",
                     "enable.partition.eof": True})  # fmt: skip
partitions = range(int(PARTITIONS))
consumer.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in partitions])
ended = set()
while not stopped and not (END == "all" and ended == set(partitions)):
    records = []
    for message in consumer.consume(500, 0.02):
        if message.error() is None:
            records.append([message.topic(), message.partition(), message.offset(), message.value().decode()])
        elif message.error().code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition())
    if records:
        tell("poll", records=records)
if END == "all" and not stopped:
    tell("read_all", partitions=[[TOPIC, partition] for partition in partitions])
consumer.close()
