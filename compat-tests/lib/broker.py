"""The broker under test as a process: Milena, or Apache Kafka as the reference, or one that already runs.

A Broker keeps its port and data directory over stop, kill and start, so a test can take it down and bring it back.
Processes are ended by their own pid only.
"""

import argparse
import contextlib
import os
import random
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib import api, cache, kafka_jars


def add_arguments(parser):
    """The options that every runner shares."""
    parser.add_argument("--target", default="milena", help="milena (default), kafka, or HOST:PORT of a running broker")
    parser.add_argument("--milena", default=str(cache.ROOT / "build/release/milena"), help="the binary; default build/release/milena")
    parser.add_argument("--override", action="append", default=[], metavar="KEY=VALUE", help="a server property; repeatable")
    parser.add_argument("--keep", action="store_true", help="keep the data directory and the log")
    return parser


def from_arguments(arguments, suite, properties=None):
    """The (not yet started) broker that the command line asks for."""
    properties = dict(properties or {})
    for override in arguments.override:
        key, separator, value = override.partition("=")
        if not separator:
            raise SystemExit(f"--override wants KEY=VALUE, not {override!r}")
        properties[key] = value
    if arguments.target == "milena":
        return Milena(arguments.milena, suite, properties, arguments.keep)
    if arguments.target == "kafka":
        return ApacheKafka(suite, properties, arguments.keep)
    return External(arguments.target)


def free_port():
    """A port that nobody listens on, outside the range the kernel picks client ports from, so that it stays free."""
    for _ in range(1000):
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


class Broker:
    """What all targets share. Use as a context manager: started on entry, stopped and cleaned up on exit."""

    is_kafka = False

    def __init__(self, suite, properties, keep):
        self.suite = suite
        self.home = Path(tempfile.mkdtemp(prefix="compat-"))
        self.data = self.home / "data"
        self.port = free_port()
        self.properties = properties
        self.log = cache.logs_dir(suite) / f"broker-{type(self).__name__.lower()}-{self.port}.log"
        self.process = None
        self.open_files = None
        self.cores = None  # the set of cores it may run on; None: those of this process
        self.keep = keep  # the data directory and the log stay after the end

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        self.start()
        return self

    @contextlib.contextmanager
    def prepared(self):
        """Like `with broker:`, but leaves the start to the caller."""
        self.prepare()
        try:
            yield self
        finally:
            self.__exit__(*sys.exc_info())

    def prepare(self):
        """What has to be done once before the first start, and is no part of it."""

    def __exit__(self, kind, *_):
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if not self.keep:
            shutil.rmtree(self.home, ignore_errors=True)
            if kind is None:
                self.log.unlink(missing_ok=True)

    def start(self, timeout=60.0):
        """Starts the process and waits until it answers; the seconds that took. RuntimeError if it never does."""
        self.prepare()
        started = time.monotonic()
        self.spawn()
        self._wait_ready(started + timeout)
        return time.monotonic() - started

    def stop(self, timeout=60.0):
        """A graceful stop by SIGTERM; the exit code. SIGKILL and RuntimeError after `timeout`."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"no graceful stop within {timeout:.0f} s") from None

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def alive(self):
        return self.process.poll() is None

    def rss_kib(self):
        """Resident memory now, in KiB."""
        return self._status_kib("VmRSS")

    def peak_rss_kib(self):
        """The most resident memory since the start or the last `reset_peak_rss`, in KiB."""
        return self._status_kib("VmHWM")

    def reset_peak_rss(self):
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def cpu_seconds(self):
        """Processor time used so far by all its threads, in seconds, to the nanosecond."""
        return time.clock_gettime(~self.pid << 3 | 2)  # Linux's name for that process's CPU clock

    def _status_kib(self, field):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise RuntimeError(f"no {field}: the broker is gone")

    def partition_dir(self, topic, partition):
        return self.data / f"{topic}-{partition}"

    def log_tail(self, lines=20):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def sibling(self, properties, open_files=None):
        """Another broker of the same kind, not started, with these properties on top and perhaps a limit on open files."""
        other = self._like(self.properties | properties)
        other.open_files = open_files
        return other

    def _popen(self, command, **options):
        if self.open_files or self.cores:
            options["preexec_fn"] = self._limit_child
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL, **options)

    def _limit_child(self):
        if self.open_files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.open_files, self.open_files))
        if self.cores:
            os.sched_setaffinity(0, self.cores)

    def _fail_start(self, why):
        if self.alive():
            self.kill()
        raise RuntimeError(f"the broker {why}; its log {self.log} ends:\n{self.log_tail()}")


class Milena(Broker):
    """Our binary. Ready when it prints BROKERS=HOST:PORT."""

    def __init__(self, binary, suite, properties=None, keep=False):
        super().__init__(suite, dict(properties or {}), keep)
        self.binary = Path(binary).resolve()
        if not os.access(self.binary, os.X_OK):
            raise SystemExit(f"no binary at {self.binary}: run `make build`, or name one with --milena, or use --target kafka")

    def _like(self, properties):
        return Milena(self.binary, self.suite, properties, self.keep)

    def command(self):
        """The command line that starts it."""
        overrides = [argument for item in self.properties.items() for argument in ("--override", "=".join(map(str, item)))]
        return [str(self.binary), "--port", str(self.port), "--data", str(self.data), *overrides]

    def spawn(self):
        """Starts the process and waits for nothing."""
        self._popen(self.command(), stdout=subprocess.PIPE)

    def _wait_ready(self, deadline):
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self._fail_start("printed no BROKERS line in time")
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                self.process.wait()
                self._fail_start(f"ended with code {self.process.returncode}")
            line += byte
        if line.decode().strip() != f"BROKERS={self.address}":
            self._fail_start(f"printed {line!r} instead of BROKERS={self.address}")


class ApacheKafka(Broker):
    """Apache Kafka as a one-node KRaft cluster with its defaults, internal topics with one replica."""

    is_kafka = True
    jvm = ("-XX:+UseSerialGC", "-Xmx1g")  # small, and soon up
    dynamic_quorum = False  # formatting writes down the only voter (KIP-853); else the configuration names it
    format_options = ()  # of kafka-storage format
    _CLUSTER_ID = "bWlsZW5hLWNvbXBhdC10cw"

    def __init__(self, suite, properties=None, keep=False):
        super().__init__(suite, dict(properties or {}), keep)
        self._controller_port = free_port()
        self.config = self.home / "server.properties"

    def _like(self, properties):
        return ApacheKafka(self.suite, properties, self.keep)

    def prepare(self):
        self._class_path = ["-Dlog4j2.level=WARN", "-cp", f"{kafka_jars.libs()}/*"]
        if not self.config.exists():
            self._format()

    def spawn(self):
        self._popen(["java", *self.jvm, *self._class_path, "kafka.Kafka", str(self.config)], stdout=subprocess.DEVNULL)

    def _format(self):
        controller = f"127.0.0.1:{self._controller_port}"
        listeners = f"PLAINTEXT://{self.address},CONTROLLER://{controller}"
        quorum = {"controller.quorum.bootstrap.servers": controller} if self.dynamic_quorum else {"controller.quorum.voters": f"1@{controller}"}
        properties = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "listeners": listeners,
            "controller.listener.names": "CONTROLLER",
            **quorum,
            "log.dirs": self.data,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            **self.properties,
        }
        self.config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        options = ["--standalone", *self.format_options] if self.dynamic_quorum else self.format_options
        command = ["java", "-XX:+UseSerialGC", *self._class_path, "kafka.tools.StorageTool", "format", "-t", self._CLUSTER_ID, "-c", str(self.config)]
        cache.run_logged([*command, *options], self.log)

    def _wait_ready(self, deadline):
        while not answers(self.address):
            if not self.alive():
                self._fail_start(f"ended with code {self.process.returncode}")
            if time.monotonic() > deadline:
                self._fail_start("did not answer in time")
            time.sleep(0.05)


class External(Broker):
    """A broker that somebody else runs; it can be neither started, nor killed, nor measured."""

    def __init__(self, address):
        self._address = address
        self.process = None
        self.data = None

    @property
    def address(self):
        return self._address

    def __enter__(self):
        if not answers(self.address):
            raise SystemExit(f"no broker answers at {self.address}")
        return self

    def __exit__(self, *_):
        pass

    def alive(self):
        return answers(self.address)

    def log_tail(self, lines=20):
        return ""


def answers(address):
    """Whether a broker there says that at least one broker is ready to serve."""
    try:
        with api.Client(address, timeout=2.0) as client:
            return bool(client.metadata([])["brokers"])
    except (OSError, ValueError, api.Closed):
        return False


def parser(description):
    return add_arguments(argparse.ArgumentParser(description=description))
