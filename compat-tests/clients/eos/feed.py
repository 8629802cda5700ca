"""What goes into the pipeline, and what the broker says of its progress: two threads that survive restarts of the broker."""

import contextlib
import threading
import time

from lib import api, records

PARTITIONS = 3
RECORDS_PER_SECOND = 90


class Feed(threading.Thread):
    """Appends small records to every partition in turn until stopped, each exactly once: idempotent, repeated until confirmed."""

    def __init__(self, address, topic, recorder):
        super().__init__(daemon=True)
        self._address, self._topic, self._recorder = address, topic, recorder
        self._stopped = threading.Event()
        self._producer = None
        self._error = None
        self.values = []  # confirmed, all partitions
        self.ends = dict.fromkeys(range(PARTITIONS), 0)  # partition: offset behind the last record

    def run(self):
        try:
            while not self._stopped.is_set():
                for partition in range(PARTITIONS):
                    self._append(partition)
                    time.sleep(1 / RECORDS_PER_SECOND)
        except AssertionError as error:
            self._error = error

    def _append(self, partition):
        sequence = self.ends[partition]
        value = f"{partition}-{sequence}"
        self._recorder.tell("feed", "send", topic=self._topic, value=value)
        while True:
            with contextlib.suppress(OSError, api.Closed), api.Client(self._address, timeout=5.0) as client:
                self._producer = self._producer or client.init_producer_id()
                idempotence = {"producer_id": self._producer[0], "producer_epoch": self._producer[1], "base_sequence": sequence}
                answer = api.until_ready(lambda: client.produce(self._topic, partition, records.batch([value.encode()], **idempotence)))
                assert answer["error_code"] == 0, f"the feed got error {answer['error_code']}"
                assert answer["base_offset"] == sequence, f"{value} is at {answer['base_offset']}"
                break
            time.sleep(0.1)
        self._recorder.tell("feed", "acked", value=value, topic=self._topic, partition=partition, offset=sequence)
        self.values.append(value)
        self.ends[partition] = sequence + 1

    def stop(self):
        self._stopped.set()
        self.join(60)
        if self._error:
            raise self._error


class OffsetWatch(threading.Thread):
    """Asks for the group's committed offsets again and again and writes down the answers."""

    def __init__(self, address, group, topic, recorder):
        super().__init__(daemon=True)
        self._address, self._group, self._topic, self._recorder = address, group, topic, recorder
        self._stopped = threading.Event()
        self.committed = {}

    def run(self):
        while not self._stopped.is_set():
            with contextlib.suppress(OSError, api.Closed), api.Client(self._address, timeout=5.0) as client:
                while not self._stopped.wait(0.2):
                    self._look(client)
            self._stopped.wait(0.1)

    def _look(self, client):
        asked = time.time()
        topics = [{"name": self._topic, "partition_indexes": list(range(PARTITIONS))}]
        group = client.call("OffsetFetch", groups=[{"group_id": self._group, "topics": topics}])["groups"][0]
        if group["error_code"]:  # it is still loading
            return
        told = {row["partition_index"]: row["committed_offset"] for row in group["topics"][0]["partitions"] if not row["error_code"]}
        self.committed = {partition: offset for partition, offset in told.items() if offset >= 0}
        rows = [[self._topic, partition, offset] for partition, offset in self.committed.items()]
        self._recorder.tell("watch", "offsets_read", group=self._group, offsets=rows, asked=asked)

    def stop(self):
        self._stopped.set()
        self.join(10)
