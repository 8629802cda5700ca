#!/usr/bin/env python3
"""Kills the broker with SIGKILL again and again under load and checks what it serves afterwards against a journal.

Each cycle: producers and topic changes run, the broker dies after 0 to 2 seconds, starts again on the same data
(now and then it is killed once more while it recovers, now and then it is stopped gracefully instead), and then:
every acknowledged record is at its acknowledged offset, nothing is there that nobody sent, nothing twice, nothing
out of order or with a hole before it, and acknowledged topic changes, committed offsets and producer ids stand.

--preload-gb N instead writes N GB, kills the broker and measures how long it takes to serve again.
"""

import argparse
import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import api, broker, records  # noqa: E402
from lib.wire import frame  # noqa: E402

from commits import Commits  # noqa: E402
from journal import Journal, Violation, parse  # noqa: E402
from load import Producer, Topics  # noqa: E402

TOPIC = "crash"
PARTITIONS = 3
ROUND = 20  # cycles with one topic; then everything is read once more, and a new topic takes over
KINDS = ("idempotent", "all", "1")
TOPIC_CONFIGS = {"segment.bytes": 1 << 20, "index.interval.bytes": 4096}
FETCH_BYTES = 4 << 20


class KillLoop:
    """The state that outlives the crashes: journals, producers, topics, and what has been read so far."""

    def __init__(self, target, seed):
        self.target = target
        self._seed = seed
        self._random = random.Random(seed)
        self._topics, self._commits = Topics(seed), Commits(seed)
        self._rounds = self._acked = self._read_records = 0
        self._topic = self._journals = self._producers = None
        self.start_times = []
        self.kills = self.stops = self.kills_while_starting = 0

    def begin_round(self):
        """A fresh topic with fresh producers."""
        self._topic = f"{TOPIC}-{self._rounds}"
        first = self._rounds * PARTITIONS * len(KINDS)
        self._rounds += 1
        self._journals = [Journal(f"{self._topic}-{partition}") for partition in range(PARTITIONS)]
        kinds = [kind for kind in KINDS for _ in range(PARTITIONS)]
        self._producers = {
            first + n: Producer(first + n, kind, self._topic, n % PARTITIONS, self._journals[n % PARTITIONS], self._seed)
            for n, kind in enumerate(kinds)
        }
        self._workers = [*self._producers.values(), self._topics, self._commits]
        with api.Client(self.target.address) as client:
            client.make_topic(self._topic, PARTITIONS, TOPIC_CONFIGS)

    def end_round(self):
        """Reads all of it once more; then the topic goes."""
        self.check(full=True)
        self._acked += sum(journal.acked_count() for journal in self._journals)
        self._read_records += sum(len(journal.log) for journal in self._journals)
        self._journals = []
        with api.Client(self.target.address) as client:
            deleted = client.delete_topic(self._topic)
            if deleted["error_code"]:
                raise Violation(f"{self._topic} cannot be deleted: {deleted}")

    def cycle(self):
        """One crash and the checks after it."""
        for worker in self._workers:
            worker.start(self.target.address)
        time.sleep(self._random.uniform(0, 2))
        self._end_broker()
        for worker in self._workers:
            worker.end()
        self._restart()
        self.check(full=False)

    def _end_broker(self):
        if not self.target.alive():
            raise Violation(f"the broker died by itself with code {self.target.process.returncode}:\n{self.target.log_tail()}")
        if self._random.random() < 0.1:
            for worker in self._workers:
                worker.leaving()
            code = self.target.stop()
            if code not in (0, 143):  # a JVM ends with 128 + SIGTERM
                raise Violation(f"exit code {code} after SIGTERM:\n{self.target.log_tail()}")
            self.stops += 1
        else:
            self.target.kill()
            self.kills += 1

    def _restart(self):
        if self.start_times and self._random.random() < 0.2:
            self.target.spawn()
            time.sleep(self._random.uniform(0, 1.2 * self.start_times[-1]))
            self.target.kill()
            self.kills_while_starting += 1
        self.start_times.append(self.target.start())

    def check(self, full):
        """Reads what is new (or everything) in every partition and compares."""
        with api.Client(self.target.address, timeout=30.0) as client:
            for partition, journal in enumerate(self._journals):
                served = api.until_ready(lambda at=partition: client.offset(self._topic, at))
                if served["error_code"]:
                    raise Violation(f"{journal.name} answers with error {served['error_code']} after the restart")
                known = len(journal.log)
                self._read(client, partition, known, served["offset"], self._check_new)
                journal.check_acked()
                start = 0 if full else self._random.randrange(known + 1)
                self._read(client, partition, start, served["offset"] if full else start + 1, self._check_again)
            self._topics.check(client)
            self._commits.check(client)

    def _read(self, client, partition, start, end, check):
        while start < end:
            journal = self._journals[partition]
            fetched = client.fetch(self._topic, partition, start, partition_max_bytes=FETCH_BYTES)
            if fetched["error_code"]:
                raise Violation(f"{journal.name}: Fetch at {start} of {end} answers with error {fetched['error_code']}")
            batches = records.read_batches(fetched["records"], check_crc=check == self._check_new)
            got = [record for batch in batches for record in batch.records if record.offset >= start]
            if not got:
                raise Violation(f"{journal.name}: Fetch at {start} of {end} answers with nothing")
            for record in got:
                check(journal, record)
            start = got[-1].offset + 1

    def _check_new(self, journal, record):
        record_id = parse(record.value)
        producer = self._producers.get(record_id.producer) if record_id else None
        journal.read(record, in_order_per_connection=producer is None or producer.kind != "idempotent")

    def _check_again(self, journal, record):
        journal.read_again(record)

    def progress(self, cycle, cycles):
        acked = self._acked + sum(journal.acked_count() for journal in self._journals)
        read = self._read_records + sum(len(journal.log) for journal in self._journals)
        starts = sorted(self.start_times)
        return (
            f"cycle {cycle}/{cycles}: {acked} acked, {read} in the log, {self._commits.acked} commits, restart median {1000 * starts[len(starts) // 2]:.0f} ms "
            f"max {1000 * starts[-1]:.0f} ms"
        )


def run_loop(arguments):
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"kill loop: {arguments.cycles} cycles, seed {seed} (the timing of a crash is not repeatable, its plan is)", flush=True)
    with broker.from_arguments(arguments, "crash") as target:
        loop = KillLoop(target, seed)
        cycle = 0
        try:
            for cycle in range(1, arguments.cycles + 1):
                if cycle % ROUND == 1:
                    loop.begin_round()
                loop.cycle()
                if cycle % ROUND == 0 or cycle == arguments.cycles:
                    loop.end_round()
                if cycle % 10 == 0 or cycle == arguments.cycles:
                    print(loop.progress(cycle, arguments.cycles), flush=True)
                if loop.start_times[-1] > arguments.max_start:
                    raise Violation(f"the restart took {loop.start_times[-1]:.1f} s, more than {arguments.max_start} s")
        except (Violation, RuntimeError) as violation:
            target.keep = True
            print(f"FAILED in cycle {cycle}, seed {seed}: {violation}\ndata: {target.data}\nlog: {target.log}", flush=True)
            return 1
        print(f"passed: {loop.kills} kills, {loop.kills_while_starting} more while starting, {loop.stops} graceful stops")
    return 0


def run_preload(arguments):
    """Restart after kill -9 with N GB that were never flushed; prints the times."""
    batch = records.batch([b"%04d" % n + b"x" * 996 for n in range(1000)])
    request = frame(api.request_payload("Produce", acks=-1, topics=[{"name": TOPIC, "partitions": [{"index": 0, "records": batch}]}]))
    count = int(arguments.preload_gb * 1e9 / len(batch))
    with broker.from_arguments(arguments, "crash") as target:
        with api.Client(target.address, timeout=60.0) as client:
            client.make_topic(TOPIC)
            _pump(client, request, count)
        target.kill()
        started = time.monotonic()
        target.start()
        ready = time.monotonic() - started
        with api.Client(target.address, timeout=60.0) as client:
            last = api.until_ready(lambda: client.fetch(TOPIC, 0, 1000 * count - 1))
            served = time.monotonic() - started
            assert last["error_code"] == 0 and last["high_watermark"] == 1000 * count, last["high_watermark"]
            assert client.fetch(TOPIC, 0, 0)["error_code"] == 0
        print(f"restart after kill -9 with {count * len(batch) / 1e9:.2f} GB unflushed: ready after {ready:.2f} s, first fetch after {served:.2f} s")
        if served > arguments.max_start:
            print(f"FAILED: more than {arguments.max_start} s")
            return 1
    return 0


def _pump(client, request, count):
    """Sends `request` `count` times with a few in flight; every answer must be a success."""
    sent = 0
    for answered in range(count):
        while sent < count and sent - answered < 4:
            client.send(request)
            sent += 1
        answer = api.decode("Produce", client.receive()[1])["topics"][0]["partitions"][0]
        assert answer["error_code"] == 0, answer


def main():
    parser = broker.parser(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--preload-gb", type=float, help="measure the restart with so many GB instead of the loop")
    parser.add_argument("--max-start", type=float, default=30.0, help="fail when a restart takes longer, in seconds; default %(default)s")
    arguments = parser.parse_args()
    return run_preload(arguments) if arguments.preload_gb else run_loop(arguments)


if __name__ == "__main__":
    sys.exit(main())
