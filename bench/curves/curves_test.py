#!/usr/bin/env python3
"""What the curves do without a broker: tables, their places on the page, and the frames of idempotent producers."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import scaling  # noqa: E402
from curves import common, page, producers  # noqa: E402
from lib import api, records  # noqa: E402


class FakeClient:
    """Answers InitProducerId with the next id."""

    def __init__(self):
        self.next_id = 7

    def send(self, data):
        pass

    def receive(self):
        self.next_id += 1
        body = b"\x00" + b"\x00" * 4 + b"\x00\x00" + self.next_id.to_bytes(8, "big") + b"\x00\x03" + b"\x00"
        return 1, body


class Curves(unittest.TestCase):
    def test_a_table_reads_from_left_to_right_with_a_line_for_each_label(self):
        rows = [{"count": 1, "cost": 2.0, "unnamed": 3}, {"count": 1000, "cost": 0.0123, "unnamed": 4}]
        self.assertEqual(page.table({"count": "things", "cost": "each"}, rows), "| things | 1 | 1,000 |\n|---|---:|---:|\n| each | 2 | 0.0123 |\n")

    def test_each_subject_has_its_place_on_the_page(self):
        for subject in scaling.SUBJECTS:
            self.assertEqual(page.PAGE.read_text().count(f"<!-- {subject}: generated -->\n"), 1, subject)

    def test_an_unknown_subject_is_refused(self):
        self.assertEqual(scaling.subjects("groups,busy"), ["groups", "busy"])
        with self.assertRaises(scaling.argparse.ArgumentTypeError):
            scaling.subjects("groups,topics")

    def test_producers_take_turns_and_each_counts_its_own_sequence(self):
        senders = producers.Producers(FakeClient(), 2)
        found = []
        for turn in range(4):
            frame = senders.frame(turn)
            at = frame.index(senders._head) + len(senders._head)
            batch = next(records.read_batches(frame[at : len(frame) - len(senders._tail)]))
            found.append((batch.producer_id, batch.producer_epoch, batch.base_sequence))
        self.assertEqual(found, [(8, 3, 0), (9, 3, 0), (8, 3, 1), (9, 3, 1)])

    def test_requests_in_a_row_are_answered_in_their_order(self):
        client, seen = FakeClient(), []
        common.in_a_row(client, common.IN_A_ROW + 1, lambda n: b"", lambda n, data: seen.append((n, api.decode("InitProducerId", data)["producer_id"])))
        self.assertEqual((len(seen), seen[0], seen[-1]), (common.IN_A_ROW + 1, (0, 8), (common.IN_A_ROW, 8 + common.IN_A_ROW)))


if __name__ == "__main__":
    unittest.main()
