#!/usr/bin/env python3
"""Stock clients against the broker: kcat, kafka-python (an old and a new one) and confluent-kafka; no groups.

The Python clients live in virtual environments in the cache; each runs one program from this folder that prints an
outcome a line.
"""

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import broker, cache  # noqa: E402
from lib.report import Report  # noqa: E402

import kcat_checks  # noqa: E402

_CODECS = ["lz4", "python-snappy", "zstandard"]

# environment: (program, requirements)
CLIENTS = {
    "kafka-python-2.0.2": ("kafka_python_program.py", ["kafka-python==2.0.2", *_CODECS]),
    "kafka-python-3.0.12": ("kafka_python_program.py", ["kafka-python==3.0.12", *_CODECS]),
    "confluent-kafka-2.15.1": ("confluent_kafka_program.py", ["confluent-kafka==2.15.1"]),
}


def interpreter(name, requirements):
    """The Python of a virtual environment with these requirements."""

    def make(directory):
        # The environment is renamed into place afterwards; its interpreter is only ever called by path, so that holds.
        venv.create(directory, with_pip=True)
        command = [directory / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements]
        cache.run_logged(command, cache.logs_dir("setup") / f"{name}.log")

    return cache.made_once(f"venv-{name}", make) / "bin/python"


def run_program(report, target, name):
    program, requirements = CLIENTS[name]
    python = interpreter(name, requirements)
    log = cache.logs_dir("clients") / f"{name}.log"
    command = [str(python), str(HERE / program), target.address, name]
    with open(log, "w") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        outcomes = sum(report.relay(line) for line in process.stdout)
    if process.returncode != 0 or outcomes == 0:
        report.add(f"{name}: the program", "FAILED", f"ended with {process.returncode} after {outcomes} outcomes; see {log}")


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--clients", default=",".join([kcat_checks.NAME, *CLIENTS]), help="some of: %(default)s")
    parser.add_argument("--only", help="kcat checks whose name contains one of these, separated by commas")
    arguments = parser.parse_args()
    report = Report("stock clients", arguments.only)
    with broker.from_arguments(arguments, "clients") as target:
        for name in arguments.clients.split(","):
            if name == kcat_checks.NAME:
                kcat_checks.run(report, target)
            else:
                run_program(report, target, name)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
