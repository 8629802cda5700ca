"""Consume, transform, produce on confluent-kafka (librdkafka); its lines are described in worker.py, next to pipeline.py.

Arguments: HOST:PORT INPUT OUTPUT GROUP TRANSACTIONAL_ID PROCESS PROTOCOL, the protocol classic or consumer.
"""

import json
import random
import signal
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

ADDRESS, INPUT, OUTPUT, GROUP, TRANSACTIONAL_ID, PROCESS, PROTOCOL = sys.argv[1:8]
ABORTS = 0.1  # the part of the transactions that the worker gives up by itself
stopped = False


def tell(op, **fields):
    print(json.dumps({"time": time.time(), "op": op, **fields}), flush=True)


def stop(*_):
    global stopped
    stopped = True


def insist(call, *arguments):
    """Repeats what the client calls retriable, until the worker is stopped."""
    while True:
        try:
            return call(*arguments)
        except KafkaException as error:
            if stopped or not error.args[0].retriable():
                raise
            tell("note", text=str(error))


def acked(error, message):
    if error is None:
        tell("acked", value=message.value().decode(), topic=message.topic(), partition=message.partition(), offset=message.offset())


def consumed(consumer):
    """Up to 50 records, perhaps none."""
    records = []
    for message in consumer.consume(50, 0.2):
        if message.error():
            tell("note", text=str(message.error()))
        else:
            records.append(message)
    return records


def rewind(consumer):
    """To where the last committed transaction ended."""
    tell("assign")
    for one in insist(consumer.committed, consumer.assignment(), 20):
        consumer.seek(TopicPartition(one.topic, one.partition, max(one.offset, 0)))


def transact(consumer, producer, txn, records):
    tell("begin", txn=txn)
    tell("poll", txn=txn, records=[[one.topic(), one.partition(), one.offset(), one.value().decode()] for one in records])
    producer.begin_transaction()
    for one in records:
        value = f"{one.value().decode()}@{txn}"
        tell("send", txn=txn, topic=OUTPUT, value=value)
        producer.produce(OUTPUT, value, key=one.value(), on_delivery=acked)
    following = {}
    for one in records:
        following[one.partition()] = one.offset() + 1
    positions = [TopicPartition(INPUT, partition, offset) for partition, offset in following.items()]
    tell("offsets", txn=txn, group=GROUP, offsets=[[INPUT, one.partition, one.offset] for one in positions])
    insist(producer.send_offsets_to_transaction, positions, consumer.consumer_group_metadata())
    producer.flush()  # every acknowledgement is told before the end, and what aborts is in the log
    if random.random() < ABORTS:
        abort(consumer, producer, txn)
        return
    tell("commit", txn=txn)
    insist(producer.commit_transaction)
    tell("committed", txn=txn)


def abort(consumer, producer, txn):
    tell("abort", txn=txn)
    insist(producer.abort_transaction)
    tell("aborted", txn=txn)
    rewind(consumer)


def work(consumer, producer):
    number = 0
    while not stopped:
        records = consumed(consumer)
        if not records:
            continue
        number += 1
        txn = f"{PROCESS}.{number}"
        try:
            transact(consumer, producer, txn, records)
        except KafkaException as error:
            tell("note", text=str(error))
            if not error.args[0].txn_requires_abort():
                raise
            abort(consumer, producer, txn)


def settings():
    common = {"bootstrap.servers": ADDRESS, "group.id": GROUP, "client.id": PROCESS, "auto.offset.reset": "earliest", "enable.auto.commit": False,
              "isolation.level": "read_committed"}  # fmt: skip
    if PROTOCOL == "consumer":
        return common | {"group.protocol": "consumer"}
    return common | {"session.timeout.ms": 6000, "heartbeat.interval.ms": 1000}


signal.signal(signal.SIGTERM, stop)
producer = Producer({"bootstrap.servers": ADDRESS, "transactional.id": TRANSACTIONAL_ID, "transaction.timeout.ms": 15000, "linger.ms": 2})
insist(producer.init_transactions)
consumer = Consumer(settings())
consumer.subscribe([INPUT], on_assign=lambda *_: tell("assign"), on_revoke=lambda *_: tell("assign"), on_lost=lambda *_: tell("assign"))
try:
    work(consumer, producer)
finally:
    consumer.close()
