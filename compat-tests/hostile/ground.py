"""What every hostile check stands on: the broker under attack, a bystander that must notice nothing, and memory limits."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from lib import api, wire
from lib.report import Skipped

import kafka_differs

RSS_LIMIT_KIB = 64 * 1024
SLOWEST_BYSTANDER_SECONDS = 3.0
TOPIC = "hostile"

CLOSED, OPEN, ANSWERED = "closed", "no answer", "answered"


class Ground:
    """The broker with one topic of one partition; `with ground.watched(): attack` checks what an attack leaves behind."""

    def __init__(self, target):
        self.target = target
        self.address = target.address
        self.seen = {}  # what was observed, by check: for the record of a run against Apache Kafka
        with self.client() as client:
            client.make_topic(TOPIC)
        self._bystander = Bystander(self.address)
        time.sleep(1.0)
        self._can_measure = target.data is not None  # a process of ours, not somebody else's broker
        self._baseline = self.target.rss_kib() if self._can_measure else 0

    def close(self):
        self._bystander.close()

    def client(self, timeout=10.0):
        return api.Client(self.address, timeout)

    def connect(self, **options):
        return wire.Connection(self.address, **options)

    def check_aftermath(self):
        """Asserts that the broker lives, that the bystander was served all the time, and that memory came back."""
        assert self.target.alive(), f"the broker died:\n{self.target.log_tail()}"
        told = self._bystander.report()
        assert not told["errors"], f"the bystander was disturbed: {told['errors'][:3]}"
        assert told["requests"] > 0 and told["slowest"] < SLOWEST_BYSTANDER_SECONDS, f"the bystander waited: {told}"
        if self._can_measure and not self.target.is_kafka:
            self._check_memory()

    def _check_memory(self):
        peak = self.target.peak_rss_kib() - self._baseline
        assert peak <= RSS_LIMIT_KIB, f"memory rose by {peak // 1024} MiB (baseline {self._baseline // 1024} MiB)"

    def revive(self):
        """Starts the broker again if an attack killed it, so that the checks after it mean something."""
        if self._can_measure and not self.target.alive():
            self.target.start()

    def begin(self):
        """Forgets what the bystander and the memory peak showed before."""
        self._bystander.report()
        if self._can_measure:
            self.target.reset_peak_rss()

    def sibling(self, properties, **options):
        """A second broker of the same kind with other properties, not started."""
        if not self._can_measure:
            raise Skipped("the broker is not ours to start")
        return self.target.sibling(properties, **options)

    @contextlib.contextmanager
    def another_broker(self, properties, **options):
        """Runs a second broker meanwhile: yields its address; `other` is it."""
        with self.sibling(properties, **options) as self.other:
            yield self.other.address

    # ---- what an attack sees

    def exchange(self, data, timeout=5.0, half_close=False):
        """Sends `data` on a connection of its own: CLOSED, OPEN (nothing came in time), or the first answer's bytes."""
        with self.connect(timeout=timeout) as connection:
            try:
                connection.send(data)
                if half_close:
                    connection.socket.shutdown(socket.SHUT_WR)
                return connection.receive()[1]
            except TimeoutError:
                return OPEN
            except (wire.Closed, OSError):  # reset, or gone before the half close
                return CLOSED

    def expect_closed(self, cases, **options):
        """`cases`: {name: bytes}; each must get its connection closed."""
        outcomes = {name: kind(self.exchange(data, **options)) for name, data in cases.items()}
        survived = {name: outcome for name, outcome in outcomes.items() if outcome != CLOSED}
        assert not survived, f"not closed: {survived}"

    def expect(self, wanted, observed):
        """Compares {name: outcome}; a wanted set means any of them. Apache Kafka is held to `kafka_differs` where that says so."""
        self.seen.update(observed)
        if self.target.is_kafka:
            wanted = {name: kafka_differs.OUTCOMES.get(name, [outcome])[0] for name, outcome in wanted.items()}
        wrong = {
            name: f"wanted {_text(wanted[name])}, got {_text(outcome)}"
            for name, outcome in observed.items()
            if outcome not in (wanted[name] if isinstance(wanted[name], (set, frozenset)) else {wanted[name]})
        }
        assert not wrong, "\n".join(f"{name}: {difference}" for name, difference in wrong.items())


def kind(answer):
    """CLOSED, OPEN, or ANSWERED for the result of `exchange`."""
    return answer if isinstance(answer, str) else ANSWERED


class Bystander:
    """A well-behaved client in a process of its own, so that the attack's own work does not slow it."""

    def __init__(self, address):
        command = [sys.executable, str(Path(__file__).with_name("bystander.py")), address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def report(self):
        """{"requests", "slowest" (seconds), "errors"} since the last report."""
        self._process.stdin.write("report\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the bystander has died")
        return json.loads(line)

    def close(self):
        self._process.stdin.close()
        self._process.wait(30)


def _text(outcome):
    """An outcome for people: error codes with their names."""
    if isinstance(outcome, (set, frozenset)):
        return " or ".join(sorted(map(_text, outcome)))
    return f"{outcome} {api.ERROR_NAME.get(outcome, '')}".strip() if isinstance(outcome, int) else str(outcome)
