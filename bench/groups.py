#!/usr/bin/env python3
"""How fast groups form and what many of them cost, ours beside Apache Kafka in one run.

Forming: `load group`, see bench/README.md. In KIP-848 every join computes the assignment anew (Kafka's default would let
the first member own everything for a second).
Many groups: memory for each group with committed offsets, and the time after a restart until the last one is loaded.

A measurement, not a test. The members' own work is in the figures; it is the same for both brokers.
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compat-tests"))

from lib import api, broker  # noqa: E402
from lib.wire import frame  # noqa: E402
from pairs import generator  # noqa: E402

OFFSETS_PER_GROUP = 6
NOT_LOADED = {14, 15, 16}
PROPERTIES = {"group.initial.rebalance.delay.ms": 500, "group.consumer.assignment.interval.ms": 0, "max.connections": 5000}


def commit_all(client, count):
    """Commits OFFSETS_PER_GROUP offsets in each of `count` groups, 200 requests under way at a time."""
    partitions = [{"partition_index": p, "committed_offset": 1000 + p, "committed_metadata": ""} for p in range(OFFSETS_PER_GROUP)]
    for start in range(0, count, 200):
        numbers = range(start, min(start + 200, count))
        for n in numbers:
            client.send(frame(api.request_payload("OffsetCommit", group_id=f"many-{n}", topics=[{"name": "offsets", "partitions": partitions}])))
        for _ in numbers:
            answer = api.decode("OffsetCommit", client.receive()[1])
            errors = {p["error_code"] for p in answer["topics"][0]["partitions"]}
            if errors != {0}:
                raise RuntimeError(f"OffsetCommit: {errors}")


def until_loaded(target, count, deadline):
    """Asks for all groups again and again until none is still being loaded."""
    left = [f"many-{n}" for n in range(count)]
    while left:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(left)} groups not loaded")
        try:
            with api.Client(target.address, timeout=30.0) as client:
                while left:
                    asked = left[:500]
                    groups = client.call("OffsetFetch", groups=[{"group_id": group, "topics": None} for group in asked])["groups"]
                    if any(group["error_code"] in NOT_LOADED for group in groups):
                        time.sleep(0.005)
                        continue
                    for group in groups:
                        found = sum(len(topic["partitions"]) for topic in group["topics"])
                        if group["error_code"] or found != OFFSETS_PER_GROUP:
                            raise RuntimeError(f"{group['group_id']}: error {group['error_code']}, {found} offsets")
                    left = left[500:]
        except (OSError, api.Closed):
            time.sleep(0.005)


def many(target, count):
    """(bytes of memory for each group, seconds from exec until the last group is loaded, the same without groups)."""
    with api.Client(target.address, timeout=60.0) as client:
        client.make_topic("offsets", OFFSETS_PER_GROUP)
        client.await_group("many-0")
        commit_all(client, 500)  # what the first groups cost beside themselves
        before = target.rss_kib()
        commit_all(client, count)
        after = target.rss_kib()
    target.stop()
    started = time.monotonic()
    target.spawn()
    until_loaded(target, count, started + 120)
    return (after - before) * 1024 / (count - 500), time.monotonic() - started, target.rss_kib() / 1024


def measure(arguments, name):
    """{what: figure} for one broker."""
    arguments.target = name
    figures = {}
    with broker.from_arguments(arguments, "bench-groups", PROPERTIES) as target:
        for count in arguments.members:
            for protocol, name in (("classic", "classic"), ("consumer", "KIP-848")):
                found = generator.run(f"group --create --connections {count} --protocol {protocol}", target, f"shared-{count}")
                figures[f"{name}, {count} members, ms"] = found["stable_ms"]
    with broker.from_arguments(arguments, "bench-groups", PROPERTIES) as target:
        memory, load, rss = many(target, arguments.groups)
        figures[f"memory for one of {arguments.groups} groups, bytes"] = memory
        figures["exec to all groups loaded, ms"] = 1000 * load
        figures["resident after that, MiB"] = rss
    return figures


def main():
    parser = broker.add_arguments(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter))
    parser.set_defaults(target="milena,kafka")
    parser.add_argument("--members", type=lambda text: [int(part) for part in text.split(",")], default=[10, 100, 500])
    parser.add_argument("--groups", type=int, default=10_000)
    arguments = parser.parse_args()
    names = arguments.target.split(",")
    columns = [measure(arguments, name) for name in names]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {OFFSETS_PER_GROUP} offsets in each group")
    print(f"{'':42}" + "".join(f"{name:>12}" for name in names))
    for what in columns[0]:
        print(f"{what:42}" + "".join(f"{column[what]:12.1f}" for column in columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
