#!/usr/bin/env python3
"""Kafka's own command-line tools, unchanged, against the broker: every check runs a tool and reads what it prints.

The checks run in the order given and build on each other's topics. The dump-log checks come last: they stop the
broker (SIGTERM) and read its data directory as Kafka's DumpLogSegments sees it.
"""

import json
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import api, broker, kafka_jars  # noqa: E402
from lib.report import Report, Skipped  # noqa: E402

import admin_checks  # noqa: E402
import group_checks  # noqa: E402
import transaction_checks  # noqa: E402
from tools import Tools, dump, expect  # noqa: E402

# What the broker must serve so that the tools and clients work: {api: highest version}.
SERVED = {
    "Produce": 13, "Fetch": 18, "ListOffsets": 11, "Metadata": 13, "FindCoordinator": 6, "ApiVersions": 4, "CreateTopics": 7,
    "DeleteTopics": 6, "DeleteRecords": 2, "InitProducerId": 5, "OffsetForLeaderEpoch": 4, "DescribeConfigs": 4,
    "CreatePartitions": 3, "DescribeQuorum": 2, "DescribeCluster": 2, "DescribeTopicPartitions": 0,
    "OffsetCommit": 10, "OffsetFetch": 10, "JoinGroup": 9, "Heartbeat": 4, "LeaveGroup": 5, "SyncGroup": 5, "DescribeGroups": 6,
    "ListGroups": 5, "DeleteGroups": 2, "OffsetDelete": 0, "ConsumerGroupHeartbeat": 1, "ConsumerGroupDescribe": 1,
}  # fmt: skip


# ---- topics


def create_topic(tools):
    output = tools.run("topics", "--create", "--topic", "orders", "--partitions", 3, "--config", "retention.ms=3600000")
    expect(r"^Created topic orders\.$", output)


def create_existing_topic(tools):
    expect(r"Topic 'orders' already exists", tools.run("topics", "--create", "--topic", "orders", expect=1))
    tools.run("topics", "--create", "--topic", "orders", "--if-not-exists")


def create_refused(tools):
    expect(r"InvalidTopicException|illegal", tools.run("topics", "--create", "--topic", "a/b", expect=1))
    refused = tools.run("topics", "--create", "--topic", "tall", "--replication-factor", 3, expect=1)
    expect(r"Unable to replicate the partition 3 time\(s\)", refused)
    refused = tools.run("topics", "--create", "--topic", "odd", "--config", "retention.ms=soon", expect=1)
    expect(r"Invalid value soon for configuration retention\.ms", refused)


def list_topics(tools):
    expect(r"^orders$", tools.run("topics", "--list"))


def describe_topic(tools):
    output = tools.run("topics", "--describe", "--topic", "orders")
    expect(r"^Topic: orders\tTopicId: [\w-]{22}\tPartitionCount: 3\tReplicationFactor: 1\tConfigs: .*retention\.ms=3600000", output)
    for partition in range(3):
        expect(rf"^\tTopic: orders\tPartition: {partition}\tLeader: 1\tReplicas: 1\tIsr: 1", output)
    assert tools.run("topics", "--describe", "--unavailable-partitions").strip() == ""
    assert tools.run("topics", "--describe", "--under-replicated-partitions").strip() == ""


def alter_partitions(tools):
    tools.run("topics", "--alter", "--topic", "orders", "--partitions", 5)
    expect(r"PartitionCount: 5", tools.run("topics", "--describe", "--topic", "orders"))
    fewer = tools.run("topics", "--alter", "--topic", "orders", "--partitions", 2, expect=1)
    expect(r"currently has 5 partition", fewer)


def delete_topic(tools):
    tools.run("topics", "--create", "--topic", "short-lived")
    tools.run("topics", "--delete", "--topic", "short-lived")
    deadline = time.monotonic() + 10
    while "short-lived" in tools.run("topics", "--list"):
        assert time.monotonic() < deadline, "still listed 10 s after its deletion"
    expect(r"Topic 'short-lived' does not exist", tools.run("topics", "--delete", "--topic", "short-lived", expect=1))


# ---- produce and consume


def console_round_trip(tools):
    lines = "".join(f"h:{n}\tkey-{n}\tvalue {n} ✉\n" for n in range(100)) + "h:last\tkey-last\tNULL\n"
    properties = ("parse.key=true", "parse.headers=true", "null.marker=NULL")
    options = [option for item in properties for option in ("--reader-property", item)]
    tools.run("console-producer", "--topic", "letters", *options, stdin=lines)
    shown = [option for item in ("headers", "key", "offset") for option in ("--formatter-property", f"print.{item}=true")]
    got = tools.consume("letters", "--from-beginning", "--max-messages", 101, *shown)
    wanted = [f"Offset:{n}\th:{n}\tkey-{n}\tvalue {n} ✉" for n in range(100)] + ["Offset:100\th:last\tkey-last\tnull"]
    assert got == wanted, f"got {got[:3]} ... {got[-2:]}"


def console_codecs(tools):
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        topic = f"codec-{codec}"
        lines = [f"{codec} {n} " + "x" * 200 for n in range(200)]
        tools.run("console-producer", "--topic", topic, "--compression-codec", codec, stdin="\n".join(lines) + "\n")
        got = tools.consume(topic, "--from-beginning", "--max-messages", len(lines))
        assert got == lines, f"{codec}: {len(got)} lines, the first {got[:1]}"


def consume_from_offset(tools):
    got = tools.consume("letters", "--offset", 98, "--max-messages", 2)
    assert got == ["value 98 ✉", "value 99 ✉"], got


def producer_perf(tools):
    for acks in ("all", "1", "0"):
        load = ("--topic", "perf", "--num-records", 20000, "--record-size", 200, "--throughput", -1)
        idempotence = [] if acks == "all" else ["enable.idempotence=false"]
        output = tools.run("producer-perf-test", *load, "--command-property", f"acks={acks}", *idempotence)
        expect(r"^20000 records sent, [\d.]+ records/sec .* 99\.9th\.$", output)
    deadline = time.monotonic() + 10  # acks=0 is answered by nothing, so the last records may still be on their way
    while not re.search(r"^perf:0:60000$", tools.run("get-offsets", "--topic", "perf"), re.M):
        assert time.monotonic() < deadline, tools.run("get-offsets", "--topic", "perf")


def verifiable_producer(tools):
    output = tools.run("verifiable-producer", "--topic", "verified", "--max-messages", 200)
    results = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    acked = [result["offset"] for result in results if result["name"] == "producer_send_success"]
    assert acked == list(range(200)), f"acked offsets {acked[:5]}...{acked[-5:]}"


# ---- offsets


def get_offsets(tools):
    before = int(time.time() * 1000)
    tools.run("topics", "--create", "--topic", "clock", "--partitions", 2)
    stamped = "".join(f"tick {n}\n" for n in range(10))
    tools.run("console-producer", "--topic", "clock", "--sync", stdin=stamped)  # one partition gets them all, or both get some
    offsets = {}
    for spec in ("-1", "latest", "-2", "earliest", "-4", "earliest-local", "-3", "max-timestamp", before, before + 86_400_000):
        output = tools.run("get-offsets", "--topic", "clock", "--time", spec)
        offsets[spec] = {int(p): int(o) for p, o in re.findall(r"^clock:(\d+):(-?\d+)$", output, re.M)}
    assert sum(offsets["latest"].values()) == 10 and offsets["-1"] == offsets["latest"], offsets
    assert offsets["earliest"] == {0: 0, 1: 0} == offsets["-2"] == offsets["earliest-local"] == offsets["-4"], offsets
    assert offsets["max-timestamp"] == offsets["-3"] == {p: n - 1 for p, n in offsets["latest"].items() if n}, offsets
    assert offsets[before] == {p: 0 for p, n in offsets["latest"].items() if n}, f"by time: {offsets}"
    assert offsets[before + 86_400_000] == {}, f"by a time in the future: {offsets}"
    for spec in ("-5", "latest-tiered", "-6", "earliest-pending-upload"):  # no tiered storage: no offset, no error
        output = tools.run("get-offsets", "--topic", "clock", "--time", spec)
        assert not re.search(r"clock:\d+:[1-9]", output) and "ERROR" not in output, output


def get_offsets_filters(tools):
    output = tools.run("get-offsets", "--topic-partitions", "letters:0,orders:1-3")
    assert sorted(output.split()) == ["letters:0:101", "orders:1:0", "orders:2:0"], output
    expect(r"Could not match any topic-partitions", tools.run("get-offsets", "--topic", "no-such-topic", expect=1))


def delete_records(tools):
    plan = tools.target.home / "delete.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": "letters", "partition": 0, "offset": 40}]}))
    expect(r"^partition: letters-0\tlow_watermark: 40$", tools.run("delete-records", "--offset-json-file", plan))
    expect(r"^letters:0:40$", tools.run("get-offsets", "--topic", "letters", "--time", "earliest"))
    assert tools.consume("letters", "--from-beginning", "--max-messages", 1) == ["value 40 ✉"]
    plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": "letters", "partition": 0, "offset": 5000}]}))
    expect(r"partition: letters-0\terror: .*OffsetOutOfRangeException", tools.run("delete-records", "--offset-json-file", plan))
    plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": "letters", "partition": 0, "offset": -1}]}))
    expect(r"^partition: letters-0\tlow_watermark: 101$", tools.run("delete-records", "--offset-json-file", plan))


# ---- the cluster


def broker_api_versions(tools):
    output = tools.run("broker-api-versions")
    expect(rf"^{re.escape(tools.target.address)} \(id: 1 rack: null isFenced: false\) -> \($", output)
    usable = {name: int(version) for name, version in re.findall(r"^\t(\w+)\(\d+\): .*\[usable: (\d+)\]", output, re.M)}
    low = {name: version for name, version in SERVED.items() if usable.get(name, -1) < version}
    assert not low, f"not usable up to these versions: {low}; got { {name: usable.get(name) for name in low} }"


def metadata_quorum_status(tools):
    output = tools.run("metadata-quorum", "describe", "--status")
    for line in (r"ClusterId: +\S{22}", r"LeaderId: +1", r"LeaderEpoch: +\d+", r"HighWatermark: +[1-9]\d*", r"MaxFollowerLag: +0",
                 r'CurrentVoters: +\[\{"id": 1\b.*\}\]', r"CurrentObservers: +\[\]"):  # fmt: skip
        expect(f"^{line}$", output)


def metadata_quorum_replication(tools):
    output = tools.run("metadata-quorum", "describe", "--replication")
    expect(r"^NodeId\s+DirectoryId\s+LogEndOffset\s+Lag\s+LastFetchTimestamp\s+LastCaughtUpTimestamp\s+Status", output)
    expect(r"^1\s+\S{22}\s+[1-9]\d*\s+0\s+\d+\s+\d+\s+Leader", output)


def configs_of_topic(tools):
    output = tools.run("configs", "--describe", "--entity-type", "topics", "--entity-name", "orders")
    expect(r"^Dynamic configs for topic orders are:\n  retention\.ms=3600000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:", output)
    every = tools.run("configs", "--describe", "--entity-type", "topics", "--entity-name", "orders", "--all")
    expect(r"^  cleanup\.policy=delete sensitive=false synonyms=\{DEFAULT_CONFIG:log\.cleanup\.policy=delete\}$", every)
    expect(r"^  segment\.bytes=1073741824 ", every)


def configs_of_broker(tools):
    output = tools.run("configs", "--describe", "--entity-type", "brokers", "--entity-name", 1, "--all")
    expect(r"^  num\.partitions=1 sensitive=false", output)
    expect(r"^  message\.max\.bytes=1048588 sensitive=false", output)
    expect(r"^  log\.dirs=", output)
    tools.run("configs", "--describe", "--entity-type", "brokers", "--entity-name", 1)


def cluster_id(tools):
    shown = expect(r"^Cluster ID: (\S{22})$", tools.run("cluster", "cluster-id", "--bootstrap-server", tools.target.address, bootstrap=False))
    with api.Client(tools.target.address) as client:
        assert client.metadata([])["cluster_id"] == shown[1]


def features(tools):
    output = tools.run("features", "describe")
    expect(r"^Feature: metadata\.version\s+SupportedMinVersion: \S+\s+SupportedMaxVersion: \S+\s+FinalizedVersionLevel: 4\.3-IV0", output)


# ---- the data directory, after a graceful stop


def fill_segments(tools):
    """Several sealed segments, each with index entries, time index entries and a producer snapshot."""
    tools.run("topics", "--create", "--topic", "rolled", "--config", "segment.bytes=1048576", "--config", "index.interval.bytes=4096")
    load = ("--topic", "rolled", "--num-records", 5000, "--record-size", 1000, "--throughput", -1)
    tools.run("producer-perf-test", *load, "--command-property", "compression.type=none", "batch.size=16384")


def stop_gracefully(tools):
    if isinstance(tools.target, broker.External):
        raise Skipped("the broker is not ours to stop")
    code = tools.target.stop()
    wanted = 143 if tools.target.is_kafka else 0  # a JVM ends with 128 + SIGTERM
    assert code == wanted, f"exit code {code}\n{tools.target.log_tail()}"


def files_of(tools, topic, suffix):
    if tools.target.data is None:
        raise Skipped("the broker's data directory is not ours to read")
    return sorted(tools.target.partition_dir(topic, 0).glob(f"*{suffix}"))


def dump_segments(tools):
    logs = files_of(tools, "rolled", ".log")
    assert len(logs) >= 4, f"{len(logs)} segments of 1 MiB for 5 MB of records"
    output = dump(tools, logs, "--deep-iteration")
    ends = [(int(base), int(last)) for base, last in re.findall(r"^baseOffset: (\d+) lastOffset: (\d+) count: \d+ .*isvalid: true$", output, re.M)]
    assert ends[0][0] == 0 and ends[-1][1] == 4999, f"{ends[0]} ... {ends[-1]}"
    assert all(after[0] == before[1] + 1 for before, after in zip(ends, ends[1:])), "a gap between batches"
    first_of_segment = [int(log.stem) for log in logs]
    assert set(first_of_segment) <= {base for base, _ in ends}, f"segment names {first_of_segment} are not batch offsets"


def dump_compressed_segments(tools):
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        output = dump(tools, files_of(tools, f"codec-{codec}", ".log"), "--deep-iteration", "--print-data-log")
        assert f"compresscodec: {codec}" in output and f"payload: {codec} 199 " in output, output[:500]


def dump_offset_indexes(tools):
    sealed = files_of(tools, "rolled", ".index")[:-1]
    entries = re.findall(r"^offset: (\d+) position: (\d+)$", dump(tools, sealed), re.M)
    assert len(entries) > 3 * len(sealed), f"{len(entries)} entries in {len(sealed)} indexes"
    for options in (["--verify-index-only"], ["--index-sanity-check"]):
        dump(tools, sealed, *options)


def dump_time_indexes(tools):
    sealed = files_of(tools, "rolled", ".timeindex")[:-1]
    entries = re.findall(r"^timestamp: (\d+) offset: (\d+)$", dump(tools, sealed), re.M)
    assert len(entries) >= len(sealed), f"{len(entries)} entries in {len(sealed)} time indexes"


def dump_producer_snapshots(tools):
    output = dump(tools, files_of(tools, "rolled", ".snapshot"))
    expect(r"^producerId: \d+ producerEpoch: 0 coordinatorEpoch: -1 currentTxnFirstOffset: (None|OptionalLong\.empty) ", output)


def dump_metadata_log(tools):
    """The log and its snapshots hold everything that is; the log alone, if its start is still there, what has been too."""
    logs = files_of(tools, "__cluster_metadata", ".log")
    output = dump(tools, [*logs, *files_of(tools, "__cluster_metadata", ".checkpoint")], "--cluster-metadata-decoder")
    types = set(re.findall(r'"type":"(\w+)"', output))
    wanted = {"FEATURE_LEVEL_RECORD", "REGISTER_BROKER_RECORD", "TOPIC_RECORD", "PARTITION_RECORD", "CONFIG_RECORD", "PRODUCER_IDS_RECORD"}
    if int(logs[0].stem) == 0:
        wanted |= {"REMOVE_TOPIC_RECORD"}
        expect(r"LeaderChange: \{.*\"leaderId\":1", output)
    assert wanted <= types, f"missing {wanted - types}; found {types}"


def dump_metadata_snapshots(tools):
    output = dump(tools, files_of(tools, "__cluster_metadata", ".checkpoint"), "--cluster-metadata-decoder")
    expect(r"SnapshotHeader \{", output)
    expect(r'"type":"TOPIC_RECORD"', output)
    expect(r"SnapshotFooter \{", output)


def restart_serves(tools):
    if isinstance(tools.target, broker.External):
        raise Skipped("the broker is not ours to start")
    tools.target.start()
    assert tools.consume("codec-zstd", "--from-beginning", "--max-messages", 1)[0].startswith("zstd 0 ")
    expect(r"^perf:0:60000$", tools.run("get-offsets", "--topic", "perf"))


CHECKS = [
    ("kafka-topics --create", create_topic),
    ("kafka-topics --create: it exists", create_existing_topic),
    ("kafka-topics --create: refused", create_refused),
    ("kafka-topics --list", list_topics),
    ("kafka-topics --describe", describe_topic),
    ("kafka-topics --alter --partitions", alter_partitions),
    ("kafka-topics --delete", delete_topic),
    ("kafka-console-producer and -consumer", console_round_trip),
    ("kafka-console-producer --compression-codec", console_codecs),
    ("kafka-console-consumer --offset", consume_from_offset),
    ("kafka-producer-perf-test", producer_perf),
    ("kafka-verifiable-producer", verifiable_producer),
    ("kafka-get-offsets --time", get_offsets),
    ("kafka-get-offsets --topic-partitions", get_offsets_filters),
    ("kafka-delete-records", delete_records),
    ("kafka-broker-api-versions", broker_api_versions),
    ("kafka-metadata-quorum describe --status", metadata_quorum_status),
    ("kafka-metadata-quorum describe --replication", metadata_quorum_replication),
    ("kafka-configs --describe topics", configs_of_topic),
    ("kafka-configs --describe brokers", configs_of_broker),
    ("kafka-cluster cluster-id", cluster_id),
    ("kafka-features describe", features),
    *admin_checks.ONLINE,
    *group_checks.ONLINE,
    *transaction_checks.ONLINE,
    ("fill segments for kafka-dump-log", fill_segments),
    ("graceful stop", stop_gracefully),
    ("kafka-dump-log: segments", dump_segments),
    ("kafka-dump-log: compressed segments", dump_compressed_segments),
    ("kafka-dump-log: offset indexes", dump_offset_indexes),
    ("kafka-dump-log: time indexes", dump_time_indexes),
    ("kafka-dump-log: producer snapshots", dump_producer_snapshots),
    ("kafka-dump-log: metadata log", dump_metadata_log),
    ("kafka-dump-log: metadata snapshots", dump_metadata_snapshots),
    *group_checks.STOPPED,
    *transaction_checks.STOPPED,
    ("restart after the graceful stop", restart_serves),
    *group_checks.RESTARTED,
    *transaction_checks.RESTARTED,
]


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--only", help="checks whose name contains one of these, separated by commas")
    arguments = parser.parse_args()
    kafka_jars.home()
    report = Report("Kafka's tools", arguments.only)
    properties = {
        "metadata.log.max.record.bytes.between.snapshots": 1000,  # so that a short run writes snapshots too
        "group.initial.rebalance.delay.ms": 0,
        **transaction_checks.PROPERTIES,
    }
    with broker.from_arguments(arguments, "kafka-tools", properties) as target:
        tools = Tools(target)
        try:
            for name, check in CHECKS:
                report.run(name, check, tools)
        finally:
            tools.stop_background()
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
