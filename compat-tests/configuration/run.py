#!/usr/bin/env python3
"""Compares the table of configuration keys with Apache Kafka's own.

The table is read from docs/CONFIGURATION.md, which a unit test holds to what the binary uses: names, types, defaults,
allowed values and update modes must be those of Kafka's classes, but for the differences listed here. Then a broker and
Apache Kafka, started alike, describe themselves: value, source, synonyms, type and whether a key may change must agree.
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "differential")]

from lib import broker, kafka_jars  # noqa: E402
from lib.report import Report  # noqa: E402

from probe import Probe  # noqa: E402

PAGE = ROOT / "docs/CONFIGURATION.md"

# Defaults that differ on purpose: {key: (ours, Kafka's)}. docs/COMPATIBILITY.md has the reasons.
OTHER_DEFAULTS = {
    "process.roles": ("broker,controller", "none"),
    "node.id": ("1", "none"),
    "controller.listener.names": ("CONTROLLER", "none"),
    "log.dir": ("/tmp/milena-logs", "/tmp/kafka-logs"),
    "group.initial.rebalance.delay.ms": ("0", "3000"),
    "group.consumer.assignment.interval.ms": ("0", "1000"),
}

# Kafka prints some checks in other words, and some not at all: {Kafka's: ours}.
CHECKS = {
    "null": {""},
    "": {"", "not empty", "uniform, range; not empty"},
    "non-empty string": {"not empty"},
    "non-null string": {"not null"},
    "non-empty list": {"{id}@{host}:{port}", "{host}:{port}"},
}

# Both brokers are started with these.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "log.retention.hours": 5,
    "num.partitions": 3,
    "message.max.bytes": 2000000,
    "broker.rack": "a",
}

# What a description may say otherwise, and why: {key: reason}. The value is of the machine, or bounded by it.
DESCRIBED_OTHERWISE = {
    "num.network.threads": "never more threads than processors",
    "max.connections": "never more than there are descriptors for",
    "queued.max.request.bytes": "memory for requests is always bounded",
    "socket.send.buffer.bytes": "the system decides unless it is set",
    "socket.receive.buffer.bytes": "the system decides unless it is set",
    "socket.listen.backlog.size": "as long as the system allows unless it is set",
    "listeners": "each broker has its own ports",
    "advertised.listeners": "each broker has its own ports",
    "log.dirs": "each broker has its own directory",
    "controller.quorum.voters": "only Kafka needs a port for its quorum",
    **dict.fromkeys(OTHER_DEFAULTS, "another default"),
}


def our_table():
    """{name: (type, default, values, mode, internal)} of docs/CONFIGURATION.md."""
    rows = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split(" | ")]
        if not line.startswith("| `") or len(cells) < 6:
            continue
        name, kind, default, values, mode = (cell.strip("|` ") for cell in cells[:5])
        default = {"empty": ""}.get(default, default)
        rows[name] = (kind, default, values, mode.removesuffix(", internal"), mode.endswith(", internal"))
    assert len(rows) > 300, f"only {len(rows)} keys in {PAGE}"
    return rows


def kafka_table():
    command = ["java", "-cp", f"{kafka_jars.libs()}/*", str(HERE / "KafkaKeys.java")]
    rows = {}
    for line in subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        name, kind, default, validator, mode, internal = line.split("\t")
        rows[name] = (kind, default, validator, mode, internal == "true")
    return rows


def same_names(ours, kafkas):
    missing = sorted(set(kafkas) - set(ours))
    made_up = sorted(name for name in set(ours) - set(kafkas) if not name.startswith("milena."))
    assert not missing and not made_up, f"missing: {missing}; not Kafka's: {made_up}"


def same_field(ours, kafkas, field, same):
    wrong = [f"{name}: {ours[name][field]!r}, Kafka {kafka[field]!r}" for name, kafka in kafkas.items()
             if name in ours and not same(name, ours[name][field], kafka[field])]
    assert not wrong, "; ".join(wrong)


def same_default(name, ours, kafka):
    return (ours, kafka) == OTHER_DEFAULTS[name] if name in OTHER_DEFAULTS else ours == kafka


def same_check(name, ours, kafka):
    return ours in CHECKS.get(kafka, set()) or ours.removesuffix(", not empty") == kafka


def compare_tables(report):
    ours, kafkas = our_table(), kafka_table()
    report.run("the table has Kafka's keys", same_names, ours, kafkas)
    equal = lambda _, a, b: a == b  # noqa: E731
    for number, (field, same) in enumerate([("types", equal), ("defaults", same_default), ("allowed values", same_check),
                                            ("update modes", equal), ("internal keys", equal)]):
        report.run(f"the {field} are Kafka's", same_field, ours, kafkas, number, same)


def description(probe, address):
    resource = {"resourceType": 4, "resourceName": "1", "configurationKeys": None}
    body = {"resources": [resource], "includeSynonyms": True, "includeDocumentation": False}
    result = probe.ask(address, "DescribeConfigs", 4, body)["body"]["results"][0]
    assert result["errorCode"] == 0, result
    return {config["name"]: config for config in result["configs"]}


def compare_descriptions(ours, kafkas):
    wrong = sorted(set(kafkas) ^ {name for name in ours if not name.startswith("milena.")})
    wrong = [f"only one tells of {name}" for name in wrong]
    for name in sorted(set(ours) & set(kafkas)):
        fields = ["readOnly", "isSensitive", "configType"]
        if name not in DESCRIBED_OTHERWISE:
            fields += ["value", "configSource", "synonyms"]
        for field in fields:
            if ours[name][field] != kafkas[name][field]:
                wrong.append(f"{name} {field}: {ours[name][field]}, Kafka {kafkas[name][field]}")
    assert not wrong, f"{len(wrong)} differ: " + "; ".join(wrong)


def describe_both(report, arguments):
    with broker.from_arguments(arguments, "configuration", SETTINGS) as ours, broker.ApacheKafka("configuration", SETTINGS) as kafka:
        probe = Probe()
        try:
            told = [description(probe, side.address) for side in (ours, kafka)]
        finally:
            probe.close()
    report.run("a broker describes itself as Kafka does", compare_descriptions, *told)


def main():
    arguments = broker.parser(__doc__).parse_args()
    report = Report("configuration keys against Apache Kafka " + kafka_jars.VERSION)
    compare_tables(report)
    describe_both(report, arguments)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
