#!/usr/bin/env python3
"""Few descriptors, many partitions: with 512 open files, hard and soft, everything is acknowledged and readable.

Each check starts a broker of its own under the limit. Apache Kafka takes its log directory offline instead, so there is
nothing to compare with: --target kafka is skipped.
"""

import contextlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import api, broker, records  # noqa: E402
from lib.report import Report, Skipped  # noqa: E402

OPEN_FILES = 512
ROUNDS = 3
PER_REQUEST = 1000  # partitions
MODES = ("page-cache", "fsync")


def value_of(partition, round_number):
    return b"%d/%d" % (partition, round_number)


def batch_of(partition, round_number):
    return records.batch([value_of(partition, round_number)])


def produce_one_by_one(client, topic, partitions, round_number):
    """One request for each partition."""
    for partition in range(partitions):
        answer = client.produce(topic, partition, batch_of(partition, round_number))
        assert answer["error_code"] == 0, f"{topic}-{partition}, round {round_number}: error {answer['error_code']}"


def produce_at_once(client, topic, partitions, round_number):
    """Many partitions in each request, so that all of them have unsynced records at the same time."""
    for first in range(0, partitions, PER_REQUEST):
        entries = [{"index": p, "records": batch_of(p, round_number)} for p in range(first, min(first + PER_REQUEST, partitions))]
        topics = [{"name": topic, "partitions": entries}]
        answers = client.call("Produce", topics=topics, acks=-1, timeout_ms=60000)["topics"][0]["partitions"]
        failed = {answer["index"]: answer["error_code"] for answer in answers if answer["error_code"]}
        assert not failed, f"round {round_number}: {len(failed)} of {len(answers)} partitions failed: {dict(list(failed.items())[:5])}"


def values(data):
    return [record.value for batch in records.read_batches(data or b"") for record in batch.records]


def check_readable(client, topic, partitions, rounds):
    """Every partition holds its records, in order."""
    for first in range(0, partitions, PER_REQUEST):
        wanted = [{"partition": p, "fetch_offset": 0} for p in range(first, min(first + PER_REQUEST, partitions))]
        answer = client.call("Fetch", topics=[{"topic": topic, "partitions": wanted}], max_wait_ms=0)
        for entry in answer["topics"][0]["partitions"]:
            partition = entry["partition"]
            assert entry["error_code"] == 0, f"{topic}-{partition}: Fetch answers with error {entry['error_code']}"
            found = values(entry["records"])
            while 0 < len(found) < rounds:  # a segment at a time
                more = values(client.fetch(topic, partition, len(found), max_wait_ms=0)["records"])
                if not more:
                    break
                found += more
            expected = [value_of(partition, r) for r in range(rounds)]
            assert found == expected, f"{topic}-{partition}: {found} instead of {expected}"


def open_descriptors(target):
    return len(list(Path(f"/proc/{target.pid}/fd").iterdir()))


def mappings(target):
    return len(Path(f"/proc/{target.pid}/maps").read_text().splitlines())


@contextlib.contextmanager
def limited(pattern, durability, **properties):
    """A broker under the limit, and a patient client of it."""
    target = pattern.sibling({"milena.durability": durability, "max.connections": 100, **properties}, OPEN_FILES)
    with target, api.Client(target.address, timeout=120.0) as client:
        yield target, client
        text = target.log.read_text(errors="replace")
        assert "the log directory failed" not in text and "Too many open files" not in text, target.log_tail()


def check_case(pattern, durability):
    """One topic of 700 partitions, one record to each, three times."""
    # The default share: connections may take three quarters.
    with limited(pattern, durability, **{"max.connections": 2147483647}) as (target, client):
        client.make_topic("case", 700)
        for round_number in range(ROUNDS):
            produce_one_by_one(client, "case", 700, round_number)
        check_readable(client, "case", 700, ROUNDS)
        text = target.log.read_text(errors="replace")
        assert text.count("closed and opened again") == 1, f"the log says nothing of it, or too much:\n{target.log_tail()}"
        assert "ulimit -n" in text, "and not what to do"


def check_many(pattern, durability):
    """5,000 partitions at once; after a kill -9 and a start, too."""
    with limited(pattern, durability) as (target, client):
        for topic in range(5):
            client.make_topic(f"many-{topic}", 1000)
        for round_number in range(ROUNDS):
            for topic in range(5):
                produce_at_once(client, f"many-{topic}", 1000, round_number)
        for topic in range(5):
            check_readable(client, f"many-{topic}", 1000, ROUNDS)
        assert open_descriptors(target) < OPEN_FILES - 20, f"{open_descriptors(target)} descriptors are open"
        target.kill()
        target.start()
        with api.Client(target.address, timeout=120.0) as again:
            for topic in range(5):
                check_readable(again, f"many-{topic}", 1000, ROUNDS)


def check_mappings(pattern, durability):
    """5,000 partitions of several sealed segments each, all of them read: few descriptors, few mappings."""
    with limited(pattern, durability) as (target, client):
        for topic in range(5):
            client.make_topic(f"sealed-{topic}", 1000, {"segment.ms": 1})
        for round_number in range(ROUNDS):
            for topic in range(5):
                produce_at_once(client, f"sealed-{topic}", 1000, round_number)
        segments = len(list(target.partition_dir("sealed-0", 0).glob("*.log")))
        assert segments == ROUNDS, f"{segments} segments instead of one for each record"
        for topic in range(5):
            check_readable(client, f"sealed-{topic}", 1000, ROUNDS)
        limit = int(Path("/proc/sys/vm/max_map_count").read_text())
        assert mappings(target) < limit // 4, f"{mappings(target)} mappings of {limit}"
        assert open_descriptors(target) < OPEN_FILES - 20, f"{open_descriptors(target)} descriptors are open"


def check_connections(pattern, durability):
    """As many connections as there may be, and then 200 partitions."""
    with limited(pattern, durability, **{"max.connections": 2147483647}) as (target, client):
        client.make_topic("busy", 200)
        with contextlib.ExitStack() as stack:
            for _ in range(OPEN_FILES * 3 // 4 - 1):
                stack.enter_context(api.Client(target.address)).metadata([])
            for round_number in range(ROUNDS):
                produce_one_by_one(client, "busy", 200, round_number)
            check_readable(client, "busy", 200, ROUNDS)


CHECKS = {
    "700 partitions, one by one": check_case,
    "5,000 partitions at once": check_many,
    "5,000 partitions of three segments": check_mappings,
    "all connections taken": check_connections,
}


def skip_on_kafka(*_):
    raise Skipped("Kafka takes its log directory offline")


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--only", help="checks whose name contains one of these, separated by commas")
    arguments = parser.parse_args()
    pattern = broker.from_arguments(arguments, "limits")
    report = Report("few descriptors", arguments.only)
    for durability in MODES:
        for name, check in CHECKS.items():
            run = check if arguments.target == "milena" else skip_on_kafka
            report.run(f"{name} ({durability})", run, pattern, durability)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
