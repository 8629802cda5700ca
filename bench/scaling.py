#!/usr/bin/env python3
"""What grows with partitions, connections and event loops, as measured curves.

Partitions: one CreateTopics makes them all; then memory, descriptors, requests and restarts. Connections: each sends one
request and then holds still. Processor time is the broker's own, in nanoseconds from its CPU clock, so this program being
slow does not matter. Prints tables, JSON with --json, and with --write-docs the tables of docs/SCALING.md. A measurement,
not a test.
"""

import argparse
import json
import os
import resource
import shutil
import socket
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compat-tests"))

from lib import api, broker, records  # noqa: E402
from lib.wire import frame  # noqa: E402

TOPIC = "many"
WARM_TOPIC = "warm"
SAMPLES = 5
IDLE_SECONDS = 5.0
DOCS = Path(__file__).resolve().parents[1] / "docs/SCALING.md"
LABELS = {
    "partitions": "partitions",
    "create_s": "CreateTopics of all, s",
    "create_cpu_s": "the same, processor s",
    "rss_kb_each": "memory each, empty, KB",
    "rss_kb_each_used": "memory each, with a record and an open file, KB",
    "rss_kb_each_fetched": "memory each, in a fetch session too, KB",
    "fds_each": "descriptors each",
    "idle_cpu_percent": "idle, % of a core",
    "idle_cpu_percent_parked": "idle with a fetch waiting on all, % of a core",
    "produce_cpu_us": "produce round-robin, us of processor each",
    "metadata_bytes": "Metadata of all, bytes",
    "metadata_cpu_us": "Metadata of all again, us of processor",
    "fetch_idle_cpu_us": "incremental fetch, nothing new, us of processor",
    "fetch_one_changed_cpu_us": "incremental fetch, one partition changed, us of processor",
    "stop_s": "clean stop, s",
    "start_clean_s": "start after it, s",
    "start_killed_s": "start after kill -9, s",
    "connections": "connections",
    "loops": "event loops",
    "rss_kb_each_idle": "memory each, KB",
    "rss_kb_each_asked": "memory each after a second request, KB",
    "request_cpu_us": "ApiVersions round-robin, us of processor each",
}
DIGITS = {"create_s": 3, "create_cpu_s": 3, "idle_cpu_percent": 3, "idle_cpu_percent_parked": 3, "start_clean_s": 3, "start_killed_s": 3}


def counts(text):
    return [int(part) for part in text.split(",") if part]


def settled(target):
    """Resident KiB once it stops moving."""
    before = -1
    while (now := target.rss_kib()) != before:
        before = now
        time.sleep(0.3)
    return now


def descriptors(target):
    return len(os.listdir(f"/proc/{target.pid}/fd"))


def cpu_us(target, work, times):
    """The broker's processor microseconds for each of `times` calls of work(n): the least of SAMPLES, as others only add."""
    samples = []
    for _ in range(SAMPLES):
        before = target.cpu_seconds()
        for n in range(times):
            work(n)
        samples.append((target.cpu_seconds() - before) / times * 1e6)
    return min(samples)


def idle_percent(target, seconds=IDLE_SECONDS):
    before, started = target.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    return 100 * (target.cpu_seconds() - before) / (time.monotonic() - started)


class FetchSession:
    """An incremental fetch session over all partitions of TOPIC; of its answers only error and session id are decoded."""

    def __init__(self, client, partitions):
        self.client, self.epoch = client, 0
        self.full_bytes = self._send([{"partition": n, "fetch_offset": 0} for n in range(partitions)])

    def fetch(self, offsets=()):
        """One incremental fetch that does not wait; `offsets`: (partition, next offset). Bytes of the answer."""
        return self._send([{"partition": n, "fetch_offset": offset} for n, offset in offsets])

    def park(self, milliseconds):
        self._send([], milliseconds, wait=False)

    def _send(self, partitions, max_wait_ms=0, wait=True):
        session = self.session if self.epoch else 0
        fields = {"session_id": session, "session_epoch": self.epoch, "max_wait_ms": max_wait_ms, "min_bytes": 1}
        topics = [{"topic": TOPIC, "partitions": partitions}] if partitions else []
        self.client.send(api.request("Fetch", topics=topics, **fields))
        self.epoch += 1
        return self._receive() if wait else 0

    def _receive(self):
        _, data = self.client.receive()
        error, self.session = struct.unpack_from(">hi", data, 5)  # behind the header's tags and the throttle time
        if error or not self.session:
            raise RuntimeError(f"Fetch: error {error}, session {self.session}")
        return len(data)


def produce_frame(partition, batch):
    topics = [{"name": TOPIC, "partitions": [{"index": partition, "records": batch}]}]
    return api.request("Produce", topics=topics, acks=1)


def exchange(client, data):
    client.send(data)
    return client.receive()[1]


def warm_up(client):
    """Touches the code and the pools, so that what is measured next is only what grows."""
    client.create_topic(WARM_TOPIC, 10)
    batch = records.batch([b"x" * 100])
    for n in range(200):
        client.produce(WARM_TOPIC, n % 10, batch)
        client.fetch(WARM_TOPIC, n % 10, 0, max_wait_ms=0)
        client.metadata()


class Leftovers:
    """Data directories, removed when all is measured: ext4 is slow to create files for seconds after a large removal."""

    def __init__(self, arguments):
        self.arguments, self.keep, self.targets = arguments, arguments.keep, []
        arguments.keep = True

    def broker(self, properties):
        self.targets.append(broker.from_arguments(self.arguments, "scaling", properties))
        return self.targets[-1]

    def remove(self):
        for target in [] if self.keep else self.targets:
            shutil.rmtree(target.home, ignore_errors=True)
            target.log.unlink(missing_ok=True)


def partitions_row(leftovers, count):
    """Everything about one broker with `count` partitions, as a dict."""
    with leftovers.broker({"num.network.threads": 1}) as target:
        row = {"partitions": count}
        with api.Client(target.address, timeout=120.0) as client:
            warm_up(client)
            rss, files = settled(target), descriptors(target)
            started, before = time.monotonic(), target.cpu_seconds()
            answer = client.create_topic(TOPIC, count)
            if answer["error_code"]:
                raise RuntimeError(f"CreateTopics: {answer}")
            row["create_s"] = time.monotonic() - started
            row["create_cpu_s"] = target.cpu_seconds() - before
            row["rss_kb_each"] = (settled(target) - rss) / count
            row["idle_cpu_percent"] = idle_percent(target)

            batch = records.batch([b"x" * 100])
            frames = [produce_frame(n, batch) for n in range(count)]
            for data in frames:
                exchange(client, data)
            row["rss_kb_each_used"] = (settled(target) - rss) / count
            row["fds_each"] = (descriptors(target) - files) / count
            rounds = max(1000, min(count, 5000))
            row["produce_cpu_us"] = cpu_us(target, lambda n: exchange(client, frames[n % count]), rounds)

            everything = api.request("Metadata", topics=None)
            row["metadata_bytes"] = len(exchange(client, everything))
            row["metadata_cpu_us"] = cpu_us(target, lambda n: exchange(client, everything), 50)

            session = FetchSession(client, count)
            # The client has read everything: each partition's next offset.
            ends = {n: client.offset(TOPIC, n)["offset"] for n in range(count)}
            session.fetch(ends.items())
            session.fetch()
            row["fetch_idle_cpu_us"] = cpu_us(target, lambda n: session.fetch(), 500)

            def change_one(n):
                exchange(client, frames[n % count])
                ends[n % count] += 1
                session.fetch()
                session.fetch([(n % count, ends[n % count])])

            pair = cpu_us(target, change_one, min(500, 20 * count))
            row["fetch_one_changed_cpu_us"] = pair - row["produce_cpu_us"] - row["fetch_idle_cpu_us"]
            session.park(30_000)
            row["rss_kb_each_fetched"] = (settled(target) - rss) / count
            row["idle_cpu_percent_parked"] = idle_percent(target)
        stopping = time.monotonic()
        target.stop(timeout=300.0)
        row["stop_s"] = time.monotonic() - stopping
        row["start_clean_s"] = target.start(timeout=300.0)
        target.kill()
        row["start_killed_s"] = target.start(timeout=300.0)
        return row


def connections_row(leftovers, count, loops):
    with leftovers.broker({"num.network.threads": loops, "max.connections": count + 10}) as target:
        row = {"connections": count, "loops": loops}
        with api.Client(target.address) as client:
            warm_up(client)
            rss = settled(target)
            host, port = target.address.rsplit(":", 1)
            held = []
            request = api.request("ApiVersions")
            for _ in range(count):
                one = socket.create_connection((host, int(port)), timeout=30.0)
                one.sendall(request)
                held.append(one)
                receive(one)
            row["rss_kb_each_idle"] = (settled(target) - rss) / count
            row["idle_cpu_percent"] = idle_percent(target, 3 * IDLE_SECONDS)

            def ask(n):
                held[n % count].sendall(request)
                receive(held[n % count])

            row["request_cpu_us"] = cpu_us(target, ask, max(2000, min(count, 10_000)))
            row["rss_kb_each_asked"] = (settled(target) - rss) / count
            for one in held:
                one.close()
        return row


def receive(sock):
    size = struct.unpack(">i", exactly(sock, 4))[0]
    return exactly(sock, size)


def exactly(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise RuntimeError("the broker hung up")
        data += part
    return data


def print_table(rows):
    """One column for each row of measurements, so that a curve reads from left to right."""
    for name in rows[0]:
        print(f"{name:26}" + "".join(f"{row[name]:12.6g}" for row in rows))
    print(flush=True)


def markdown(rows):
    """The same table for the page, with the names that people read."""
    lines = [
        "| " + " | ".join([LABELS[name], *(f"{row[name]:.{DIGITS.get(name, 2)}f}".rstrip("0").rstrip(".") for row in rows)]) + " |"
        for name in rows[0]
    ]
    return "\n".join([lines[0], "|---" * (len(rows) + 1) + "|", *lines[1:]])


def write_docs(result):
    """Puts the tables of this run between the page's marks."""
    tables = {
        "machine": f"{result['cores']} cores, Linux {os.uname().release}; load of the machine when it began {result['load']:.1f}.",
        "partitions": markdown(result["partitions"]),
        "connections": "\n\n".join(
            markdown([row for row in result["connections"] if row["loops"] == loops])
            for loops in sorted({row["loops"] for row in result["connections"]})
        ),
    }
    page = DOCS.read_text()
    for name, table in tables.items():
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
        before, rest = page.split(begin)
        page = before + begin + table + "\n" + end + rest.split(end, 1)[1]
    DOCS.write_text(page)


def main():
    parser = broker.add_arguments(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("--partitions", type=counts, default=[1, 10, 100, 1000, 5000])
    parser.add_argument("--connections", type=counts, default=[10, 100, 1000, 10_000])
    parser.add_argument("--loops", type=counts, default=[1, 2])
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/SCALING.md")
    parser.add_argument("--json", help="file that gets the numbers as well")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    leftovers = Leftovers(arguments)
    result = {"target": arguments.target, "cores": os.cpu_count(), "load": os.getloadavg()[0], "partitions": [], "connections": []}
    for count in arguments.partitions:
        print(f"{count} partitions ...", file=sys.stderr, flush=True)
        result["partitions"].append(partitions_row(leftovers, count))
    if result["partitions"]:
        print_table(result["partitions"])
    for loops in arguments.loops:
        rows = []
        for count in arguments.connections:
            print(f"{count} connections, {loops} loops ...", file=sys.stderr, flush=True)
            rows.append(connections_row(leftovers, count, loops))
        result["connections"] += rows
        if rows:
            print_table(rows)
    leftovers.remove()
    if arguments.write_docs:
        write_docs(result)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
