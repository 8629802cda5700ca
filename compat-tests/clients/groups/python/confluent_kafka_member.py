"""A group member on confluent-kafka (librdkafka); its lines are described in scenario.py.

Arguments: HOST:PORT TOPIC GROUP NAME STRATEGY, the strategy an assignor or "consumer" for the KIP-848 protocol.
"""

import signal
import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition

ADDRESS, TOPIC, GROUP, NAME, STRATEGY = sys.argv[1:6]
owned = set()
stopped = False


def say(*words):
    print(*words, flush=True)


def tell():
    say("owns", ",".join(map(str, sorted(owned))) or "-")


def assigned(_, partitions):
    owned.update(one.partition for one in partitions)
    tell()


def revoked(_, partitions):
    owned.difference_update(one.partition for one in partitions)
    tell()


def stop(*_):
    global stopped
    stopped = True


def settings():
    common = {"bootstrap.servers": ADDRESS, "group.id": GROUP, "client.id": NAME, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    if STRATEGY == "consumer":
        return common | {"group.protocol": "consumer"}
    return common | {"session.timeout.ms": 6000, "heartbeat.interval.ms": 1000, "partition.assignment.strategy": STRATEGY}


signal.signal(signal.SIGTERM, stop)
consumer = Consumer(settings())
consumer.subscribe([TOPIC], on_assign=assigned, on_revoke=revoked, on_lost=revoked)
while not stopped:
    following = {}
    for message in consumer.consume(100, 0.2):
        if message.error():
            say("note", message.error())
            continue
        say("record", message.partition(), message.offset())
        following[message.partition()] = message.offset() + 1
    if not following:
        continue
    try:
        done = consumer.commit(offsets=[TopicPartition(TOPIC, p, offset) for p, offset in following.items()], asynchronous=False)
        for one in done:
            say("note", one.error) if one.error else say("committed", one.partition, one.offset)
    except KafkaException as error:
        say("note", error)
consumer.close()
say("left")
