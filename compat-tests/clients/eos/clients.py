"""The clients of the exactly-once matrix and how their workers come about."""

from pathlib import Path

import programs

from .pipeline import Client

HERE = Path(__file__).resolve().parent
CONFLUENT = ("confluent-kafka-2.15.1", "confluent-kafka==2.15.1")

_java = programs.java(HERE / "java/TransactWorker.java")
_confluent = programs.python(HERE / "python/confluent_worker.py", *CONFLUENT)

CLIENTS = [
    Client("confluent-kafka", _confluent),
    Client("java", _java),
    Client("java-consumer", _java, "consumer"),
    Client("franz-go", programs.go(HERE / "go", "franzgo")),
    Client("sarama", programs.go(HERE / "go", "sarama")),
    Client("kafkajs", programs.node(HERE / "node/kafkajs_worker.mjs", "kafkajs", "2.2.4")),
    Client("streams", programs.java(HERE / "java/StreamsWorker.java", ("kafka-streams",))),
]

READER = Client("reader", programs.python(HERE / "python/reader.py", *CONFLUENT))
