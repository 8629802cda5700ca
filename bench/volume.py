#!/usr/bin/env python3
"""Gigabytes through a broker: its memory afterwards, and how long it takes back after kill -9 with all of it unflushed.

Fills the partitions with batches of about 1 MiB, reads everything once, kills the broker, starts it again and fetches the
first record. The files are in the page cache, as after a crash of the process alone. The raw scan beside it is what the
machine needs at least: the same bytes read in pieces of 1 MiB, without a checksum, on one core.
"""

import argparse
import json
import os
import resource
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compat-tests"))

from lib import api, broker, records  # noqa: E402

TOPIC = "volume"
IN_FLIGHT = 4
PIECE = 1 << 20


def fill(client, partitions, total, record_bytes, records_per_batch):
    """Produces `total` bytes round-robin; bytes written."""
    batch = records.batch([os.urandom(record_bytes)] * records_per_batch)
    frames = [
        api.request("Produce", topics=[{"name": TOPIC, "partitions": [{"index": n, "records": batch}]}], acks=1)
        for n in range(min(partitions, 1000))
    ]
    sent = under_way = 0
    for n in range(max(1, total // len(batch))):
        client.send(frames[n % len(frames)])
        under_way += 1
        sent += len(batch)
        if under_way == IN_FLIGHT:
            client.receive()
            under_way -= 1
    for _ in range(under_way):
        client.receive()
    return sent


def read_all(client, partitions, total):
    """Fetches from every partition in turn until `total` bytes have come; answers are thrown away, not decoded."""
    got, offsets = 0, [0] * partitions
    while got < total:
        for n in range(partitions):
            answer = client.fetch(TOPIC, n, offsets[n], max_wait_ms=0, partition_max_bytes=4 << 20)
            data = answer["records"] or b""
            got += len(data)
            at = 0
            while at + records.BATCH_HEADER_SIZE <= len(data):
                base, size = struct.unpack_from(">qi", data, at)
                if at + 12 + size > len(data):
                    break
                offsets[n] = base + 1 + struct.unpack_from(">i", data, at + 23)[0]
                at += 12 + size


def raw_scan(data):
    """Seconds to read every segment under `data` once."""
    buffer = memoryview(bytearray(PIECE))
    started = time.monotonic()
    for path in data.glob(f"{TOPIC}-*/*.log"):
        with open(path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    return time.monotonic() - started


def first_fetch(target):
    """Spawns the broker; seconds until partition 0 gives its first record."""
    started = time.monotonic()
    target.spawn()
    while True:
        try:
            with api.Client(target.address, timeout=120.0) as client:
                if client.fetch(TOPIC, 0, 0, max_wait_ms=0)["records"]:
                    return time.monotonic() - started
        except (ConnectionRefusedError, api.Closed, ValueError):
            if not target.alive():
                raise
        time.sleep(0.0005)


def measure(arguments, partitions):
    with broker.from_arguments(arguments, "volume", arguments.properties) as target:
        row = {"partitions": partitions, "rss_idle_mb": target.rss_kib() / 1024}
        with api.Client(target.address, timeout=120.0) as client:
            client.create_topic(TOPIC, partitions)
            before, started = target.cpu_seconds(), time.monotonic()
            written = fill(client, partitions, int(arguments.gigabytes * 1e9), arguments.record_bytes, arguments.batch_records)
            row["produce_s"] = time.monotonic() - started
            row["gigabytes"] = written / 1e9
            row["produce_cpu_s_per_gb"] = (target.cpu_seconds() - before) / row["gigabytes"]
            row["rss_after_produce_mb"] = target.rss_kib() / 1024
            read_all(client, partitions, written // 10)
            row["rss_after_fetch_mb"] = target.rss_kib() / 1024
            row["rss_peak_mb"] = target.peak_rss_kib() / 1024
        for n in range(arguments.kills):
            target.kill()
            row["raw_scan_s"] = min(row.get("raw_scan_s", 1e9), raw_scan(target.data))
            row["first_fetch_s"] = min(row.get("first_fetch_s", 1e9), first_fetch(target))
            row["recovery_cpu_s"] = target.cpu_seconds()
            row["rss_recovered_mb"] = target.rss_kib() / 1024
        if arguments.kills:
            row["ratio"] = row["first_fetch_s"] / row["raw_scan_s"]
        return row


def main():
    parser = broker.add_arguments(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("--gigabytes", type=float, default=10.0)
    parser.add_argument("--partitions", type=lambda text: [int(part) for part in text.split(",")], default=[1, 1000])
    parser.add_argument("--record-bytes", type=int, default=1024)
    parser.add_argument("--batch-records", type=int, default=960)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--json", help="file that gets the numbers as well")
    arguments = parser.parse_args()
    arguments.properties = {}
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = []
    for partitions in arguments.partitions:
        print(f"{partitions} partitions ...", file=sys.stderr, flush=True)
        rows.append(measure(arguments, partitions))
    for name in rows[0]:
        print(f"{name:26}" + "".join(f"{row[name]:12.6g}" for row in rows))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"target": arguments.target, "volume": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
