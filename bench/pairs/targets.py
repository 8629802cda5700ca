"""What is measured: our broker, the floor (the null broker), Apache Kafka and small peers, each a process pinned to one core.

All but Apache Kafka start afresh on an empty directory for every measurement. Apache Kafka has to be warm: one
process serves a whole run, held by SIGSTOP while it is not its turn, and its topics are deleted after each measurement.
Everything else, this program and the load, stays on the other core.
"""

import contextlib
import itertools
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass

import programs
from lib import api, broker

from pairs import ROOT, generator

NAMES = {"milena": "Milena", "null": "null broker", "kafka": "Apache Kafka 4.3.1", "kfake": "kfake"}
PEERS = ("kfake",)
KFAKE = programs.go(ROOT / "bench/peers", "kfake")
BROKER_CORES = {0}
LOAD_CORES = {1}
ALL_CORES = BROKER_CORES | LOAD_CORES
OPEN_FILES = 20_000
CALM_SECONDS = 65.0

# Both serve one core. Classic groups wait half a second for their first members; consumer groups assign at every join.
COMMON = {"group.initial.rebalance.delay.ms": 500, "group.consumer.assignment.interval.ms": 0}
# Few threads suit one core best.
KAFKA = COMMON | {"num.network.threads": 2, "num.io.threads": 2}
# Of the process that is kept: deleted topics vanish at once, and no pause of ours ends its session with the controller.
KEPT_KAFKA = {"log.segment.delete.delay.ms": 0, "broker.session.timeout.ms": 86_400_000}
WARM_UP = (
    "produce --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 65536 --acks 1 --seconds {seconds}",
    "produce --connections 64 --in-flight 1 --record-bytes 1024 --batch-bytes 0 --acks 1 --seconds {seconds}",
    "fetch --connections 1 --seconds {seconds}",
)


class NullBroker(broker.Milena):
    """The floor: started and ready like our binary, and without settings."""

    def command(self):
        return [str(self.binary), "--port", str(self.port), "--data", str(self.data)]


class Kfake(broker.Milena):
    """The broker of franz-go's tests, keeping its records in files; bench/peers/kfake."""

    def command(self):
        return [str(self.binary), "-port", str(self.port), "-data", str(self.data)]


class TunedKafka(broker.ApacheKafka):
    """Apache Kafka with the heap and the collector of its own start script."""

    jvm = ("-server", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35")


@dataclass(frozen=True)
class Server:
    """A running broker and the topic that a measurement may call its own."""

    broker: broker.Broker
    topic: str

    def load(self, command):
        """What the load generator says of `command` on this topic."""
        return generator.run(command, self.broker, self.topic)


class Fleet:
    """Hands out running brokers, one at a time. Use as a context manager; ends all that it started."""

    def __init__(self, binaries, warm_up_seconds):
        self._binaries = binaries  # {"milena": path, "null": path}
        self._warm_up_seconds = warm_up_seconds
        self._kafka = None
        self._kept = None  # directories that `without_deletions` removes in the end
        self._topics = (f"bench-{n}" for n in itertools.count())

    def __enter__(self):
        os.sched_setaffinity(0, LOAD_CORES)
        return self

    def __exit__(self, *why):
        if self._kafka is not None:
            self._kafka.process.send_signal(signal.SIGCONT)
            self._kafka.__exit__(*why)

    def new(self, name, properties=None, pinned=True):
        """A broker of our own, not started, on an empty directory."""
        if name == "milena":
            made = broker.Milena(self._binaries[name], "bench", COMMON | (properties or {}))
        elif name == "null":
            made = NullBroker(self._binaries[name], "bench")
        elif name == "kfake":
            (program,), _ = KFAKE()
            made = Kfake(program, "bench")
        else:
            made = TunedKafka("bench", KAFKA | (properties or {}))
        made.open_files = OPEN_FILES
        made.cores = BROKER_CORES if pinned else ALL_CORES
        return made

    @contextlib.contextmanager
    def serving(self, name, properties=None, alone=False):
        """A Server with nothing in its topic; `alone`, or with properties of its own, a process of its own too."""
        topic = next(self._topics)
        if name != "kafka" or alone or properties:
            with self.new(name, properties) as started:
                if self._kept is not None:
                    started.keep = True
                    self._kept.append(started.home)
                yield Server(started, topic)
            return
        kafka = self._warm_kafka()
        kafka.process.send_signal(signal.SIGCONT)
        try:
            yield Server(kafka, topic)
            _delete_topics(kafka)
        finally:
            kafka.process.send_signal(signal.SIGSTOP)

    @contextlib.contextmanager
    def without_deletions(self):
        """While this lasts no process of its own has its data deleted, nor was any for a minute before: ext4 is slow to
        give out the inodes that it just got back."""
        time.sleep(CALM_SECONDS)
        self._kept = []
        try:
            yield
        finally:
            for home in self._kept:
                shutil.rmtree(home, ignore_errors=True)
            self._kept = None

    def _warm_kafka(self):
        if self._kafka is None:
            self._kafka = self.new("kafka", KEPT_KAFKA)
            self._kafka.start()
            print("warming up Apache Kafka ...", file=sys.stderr, flush=True)
            server = Server(self._kafka, next(self._topics))
            for n, command in enumerate(WARM_UP):
                server.load(command.format(seconds=self._warm_up_seconds) + (" --create" if n == 0 else ""))
            _delete_topics(self._kafka)
        return self._kafka


def _delete_topics(kafka, seconds=60.0):
    """Deletes the topics of measurements, and waits until their files are gone: that is work too."""
    with api.Client(kafka.address, timeout=seconds) as client:
        for topic in client.metadata()["topics"]:
            if not topic["name"].startswith("__"):
                client.delete_topic(topic["name"])
    deadline = time.monotonic() + seconds
    while any(not path.name.startswith("__") for path in kafka.data.iterdir() if path.is_dir()):
        if time.monotonic() > deadline:
            raise RuntimeError("Apache Kafka does not delete the files of its topics")
        time.sleep(0.05)


def available(name):
    """Whether it can be measured here: a small peer needs the compiler of its language."""
    return name not in PEERS or shutil.which("go") is not None


def default_binaries():
    return {"milena": ROOT / "build/release/milena", "null": ROOT / "build/release/bench/null_broker"}
