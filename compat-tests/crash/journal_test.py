#!/usr/bin/env python3
"""The journal must catch every kind of damage: each test here is a log that contradicts what was sent or acknowledged."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.records import Record  # noqa: E402

from journal import Journal, RecordId, Violation, value_of  # noqa: E402


class JournalTest(unittest.TestCase):
    def setUp(self):
        self.journal = Journal("t-0")
        self.values = [value_of(RecordId(1, n), b"padding") for n in range(6)]
        for n, value in enumerate(self.values):
            self.journal.sent(RecordId(1, n), value, connection=1 + n // 3)

    def read(self, *numbers, start=0, plain=True):
        for offset, number in enumerate(numbers, start):
            self.journal.read(Record(self.values[number], offset=offset), in_order_per_connection=plain)

    def test_a_good_log_passes(self):
        self.journal.acked(RecordId(1, 0), 0)
        self.read(0, 1, 3, 4)  # the first connection died after two of its three records
        self.journal.check_acked()
        self.journal.read_again(Record(self.values[3], offset=2))

    def test_a_lost_record(self):
        self.journal.acked(RecordId(1, 1), 1)
        self.read(0)
        self.assertRaisesRegex(Violation, "is lost", self.journal.check_acked)

    def test_an_acknowledged_offset_that_is_not_the_record_s(self):
        self.journal.acked(RecordId(1, 0), 5)
        self.read(0)
        self.assertRaisesRegex(Violation, "acknowledged at 5, is at 0", self.journal.check_acked)

    def test_a_retry_that_is_acknowledged_elsewhere(self):
        self.read(0)
        self.assertRaisesRegex(Violation, "but it is at 0", self.journal.acked, RecordId(1, 0), 3)

    def test_an_invented_record(self):
        for value in (b"9:9:x", b"nonsense", None, b""):
            with self.assertRaisesRegex(Violation, "nobody sent"):
                self.journal.read(Record(value, offset=0), in_order_per_connection=True)

    def test_a_changed_record(self):
        with self.assertRaisesRegex(Violation, "has changed"):
            self.journal.read(Record(self.values[0] + b"!", offset=0), in_order_per_connection=True)

    def test_a_duplicate(self):
        with self.assertRaisesRegex(Violation, "and again at 1"):
            self.read(0, 0, plain=False)

    def test_records_out_of_order(self):
        with self.assertRaisesRegex(Violation, "after number 2"):
            self.read(0, 2, 1, plain=False)

    def test_a_hole_in_what_one_connection_sent(self):
        with self.assertRaisesRegex(Violation, "number 1 of its connection is missing"):
            self.read(0, 2)

    def test_a_gap_in_the_offsets(self):
        with self.assertRaisesRegex(Violation, "offset 2 follows 0"):
            self.read(0)
            self.read(1, start=2)

    def test_a_record_that_changes_between_two_readings(self):
        self.read(0, 1)
        with self.assertRaisesRegex(Violation, "now it is"):
            self.journal.read_again(Record(self.values[2], offset=1))


if __name__ == "__main__":
    unittest.main()
