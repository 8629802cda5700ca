#!/usr/bin/env python3
"""How fast groups form and what many of them cost, ours beside Apache Kafka in one run.

Forming: N members, each with a connection, all in this process. Classic: all join again, and the time goes from the
last JoinGroup to the last SyncGroup answer. KIP-848: the time goes from the last first heartbeat until every member has
its one partition at the group's epoch; members send heartbeats back to back, and every join computes the assignment anew
(Kafka's default would let the first member own everything for a second).
Many groups: memory for each group with committed offsets, and the time after a restart until the last one is loaded.

A measurement, not a test. The members' own work is in the figures; it is the same for both brokers.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compat-tests"))

from lib import api, broker  # noqa: E402
from lib.wire import Writer, frame  # noqa: E402

TOPIC = "shared"
ROUNDS = 5
OFFSETS_PER_GROUP = 6
NOT_LOADED = {14, 15, 16}
PROPERTIES = {"group.initial.rebalance.delay.ms": 500, "group.consumer.assignment.interval.ms": 0, "max.connections": 5000}


def subscription(topic):
    """Version 1 of the consumer protocol: one topic, no user data, nothing owned. Kafka reads it, so it must be right."""
    return Writer().i16(1).array([topic], Writer.string).i32(-1).array([], Writer.string).bytes()


class Members:
    """N connections that send one request each and then take one answer each."""

    def __init__(self, target, count):
        self.clients = [api.Client(target.address, timeout=60.0, client_id=f"m{n}") for n in range(count)]

    def close(self):
        for client in self.clients:
            client.close()

    def call(self, name, requests, pause_after_first=0.0):
        """(answers, seconds from the last request sent to the last answer)."""
        frames = [frame(api.request_payload(name, **fields)) for fields in requests]
        for n, (client, data) in enumerate(zip(self.clients, frames)):
            client.send(data)
            if n == 0:
                time.sleep(pause_after_first)
        sent = time.monotonic()
        raw = [client.receive()[1] for client in self.clients]
        return [api.decode(name, data) for data in raw], time.monotonic() - sent


def classic(target, count, group, topic):
    """Median seconds from the last JoinGroup to a stable group, over ROUNDS rebalances."""
    members = Members(target, count)

    def join(member_ids, leader_first=False):
        common = {"group_id": group, "protocols": [{"name": "range", "metadata": subscription(topic)}]}
        return members.call("JoinGroup", [common | {"member_id": one} for one in member_ids], 0.1 if leader_first else 0.0)

    def sync(answers):
        shares = [{"member_id": one["member_id"], "assignment": b"share"} for one in answers]
        requests = [
            {"group_id": group, "generation_id": one["generation_id"], "member_id": one["member_id"], "protocol_name": "range",
             "assignments": shares if one["leader"] == one["member_id"] else []}
            for one in answers
        ]  # fmt: skip
        return members.call("SyncGroup", requests)

    ids = [one["member_id"] for one in join([""] * count)[0]]
    answers, _ = join(ids)
    sync(answers)
    times = []
    for _ in range(ROUNDS):
        # The leader's JoinGroup starts the rebalance; the others are held until the last one is there.
        leader = next(n for n, one in enumerate(answers) if one["leader"] == one["member_id"])
        members.clients.insert(0, members.clients.pop(leader))
        answers.insert(0, answers.pop(leader))
        answers, joined = join([one["member_id"] for one in answers], leader_first=True)
        synced, took = sync(answers)
        errors = {one["error_code"] for one in answers + synced} - {0}
        generations = {one["generation_id"] for one in answers}
        if errors or len(generations) != 1:
            raise RuntimeError(f"errors {errors}, generations {generations}")
        times.append(joined + took)
    members.close()
    return statistics.median(times)


def consumer(target, count, group, topic):
    """Seconds from the last member's first heartbeat until all have their final share."""
    members = Members(target, count)
    joining = {"group_id": group, "member_epoch": 0, "rebalance_timeout_ms": 60000, "subscribed_topic_names": [topic], "topic_partitions": []}
    requests = [joining | {"member_id": f"member-{n:04}"} for n in range(count)]
    shares = [[] for _ in requests]
    started = time.monotonic()
    answers, took = members.call("ConsumerGroupHeartbeat", requests)
    started = time.monotonic() - took
    while True:
        for n, one in enumerate(answers):
            if one["error_code"]:
                raise RuntimeError(f"heartbeat: {one['error_code']} {one['error_message']}")
            if one["assignment"] is not None:
                shares[n] = one["assignment"]["topic_partitions"]
        owned = [[partition for topic in share for partition in topic["partitions"]] for share in shares]
        epochs = {one["member_epoch"] for one in answers}
        if len(epochs) == 1 and sorted(owned) == [[partition] for partition in range(count)]:
            members.close()
            return time.monotonic() - started
        requests = [
            {"group_id": group, "member_id": f"member-{n:04}", "member_epoch": answers[n]["member_epoch"], "topic_partitions": shares[n]}
            for n in range(count)
        ]
        answers, _ = members.call("ConsumerGroupHeartbeat", requests)


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
            with api.Client(target.address) as client:
                client.make_topic(TOPIC, count)
                client.await_group(f"classic-{count}")
                client.await_group(f"consumer-{count}")
            figures[f"classic, {count} members, ms"] = 1000 * classic(target, count, f"classic-{count}", TOPIC)
            figures[f"KIP-848, {count} members, ms"] = 1000 * consumer(target, count, f"consumer-{count}", TOPIC)
            with api.Client(target.address) as client:
                client.delete_topic(TOPIC)
                while TOPIC in {topic["name"] for topic in client.metadata()["topics"]}:
                    time.sleep(0.05)
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
