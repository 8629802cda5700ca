"""Partitions: one CreateTopics makes them all; then memory, descriptors, requests and restarts."""

import struct
import time

from lib import api, records

from curves.common import cpu_us, descriptors, exchange, floor_us, idle_percent, kill_and_start, produce_frame, settled, stop_and_start, warm_up

TOPIC = "many"
LABELS = {
    "partitions": "partitions",
    "create_s": "CreateTopics of all, s",
    "create_cpu_s": "the same, processor s",
    "rss_kb_each": "memory each, empty, KB",
    "idle_cpu_percent": "idle, % of a core",
    "rss_kb_each_used": "memory each, with a record and an open file, KB",
    "fds_each": "descriptors each",
    "produce_cpu_us": "produce round-robin, us of processor each",
    "floor_cpu_us": "the same at the null broker, us",
    "of_floor": "ours / floor",
    "metadata_bytes": "Metadata of all, bytes",
    "metadata_cpu_us": "Metadata of all again, us of processor",
    "fetch_idle_cpu_us": "incremental fetch, nothing new, us of processor",
    "fetch_one_changed_cpu_us": "incremental fetch, one partition changed, us of processor",
    "rss_kb_each_fetched": "memory each, in a fetch session too, KB",
    "idle_cpu_percent_parked": "idle with a fetch waiting on all, % of a core",
    "stop_s": "clean stop, s",
    "start_clean_s": "start after it, s",
    "start_killed_s": "start after kill -9, s",
}


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


def row(brokers, count):
    """Everything about one broker with `count` partitions."""
    with brokers.new(properties={"num.network.threads": 1}, many_files=True) as target:
        found = {"partitions": count}
        with api.Client(target.address, timeout=120.0) as client:
            warm_up(client)
            rss, files = settled(target), descriptors(target)
            _create(target, client, count, found)
            found["rss_kb_each"] = (settled(target) - rss) / count
            found["idle_cpu_percent"] = idle_percent(target)

            batch = records.batch([b"x" * 100])
            frames = [produce_frame(TOPIC, n, batch) for n in range(count)]
            for data in frames:
                exchange(client, data)
            found["rss_kb_each_used"] = (settled(target) - rss) / count
            found["fds_each"] = (descriptors(target) - files) / count
            rounds = max(1000, min(count, 5000))
            found["produce_cpu_us"] = cpu_us(target, lambda n: exchange(client, frames[n % count]), rounds)

            everything = api.request("Metadata", topics=None)
            found["metadata_bytes"] = len(exchange(client, everything))
            found["metadata_cpu_us"] = cpu_us(target, lambda n: exchange(client, everything), 50)
            _fetch(target, client, frames, found)
            found["rss_kb_each_fetched"] = (settled(target) - rss) / count
            found["idle_cpu_percent_parked"] = idle_percent(target)
        found["stop_s"], found["start_clean_s"] = stop_and_start(target)
        found["start_killed_s"] = kill_and_start(target)
    found["floor_cpu_us"] = floor_us(brokers, TOPIC, count, lambda n: frames[n % count], rounds)
    found["of_floor"] = found["produce_cpu_us"] / found["floor_cpu_us"]
    return found


def _create(target, client, count, found):
    started, before = time.monotonic(), target.cpu_seconds()
    answer = client.create_topic(TOPIC, count)
    if answer["error_code"]:
        raise RuntimeError(f"CreateTopics: {answer}")
    found["create_s"] = time.monotonic() - started
    found["create_cpu_s"] = target.cpu_seconds() - before


def _fetch(target, client, frames, found):
    """Leaves a fetch parked that waits on all partitions."""
    count = len(frames)
    session = FetchSession(client, count)
    # The client has read everything: each partition's next offset.
    ends = {n: client.offset(TOPIC, n)["offset"] for n in range(count)}
    session.fetch(ends.items())
    session.fetch()
    found["fetch_idle_cpu_us"] = cpu_us(target, lambda n: session.fetch(), 500)

    def change_one(n):
        exchange(client, frames[n % count])
        ends[n % count] += 1
        session.fetch()
        session.fetch([(n % count, ends[n % count])])

    pair = cpu_us(target, change_one, min(500, 20 * count))
    found["fetch_one_changed_cpu_us"] = pair - found["produce_cpu_us"] - found["fetch_idle_cpu_us"]
    session.park(30_000)
