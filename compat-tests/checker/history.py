"""A history as the checks want it: events in order of time, writes with their fate, transactions with their outcome."""

import json
from collections import defaultdict
from dataclasses import dataclass, field

COMMITTED, ABORTED, UNKNOWN = "committed", "aborted", "unknown"


@dataclass
class Transaction:
    """What its own client tells of it; times in seconds, None if it did not come to that."""

    name: str
    begun: float = None
    commit_asked: float = None
    committed: float = None
    aborted: float = None
    writes: list = field(default_factory=list)
    offsets: dict = field(default_factory=dict)  # (group, topic, partition): next offset
    consumed: set = field(default_factory=set)  # (topic, partition, offset)

    @property
    def outcome(self):
        if self.committed is not None:
            return COMMITTED
        if self.aborted is not None or self.commit_asked is None:
            return ABORTED
        return COMMITTED if any(write.polled for write in self.writes) else UNKNOWN


@dataclass
class Write:
    """One record that a client sent."""

    value: str
    producer: tuple  # (process, producer of the process)
    topic: str
    transaction: Transaction = None
    place: tuple = None  # (topic, partition, offset) as acknowledged
    failed: bool = False
    polled: bool = False

    @property
    def outcome(self):
        if self.failed:
            return ABORTED
        if self.transaction is not None:
            return self.transaction.outcome
        return COMMITTED if self.place is not None or self.polled else UNKNOWN


class History:
    """Events sorted by time, and what follows from them at once."""

    def __init__(self, events):
        self.events = sorted(events, key=lambda event: event["time"])
        self.transactions = {}
        self.writes = {}  # value: Write, in the order of the sends
        self.polls = []  # (event, place, value), in order
        self.values_at = defaultdict(set)  # place: values acknowledged or polled there
        self.places_of = defaultdict(set)  # value: places
        self.complete_readers = defaultdict(set)  # (topic, partition): processes that have read all of it
        for event in self.events:
            self._take(event)
        for _, _, value in self.polls:
            if value in self.writes:
                self.writes[value].polled = True

    @classmethod
    def read(cls, path):
        """The history in a file of JSON lines; ValueError on a line that is none."""
        with open(path, encoding="utf-8") as lines:
            return cls([json.loads(line) for line in lines])

    def _transaction(self, event):
        name = event.get("txn")
        if name is None:
            return None
        return self.transactions.setdefault(name, Transaction(name))

    def _take(self, event):
        transaction = self._transaction(event)
        match event["op"]:
            case "begin":
                transaction.begun = event["time"]
            case "commit":
                transaction.commit_asked = event["time"]
            case "committed":
                transaction.committed = event["time"]
            case "aborted":
                transaction.aborted = event["time"]
            case "send":
                self._sent(event, transaction)
            case "acked":
                place = (event["topic"], event["partition"], event["offset"])
                self.writes[event["value"]].place = place
                self._found(place, event["value"])
            case "failed":
                self.writes[event["value"]].failed = True
            case "poll":
                self._polled(event, transaction)
            case "offsets" if transaction is not None:
                transaction.offsets |= {(event["group"], topic, partition): following for topic, partition, following in event["offsets"]}
            case "read_all":
                for topic, partition in event["partitions"]:
                    self.complete_readers[topic, partition].add(event["process"])
            case "abort" | "assign" | "offsets" | "offsets_acked" | "offsets_read":
                pass  # of use only in their order, to single checks
            case other:
                raise ValueError(f"no such op: {other}")

    def _sent(self, event, transaction):
        value = event["value"]
        if value in self.writes:
            raise ValueError(f"the value {value!r} is sent twice: the history cannot be judged")
        self.writes[value] = Write(value, (event["process"], event.get("producer", "")), event["topic"], transaction)
        if transaction is not None:
            transaction.writes.append(self.writes[value])

    def _polled(self, event, transaction):
        for topic, partition, offset, value in event["records"]:
            place = (topic, partition, offset)
            self.polls.append((event, place, value))
            self._found(place, value)
            if transaction is not None:
                transaction.consumed.add(place)

    def _found(self, place, value):
        self.values_at[place].add(value)
        self.places_of[value].add(place)
