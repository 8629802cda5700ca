#!/usr/bin/env python3
"""Directories of Apache Kafka: ours opens what Kafka formatted and filled, and Kafka opens it again afterwards.

Kafka's features that only add kinds of groups (share.version, streams.version) stay in the directory: the log names them
in one warning, and clients are not told of them. Needs Java and Kafka's jars.
"""

import subprocess
import time
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import api, broker, kafka_jars  # noqa: E402
from lib.report import Report  # noqa: E402

import archives  # noqa: E402
import content  # noqa: E402
import features  # noqa: E402
import inspection  # noqa: E402
from upgrade_test import expect_all  # noqa: E402

QUORUMS = ("static", "dynamic")


class Kafka(broker.ApacheKafka):
    def __init__(self, quorum, *format_options):
        super().__init__("upgrade", content.PROPERTIES)
        self.dynamic_quorum = quorum == "dynamic"
        self.format_options = format_options


class OnItsDirectory(broker.Milena):
    """Our binary with Kafka's own server.properties: its directory, its port."""

    def __init__(self, binary, kafka):
        super().__init__(binary, "upgrade")
        self.port, self.data, self._file = kafka.port, kafka.data, kafka.config

    def command(self):
        return [str(self.binary), str(self._file)]


def filled(binary, quorum, ending):
    """Kafka writes, ours serves the same and goes on, Kafka serves what ours has left."""
    with Kafka(quorum).prepared() as kafka, OnItsDirectory(binary, kafka).prepared() as ours:
        kafka.start()
        _use_groups_of_other_kinds(kafka)
        notes = content.write(kafka)
        inspected = inspection.inspect(kafka)
        kafka.kill() if ending == "kill" else kafka.stop()
        ours.start()
        features.check_kept(ours)
        expect_all(ours, _without_groups_of_other_kinds(inspected))
        inspection.go_on(ours, notes, time.time())
        later = inspection.inspect(ours)
        archives.end(ours, ending)
        kafka.start()
        again = inspection.inspect(kafka)
        assert "sharing" in again["groups"], f"the share group is gone: {again['groups']}"
        different = inspection.difference(later, _without_groups_of_other_kinds(again))
        assert not different, "\n".join(different[:20])
        kafka.stop()
        ours.start()
        expect_all(ours, later)


def only_formatted(binary, quorum):
    """Ours is the first to start in a directory that Kafka has formatted: the levels are those that formatting chose."""
    with Kafka(quorum, "--release-version", "4.1").prepared() as kafka, OnItsDirectory(binary, kafka).prepared() as ours:
        ours.start()
        finalized = features.finalized(ours)
        assert finalized["metadata.version"] == 27, finalized  # 4.1-IV1
        with api.Client(ours.address) as client:
            client.make_topic("orders")
        archives.end(ours, "stop")
        kafka.start()
        again = features.finalized(kafka)
        assert {name: again.get(name) for name in finalized} == finalized, f"Kafka reads {again}, ours had {finalized}"
        with api.Client(kafka.address) as client:
            assert api.until_ready(lambda: client.offset("orders", 0))["error_code"] == 0
        kafka.stop()


def _use_groups_of_other_kinds(kafka):
    """A share group leaves records in the log of the groups that ours has no use for."""
    with api.Client(kafka.address) as client:
        client.make_topic("shared")
        client.produce("shared", 0, content.records.batch([b"one"]))
    tool = [str(kafka_jars.home() / "bin" / "kafka-console-share-consumer.sh")]
    command = [*tool, "--bootstrap-server", kafka.address, "--topic", "shared", "--group", "sharing", "--timeout-ms", "3000"]
    subprocess.run(command, capture_output=True, timeout=60)


def _without_groups_of_other_kinds(inspected):
    groups = {name: group for name, group in inspected["groups"].items() if group["type"] in ("classic", "consumer")}
    return {**inspected, "groups": groups}


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--only", help="checks whose name contains one of these, separated by commas")
    arguments = parser.parse_args()
    report = Report("Kafka's directories", arguments.only)
    for quorum in QUORUMS:
        report.run(f"{quorum} quorum, only formatted", only_formatted, arguments.milena, quorum)
        for ending in archives.ENDINGS:
            report.run(f"{quorum} quorum, filled, after {ending}", filled, arguments.milena, quorum, ending)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
