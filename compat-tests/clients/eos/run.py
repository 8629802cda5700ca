#!/usr/bin/env python3
"""Exactly once with stock clients: consume, transform, produce in transactions while broker and workers are killed.

pipeline.py tells the story that every client of clients.py goes through, on a broker of its own.
"""

import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
sys.path.insert(0, str(HERE.parent))

from lib import broker  # noqa: E402
from lib.report import Report  # noqa: E402

from eos import clients, pipeline  # noqa: E402

COLUMNS = f"{'client':18}{'seconds':>8}{'records':>9}{'committed':>11}{'aborted':>11}{'unknown':>11}{'gave up':>9}{'pause, s':>10}  faults"


def run_client(report, arguments, client, seed):
    """The client's row of the table."""
    started = time.monotonic()
    figures = pipeline.Figures()
    with report.check(client.name), broker.from_arguments(arguments, "eos", pipeline.PROPERTIES) as target:
        pipeline.Pipeline(target, client, clients.READER, arguments.rounds, seed, figures).run()
    outcomes = "".join(f"{figures.outcomes[name]:11}" for name in ("committed", "aborted", "unknown"))
    faults = ", ".join(f"{name} {count}" for name, count in sorted(figures.faults.items()))
    return f"{client.name:18}{time.monotonic() - started:8.0f}{figures.records:9}{outcomes}{figures.ended_by_themselves:9}{figures.longest_pause:10.1f}  {faults}"


def main():
    parser = broker.parser(__doc__)
    names = [client.name for client in clients.CLIENTS]
    parser.add_argument("--clients", default="", help="only names that contain one of these, separated by commas: " + ", ".join(names))
    parser.add_argument("--rounds", type=int, default=8, help="faults for each client; default %(default)s")
    parser.add_argument("--seed", type=int, help="plans the faults; their timing is not repeatable")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"exactly once: {arguments.rounds} rounds for each client, seed {seed}", flush=True)
    report = Report("exactly once")
    wanted = [client for client in clients.CLIENTS if any(part in client.name for part in arguments.clients.split(","))]
    rows = [run_client(report, arguments, client, seed) for client in wanted]
    print("\n" + "\n".join([COLUMNS, *rows]))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
