#!/usr/bin/env python3
"""Sends the same requests to Apache Kafka and to the target and compares the answers, field by field.

The scenarios are data (scenarios.py), each sent in every version that Kafka serves. What two brokers may tell
differently (ids, ports, times, texts) is normalised; other differences fail unless allowed.py has a reason for them.
--target kafka compares Kafka with Kafka, which must find nothing.
"""

import base64
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import api, broker, records  # noqa: E402
from lib.report import Report  # noqa: E402

import allowed  # noqa: E402
from probe import Probe, differences, normalise  # noqa: E402
from scenarios import NOW, SCENARIOS  # noqa: E402

# The APIs that we must serve exactly as Kafka does; the others may be missing from our ApiVersions answer, not differ in it.
SERVED = [
    "Produce", "Fetch", "ListOffsets", "Metadata", "FindCoordinator", "ApiVersions", "CreateTopics", "DeleteTopics", "DeleteRecords",
    "InitProducerId", "OffsetForLeaderEpoch", "DescribeConfigs", "CreatePartitions", "DescribeQuorum", "DescribeCluster",
    "DescribeTopicPartitions",
]  # fmt: skip


class Side:
    """One of the two brokers, and what has been made on it."""

    def __init__(self, address, probe):
        self.address = address
        self._probe = probe
        self._client = api.Client(address, timeout=30.0)
        self._client.init_producer_id()  # the first one may have to wait for a block of ids
        self._ids = {}  # topic name -> id as Kafka writes it

    def set_up(self, scenario, version):
        for name, spec in scenario.topics.items():
            partitions, configs = spec if isinstance(spec, tuple) else (spec, {})
            self._client.make_topic(at(name, version), partitions, configs)
        for name, count in scenario.produce.items():
            for n in range(count):
                batch = records.batch([f"value {n}".encode()], timestamp=NOW + n)
                answer = self._client.produce(at(name, version), 0, batch)
                assert answer["error_code"] == 0, f"set-up: {answer}"

    def ask(self, name, version, body):
        """The normalised answer to one request."""
        answer = self._probe.ask(self.address, name, version, self._with_ids(body))
        if "topicId" in json.dumps(answer):
            self._learn_ids()
        names = {topic_id: topic for topic, topic_id in self._ids.items()}
        return normalise(answer, name, names)

    def _with_ids(self, body):
        if isinstance(body, dict):
            return {key: self._with_ids(value) for key, value in body.items()}
        if isinstance(body, list):
            return [self._with_ids(value) for value in body]
        if isinstance(body, str) and body.startswith("$id:"):
            self._learn_ids()
            return self._ids.get(body.removeprefix("$id:"), "AAAAAAAAAAAAAAAAAAAAAA")
        return body

    def _learn_ids(self):
        for topic in self._client.metadata()["topics"]:
            self._ids[topic["name"]] = _uuid_text(topic["topic_id"])


def _uuid_text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def at(value, version):
    """`value` as it is for a version: {v} replaced, fields of other versions left out."""
    if isinstance(value, dict):
        return {key: at(part, version) for key, part in _fields_at(value, version).items()}
    if isinstance(value, list):
        return [at(part, version) for part in value]
    return value.replace("{v}", str(version)) if isinstance(value, str) else value


def _fields_at(value, version):
    fields = {}
    for key, part in value.items():
        if isinstance(part, dict) and "$versions" in part:
            first, end = part["$versions"]
            if first <= version < end:
                fields[key] = part["value"]
        else:
            fields[key] = part
    return fields


def run_scenario(scenario, version_of, kafka, target, notes):
    """Raises AssertionError with every difference that is not allowed."""
    found = {}  # (request, difference): versions it was seen in
    name = scenario.requests[0][0]
    for version in scenario.versions or version_of(name):
        for side in (kafka, target):
            side.set_up(scenario, version)
        for number, (request, body) in enumerate(scenario.requests):
            used = version if request == name else max(version_of(request))
            answers = [side.ask(request, used, at(body, version)) for side in (kafka, target)]
            for path, wanted, got in differences(*answers):
                reason = allowed.reason_for(scenario.name, request, path.removeprefix("body."))
                if reason is None:
                    difference = f"{path.removeprefix('body.')}: Kafka {_short(wanted)}, target {_short(got)}"
                    found.setdefault((f"request {number + 1}, {request}", difference), []).append(used)
                else:
                    notes.setdefault(reason, set()).add(f"{scenario.name}: {request} {path}")
    assert not found, f"{len(found)} differences\n" + "\n".join(_line(*item) for item in list(found.items())[:40])


def _line(where, versions):
    request, difference = where
    span = f"v{versions[0]}" if len(set(versions)) == 1 else f"v{min(versions)}-{max(versions)}"
    return f"{request} {span}: {difference}"


def compare_served_apis(probe, kafka, target):
    """Every API that both serve has Kafka's range of versions, and we serve those we must."""
    body = {"clientSoftwareName": "differential", "clientSoftwareVersion": "1"}
    answers = [probe.ask(side.address, "ApiVersions", 4, body)["body"]["apiKeys"] for side in (kafka, target)]
    theirs, ours = [{entry["apiKey"]: (entry["minVersion"], entry["maxVersion"]) for entry in answer} for answer in answers]
    wrong = {key: (theirs.get(key), ours[key]) for key in ours if theirs.get(key) != ours[key]}
    assert not wrong, f"versions that differ: {wrong}"
    missing = [name for name in SERVED if probe.key(name) not in ours]
    assert not missing, f"not served: {missing}"


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 300 else text[:300] + "..."


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--only", help="scenarios whose name contains one of these, separated by commas")
    arguments = parser.parse_args()
    report = Report("compared with Apache Kafka", arguments.only)
    notes = {}
    with broker.ApacheKafka("differential") as reference, broker.from_arguments(arguments, "differential") as tested:
        probe = Probe()
        kafka, target = Side(reference.address, probe), Side(tested.address, probe)
        report.run("served APIs", compare_served_apis, probe, kafka, target)
        for scenario in SCENARIOS:
            report.run(scenario.name, run_scenario, scenario, probe.versions, kafka, target, notes)
        probe.close()
    for reason, places in notes.items():
        print(f"allowed in {len(places)} places: {reason}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
