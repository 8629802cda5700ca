#!/usr/bin/env python3
"""Judges a history of what clients did and saw; exit code 1 if it holds an anomaly. README.md describes the format."""

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from checker import anomalies, history  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history", help="a file of JSON lines")
    parser.add_argument("--show", type=int, default=20, help="how many anomalies to tell in full; default %(default)s")
    arguments = parser.parse_args()
    told = history.History.read(arguments.history)
    found = anomalies.found_in(told)
    for name, what in found[: arguments.show]:
        print(f"{name}: {what}")
    counts = Counter(name for name, _ in found)
    outcomes = Counter(transaction.outcome for transaction in told.transactions.values())
    print(f"{len(told.events)} events, {len(told.writes)} sends, {len(told.polls)} records polled, transactions: {dict(outcomes)}")
    print(f"anomalies: {dict(counts) or 'none'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
