#!/usr/bin/env python3
"""What one request costs the broker in instructions and in system calls, against recorded bounds: a gate without a clock.

One connection sends the same request again and again, the next when the broker sleeps again, once COUNT and once 2 COUNT
times; the difference of the two runs is what COUNT requests cost, and start and stop fall out. Instructions come from
valgrind's callgrind, system calls from strace. gate_bounds.json holds the bounds: instructions with HEADROOM on top of
what was measured when it was written (--record), system calls to the call.
"""

import argparse
import collections
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compat-tests"))

from lib import api, broker, cache, records  # noqa: E402
from lib.wire import frame  # noqa: E402

BOUNDS = Path(__file__).with_name("gate_bounds.json")
COUNT = 1000
WARM = 100  # requests that come first in both runs: buffers find their size, files are created
HEADROOM = 1.15
CALL_SLACK = 0.03  # calls of timers for each request
ONE_CALL = {"pwritev": "pwrite64"}  # an append, whether or not it brings zeros along
TOPIC = "gate"


def batch(records_of_1k):
    return records.batch([bytes(1024)] * records_of_1k)


def produce(size):
    def request(_):
        topics = [{"name": TOPIC, "partitions": [{"index": 0, "records": batch(size)}]}]
        return api.request_payload("Produce", topics=topics, acks=1)

    return request


def fetch(size):
    def request(client):
        client.produce(TOPIC, 0, batch(size))
        inner = {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1}  # one batch, whatever its size
        return api.request_payload("Fetch", topics=[{"topic": TOPIC, "partitions": [inner]}], max_bytes=1)

    return request


CASES = {"produce 1 KB": produce(1), "produce 64 KB": produce(63), "fetch 1 KB": fetch(1), "fetch 128 KB": fetch(127)}


class Watched(broker.Milena):
    """Our binary under a program that counts what it does, on one core, so that it has one event loop."""

    def __init__(self, binary, watcher):
        super().__init__(binary, "bench-gate")
        self._watcher = watcher
        self.cores = {0}

    def command(self):
        return [*self._watcher, *super().command()]


def run(binary, watcher, case, count):
    """Starts the broker under the watcher, sends the requests and stops it."""
    with Watched(binary, watcher) as target, api.Client(target.address, timeout=60.0) as client:
        client.make_topic(TOPIC)
        message = frame(CASES[case](client))
        for _ in range(WARM + count):
            client.send(message)
            client.receive()
            until_idle(target.pid)


def until_idle(pid):
    """Waits until every thread of the process sleeps: a broker that is asked sooner may save a call or an event."""
    while any(stat.read_text().rpartition(") ")[2][0] != "S" for stat in Path(f"/proc/{pid}/task").glob("*/stat")):
        pass


def instructions(binary, case, directory):
    """Instructions for each request."""
    totals = []
    for n in (1, 2):
        out = directory / f"callgrind-{n}"
        run(binary, ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"], case, n * COUNT)
        totals.append(next(int(line.split()[1]) for line in out.read_text().splitlines() if line.startswith(("summary:", "totals:"))))
    return round((totals[1] - totals[0]) / COUNT)


def system_calls(binary, case, directory):
    """{name: calls for each request}, without those that only start and stop."""
    counts = []
    for n in (1, 2):
        out = directory / f"strace-{n}"
        # -D: the broker is our child and gets our signals. strace then writes its table when the broker is gone.
        run(binary, ["strace", "-D", "-f", "-c", "-U", "name,calls", "-o", str(out)], case, n * COUNT)
        while "\ntotal " not in (table := out.read_text()):
            time.sleep(0.01)
        counted = collections.Counter()
        for row in map(str.split, table.splitlines()):
            if len(row) == 2 and row[1].isdigit() and row[0] != "total":
                counted[ONE_CALL.get(row[0], row[0])] += int(row[1])
        counts.append(counted)
    each = {name: round((calls - counts[0][name]) / COUNT, 2) for name, calls in counts[1].items()}
    return {name: calls for name, calls in sorted(each.items()) if abs(calls) > CALL_SLACK}


def measure(binary):
    figures = {}
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="gate-") as scratch:
            directory = Path(scratch)
            stripped = directory / "milena"  # valgrind 3.19 gives up on the debug information of clang 19
            subprocess.run(["llvm-strip-19", "--strip-debug", "-o", stripped, binary], check=True)
            figures[case] = {"instructions": instructions(stripped, case, directory), "system_calls": system_calls(stripped, case, directory)}
        print(f"{case:16}{figures[case]['instructions']:>9,} instructions   {calls_text(figures[case]['system_calls'])}", flush=True)
    return figures


def calls_text(calls):
    return ", ".join(f"{name} {count:g}" for name, count in calls.items())


def bounds_of(figures):
    """Bounds for these figures: headroom for instructions, whole calls."""
    return {
        case: {
            "instructions": round(found["instructions"] * HEADROOM),
            "system_calls": {name: round(count) for name, count in found["system_calls"].items()},
        }
        for case, found in figures.items()
    }


def excesses(figures, bounds):
    """What is above its bound, in words."""
    found = []
    for case, one in figures.items():
        limit = bounds[case]
        if one["instructions"] > limit["instructions"]:
            found.append(f"{case}: {one['instructions']:,} instructions, at most {limit['instructions']:,}")
        for name, count in one["system_calls"].items():
            if count > limit["system_calls"].get(name, 0) + CALL_SLACK:
                found.append(f"{case}: {count:g} {name}, at most {limit['system_calls'].get(name, 0)}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--milena", default=str(cache.ROOT / "build/release/milena"), help="the binary; default build/release/milena")
    parser.add_argument("--record", action="store_true", help="write the bounds from what is measured now")
    arguments = parser.parse_args()
    for command in ("valgrind", "strace"):
        cache.need_command(command, command)
    figures = measure(arguments.milena)
    if arguments.record:
        BOUNDS.write_text(json.dumps(bounds_of(figures), indent=2) + "\n")
        return 0
    found = excesses(figures, json.loads(BOUNDS.read_text()))
    print("\n".join(found) if found else "all within their bounds")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
