#!/usr/bin/env python3
"""What grows with connections, partitions, groups and producers, as measured curves.

The subjects are modules of bench/curves. Processor time is the broker's own, in nanoseconds from its CPU clock, so this
program being slow does not matter. Prints tables, JSON with --json, and with --write-docs the tables of docs/SCALING.md:
those of the subjects measured. A measurement, not a test.
"""

import argparse
import json
import os
import resource
import sys
import time
from functools import partial
from pathlib import Path

from curves import connections, groups, page, partitions, producers
from curves.common import Brokers
from pairs import memory, targets
from pairs.results import machine

SUBJECTS = ("partitions", "connections", "busy", "groups", "producers")


def counts(text):
    return [int(part) for part in text.split(",")]


def subjects(text):
    found = text.split(",")
    if unknown := set(found) - set(SUBJECTS):
        raise argparse.ArgumentTypeError(f"no such subject: {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS)}")
    return found


def tell(text):
    print(f"{time.strftime('%H:%M:%S')} {text} ...", file=sys.stderr, flush=True)


def curve(what, measure, brokers, points):
    """A row for each count."""
    rows = []
    for count in points:
        tell(f"{count:,} {what}")
        rows.append(measure(brokers, count))
    return rows


def curves_of(subject, brokers, arguments):
    """[(labels, rows)], one for each table of the subject."""
    if subject == "connections":
        return [
            (connections.LABELS, curve(f"idle connections, {loops} event loops", partial(connections.idle_row, loops=loops), brokers, arguments.connections))
            for loops in arguments.loops
        ]
    labels, measure = {
        "partitions": (partitions.LABELS, partitions.row),
        "busy": (connections.BUSY_LABELS, connections.busy_row),
        "groups": (groups.LABELS, groups.row),
        "producers": (producers.LABELS, producers.row),
    }[subject]
    return [(labels, curve("busy connections" if subject == "busy" else subject, measure, brokers, getattr(arguments, subject)))]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=subjects, default=SUBJECTS, metavar="SUBJECT,...", help=f"some of {', '.join(SUBJECTS)}")
    parser.add_argument("--partitions", type=counts, default=[1, 10, 100, 1000, 5000])
    parser.add_argument("--connections", type=counts, default=[10, 100, 1000, 10_000], help="idle ones")
    parser.add_argument("--loops", type=counts, default=[1, 2], help="event loops that serve the idle connections")
    parser.add_argument("--busy", type=counts, default=[1, 10, 100, 1000, 10_000], help="busy connections")
    parser.add_argument("--groups", type=counts, default=[10, 100, 1000, 10_000])
    parser.add_argument("--producers", type=counts, default=[10, 100, 1000, 10_000, 100_000])
    parser.add_argument("--keep", action="store_true", help="keep data directories and logs")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/SCALING.md")
    parser.add_argument("--json", type=Path, help="file that gets the figures as well")
    for name, path in targets.default_binaries().items():
        parser.add_argument("--null-broker" if name == "null" else f"--{name}", type=Path, default=path, help="the binary; default %(default)s")
    return parser.parse_args()


def main():
    arguments = parse()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tell("touching the memory that is free")
    memory.touch()
    parts, figures = {}, {"machine": machine()}
    with Brokers({"milena": arguments.milena, "null": arguments.null_broker}, arguments.keep) as brokers:
        for subject in arguments.only:
            load, started = os.getloadavg()[0], time.monotonic()
            found = curves_of(subject, brokers, arguments)
            figures[subject] = [row for _, rows in found for row in rows]
            tables = "\n".join(page.table(labels, rows) for labels, rows in found)
            parts[subject] = page.about(figures["machine"], load, time.monotonic() - started) + tables
            print(f"{subject}: {parts[subject]}", flush=True)
    if arguments.write_docs:
        page.write(parts)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
