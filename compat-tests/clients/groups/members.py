"""The clients of the group matrix: what each is, how its program comes about, and which strategies it runs with.

Packages come from their registries through the ordinary clients, in the versions named here, into the cache.
"""

import functools
import os
from dataclasses import dataclass, field
from pathlib import Path

import programs

from . import scenario

HERE = Path(__file__).resolve().parent

CODECS = ["lz4", "python-snappy", "zstandard"]


@dataclass
class Client:
    """A program with a strategy: `command` plus five arguments is a member of a group."""

    name: str
    strategy: str
    prepare: object  # () -> (command, environment additions); installs and builds what is missing
    shape: object = None  # how the assignor divides, as in scenario.py
    command: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)

    def make_ready(self):
        self.command, additions = self.prepare()
        self.environment = dict(os.environ, **additions)


def _in(folder, language, program, *details):
    return language(folder / program, *details)


def _clients():
    java = programs.java(HERE / "java/GroupMember.java")
    python = functools.partial(_in, HERE / "python", programs.python)
    node = functools.partial(_in, HERE / "node", programs.node)
    go = functools.partial(programs.go, HERE / "go")
    for strategy, shape in (("range", scenario.ranges), ("roundrobin", scenario.round_robin), ("sticky", None), ("cooperative-sticky", None), ("consumer", None)):
        yield Client(f"java-{strategy}", strategy, java, shape)
    confluent = python("confluent_kafka_member.py", "confluent-kafka-2.15.1", "confluent-kafka==2.15.1")
    for strategy, shape in (("range", scenario.ranges), ("roundrobin", scenario.round_robin), ("cooperative-sticky", None), ("consumer", None)):
        yield Client(f"confluent-kafka-{strategy}", strategy, confluent, shape)
    for version, second in (("3.0.12", "sticky"), ("2.0.2", "roundrobin")):  # the sticky one of 2.0.2 fails in itself
        program = python("kafka_python_member.py", f"kafka-python-{version}", f"kafka-python=={version}", *CODECS)
        yield Client(f"kafka-python-{version}-range", "range", program, scenario.ranges)
        yield Client(f"kafka-python-{version}-{second}", second, program)
    yield Client("aiokafka-roundrobin", "roundrobin", python("aiokafka_member.py", "aiokafka-0.14.0", "aiokafka==0.14.0"), scenario.round_robin)
    yield Client("kafkajs-roundrobin", "roundrobin", node("kafkajs.mjs", "kafkajs", "2.2.4"))
    yield Client("platformatic-roundrobin", "roundrobin", node("platformatic.mjs", "@platformatic/kafka", "1.35.0"))
    kafka_javascript = node("kafka_javascript.mjs", "@confluentinc/kafka-javascript", "1.10.1", programs.librdkafka)
    yield Client("kafka-javascript-cooperative-sticky", "cooperative-sticky", kafka_javascript)
    for strategy, shape in (("range", scenario.ranges), ("sticky", None)):
        yield Client(f"sarama-{strategy}", strategy, go("sarama"), shape)
    for strategy, shape in (("range", scenario.ranges), ("cooperative-sticky", None), ("consumer", None)):
        yield Client(f"franz-go-{strategy}", strategy, go("franzgo"), shape)
    yield Client("kafka-go-range", "range", go("kafkago"), scenario.ranges)
    yield Client("confluent-kafka-go-range", "range", go("confluent"), scenario.ranges)


CLIENTS = list(_clients())
