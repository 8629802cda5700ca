#!/usr/bin/env python3
"""Milena beside its floor and Apache Kafka: pairs A B A B for every workload, medians of the ratios inside the pairs.

The workloads and their bars are the table in bench/pairs/workloads.py. Writes results.json, table.md and plot.svg into
the output directory (build/bench), prints the table, and tells its progress on stderr. A measurement, not a test: a
bar that is missed is said, and fails nothing; a measurement that fails does.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

from pairs import ROOT, docs, markdown, memory, plot, targets
from pairs.measures import measure
from pairs.ratios import OURS
from pairs.results import Results
from pairs.workloads import WORKLOADS, find

PAIRS, QUICK_PAIRS = 7, 3
WARM_UP, QUICK_WARM_UP = 20, 8
KAFKA_REHEARSALS = 1  # of every workload, before its first measurement counts


def tell(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def run(fleet, workload, pairs):
    """The figures of every pair. Who goes first alternates."""
    contestants = [OURS, *filter(targets.available, workload.rivals)]
    if "kafka" in contestants and not workload.properties and not workload.alone and workload.measure != "start":
        for _ in range(KAFKA_REHEARSALS):
            measure(fleet, workload, "kafka")
    found = []
    with fleet.without_deletions() if workload.creates_many else contextlib.nullcontext():
        for n in range(pairs):
            figures = {}
            for contestant in contestants if n % 2 == 0 else reversed(contestants):
                figures[contestant] = measure(fleet, workload, contestant)
            found.append(figures)
            tell(f"  pair {n + 1} of {pairs}: " + _short(workload, figures))
    return found


def _short(workload, figures):
    metric = workload.metrics[0]
    return f"{metric.name}, {metric.unit}: " + ", ".join(f"{name} {markdown.number(metric.factor * one[metric.key])}" for name, one in figures.items())


def run_all(arguments, workloads, results):
    """Measures the workloads one after the other; the names of those that failed."""
    failed = []
    tell("touching the memory that is free ...")
    memory.touch()
    with targets.Fleet({"milena": arguments.milena, "null": arguments.null_broker}, arguments.warm_up) as fleet:
        for n, workload in enumerate(workloads):
            tell(f"[{n + 1}/{len(workloads)}] {workload.name}: {workload.title}")
            try:
                results.add(workload, run(fleet, workload, arguments.pairs))
            except (RuntimeError, OSError, ValueError, KeyError) as error:
                tell(f"  FAILED: {type(error).__name__}: {error}")
                failed.append(workload.name)
    return failed


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", help="NAME,...; default all")
    parser.add_argument("--quick", action="store_true", help="the most telling workloads only, fewer pairs, a shorter warm-up")
    parser.add_argument("--pairs", type=int, help=f"default {PAIRS}")
    parser.add_argument("--list", action="store_true", help="the workloads, and nothing runs")
    parser.add_argument("--warm-up", type=float, help=f"seconds of each kind of traffic before Apache Kafka counts; default {WARM_UP}")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench", help="directory of results.json, table.md and plot.svg")
    parser.add_argument("--write-docs", action="store_true", help="write docs/PERFORMANCE.md's table and plot from the results, and nothing runs")
    for name, path in targets.default_binaries().items():
        parser.add_argument("--null-broker" if name == "null" else f"--{name}", type=Path, default=path, help="the binary; default %(default)s")
    arguments = parser.parse_args()
    pairs, warm_up = (QUICK_PAIRS, QUICK_WARM_UP) if arguments.quick else (PAIRS, WARM_UP)
    arguments.pairs = arguments.pairs or pairs
    arguments.warm_up = warm_up if arguments.warm_up is None else arguments.warm_up
    return arguments, parser


def main():
    arguments, parser = parse()
    try:
        workloads = find(arguments.workloads.split(",")) if arguments.workloads else list(WORKLOADS)
    except ValueError as error:
        parser.error(str(error))
    if arguments.quick:
        workloads = [workload for workload in workloads if workload.quick]
    if arguments.list:
        for workload in workloads:
            print(f"{workload.name:24}{workload.title}")
        return 0
    results = Results(arguments.out / "results.json")
    if arguments.write_docs:
        docs.write(WORKLOADS, results)
        return 0
    failed = run_all(arguments, workloads, results)
    table = markdown.table(workloads, results)
    (arguments.out / "table.md").write_text(table)
    (arguments.out / "plot.svg").write_text(plot.svg(workloads, results))
    print(table)
    met, judged, missing = markdown.tally(workloads, results)
    print(f"{met} of {judged} bars met" + "".join(f"\n  misses: {one}" for one in missing))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
