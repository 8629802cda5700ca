#!/usr/bin/env python3
"""How long a broker takes from exec to the first acknowledged produce on an empty directory, and its idle memory.

A measurement, not a test: it prints a table and never fails on a number. The client does what a stock client must:
connect, ApiVersions, Metadata (which creates the topic), Produce with acks=all. Connecting is tried again every 0.2 ms.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compat-tests"))

from lib import api, broker, records  # noqa: E402

RETRY_SECONDS = 0.0002
LIMIT_SECONDS = 60.0
IDLE_SECONDS = 2.0
TOPIC = "first"


def connect(target, deadline):
    while True:
        try:
            return api.Client(target.address, timeout=LIMIT_SECONDS)
        except ConnectionRefusedError:
            if time.monotonic() > deadline or not target.alive():
                raise
            time.sleep(RETRY_SECONDS)


def first_produce(target):
    """Spawns the broker; (seconds to accept, seconds to the first acknowledged produce), both from just before exec."""
    batch = records.batch([b"the first record"])
    started = time.monotonic()
    target.spawn()
    with connect(target, started + LIMIT_SECONDS) as client:
        accepted = time.monotonic() - started
        while True:
            try:
                client.call("ApiVersions")
                client.metadata([TOPIC], create=True)
                answer = client.produce(TOPIC, 0, batch)
            except api.Closed:  # a broker may listen before it serves
                client.close()
                client = connect(target, started + LIMIT_SECONDS)
                continue
            if answer["error_code"] == 0:
                return accepted, time.monotonic() - started
            if answer["error_code"] not in api.NOT_YET or time.monotonic() - started > LIMIT_SECONDS:
                raise RuntimeError(f"Produce answers {answer}")
            time.sleep(RETRY_SECONDS)


def measure(arguments):
    """One run on an empty directory: (accept, produce, idle KiB, idle CPU seconds per second, stop seconds)."""
    with broker.from_arguments(arguments, "bench-start").prepared() as target:
        accepted, produced = first_produce(target)
        time.sleep(IDLE_SECONDS)
        rss, before = target.rss_kib(), target.cpu_seconds()
        time.sleep(1.0)
        cpu = target.cpu_seconds() - before
        stopping = time.monotonic()
        target.stop()
        return accepted, produced, rss, cpu, time.monotonic() - stopping


def main():
    parser = broker.add_arguments(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    if ":" in arguments.target:
        parser.error("only a broker that this program starts can be measured")
    runs = [measure(arguments) for _ in range(arguments.runs)]
    columns = list(zip(*runs))
    print(f"{arguments.target}, {arguments.runs} runs, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':34}{'median':>12}{'min':>12}{'max':>12}")
    rows = [
        ("exec to accept, ms", columns[0], 1000),
        ("exec to first acked produce, ms", columns[1], 1000),
        (f"resident after {IDLE_SECONDS:.0f} s idle, MiB", columns[2], 1 / 1024),
        ("idle CPU, % of a core", columns[3], 100),
        ("graceful stop, ms", columns[4], 1000),
    ]
    for name, values, factor in rows:
        print(f"{name:34}" + "".join(f"{factor * pick(values):12.1f}" for pick in (statistics.median, min, max)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
