#!/usr/bin/env python3
"""What a start does to data: every state of one to three log directories, before the start and under a running broker.

After each, every acknowledged record is served, or its partition answers KAFKA_STORAGE_ERROR and a warning names the
directory, or the start ends with exit code 1 and a line that names it; no inode is lost that a start has no right to;
and once the state is mended, everything is served again. Mounting needs root: without it those states are skipped.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import broker  # noqa: E402
from lib.report import Report, Skipped  # noqa: E402

import case_list  # noqa: E402
import disks  # noqa: E402
import first_start  # noqa: E402
import running  # noqa: E402
import states  # noqa: E402
from sites import Templates  # noqa: E402

ENDINGS = ("stop", "kill")
_NAME = re.compile(r"^(?P<count>\d) (after (?P<ending>\w+)|running): (?P<state>.*)$")


def all_checks(templates, most):
    """(name, kind of disks or None, function that returns the outcome in words)"""
    for count in range(1, most + 1):
        for name, kind, state in states.all_states(count):
            for ending in ENDINGS:
                yield f"{count} after {ending}: {name}", kind, lambda c=count, e=ending, k=kind, s=state: states.check(templates, c, e, k, s)
        for name, kind, properties, number, fail in running.all_cases(count):
            yield (
                f"{count} running: {name}",
                kind,
                lambda c=count, k=kind, p=properties, n=number, f=fail: running.check(templates, c, k, p, n, f),
            )
    for name, check in first_start.CHECKS.items():
        for ending in ENDINGS:
            yield f"first start, {ending}: {name}", "plain", lambda c=check, e=ending: c(templates, e)
    for name, count, ending, case in case_list.all_cases():
        yield f"{count} after {ending}: {name}", "plain", lambda c=count, e=ending, f=case: case_list.check(templates, c, e, f)


def run(kind, check, outcomes, name):
    why_not = disks.can_mount() if kind != "plain" or "cannot be" in name else None
    if why_not:
        raise Skipped(why_not)
    outcomes[name] = check()


def print_table(outcomes):
    """One line for each state, one column for each number of directories and ending; a dash where nothing was tried or it failed."""
    rows = {}
    for name, outcome in outcomes.items():
        found = _NAME.match(name)
        if found:
            count, ending, state = found["count"], found["ending"] or "run", found["state"]
            rows.setdefault(state, {})[count, ending] = outcome
    columns = sorted({column for row in rows.values() for column in row})
    print("\n" + " " * 58 + "".join(f"{count + ' ' + ending:<13}" for count, ending in columns))
    for state, row in rows.items():
        print(f"{state[:57]:<58}" + "".join(f"{row.get(column, '-'):<13}" for column in columns))


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--only", help="checks whose name contains one of these, separated by commas")
    parser.add_argument("--directories", type=int, default=3, help="up to so many log directories; default %(default)s")
    arguments = parser.parse_args()
    if arguments.target != "milena":
        raise SystemExit("this suite stops, kills and starts brokers on directories that it prepares: only --target milena")
    report, outcomes = Report("starts", arguments.only), {}
    home = Path(tempfile.mkdtemp(prefix="compat-startup-"))
    home.chmod(0o755)  # the broker may run as nobody
    try:
        templates = Templates(home, arguments.milena)
        for name, kind, check in all_checks(templates, arguments.directories):
            report.run(name, run, kind, check, outcomes, name)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print_table(outcomes)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
