"""Named checks and their table: what passed, what failed and why, what was skipped and why."""

import contextlib
import json
import sys
import time
import traceback


class Skipped(Exception):
    """Raised inside a check that cannot run here; the message says why."""


class Report:
    """Collects the outcomes of named checks. Use: `report.run("name", function)`; then `sys.exit(report.finish())`.

    A program that checks on behalf of another one sets `as_json`: each outcome is a line that `relay` reads there.
    """

    def __init__(self, title, only=None, as_json=False):
        self.title = title
        self.rows = []
        self._only = only
        self._as_json = as_json

    def wants(self, name):
        """Whether the caller's selection (substrings separated by commas) covers this name."""
        return not self._only or any(part in name for part in self._only.split(","))

    @contextlib.contextmanager
    def check(self, name):
        """Runs the block as one named check. A failed check never ends the run; Ctrl-C does."""
        started = time.monotonic()
        try:
            yield
        except Skipped as reason:
            self._add(name, "skipped", str(reason), started)
        except AssertionError as error:
            self._add(name, "FAILED", _where(error) + str(error), started)
        except Exception as error:  # a check may fail in any way; the table says how
            self._add(name, "FAILED", f"{_where(error)}{type(error).__name__}: {error}", started)
        else:
            self._add(name, "passed", "", started)

    def run(self, name, function, *arguments):
        """Runs `function(*arguments)` as a check if the selection covers the name."""
        if self.wants(name):
            with self.check(name):
                function(*arguments)

    def add(self, name, outcome, reason="", seconds=0.0):
        """Adds an outcome found elsewhere: "passed", "FAILED" or "skipped"."""
        self.rows.append((name, outcome, reason, seconds))
        if self._as_json:
            print(json.dumps([name, outcome, reason, seconds]), flush=True)
            return
        first_line = reason.strip().splitlines()[0][:160] if reason.strip() else ""
        print(f"  {outcome:<8} {name}  ({seconds:.1f} s)" + (f"  {first_line}" if first_line else ""), flush=True)

    def relay(self, line):
        """Adds the outcome that an `as_json` report printed; False if the line is none."""
        if not line.startswith("["):
            return False
        self.add(*json.loads(line))
        return True

    def _add(self, name, outcome, reason, started):
        self.add(name, outcome, reason, time.monotonic() - started)

    def finish(self):
        """Prints the failures in full and the totals; the exit code of the process: 0 if nothing failed."""
        if self._as_json:
            return 0
        count = {kind: sum(1 for row in self.rows if row[1] == kind) for kind in ("passed", "FAILED", "skipped")}
        for kind in ("skipped", "FAILED"):
            for name, outcome, reason, _ in self.rows:
                if outcome == kind:
                    print(f"\n{kind}: {name}\n    " + reason.strip().replace("\n", "\n    "))
        print(f"\n{self.title}: {count['passed']} passed, {count['FAILED']} failed, {count['skipped']} skipped", flush=True)
        if not self.rows:
            print("nothing ran: the selection names no check", file=sys.stderr)
            return 1
        return 1 if count["FAILED"] else 0


def _where(error):
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if "/compat-tests/" in frame.filename and not frame.filename.endswith("report.py"):
            return f"{frame.filename.rsplit('/', 1)[1]}:{frame.lineno}: "
    return ""
