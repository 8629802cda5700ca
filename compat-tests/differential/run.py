#!/usr/bin/env python3
"""Sends the same requests to Apache Kafka and to the target and compares the answers, field by field.

The scenarios are data (scenarios.py), each sent in every version that Kafka serves. What two brokers may tell
differently (ids, ports, times, texts) is normalised; other differences fail unless allowed.py has a reason for them.
--target kafka compares Kafka with Kafka, which must find nothing.
"""

import base64
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import api, broker, records  # noqa: E402
from lib.report import Report  # noqa: E402

import allowed  # noqa: E402
from probe import Probe, differences, normalise  # noqa: E402
from admin_scenarios import ADMIN_SCENARIOS  # noqa: E402
from fresh_scenarios import FRESH_SCENARIOS  # noqa: E402
from group_scenarios import ENCODED, GROUP_SCENARIOS  # noqa: E402
from scenarios import NOW, SCENARIOS  # noqa: E402

# The APIs that we must serve exactly as Kafka does; the others may be missing from our ApiVersions answer, not differ in it.
SERVED = [
    "Produce", "Fetch", "ListOffsets", "Metadata", "FindCoordinator", "ApiVersions", "CreateTopics", "DeleteTopics", "DeleteRecords",
    "InitProducerId", "OffsetForLeaderEpoch", "DescribeConfigs", "CreatePartitions", "DescribeQuorum", "DescribeCluster",
    "DescribeTopicPartitions", "OffsetCommit", "OffsetFetch", "JoinGroup", "Heartbeat", "LeaveGroup", "SyncGroup", "DescribeGroups",
    "ListGroups", "DeleteGroups", "OffsetDelete", "ConsumerGroupHeartbeat", "ConsumerGroupDescribe", "DescribeAcls", "CreateAcls", "DeleteAcls",
    "CreateDelegationToken", "RenewDelegationToken", "ExpireDelegationToken", "DescribeDelegationToken", "ElectLeaders",
    "ListPartitionReassignments", "ListConfigResources",
]  # fmt: skip

# Versions of Kafka 4.4 that we serve already: {API: newest version}.
NEWER = {"DeleteGroups": 3, "TxnOffsetCommit": 6}

# Nothing waits for members or for the next round of assignments: an answer is what the request alone brought about.
PROPERTIES = {
    "group.initial.rebalance.delay.ms": 0,
    "group.consumer.min.assignment.interval.ms": 0,
    "group.consumer.assignment.interval.ms": 0,
    "log.retention.ms": -1,  # records carry a fixed time, which lies in the past
}


class Side:
    """One of the two brokers, and what has been made on it."""

    def __init__(self, address, probe):
        self.address = address
        self._probe = probe
        self._client = api.Client(address, timeout=30.0)
        self._client.init_producer_id()  # the first one may have to wait for a block of ids
        self._ids = {}  # topic name -> id as Kafka writes it
        self._kept = {}  # what a scenario keeps of answers: "$name" -> value

    def await_groups(self):
        """Waits until groups have a coordinator."""
        self._client.await_group("ready")

    def settle(self, what, topic):
        """A step of a scenario that waits: until a topic is there or gone everywhere, or a kind of coordinator is."""
        if what == "$coordinator":
            api.until_ready(lambda: self._client.call("FindCoordinator", key_type=topic, coordinator_keys=["early"])["coordinators"][0])
            api.until_ready(lambda: self._client.call("InitProducerId", transactional_id="warm-up"))
            return
        deadline = time.monotonic() + 15
        while (self._client.metadata([topic])["topics"][0]["error_code"] == 0) != (what == "$there"):
            assert time.monotonic() < deadline, f"{topic} is not {what.strip('$')}"
            time.sleep(0.05)
        time.sleep(0.3)  # Kafka's partitions follow its metadata

    def set_up(self, scenario, version, number):
        self._kept = {}
        for name, spec in scenario.topics.items():
            partitions, configs = spec if isinstance(spec, tuple) else (spec, {})
            self._client.make_topic(named(name, version, number), partitions, configs)
        for name, count in scenario.produce.items():
            for n in range(count):
                batch = records.batch([f"value {n}".encode()], timestamp=NOW + n)
                answer = self._client.produce(named(name, version, number), 0, batch)
                assert answer["error_code"] == 0, f"set-up: {answer}"
        if scenario.topics:
            self._learn_ids()  # before a scenario deletes them: how fast that is seen differs

    def ask(self, name, version, body, keep):
        """The normalised answer to one request; `keep` {name: field} of it for the requests that follow."""
        answer = self._probe.ask(self.address, name, version, self._filled_in(body))
        if "topicId" in json.dumps(answer):
            self._learn_ids()
        for kept, field in keep.items():
            self._kept["$" + kept] = answer.get("body", {}).get(field)
        names = {topic_id: topic for topic, topic_id in self._ids.items()}
        return normalise(answer, name, names, {value: kept for kept, value in self._kept.items() if value and isinstance(value, str)})

    def _filled_in(self, body):
        if isinstance(body, dict):
            return {key: self._filled_in(value) for key, value in body.items()}
        if isinstance(body, list):
            return [self._filled_in(value) for value in body]
        if isinstance(body, str) and body in self._kept:
            return self._kept[body]
        if isinstance(body, str) and body.partition(":")[0] in ENCODED:
            form, _, text = body.partition(":")
            return base64.b64encode(ENCODED[form](text)).decode()
        if isinstance(body, str) and body.startswith("$id:"):
            self._learn_ids()
            return self._ids.get(body.removeprefix("$id:"), "AAAAAAAAAAAAAAAAAAAAAA")
        return body

    def _learn_ids(self):
        for topic in self._client.metadata()["topics"]:
            self._ids[topic["name"]] = _uuid_text(topic["topic_id"])


def _uuid_text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def named(value, version, number):
    """Strings with {v} and {n} replaced: the scenario's version, and that with the scenario's number."""
    if isinstance(value, dict):
        return {key: named(part, version, number) for key, part in value.items()}
    if isinstance(value, list):
        return [named(part, version, number) for part in value]
    return value.replace("{v}", str(version)).replace("{n}", f"{number}-{version}") if isinstance(value, str) else value


def at(value, version):
    """`value` as it is for a version: fields of other versions left out."""
    if isinstance(value, dict):
        return {key: at(part, version) for key, part in _fields_at(value, version).items()}
    return [at(part, version) for part in value] if isinstance(value, list) else value


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


def run_scenario(scenario, serial, version_of, kafka, target, notes):
    """Raises AssertionError with every difference that is not allowed."""
    found = {}  # (request, difference): versions it was seen in
    name = scenario.varies or scenario.requests[0][0]
    for version in scenario.versions or version_of(name):
        for side in (kafka, target):
            side.set_up(scenario, version, serial)
        for number, (request, body, *keep) in enumerate(scenario.requests):
            if request.startswith("$"):
                for side in (kafka, target):
                    side.settle(request, named(body, version, serial))
                continue
            used = version if request == name else max(version_of(request))
            answers = [side.ask(request, used, named(at(body, used), version, serial), keep[0] if keep else {}) for side in (kafka, target)]
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
    for name, newest in NEWER.items():
        key = probe.key(name)
        if ours.get(key, (0, 0))[1] == newest:
            ours[key] = (ours[key][0], theirs[key][1])
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
    with broker.ApacheKafka("differential", PROPERTIES) as reference, broker.from_arguments(arguments, "differential", PROPERTIES) as tested:
        probe = Probe()
        kafka, target = Side(reference.address, probe), Side(tested.address, probe)
        report.run("served APIs", compare_served_apis, probe, kafka, target)
        for serial, scenario in enumerate(FRESH_SCENARIOS + SCENARIOS + ADMIN_SCENARIOS + GROUP_SCENARIOS):
            if serial == len(FRESH_SCENARIOS):
                for side in (kafka, target):
                    side.await_groups()
            report.run(scenario.name, run_scenario, scenario, serial, probe.versions, kafka, target, notes)
        probe.close()
    for reason, places in notes.items():
        print(f"allowed in {len(places)} places: {reason}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
