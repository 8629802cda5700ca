"""Idempotent producers of one partition: memory, requests, the producer snapshot, and restarts."""

import struct
import time

from lib import api, records

from curves.common import cpu_us, exchange, floor_us, in_a_row, kill_and_start, produce_frame, settled, stop_and_start, warm_up

TOPIC = "sequenced"
LABELS = {
    "producers": "producers",
    "init_cpu_us": "InitProducerId in a row, us of processor each",
    "rss_bytes_each": "memory each, with a batch, bytes",
    "produce_cpu_us": "produce round-robin, us of processor each",
    "floor_cpu_us": "the same at the null broker, us",
    "of_floor": "ours / floor",
    "start_killed_s": "start after kill -9, s",
    "stop_s": "clean stop, s",
    "snapshot_bytes_each": "snapshot file, bytes each",
    "start_clean_s": "start after it, s",
}


class Producers:
    """The producers, and the frame that each sends next."""

    def __init__(self, client, count):
        self.ids, self.sequences = [], [0] * count
        in_a_row(client, count, lambda _: api.request("InitProducerId"), self._take_id)
        self._now = int(time.time() * 1000)
        self._records = records.encode_record(0, records.Record(b"x", timestamp=self._now), self._now)
        # All frames are as long as this one, and differ in the batch alone.
        batch = self._batch(0)
        self._head, self._tail = produce_frame(TOPIC, 0, batch).split(batch)

    def frame(self, turn):
        """The next batch of the producer whose turn it is."""
        n = turn % len(self.ids)
        data = self._head + self._batch(n) + self._tail
        self.sequences[n] += 1
        return data

    def send_round(self, client):
        """One batch of each."""
        in_a_row(client, len(self.ids), self.frame, lambda _, data: check(data))

    def _batch(self, n):
        producer_id, epoch = self.ids[n]
        stamped = {"base_timestamp": self._now, "max_timestamp": self._now}
        return records.raw_batch(self._records, producer_id=producer_id, producer_epoch=epoch, base_sequence=self.sequences[n], **stamped)

    def _take_id(self, _, data):
        answer = api.decode("InitProducerId", data)
        if answer["error_code"]:
            raise RuntimeError(f"InitProducerId: {answer}")
        self.ids.append((answer["producer_id"], answer["producer_epoch"]))


def check(data):
    """Raises if a Produce of one batch was refused."""
    # Behind the header's tags: one topic and its name, one partition and its index.
    error = struct.unpack_from(">h", data, 1 + 1 + 1 + len(TOPIC) + 1 + 4)[0]
    if error:
        raise RuntimeError(f"Produce: error {error}")


def row(brokers, count):
    """Everything about one broker with `count` producers."""
    with brokers.new(properties={"num.network.threads": 1}) as target:
        found = {"producers": count}
        with api.Client(target.address, timeout=60.0) as client:
            warm_up(client)
            client.make_topic(TOPIC)
            client.init_producer_id()
            before = target.cpu_seconds()
            producers = Producers(client, count)
            found["init_cpu_us"] = (target.cpu_seconds() - before) / count * 1e6
            rss = settled(target)
            producers.send_round(client)
            found["rss_bytes_each"] = (settled(target) - rss) * 1024 / count
        found["start_killed_s"] = kill_and_start(target)
        with api.Client(target.address, timeout=60.0) as client:
            producers.send_round(client)  # refused, had the restart forgotten a sequence number
            rounds = max(2000, min(count, 10_000))
            found["produce_cpu_us"] = cpu_us(target, lambda n: check(exchange(client, producers.frame(n))), rounds)
        found["stop_s"], found["start_clean_s"] = stop_and_start(target)
        found["snapshot_bytes_each"] = _snapshot(target).stat().st_size / count
        with api.Client(target.address, timeout=60.0) as client:
            producers.send_round(client)
    found["floor_cpu_us"] = floor_us(brokers, TOPIC, 1, producers.frame, rounds)
    found["of_floor"] = found["produce_cpu_us"] / found["floor_cpu_us"]
    return found


def _snapshot(target):
    """The newest one; its name is the offset it stands at."""
    return max(target.partition_dir(TOPIC, 0).glob("*.snapshot"))
