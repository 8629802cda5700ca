"""What all curves share: brokers to measure, processor time and memory of one, requests sent one by one or in a row."""

import contextlib
import os
import time
from pathlib import Path

from lib import api, records
from pairs import targets

SAMPLES = 5
IDLE_SECONDS = 5.0
IN_A_ROW = 200  # requests under way, where only the end of all counts
START_LIMIT = 300.0
_WARM_TOPIC = "warm"


class Brokers:
    """Makes brokers on empty directories. Use as a context manager; while it lasts, this program and its load stay off the
    brokers' core."""

    def __init__(self, binaries, keep=False):
        self._fleet, self._keep, self._late = targets.Fleet(binaries, warm_up_seconds=0), keep, []

    def __enter__(self):
        self._fleet.__enter__()
        return self

    def __exit__(self, *why):
        self._fleet.__exit__(*why)
        for one in self._late:
            one.keep = False
            one.__exit__(*why)

    def new(self, name="milena", properties=None, pinned=False, many_files=False):
        """A broker, not started. Pinned ones have one core, the others all of them. The directory of one with many files
        goes only when all is measured: ext4 is slow to create files for seconds after a large removal."""
        one = self._fleet.new(name, properties, pinned)
        one.keep = self._keep or many_files
        if many_files and not self._keep:
            self._late.append(one)
        return one


def settled(target):
    """Resident KiB once it stops moving."""
    before = -1
    while (now := target.rss_kib()) != before:
        before = now
        time.sleep(0.3)
    return now


def descriptors(target):
    return len(os.listdir(f"/proc/{target.pid}/fd"))


def cpu_us(target, work, times):
    """The broker's processor microseconds for each of `times` calls of work(n): the least of SAMPLES, as others only add.
    n counts on from sample to sample."""
    samples = []
    with _beside(target):
        for first in range(0, SAMPLES * times, times):
            before = target.cpu_seconds()
            for n in range(first, first + times):
                work(n)
            samples.append((target.cpu_seconds() - before) / times * 1e6)
    return min(samples)


@contextlib.contextmanager
def _beside(target):
    """The broker on this program's core. Requests that go one by one find their receiver asleep; in a virtual machine,
    waking another core for each costs twice what serving it does, and whether it comes to that is left to chance."""
    _place(target, os.sched_getaffinity(0))
    try:
        yield
    finally:
        _place(target, target.cores)


def _place(target, cores):
    for thread in Path(f"/proc/{target.pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)


def idle_percent(target):
    before, started = target.cpu_seconds(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return 100 * (target.cpu_seconds() - before) / (time.monotonic() - started)


def exchange(client, data):
    """Sends a frame; the bytes of the answer behind its correlation id."""
    client.send(data)
    return client.receive()[1]


def in_a_row(client, count, make_frame, take_answer):
    """Sends make_frame(n) for each n, IN_A_ROW requests under way at a time; take_answer(n, bytes) sees each answer."""
    for start in range(0, count, IN_A_ROW):
        numbers = range(start, min(start + IN_A_ROW, count))
        client.send(b"".join(make_frame(n) for n in numbers))
        for n in numbers:
            take_answer(n, client.receive()[1])


def produce_frame(topic, partition, batch):
    topics = [{"name": topic, "partitions": [{"index": partition, "records": batch}]}]
    return api.request("Produce", topics=topics, acks=1)


def floor_us(brokers, topic, partitions, make_frame, times):
    """What cpu_us says of the null broker that is sent make_frame(n), a Produce to one of the topic's partitions."""
    with brokers.new("null", many_files=partitions > 100) as floor, api.Client(floor.address, timeout=60.0) as client:
        client.create_topic(topic, partitions)
        for n in range(partitions):  # the first makes the file
            exchange(client, make_frame(n))
        return cpu_us(floor, lambda n: exchange(client, make_frame(n)), times)


def warm_up(client):
    """Touches the code and the pools, so that what is measured next is only what grows."""
    client.create_topic(_WARM_TOPIC, 10)
    batch = records.batch([b"x" * 100])
    for n in range(200):
        client.produce(_WARM_TOPIC, n % 10, batch)
        client.fetch(_WARM_TOPIC, n % 10, 0, max_wait_ms=0)
        client.metadata()


def stop_and_start(target):
    """(seconds of a clean stop, seconds of the start after it)."""
    stopping = time.monotonic()
    target.stop(timeout=START_LIMIT)
    return time.monotonic() - stopping, target.start(timeout=START_LIMIT)


def kill_and_start(target):
    """Seconds of the start after kill -9."""
    target.kill()
    return target.start(timeout=START_LIMIT)
