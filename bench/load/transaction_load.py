"""Transactions one after the other on confluent-kafka (TV1), each open for a given time; prints how long every commit
took, in microseconds, one a line. The first seconds warm up and print nothing.

Arguments: HOST:PORT TOPIC PARTITIONS OPEN_MS WARM_UP_S SECONDS.
"""

import sys
import time

from confluent_kafka import Producer

ADDRESS, TOPIC = sys.argv[1:3]
PARTITIONS, OPEN_MS, WARM_UP, SECONDS = map(int, sys.argv[3:7])
VALUE = bytes(100)

producer = Producer({"bootstrap.servers": ADDRESS, "transactional.id": f"bench-librdkafka-{OPEN_MS}", "linger.ms": 0})
producer.init_transactions()
took = []
warm = time.monotonic() + WARM_UP
now = time.monotonic()
while now < warm + SECONDS:
    producer.begin_transaction()
    sent = 0
    while sent == 0 or time.monotonic() - now < OPEN_MS / 1000:
        producer.produce(TOPIC, VALUE, partition=sent % PARTITIONS)
        sent += 1
        if OPEN_MS:
            time.sleep(0.001)
    asked = time.monotonic()
    producer.commit_transaction()
    if now >= warm:
        took.append(int(1e6 * (time.monotonic() - asked)))
    now = time.monotonic()
print("\n".join(map(str, took)))
