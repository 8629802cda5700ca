"""The load that the broker is killed under: pipelining producers, and a thread that creates and deletes topics."""

import itertools
import random
import threading
from collections import deque

from lib import api, records
from lib.wire import frame

from journal import RecordId, Violation, value_of

WINDOW = 5  # batches in flight, the most an idempotent producer may have
_connection_ids = itertools.count(1)


class Worker:
    """A thread that loads the broker for one cycle, until the broker is gone; `leaving` tells it of a graceful stop."""

    def __init__(self):
        self._ended = threading.Event()
        self._leaving = threading.Event()
        self._thread = None
        self._error = None

    def start(self, address):
        self._ended.clear()
        self._leaving.clear()
        self._thread = threading.Thread(target=self._guarded_run, args=(address,), daemon=True)
        self._thread.start()

    def leaving(self):
        """From now on the broker may refuse requests, because it shuts down."""
        self._leaving.set()

    def end(self):
        """Ends the thread once the broker has gone; raises what went wrong in it."""
        self._ended.set()
        self._thread.join(30)
        if self._thread.is_alive():
            raise Violation(f"{self} hangs: its connection to a dead broker did not end")
        if self._error:
            raise self._error

    def _guarded_run(self, address):
        try:
            self._run(address)
        except (api.Closed, ConnectionError):
            pass  # the broker is gone: what this test is about
        except Exception as error:
            self._error = error

    def _refused(self, what, answer):
        if self._leaving.is_set():
            raise api.Closed("the broker shuts down")
        raise Violation(f"{self}: {what} got error {answer['error_code']}: {answer['error_message']}")


class Producer(Worker):
    """One producer of one partition. `kind` is "idempotent", "all" or "1".

    A plain producer never sends a record twice. An idempotent one sends what was not acknowledged again after the
    crash, with the sequence numbers of the first time.
    """

    def __init__(self, number, kind, topic, partition, journal, seed):
        super().__init__()
        self.number = number
        self.kind = kind
        self.journal = journal
        self._topic, self._partition = topic, partition
        self._random = random.Random(f"{seed}/{number}")
        self._next_number = 0
        self._unresolved = deque()  # batches that were sent and not answered: [(records, encoded batch)]
        self._producer_id = None
        self._sequence = 0

    def __str__(self):
        return f"producer {self.number} ({self.kind})"

    def _run(self, address):
        connection = next(_connection_ids)
        with api.Client(address, timeout=30.0) as client:
            self._prepare(client)
            in_flight = deque()
            for batch in list(self._unresolved):
                self._send(client, batch, in_flight)
            while not self._ended.is_set():
                while len(in_flight) >= self._random.randint(1, WINDOW):
                    self._receive(client, in_flight)
                batch = self._new_batch(connection)
                self._unresolved.append(batch)
                self._send(client, batch, in_flight)

    def _prepare(self, client):
        if self.kind != "idempotent":
            self._unresolved.clear()
        elif self._producer_id is None or (not self._unresolved and self._random.random() < 0.1):
            self._producer_id = client.init_producer_id()[0]
            self._sequence = 0
            ProducerIds.note(self._producer_id)

    def _new_batch(self, connection):
        """The next batch as (record ids, bytes)."""
        ids, values = [], []
        for _ in range(self._random.randint(1, 10)):
            record_id = RecordId(self.number, self._next_number)
            self._next_number += 1
            size = min(20_000, int(self._random.paretovariate(1.2) * 20))
            value = value_of(record_id, self._random.randbytes(size))
            self.journal.sent(record_id, value, connection)
            ids.append(record_id)
            values.append(value)
        idempotence = {}
        if self.kind == "idempotent":
            idempotence = {"producer_id": self._producer_id, "producer_epoch": 0, "base_sequence": self._sequence}
            self._sequence += len(values)
        codec = records.GZIP if self._random.random() < 0.2 else records.NONE
        return ids, records.batch(values, codec=codec, **idempotence)

    def _send(self, client, batch, in_flight):
        partitions = [{"index": self._partition, "records": batch[1]}]
        fields = {"topics": [{"name": self._topic, "partitions": partitions}], "acks": 1 if self.kind == "1" else -1}
        client.send(frame(api.request_payload("Produce", **fields)))
        in_flight.append(batch)
        while len(in_flight) > WINDOW:
            self._receive(client, in_flight)

    def _receive(self, client, in_flight):
        answer = api.decode("Produce", client.receive()[1])["topics"][0]["partitions"][0]
        if answer["error_code"]:
            self._refused("Produce", answer)
        batch = in_flight.popleft()
        self._unresolved.popleft()
        for index, record_id in enumerate(batch[0]):
            self.journal.acked(record_id, answer["base_offset"] + index)


class ProducerIds:
    """All producer ids ever handed out: none may come twice, crash or not."""

    _seen = set()
    _lock = threading.Lock()

    @classmethod
    def note(cls, producer_id):
        with cls._lock:
            if producer_id in cls._seen:
                raise Violation(f"producer id {producer_id} was handed out twice")
            cls._seen.add(producer_id)


class Topics(Worker):
    """Creates and deletes topics while the broker may die; knows what must and what may exist."""

    def __init__(self, seed):
        super().__init__()
        self._random = random.Random(f"{seed}/topics")
        self._names = itertools.count()
        self._existing = {}  # name -> topic id, acknowledged
        self._gone = set()  # acknowledged deletions
        self._unknown = set()  # the broker died before it answered

    def __str__(self):
        return "topic changes"

    def _run(self, address):
        with api.Client(address, timeout=30.0) as client:
            while not self._ended.wait(self._random.uniform(0.05, 0.4)):
                self._change(client)

    def _change(self, client):
        if self._existing and (len(self._existing) > 20 or self._random.random() < 0.4):
            name = self._random.choice(sorted(self._existing))
            self._unknown.add(name)
            del self._existing[name]
            answer = client.delete_topic(name)
        else:
            name = f"made-{next(self._names)}"
            self._unknown.add(name)
            answer = client.create_topic(name, self._random.randint(1, 3))
        if answer["error_code"]:
            self._refused(f"topic {name}", answer)
        self._unknown.discard(name)
        if name in self._gone or answer["topic_id"] == api.ZERO_UUID:
            raise Violation(f"topic {name}: answered with {answer}")
        if "num_partitions" in answer:
            self._existing[name] = answer["topic_id"]
        else:
            self._gone.add(name)

    def check(self, client):
        """Compares the broker's topics with what it acknowledged; what was unknown is settled by what it says now."""
        found = {topic["name"]: topic["topic_id"] for topic in client.metadata()["topics"] if topic["name"].startswith("made-")}
        for name in self._unknown:
            if name in found:
                self._existing[name] = found[name]
            else:
                self._gone.add(name)
        self._unknown.clear()
        if found != self._existing:
            lost = sorted(set(self._existing) - set(found))
            back = sorted(set(found) - set(self._existing))
            changed = sorted(name for name in found.keys() & self._existing.keys() if found[name] != self._existing[name])
            raise Violation(f"topics lost: {lost}; back again or invented: {back}; with another id: {changed}")
