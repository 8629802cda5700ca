"""What was acknowledged, and what the broker serves of it: every record, every committed offset, asked one by one."""

import base64
import itertools
import time
from dataclasses import dataclass, field

from lib import api, records
from lib.wire import Closed

KAFKA_STORAGE_ERROR = 56
READY_SECONDS = 2.0  # for all partitions together
SERVED, OFFLINE = "served", "offline"


@dataclass
class Journal:
    """Of all topics: the ids and the values by partition, in the order of their offsets; and offsets of groups."""

    values: dict = field(default_factory=dict)  # (topic, partition): [value]
    ids: dict = field(default_factory=dict)  # topic: its id, as partition.metadata has it
    committed: dict = field(default_factory=dict)  # group: {(topic, partition): offset}
    refused: dict = field(default_factory=dict)  # (topic, partition): values that were sent and not acknowledged
    _numbers: itertools.count = field(default_factory=itertools.count)

    def copy(self):
        return Journal(
            {place: list(values) for place, values in self.values.items()}, dict(self.ids), dict(self.committed), dict(self.refused), self._numbers
        )

    def create(self, client, topic, partitions, configs=None):
        self.ids[topic] = text_of(client.make_topic(topic, partitions, configs))
        for partition in range(partitions):
            self.values[topic, partition] = []

    def write(self, client, place, batches=2, count=5):
        """Appends batches to a partition; every record must be acknowledged."""
        for _ in range(batches):
            values = [b"%s-%d %d" % (place[0].encode(), place[1], next(self._numbers)) for _ in range(count)]
            answer = client.produce(*place, records.batch(values))
            assert answer["error_code"] == 0, f"{name_of(place)} answers a produce with error {answer['error_code']}"
            assert answer["base_offset"] == len(self.values[place]), f"{name_of(place)}: {answer}, after {len(self.values[place])} records"
            self.values[place] += values

    def try_write(self, client, place):
        """One record more; the answer's error code, or None if there is no answer. Not acknowledged, it may still be in the log."""
        value = b"%s-%d %d" % (place[0].encode(), place[1], next(self._numbers))
        try:
            error = client.produce(*place, records.batch([value]))["error_code"]
        except (OSError, Closed):
            error = None
        if error == 0:
            self.values[place].append(value)
        else:
            self.refused.setdefault(place, []).append(value)
        return error

    def commit(self, client, group, offsets):
        client.await_group(group)
        topics = [{"name": t, "partitions": [{"partition_index": p, "committed_offset": offset}]} for (t, p), offset in offsets.items()]
        answer = client.call("OffsetCommit", group_id=group, topics=topics)
        errors = [partition["error_code"] for topic in answer["topics"] for partition in topic["partitions"]]
        assert not any(errors), f"OffsetCommit of {group} answers with {errors}"
        self.committed[group] = dict(offsets)

    # ---- what the broker says

    def read(self, client):
        """{(topic, partition): SERVED, OFFLINE, or what is wrong}: every record of every partition."""
        deadline = time.monotonic() + READY_SECONDS
        return {
            place: read_partition(client, place, values, self.refused.get(place, ()), deadline - time.monotonic())
            for place, values in self.values.items()
        }

    def settle(self, client):
        """What was not acknowledged and is in the log all the same belongs to it from now on."""
        for place, refused in list(self.refused.items()):
            if client.offset(*place)["error_code"] == 0:
                self.values[place] = fetch_values(client, place, client.offset(*place)["offset"])
                del self.refused[place]

    def check_groups(self, client, may_be_offline):
        """No group may have forgotten an offset; the log of its offsets may be offline, and then the answer is an error."""
        for group, offsets in self.committed.items():
            found = api.until_ready(lambda name=group: client.call("OffsetFetch", groups=[{"group_id": name}])["groups"][0], READY_SECONDS)
            if found["error_code"] and may_be_offline:
                continue
            told = {
                (t["name"], p["partition_index"]): p["committed_offset"] if not p["error_code"] else f"error {p['error_code']}"
                for t in found["topics"]
                for p in t["partitions"]
            }
            assert not found["error_code"] and told == offsets, f"{group}: error {found['error_code']}, offsets {told}, committed were {offsets}"


def read_partition(client, place, values, refused, seconds):
    """SERVED, OFFLINE, or what is wrong; `refused` may lie behind the values or not. `seconds`: for becoming ready."""
    deadline = time.monotonic() + seconds
    end = api.until_ready(lambda: client.offset(*place), seconds)
    while end["error_code"] == 0 and end["offset"] < len(values) and time.monotonic() < deadline:
        time.sleep(0.02)  # with durability=fsync what a start has found counts once it is synced again
        end = client.offset(*place)
    if end["error_code"] == KAFKA_STORAGE_ERROR:
        return _offline_everywhere(client, place)
    if end["error_code"]:
        return f"ListOffsets answers with error {end['error_code']}"
    if not len(values) <= end["offset"] <= len(values) + len(refused):
        return f"its end offset is {end['offset']}, {len(values)} records were acknowledged"
    found = fetch_values(client, place, end["offset"])
    if isinstance(found, str):
        return found
    known = found[: len(values)] == values and set(found[len(values) :]) <= set(refused)
    return SERVED if known else "other records than those that were acknowledged"


def fetch_values(client, place, end):
    """The values from 0 to the end; OFFLINE, or what is wrong, if they cannot be read."""
    found = []
    while len(found) < end:
        fetched = client.fetch(*place, len(found))
        if fetched["error_code"] == KAFKA_STORAGE_ERROR:
            return OFFLINE
        if fetched["error_code"] or not fetched["records"]:
            return f"Fetch at {len(found)} of {end} answers with error {fetched['error_code']} and {len(fetched['records'] or b'')} bytes"
        found += [record.value for batch in records.read_batches(fetched["records"]) for record in batch.records if record.offset >= len(found)]
    return found


def _offline_everywhere(client, place):
    """An offline partition says so to whoever asks."""
    fetched = client.fetch(*place, 0, max_wait_ms=0)["error_code"]
    produced = client.produce(*place, records.batch([b"not to be taken"]))["error_code"]
    if {fetched, produced} != {KAFKA_STORAGE_ERROR}:
        return f"offline for ListOffsets, but Fetch answers with {fetched} and Produce with {produced}"
    return OFFLINE


def is_up(address):
    """Whether a broker there still answers."""
    try:
        with api.Client(address, timeout=5.0) as client:
            return bool(client.metadata([])["brokers"])
    except (OSError, ValueError, Closed):
        return False


def name_of(place):
    return f"{place[0]}-{place[1]}"


def text_of(topic_id):
    """An id as Kafka writes it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(topic_id).decode().rstrip("=")
