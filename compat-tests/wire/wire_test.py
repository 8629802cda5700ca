#!/usr/bin/env python3
"""milena wire on the traffic of a stock client and on the files of the broker that serves it, while it runs.

kcat produces with each codec and consumes, alone and in a group, through a proxy that writes everything down. With
--target kafka the traffic and the files are Apache Kafka's; the binary that prints them is ours in either case.
"""

import argparse
import json
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import broker, cache, kafka_jars  # noqa: E402
from lib.report import Report  # noqa: E402
from wire.tee import Tee  # noqa: E402

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
GROUP = "wire-group"


class Wire:
    def __init__(self, binary):
        self.binary = binary

    def raw(self, *arguments, stdin=b""):
        done = subprocess.run([self.binary, "wire", *map(str, arguments)], input=stdin, capture_output=True, timeout=60)
        assert done.returncode == 0, f"wire {arguments} ended with {done.returncode}: {done.stderr.decode()}{done.stdout.decode()[-500:]}"
        return done.stdout

    def lines(self, *arguments):
        return [json.loads(line) for line in self.raw(*arguments).splitlines()]


def frames(data):
    """How many frames these bytes are."""
    count = 0
    while data:
        (size,) = struct.unpack_from(">i", data)
        assert len(data) >= 4 + size, "the capture ends within a frame"
        data = data[4 + size:]
        count += 1
    return count


def texts(value):
    """All strings in a value, and the names of its fields."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def kcat(address, *arguments, stdin=""):
    command = ["kcat", "-b", address, *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-1000:]}"
    return done.stdout


def traffic(address):
    """What all later checks look at."""
    for codec in CODECS:
        text = "".join(f"key-{codec}:value {i} by {codec}\n" for i in range(20))
        kcat(address, "-P", "-t", f"wire-{codec}", "-K:", "-z", codec, "-H", "header=yes", stdin=text)
        assert len(kcat(address, "-C", "-q", "-e", "-t", f"wire-{codec}").splitlines()) == 20
    kcat(address, "-G", GROUP, "-q", "-X", "auto.offset.reset=earliest", "-c", "20", "wire-none")


def check_requests(wire, captures):
    apis = set()
    for requests, _ in captures:
        data = requests.read_bytes()
        lines = wire.lines("request", requests)
        assert len(lines) == frames(data), f"{len(lines)} lines of {frames(data)} frames"
        assert not {"unknownTags", "trailingBytes", "cutOffBytes"} & set(texts(lines)), lines
        apis |= {line["requestHeader"]["requestApiKeyName"] for line in lines}
    wanted = {"ApiVersions", "Metadata", "Produce", "Fetch", "ListOffsets", "FindCoordinator", "JoinGroup", "SyncGroup", "OffsetCommit", "LeaveGroup"}
    assert apis >= wanted, f"never seen: {wanted - apis}"


def check_responses(wire, captures):
    seen = set()
    for requests, responses in captures:
        lines = wire.lines("response", "--requests", requests, responses)
        assert len(lines) == frames(responses.read_bytes())
        assert not {"unknownTags", "trailingBytes", "base64"} & set(texts(lines)), lines
        seen |= set(texts(lines))
    for codec in CODECS:
        assert f"value 19 by {codec}" in seen and codec in seen, f"no record by {codec}"


def check_groups(wire, captures):
    types = set()
    for requests, responses in captures:
        types |= set(texts(wire.lines("request", requests))) | set(texts(wire.lines("response", "--requests", requests, responses)))
    assert {"ConsumerProtocolSubscription", "ConsumerProtocolAssignment"} <= types


def check_encoding(wire, captures):
    for requests, responses in captures:
        for arguments, path in ((["request"], requests), (["response", "--requests", requests], responses)):
            printed = wire.raw(*arguments, "--raw", path)
            assert wire.raw("encode", stdin=printed) == path.read_bytes(), f"{path} is not the same again"


def check_data(wire, data):
    found = set()
    for log in sorted(data.glob("wire-*/*.log")):
        found |= set(texts(wire.lines("records", log)))
    for codec in CODECS:
        assert {f"key-{codec}", f"value 0 by {codec}", "header", "yes"} <= found, codec


def check_metadata(wire, data):
    lines = wire.lines("records", *sorted(data.glob("__cluster_metadata-0/*.log")), *sorted(data.rglob("*.checkpoint")))
    values = [record["value"] for line in lines for record in line.get("records", [])]
    names = [value["data"]["name"] for value in values if value.get("type") == "TOPIC_RECORD"]
    assert {f"wire-{codec}" for codec in CODECS} <= set(names), names


def check_offsets(wire, data):
    records = [record for log in sorted(data.glob("__consumer_offsets-*/*.log")) for line in wire.lines("records", log) for record in line.get("records", [])]
    commits = [(r["key"]["data"]["group"], r["key"]["data"]["topic"], r["value"]["data"]["offset"]) for r in records if r["key"].get("typeName") == "OffsetCommitKey"]
    assert (GROUP, "wire-none", 20) in commits, commits
    assert any(r["key"].get("typeName") == "GroupMetadataKey" for r in records)


DECODERS = {"__cluster_metadata-": "--cluster-metadata-decoder", "__consumer_offsets-": "--offsets-decoder"}


def without_names(value):
    """As Kafka prints it: without the names beside numbers and the types of nested messages, bytes as base64."""
    if isinstance(value, list):
        return [without_names(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["base64"]:
        return value["base64"]
    if str(value.get("type")).startswith("ConsumerProtocol"):
        return without_names(value["data"])
    return {key: without_names(inner) for key, inner in value.items() if not (key.endswith("Name") and key[:-4] in value)}


def as_kafka(text):
    """A key or a value that kafka-dump-log.sh printed; it quotes the types and versions of coordinators' records."""
    value = None if text == "<DELETE>" else json.loads(text)
    if value is not None:
        value |= {name: int(value[name]) for name in ("type", "version") if str(value.get(name, "")).isdigit()}
    return value


def check_like_kafka(wire, data):
    """The same names and values as Kafka's own tool prints of the same files."""
    compared = 0
    for prefix, decoder in DECODERS.items():
        for log in sorted(path for path in data.glob(f"{prefix}*/*.log") if path.stat().st_size > 0):
            command = ["java", "-cp", f"{kafka_jars.libs()}/*", kafka_jars.TOOLS["kafka-dump-log"], "--files", log, decoder]
            dumped = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
            ours = {record["offset"]: record for line in wire.lines("records", log) for record in line.get("records", [])}
            for line in re.finditer(r"^\| offset: (\d+).*?(?: key: (\{.*\}))? payload: (<DELETE>|\{.*\})$", dumped, re.MULTILINE):
                record = without_names(ours[int(line[1])])
                assert record["value"] == as_kafka(line[3]), f"{log} {line[1]}: {record['value']} instead of {line[3]}"
                assert line[2] is None or record["key"] == as_kafka(line[2]), f"{log} {line[1]}: {record['key']} instead of {line[2]}"
                compared += 1
    assert compared > 20, f"only {compared} records were compared"


def main():
    parser = broker.add_arguments(argparse.ArgumentParser(description=__doc__))
    arguments = parser.parse_args()
    cache.need_command("kcat", "kcat")
    report = Report("milena wire")
    with tempfile.TemporaryDirectory(prefix="wire-") as folder, Tee(folder) as tee:
        properties = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{tee.port}"}
        target = broker.from_arguments(arguments, "wire", properties)
        tee.target = ("127.0.0.1", target.port)
        wire = Wire(arguments.milena)
        with target:
            report.run("kcat's traffic is written down", traffic, f"127.0.0.1:{tee.port}")
            captures = tee.captures()
            report.run("every request is printed", check_requests, wire, captures)
            report.run("every response is printed", check_responses, wire, captures)
            report.run("what consumers tell each other is decoded", check_groups, wire, captures)
            report.run("what is printed raw is encoded to the same bytes", check_encoding, wire, captures)
            report.run("live segments are printed with every record", check_data, wire, target.data)
            report.run("the live metadata log and its snapshots are decoded", check_metadata, wire, target.data)
            report.run("committed offsets and groups are decoded", check_offsets, wire, target.data)
            if target.is_kafka:
                report.run("records are decoded as by kafka-dump-log.sh", check_like_kafka, wire, target.data)
    sys.exit(report.finish())


if __name__ == "__main__":
    main()
