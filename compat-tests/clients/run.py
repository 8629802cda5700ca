#!/usr/bin/env python3
"""Stock clients against the broker: produce and consume first, then one consumer group of every client.

Produce and consume: kcat, kafka-python (an old and a new one) and confluent-kafka; each of the Python clients runs one
program from this folder that prints an outcome a line. Groups: every client in groups/members.py plays the story of
groups/scenario.py, on a broker of its own that is killed and restarted meanwhile.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import broker, cache  # noqa: E402
from lib.report import Report  # noqa: E402

import kcat_checks  # noqa: E402
import python_env  # noqa: E402
from groups import members, scenario  # noqa: E402

# environment: (program, requirements)
CLIENTS = {
    "kafka-python-2.0.2": ("kafka_python_program.py", ["kafka-python==2.0.2", *members.CODECS]),
    "kafka-python-3.0.12": ("kafka_python_program.py", ["kafka-python==3.0.12", *members.CODECS]),
    "confluent-kafka-2.15.1": ("confluent_kafka_program.py", ["confluent-kafka==2.15.1"]),
}


def run_program(report, target, name):
    program, requirements = CLIENTS[name]
    python = python_env.interpreter(name, requirements)
    log = cache.logs_dir("clients") / f"{name}.log"
    command = [str(python), str(HERE / program), target.address, name]
    with open(log, "w") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        outcomes = sum(report.relay(line) for line in process.stdout)
    if process.returncode != 0 or outcomes == 0:
        report.add(f"{name}: the program", "FAILED", f"ended with {process.returncode} after {outcomes} outcomes; see {log}")


def run_group(report, target, client):
    """One row: the whole story, and how long each of its steps took."""
    story = scenario.Scenario(target, client)
    report.run(f"group: {client.name}", lambda: (client.make_ready(), story.run()))
    if story.times:
        print("           " + ", ".join(f"{step} {seconds:.1f} s" for step, seconds in story.times), flush=True)


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--clients", default="", help="only names that contain one of these, separated by commas: " + ", ".join(names()))
    parser.add_argument("--only", help="kcat checks whose name contains one of these, separated by commas")
    arguments = parser.parse_args()
    wanted = [name for name in names() if any(part in name for part in arguments.clients.split(","))]
    report = Report("stock clients", arguments.only)
    if any(not name.startswith("group: ") for name in wanted):
        with broker.from_arguments(arguments, "clients") as target:
            if kcat_checks.NAME in wanted:
                kcat_checks.run(report, target)
            for name in filter(CLIENTS.__contains__, wanted):
                run_program(report, target, name)
    groups = [client for client in members.CLIENTS if f"group: {client.name}" in wanted]
    if groups:
        with broker.from_arguments(arguments, "clients", scenario.PROPERTIES) as target:
            for client in groups:
                run_group(report, target, client)
    return report.finish()


def names():
    return [kcat_checks.NAME, *CLIENTS, *(f"group: {client.name}" for client in members.CLIENTS)]


if __name__ == "__main__":
    sys.exit(main())
