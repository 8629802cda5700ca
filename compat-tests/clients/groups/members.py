"""The clients of the group matrix: what each is, how its program comes about, and which strategies it runs with.

Packages come from their registries through the ordinary clients, in the versions named here, into the cache.
"""

import functools
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "librdkafka"))

from lib import cache, kafka_jars  # noqa: E402

import python_env  # noqa: E402
import suite  # noqa: E402

from . import scenario  # noqa: E402

HERE = Path(__file__).resolve().parent
LOG = "group-members.log"

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


def _log():
    return cache.logs_dir("setup") / LOG


@functools.cache
def _java():
    cache.need_command("javac", "openjdk-17-jdk-headless")
    jars = f"{kafka_jars.libs()}/*"
    classes = cache.scratch_dir("java-members")
    cache.run_logged(["javac", "-cp", jars, "-d", classes, HERE / "java/GroupMember.java"], _log())
    options = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=OFF"]  # it would log to stdout, into the lines
    return ["java", *options, "-cp", f"{classes}:{jars}", "GroupMember"], {}


def _python(program, name, *requirements):
    def prepare():
        return [str(python_env.interpreter(name, list(requirements))), str(HERE / "python" / program)], {}

    return prepare


def _node(program, package, version, environment=None):
    """`environment()`: what the package needs beside itself, to be built and to run."""

    def prepare():
        cache.need_command("npm", "npm")
        additions = environment() if environment else {}

        def make(directory):
            (directory / "package.json").write_text("{}")
            command = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"{package}@{version}"]
            cache.run_logged(command, _log(), cwd=directory, env=dict(os.environ, **additions))

        home = cache.made_once(f"node-{package.replace('/', '-').strip('@')}-{version}", make)
        for source in (program, "lines.mjs"):  # next to node_modules, where Node looks from a program
            shutil.copy(HERE / "node" / source, home / source)
        return ["node", str(home / program)], additions

    return prepare


def _librdkafka():
    """Node's binding is built against a librdkafka; its own build would fetch sources from sites outside the registry."""
    library = suite.tests_dir().parent
    paths = f"{library}/src:{library}/src-cpp"
    return {"BUILD_LIBRDKAFKA": "0", "CPLUS_INCLUDE_PATH": paths, "LIBRARY_PATH": paths, "LD_LIBRARY_PATH": paths}


def _go(program):
    def prepare():
        if shutil.which("go") is None:
            raise RuntimeError("Go is needed: https://go.dev/dl or a package; Debian 12's is too old for these clients")
        binary = cache.scratch_dir("go-members") / program
        cache.run_logged(["go", "build", "-o", binary, f"./{program}"], _log(), cwd=HERE / "go")
        return [str(binary)], {}

    return prepare


def _clients():
    for strategy, shape in (("range", scenario.ranges), ("roundrobin", scenario.round_robin), ("sticky", None), ("cooperative-sticky", None), ("consumer", None)):
        yield Client(f"java-{strategy}", strategy, _java, shape)
    confluent = _python("confluent_kafka_member.py", "confluent-kafka-2.15.1", "confluent-kafka==2.15.1")
    for strategy, shape in (("range", scenario.ranges), ("roundrobin", scenario.round_robin), ("cooperative-sticky", None), ("consumer", None)):
        yield Client(f"confluent-kafka-{strategy}", strategy, confluent, shape)
    for version, second in (("3.0.12", "sticky"), ("2.0.2", "roundrobin")):  # the sticky one of 2.0.2 fails in itself
        program = _python("kafka_python_member.py", f"kafka-python-{version}", f"kafka-python=={version}", *CODECS)
        yield Client(f"kafka-python-{version}-range", "range", program, scenario.ranges)
        yield Client(f"kafka-python-{version}-{second}", second, program)
    yield Client("aiokafka-roundrobin", "roundrobin", _python("aiokafka_member.py", "aiokafka-0.14.0", "aiokafka==0.14.0"), scenario.round_robin)
    yield Client("kafkajs-roundrobin", "roundrobin", _node("kafkajs.mjs", "kafkajs", "2.2.4"))
    yield Client("platformatic-roundrobin", "roundrobin", _node("platformatic.mjs", "@platformatic/kafka", "1.35.0"))
    kafka_javascript = _node("kafka_javascript.mjs", "@confluentinc/kafka-javascript", "1.10.1", _librdkafka)
    yield Client("kafka-javascript-cooperative-sticky", "cooperative-sticky", kafka_javascript)
    for strategy, shape in (("range", scenario.ranges), ("sticky", None)):
        yield Client(f"sarama-{strategy}", strategy, _go("sarama"), shape)
    for strategy, shape in (("range", scenario.ranges), ("cooperative-sticky", None), ("consumer", None)):
        yield Client(f"franz-go-{strategy}", strategy, _go("franzgo"), shape)
    yield Client("kafka-go-range", "range", _go("kafkago"), scenario.ranges)
    yield Client("confluent-kafka-go-range", "range", _go("confluent"), scenario.ranges)


CLIENTS = list(_clients())
