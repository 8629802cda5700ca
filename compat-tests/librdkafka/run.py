#!/usr/bin/env python3
"""Runs librdkafka's own test suite against the broker and prints a table: passed, failed, skipped and why.

Each test number runs in a process of its own with a time limit. Without --tests it runs those whose needs, as recorded
in needs.json, the broker serves; --tests all runs every test that talks to a broker, --tests groups and
--tests transactions those about these.
--protocol consumer runs the group tests with KIP-848. A test that fails with Kafka too (known.py) counts as skipped when
it fails. --survey records in needs.json which requests each test sends. --pause MS lets the application wait before each
rd_kafka_unsubscribe, which shows what a test loses to the broker's speed and not to its answers (see known.py).
"""

import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import broker, cache, kafka_jars  # noqa: E402
from lib.report import Report  # noqa: E402

import known  # noqa: E402
import suite  # noqa: E402

NEEDS = Path(__file__).with_name("needs.json")

# The suite assumes Kafka's defaults and four partitions for a topic created on first use.
PROPERTIES = {"num.partitions": 4, "auto.create.topics.enable": "true", "group.initial.rebalance.delay.ms": 3000}
MILENA_ONLY = {"milena.replication.factor.cap": "true"}  # some tests of transactions ask for three replicas
KAFKA_ONLY = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}

# What a test may need beyond produce, consume and topic administration to run without --tests; see needs_of().
SERVED = {"groups", "group offsets", "transactions"}

_SUMMARY = re.compile(r"^\| (\d{4}_\w+) +\| +(\w+) \| +([\d.]+)s +\|?(.*)$", re.MULTILINE)
_FAILED_TEST = re.compile(r"^\[(\d{4}_\w+) +/ *[\d.]+s\] TEST FAILURE", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[\d+m")
_SENT = re.compile(r"Sent (\w+)Request \(v")


class Runner:
    """Runs single tests against one broker."""

    def __init__(self, target, time_limit, use_kafka_path, survey, protocol, pause_ms):
        self.target = target
        self.time_limit = time_limit
        self.survey = survey
        self.protocol = protocol
        self.tests = suite.tests_dir()
        self.logs = cache.logs_dir("librdkafka")
        self._conf = tempfile.NamedTemporaryFile("w", prefix="test-conf-", suffix=".conf")
        self._conf.write(f"bootstrap.servers={target.address}\n" + ("debug=protocol\n" if survey else ""))
        self._conf.flush()
        self._environment = dict(
            os.environ,
            LD_LIBRARY_PATH="../src:../src-cpp",
            RDKAFKA_TEST_CONF=self._conf.name,
            TEST_KAFKA_VERSION=kafka_jars.VERSION,
            TEST_LEVEL="2",
            BROKERS=target.address,
        )
        if protocol != "classic":
            self._environment["TEST_CONSUMER_GROUP_PROTOCOL"] = protocol
        if pause_ms:
            self._environment |= {"LD_PRELOAD": str(suite.pauser()), "PAUSE_MS": str(pause_ms)}
        if use_kafka_path:
            self._environment["KAFKA_PATH"] = str(suite.kafka_path())

    def run(self, number):
        """[(test name, outcome, reason, seconds)] of all tests with this number."""
        log = self.logs / f"{number}.log"
        started = time.monotonic()
        with open(log, "wb") as output:
            process = subprocess.Popen(
                ["./test-runner", "-L", "-p1"],
                cwd=self.tests,
                env=dict(self._environment, TESTS=number),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                process.wait(self.time_limit)
                timed_out = False
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                timed_out = True
        text = _COLOUR.sub("", log.read_text(errors="replace"))
        rows = self._rows(number, text, timed_out, process.returncode, time.monotonic() - started)
        if all(outcome != "FAILED" for _, outcome, _, _ in rows) and not self.survey:
            log.unlink()
        return rows

    def requests_sent(self, number):
        """The names of the requests that the test's clients sent in a surveyed run."""
        sent = _SENT.findall((self.logs / f"{number}.log").read_text(errors="replace"))
        return sorted({name.removesuffix("Request") for name in sent})

    def _rows(self, number, text, timed_out, code, seconds):
        rows = []
        for name, state, took, extra in _SUMMARY.findall(text[text.rfind(" SUMMARY\n") :]):
            if "Filtered due to" in extra:
                continue
            if state == "PASSED":
                rows.append((name, "passed", "", float(took)))
            elif state == "SKIPPED":
                rows.append((name, "skipped", extra.strip() or "the suite skips it", float(took)))
            else:
                rows.append((name, *self._failed(name, extra.strip() + "\n" + self._failure(text, number)), float(took)))
        if timed_out:
            rows.append((number, "FAILED", f"killed after {self.time_limit:.0f} s\n" + self._failure(text, number), seconds))
        elif not rows:  # a failed test may take the runner with it, before the summary
            for name in dict.fromkeys(_FAILED_TEST.findall(text)) or [number]:
                rows.append((name, *self._failed(name, f"ended with code {code} and no summary\n" + self._failure(text, number)), seconds))
        return rows

    def _failed(self, name, told):
        """A failure's (outcome, reason): Kafka's own failures are none of the broker's."""
        why = known.reason_for(name, self.protocol, capped=not self.target.is_kafka)
        return ("FAILED", told) if why is None else ("skipped", f"fails with Apache Kafka too: {why}; now: {told}")

    def _failure(self, text, number):
        told = [line for line in text.splitlines() if "TEST FAILURE" in line or "Test failed" in line or "ERROR" in line]
        lines = told[-5:] or text.splitlines()[-8:]
        return "\n".join([*lines, f"log: {self.logs / (number + '.log')}"])


def chosen_tests(selection):
    """The numbers to run for --tests."""
    if selection == "all":
        return suite.test_numbers()
    if selection in ("groups", "transactions"):
        return [number for number in suite.test_numbers() if is_about(selection, number)]
    if selection:
        return sorted(set(selection.split(",")))
    tests = json.loads(NEEDS.read_text())["tests"]
    return [number for number, test in tests.items() if set(test["needs"]) <= SERVED and test["outcome"] != "skipped"]


def is_about(part, number):
    """`part` is groups, with their offsets, or transactions."""
    needs = set(json.loads(NEEDS.read_text())["tests"][number]["needs"])
    wanted = {"groups", "group offsets"} if part == "groups" else {part}
    return bool(needs & wanted) and needs <= SERVED


def needs_of(requests, source):
    """Which parts of a broker beyond produce, consume and topic administration a test asks for.

    `source` is the test's own text: what a test does through Kafka's tools, or did not come to, shows only there.
    """
    parts = {
        "transactions": r"AddPartitionsToTxn|AddOffsetsToTxn|EndTxn|TxnOffsetCommit",
        "groups": r"JoinGroup|SyncGroup|Heartbeat|LeaveGroup|OffsetDelete|Groups$|ConsumerGroup",
        "group offsets": r"OffsetCommit|OffsetFetch",
        "share groups": r"^Share|ShareGroup",
        "acls": r"Acls$",
        "config changes": r"AlterConfigs",
        "scram": r"ScramCredentials",
    }
    told_by_source = {"transactions": r"init_transactions\(", "acls": r"kafka-acls\.sh", "three brokers": r"test_get_broker_count|broker\.rack",
                      "compaction": r"cleanup\.policy=compact"}  # fmt: skip
    needs = [part for part, pattern in parts.items() if any(re.search(pattern, request) for request in requests)]
    return needs + [part for part, pattern in told_by_source.items() if part not in needs and re.search(pattern, source)]


def write_needs(runner, numbers, outcomes):
    tests = json.loads(NEEDS.read_text())["tests"] if NEEDS.exists() else {}
    tests = {number: tests[number] for number in suite.test_numbers() if number in tests}
    for number in numbers:
        requests = runner.requests_sent(number)
        tests[number] = {"outcome": outcomes[number], "needs": needs_of(requests, suite.source(number)), "requests": requests}
    about = (
        f"Which requests each broker test of librdkafka {suite.VERSION} sends, found by `run.py --target kafka --survey`, "
        f"and what it got from Apache Kafka {kafka_jars.VERSION} then. A test runs by default when run.py's SERVED covers its needs."
    )
    rows = ",\n".join(f'  "{number}": {json.dumps(tests[number])}' for number in sorted(tests))
    NEEDS.write_text(f'{{\n "about": {json.dumps(about)},\n "tests": {{\n{rows}\n }}\n}}\n')


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--tests", help="test numbers separated by commas, or groups, transactions, or all")
    parser.add_argument("--protocol", choices=["classic", "consumer"], default="classic", help="how consumers form their groups")
    parser.add_argument("--jobs", type=int, default=2, help="tests at a time")
    parser.add_argument("--time-limit", type=float, default=900, help="seconds for one test; 0113 takes seven minutes")
    parser.add_argument("--no-kafka-path", action="store_true", help="without Kafka's tools; some tests skip themselves then")
    parser.add_argument("--pause", type=int, metavar="MS", help="how long the application waits before each rd_kafka_unsubscribe")
    parser.add_argument("--survey", action="store_true", help="record in needs.json which requests the tests send")
    arguments = parser.parse_args()

    numbers = chosen_tests(arguments.tests or ("groups" if arguments.protocol == "consumer" else None))
    suite.tests_dir()
    properties = PROPERTIES | (KAFKA_ONLY if arguments.target == "kafka" else MILENA_ONLY)
    report = Report("librdkafka's suite")
    outcomes = {}
    with broker.from_arguments(arguments, "librdkafka", properties) as target:
        runner = Runner(target, arguments.time_limit, not arguments.no_kafka_path, arguments.survey, arguments.protocol, arguments.pause)
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            running = {pool.submit(runner.run, number): number for number in numbers}
            for done in concurrent.futures.as_completed(running):
                for row in done.result():
                    report.add(*row)
                outcomes[running[done]] = ", ".join(sorted({row[1].lower() for row in done.result()}))
        if not target.alive():
            report.add("the broker is still running", "FAILED", target.log_tail())
        if arguments.survey:
            write_needs(runner, numbers, outcomes)
    report.rows.sort()
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
