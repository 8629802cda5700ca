"""One exactly-once pipeline under crashes: the same story for every client.

A feed writes a topic, two workers of the client consume it in one group, transform every record and produce it to another
topic, in transactions. A stock reader follows the output, read_committed. In every round something dies: the broker by
kill -9, a worker by kill -9, both; or a worker is stopped, replaced by one with the same transactional id, and wakes up
again as a zombie. At the end the output equals the input exactly, no transaction is left open, and the history of all
that clients did and saw holds no anomaly.
"""

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field

from lib import api, cache

from checker.anomalies import found_in
from checker.history import History

from .feed import PARTITIONS, Feed, OffsetWatch
from .worker import Program, Recorder

WORKERS = 2
FAULTS = {"broker": 4, "worker": 3, "both": 2, "zombie": 2}  # with their weights
NO_PROGRESS = 120  # seconds until the pipeline is said to hang

PROPERTIES = {
    "group.initial.rebalance.delay.ms": 500,
    "group.consumer.min.session.timeout.ms": 6000,
    "group.consumer.session.timeout.ms": 6000,
    "group.consumer.min.heartbeat.interval.ms": 1000,
    "group.consumer.heartbeat.interval.ms": 1000,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
}


@dataclass
class Client:
    """A program: `command` plus seven arguments is a worker."""

    name: str
    prepare: object  # () -> (command, environment additions)
    protocol: str = "classic"

    def ready(self):
        """(command, environment), after whatever has to be installed or built."""
        command, additions = self.prepare()
        return command, os.environ | additions


@dataclass
class Figures:
    """What a run did, for the table."""

    faults: Counter = field(default_factory=Counter)
    records: int = 0
    outcomes: Counter = field(default_factory=Counter)
    ended_by_themselves: int = 0
    longest_pause: float = 0.0  # seconds from a fault to the next committed progress


class Pipeline:
    """Runs the story for one client on a broker of its own."""

    def __init__(self, target, client, reader, rounds, seed, figures):
        self._target, self._client, self._reader = target, client, reader
        self._rounds = rounds
        self._random = random.Random(f"{seed}/{client.name}")
        self._input, self._output, self._group = "eos-in", "eos-out", f"eos-{client.name}"
        self._workers = [None] * WORKERS
        self._incarnations = 0
        self._programs = []  # everything started, to be ended whatever happens
        logs = cache.logs_dir("eos")
        self._history = logs / f"{client.name}.jsonl"
        self._log = logs / f"{client.name}.log"
        self._errors = logs / f"{client.name}.stderr"
        self.figures = figures

    def run(self):
        self._worker, self._reader = self._client.ready(), self._reader.ready()
        self._recorder = Recorder(self._history, self._log)
        self._scratch = tempfile.mkdtemp(prefix="compat-eos-")
        self._errors.unlink(missing_ok=True)
        try:
            self._story()
            self._recorder.close()
            self._judge()
        except AssertionError as error:
            raise AssertionError(f"{error}\nhistory: {self._history}\nlog: {self._log}") from None
        finally:
            for program in self._programs:
                program.die()
            self._recorder.close()
            shutil.rmtree(self._scratch)
        for path in (self._history, self._log, self._errors):
            path.unlink()

    def _story(self):
        with api.Client(self._target.address) as client:
            client.make_topic(self._input, PARTITIONS)
            client.make_topic(self._output, PARTITIONS)
        feed = Feed(self._target.address, self._input, self._recorder)
        self._watch = OffsetWatch(self._target.address, self._group, self._input, self._recorder)
        feed.start()
        self._watch.start()
        try:
            follower = self._start("reader", self._reader, self._output, PARTITIONS, "stopped")
            for index in range(WORKERS):
                self._start_worker(index)
            self._until_progress(f"nothing committed {NO_PROGRESS} s after the start")
            for number in range(self._rounds):
                self._round(number)
            feed.stop()
            self._until(lambda: self._watch.committed == feed.ends, lambda: f"committed {self._watch.committed} of {feed.ends}")
            for worker in self._workers:
                worker.stop()
            self._workers.clear()
            self._until(lambda: not self._open_partitions(), lambda: f"transactions are left open: {self._open_partitions()}")
            self._watch.stop()
            follower.stop()
        finally:
            feed.stop()
            self._watch.stop()
        self._start("final", self._reader, self._output, PARTITIONS, "all").finish()
        self._values = feed.values

    # ---- faults

    def _round(self, number):
        time.sleep(self._random.uniform(0.3, 2.5))
        self._tend()
        fault = self._random.choices(list(FAULTS), list(FAULTS.values()))[0]
        index = self._random.randrange(WORKERS)
        self._recorder.note(f"round {number}: {fault}, worker {index}")
        started = time.monotonic()
        getattr(self, f"_fault_{fault}")(index)
        self.figures.faults[fault] += 1
        if self._random.random() < 0.7:  # else the next fault comes into the middle of the recovery
            self._until_progress(f"round {number} ({fault}): nothing committed {NO_PROGRESS} s after it")
            self.figures.longest_pause = max(self.figures.longest_pause, time.monotonic() - started)

    def _fault_broker(self, _):
        self._target.kill()
        time.sleep(self._random.uniform(0, 0.5))
        self._target.start()

    def _fault_worker(self, index):
        self._workers[index].die()
        time.sleep(self._random.uniform(0, 1.5))
        self._start_worker(index)

    def _fault_both(self, index):
        self._workers[index].die()
        self._fault_broker(index)
        self._start_worker(index)

    def _fault_zombie(self, index):
        zombie = self._workers[index]
        zombie.pause()
        self._start_worker(index)
        time.sleep(self._random.uniform(1, 5))
        zombie.go_on()
        time.sleep(2)
        zombie.die()

    # ---- processes

    def _start(self, process, command, *arguments):
        command, environment = command
        environment = environment | {"WORKER_SCRATCH": f"{self._scratch}/{process}"}
        line = [*command, self._target.address, *map(str, arguments)]
        self._programs.append(Program(process, line, environment, self._recorder, self._errors))
        return self._programs[-1]

    def _start_worker(self, index):
        self._incarnations += 1
        process = f"worker-{index}-{self._incarnations}"
        arguments = [self._input, self._output, self._group, f"{self._group}-{index}", process, self._client.protocol]
        self._workers[index] = self._start(process, self._worker, *arguments)

    def _tend(self):
        """Replaces workers that gave up: a fenced or timed-out producer has to. The broker must be there."""
        assert self._target.alive(), f"the broker is gone: {self._target.log_tail()}"
        for index, worker in enumerate(self._workers):
            if worker.ended():
                self._recorder.note(f"{worker.process} ended by itself")
                self.figures.ended_by_themselves += 1
                self._start_worker(index)

    def _until(self, holds, told):
        deadline = time.monotonic() + NO_PROGRESS
        while not holds():
            assert time.monotonic() < deadline, f"not within {NO_PROGRESS} s: {told()}"
            self._tend()
            time.sleep(0.1)

    def _until_progress(self, told):
        before = sum(self._watch.committed.values())
        self._until(lambda: sum(self._watch.committed.values()) > before, lambda: told)

    # ---- the end

    def _ends(self, client, topic, isolation_level):
        rows = [{"partition_index": partition, "timestamp": -1} for partition in range(PARTITIONS)]
        answer = client.call("ListOffsets", isolation_level=isolation_level, topics=[{"name": topic, "partitions": rows}])
        return {row["partition_index"]: row["offset"] for row in answer["topics"][0]["partitions"]}

    def _open_partitions(self):
        """{topic: (last stable offsets, high watermarks)} where they differ."""
        with api.Client(self._target.address) as client:
            ends = {topic: (self._ends(client, topic, 1), self._ends(client, topic, 0)) for topic in (self._input, self._output)}
        return {topic: both for topic, both in ends.items() if both[0] != both[1]}

    def _judge(self):
        history = History.read(self._history)
        self.figures.records = len(self._values)
        self.figures.outcomes = Counter(transaction.outcome for transaction in history.transactions.values())
        polled = [value.partition("@") for event, _, value in history.polls if event["process"] == "final"]
        out = Counter(value for value, _, _ in polled)
        expected = set(self._values)
        ends = set(history.transactions) or {"1"}  # Streams tells of none; it writes down how often its store has seen the value
        wrong = {
            "missing": sorted(expected - set(out)),
            "there twice": sorted(value for value, count in out.items() if count > 1),
            "foreign": sorted(set(out) - expected),
            "by no transaction": sorted(value for value, _, end in polled if end not in ends),
        }
        told = [f"of the output {len(values)} are {what}: {values[:10]}" for what, values in wrong.items() if values]
        found = found_in(history)
        told += [f"{name}: {count} anomalies" for name, count in Counter(name for name, _ in found).items()]
        told += [f"{name}: {what}" for name, what in found[:10]]
        assert not told, "\n".join(told)
