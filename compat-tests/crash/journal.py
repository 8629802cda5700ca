"""What the producers know: every record sent, every record acknowledged; and the check of the log against it.

The journal lives outside the broker, so no crash of the broker can touch it. One journal a partition.
"""

import threading
import zlib
from collections import namedtuple

RecordId = namedtuple("RecordId", "producer number")


class Violation(AssertionError):
    """The log contradicts the journal."""


class Journal:
    """The truth about one partition; thread-safe towards the producers."""

    def __init__(self, name):
        self.name = name
        self.log = []  # by offset: the record id, as read back once
        self._lock = threading.Lock()
        self._sent = {}  # record id -> (checksum of the value, connection it first went out on)
        self._acked = {}  # record id -> offset
        self._not_checked = []  # acknowledged since the last check_acked
        self._offset_of = {}  # record id -> offset it was read at
        self._last_number = {}  # producer -> highest number read so far
        self._last_of_connection = {}  # connection -> highest number read so far
        self._first_of_connection = {}  # connection -> first number sent on it

    def sent(self, record_id, value, connection):
        with self._lock:
            self._sent[record_id] = (zlib.crc32(value), connection)
            self._first_of_connection.setdefault(connection, record_id.number)

    def acked(self, record_id, offset):
        """Notes an acknowledgement. A record that was read back already must have been read at that offset."""
        with self._lock:
            self._acked[record_id] = offset
            self._not_checked.append(record_id)
            read_at = self._offset_of.get(record_id)
        if read_at is not None and read_at != offset:
            raise Violation(f"{self.name}: the retry of {record_id} was acknowledged at {offset}, but it is at {read_at}")

    def acked_count(self):
        with self._lock:
            return len(self._acked)

    def read(self, record, in_order_per_connection):
        """Checks the next record of the log. Offsets must be dense, records known, whole, unique and in order."""
        offset, value = record.offset, record.value
        if offset != len(self.log):
            raise Violation(f"{self.name}: offset {offset} follows {len(self.log) - 1}")
        record_id = parse(value)
        with self._lock:
            sent = self._sent.get(record_id)
        if sent is None:
            raise Violation(f"{self.name}: at {offset} is a record that nobody sent: {(value or b'')[:60]!r}")
        checksum, connection = sent
        if zlib.crc32(value) != checksum:
            raise Violation(f"{self.name}: at {offset} the value of {record_id} has changed")
        if record_id in self._offset_of:
            raise Violation(f"{self.name}: {record_id} is at {self._offset_of[record_id]} and again at {offset}")
        last = self._last_number.get(record_id.producer, -1)
        if record_id.number < last:
            raise Violation(f"{self.name}: at {offset} is {record_id} after number {last} of that producer")
        if in_order_per_connection:
            self._check_no_hole(connection, record_id, offset)
        self._last_number[record_id.producer] = record_id.number
        self._offset_of[record_id] = offset
        self.log.append(record_id)

    def _check_no_hole(self, connection, record_id, offset):
        """What one connection sent arrives as a prefix: a later record without an earlier one is a hole."""
        expected = self._last_of_connection.get(connection, self._first_of_connection[connection] - 1) + 1
        if record_id.number != expected:
            raise Violation(f"{self.name}: at {offset} is {record_id}, but number {expected} of its connection is missing")
        self._last_of_connection[connection] = record_id.number

    def read_again(self, record):
        """Checks a record of a part of the log that was read before: it must be the same one."""
        if record.offset >= len(self.log):
            return
        if parse(record.value) != self.log[record.offset]:
            raise Violation(f"{self.name}: at {record.offset} was {self.log[record.offset]}, now it is {parse(record.value)}")

    def check_acked(self):
        """Every record acknowledged since the last time must have been read at the offset that was acknowledged."""
        with self._lock:
            newly_acked, self._not_checked = self._not_checked, []
        for record_id in newly_acked:
            offset = self._acked[record_id]
            read_at = self._offset_of.get(record_id)
            if read_at is None:
                raise Violation(f"{self.name}: {record_id}, acknowledged at {offset}, is lost; the log ends at {len(self.log)}")
            if read_at != offset:
                raise Violation(f"{self.name}: {record_id}, acknowledged at {offset}, is at {read_at}")


def value_of(record_id, padding):
    return b"%d:%d:" % record_id + padding


def parse(value):
    """The record id in front of a value; None if there is none."""
    parts = (value or b"").split(b":", 2)
    if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return RecordId(int(parts[0]), int(parts[1]))
