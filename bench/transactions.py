#!/usr/bin/env python3
"""How fast transactions commit, ours beside Apache Kafka in one run.

One producer writes transactions one after the other to three partitions, a record every millisecond while they are open:
0 ms (one record and the commit), 10 ms and 100 ms. The Java producer speaks the second protocol generation (TV2, KIP-890),
librdkafka the first (TV1). The time is that of commitTransaction(), which sends what is left and returns when the
coordinator has answered. Brokers take turns, so that a noisy machine is noisy for both.

A measurement, not a test. The clients' own work is in the figures; it is the same for both brokers.
"""

import argparse
import contextlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "compat-tests"))
sys.path.insert(0, str(HERE.parent / "compat-tests/clients"))

from lib import api, broker, cache  # noqa: E402

import programs  # noqa: E402

TOPIC = "bench"
PARTITIONS = 3
WARM_UP = 4  # seconds
CLIENTS = {
    "Java, TV2": programs.java(HERE / "load/TransactionLoad.java"),
    "librdkafka, TV1": programs.python(HERE / "load/transaction_load.py", "confluent-kafka-2.15.1", "confluent-kafka==2.15.1"),
}


def measure(target, client, open_ms, seconds):
    """{what: figure} of one run."""
    command, additions = CLIENTS[client]()
    arguments = [target.address, TOPIC, PARTITIONS, open_ms, WARM_UP, seconds]
    errors = cache.logs_dir("bench-transactions") / "client.log"
    before = target.cpu_seconds()
    with open(errors, "ab") as log:
        done = subprocess.run([*command, *map(str, arguments)], env=os.environ | additions, stdout=subprocess.PIPE, stderr=log, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{client} ended with {done.returncode}; see {errors}")
    cpu = target.cpu_seconds() - before
    took = sorted(map(int, done.stdout.split()))
    whole = len(took) * (WARM_UP + seconds) / seconds  # commits of the warm-up too, about
    return {
        "commits/s": len(took) / seconds,
        "p50, ms": took[len(took) // 2] / 1000,
        "p99, ms": took[len(took) * 99 // 100] / 1000,
        "max, ms": took[-1] / 1000,
        "broker CPU, ms each": 1000 * cpu / whole,
    }


def main():
    parser = broker.add_arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter))
    parser.set_defaults(target="milena,kafka")
    parser.add_argument("--open", type=lambda text: [int(part) for part in text.split(",")], default=[0, 10, 100], help="ms; default 0,10,100")
    parser.add_argument("--seconds", type=int, default=10, help="of each run, after the warm-up; default %(default)s")
    arguments = parser.parse_args()
    names = arguments.target.split(",")
    with contextlib.ExitStack() as stack:
        targets = []
        for name in names:
            arguments.target = name
            targets.append(stack.enter_context(broker.from_arguments(arguments, "bench-transactions")))
            with api.Client(targets[-1].address, timeout=30.0) as client:
                client.make_topic(TOPIC, PARTITIONS)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {arguments.seconds} s each")
        print(f"{'':52}" + "".join(f"{name:>12}" for name in names), flush=True)
        for client in CLIENTS:
            for open_ms in arguments.open:
                columns = [measure(target, client, open_ms, arguments.seconds) for target in targets]
                for what in columns[0]:
                    print(f"{f'{client}, open for {open_ms} ms, {what}':52}" + "".join(f"{column[what]:12.2f}" for column in columns), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
