#!/usr/bin/env python3
"""The checker must find each anomaly in a history made for it, that one and no other, and nothing in good histories."""

import itertools
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from checker.anomalies import found_in  # noqa: E402
from checker.history import History  # noqa: E402


class Story:
    """Writes a history; every event is one second later than the one before."""

    def __init__(self):
        self.events = []
        self._clock = itertools.count()

    def tell(self, process, op, **fields):
        self.events.append({"time": next(self._clock), "process": process, "op": op, **fields})
        return self

    def send(self, process, value, offset=None, partition=0, txn=None):
        """A record to `out`, acknowledged if an offset is given."""
        self.tell(process, "send", topic="out", value=value, **({"txn": txn} if txn else {}))
        if offset is not None:
            self.tell(process, "acked", value=value, topic="out", partition=partition, offset=offset)
        return self

    def transaction(self, process, txn, *sends, end="committed", offset=None, consumed=()):
        """`sends` are (value, offset, partition). `end`: committed, aborted, commit (no answer) or none of them."""
        self.tell(process, "begin", txn=txn)
        if consumed:
            self.tell(process, "poll", txn=txn, records=[["in", 0, at, f"in {at}"] for at in consumed])
        for value, at, partition in sends:
            self.send(process, value, at, partition, txn)
        if offset is not None:
            self.tell(process, "offsets", txn=txn, group="g", offsets=[["in", 0, offset]])
        if end in ("committed", "commit"):
            self.tell(process, "commit", txn=txn)
        if end == "aborted":
            self.tell(process, "abort", txn=txn)
        if end in ("committed", "aborted"):
            self.tell(process, end, txn=txn)
        return self

    def poll(self, process, *records, **fields):
        """`records` are (offset, value) of partition 0 or (offset, value, partition)."""
        rows = [["out", rest[0] if rest else 0, offset, value] for offset, value, *rest in records]
        return self.tell(process, "poll", records=rows, **fields)

    def read_all(self, process, *partitions):
        return self.tell(process, "read_all", partitions=[["out", partition] for partition in partitions or (0,)])

    def read_offsets(self, following):
        return self.tell("watch", "offsets_read", group="g", offsets=[["in", 0, following]], asked=self.events[-1]["time"] + 0.5)

    def anomalies(self):
        return {name for name, _ in found_in(History(self.events))}


class CheckerTest(unittest.TestCase):
    def finds(self, story, *anomalies):
        self.assertEqual(story.anomalies(), set(anomalies))

    # ---- good histories

    def test_a_pipeline_that_does_all_right(self):
        story = Story()
        story.transaction("w1", "t1", ("a", 0, 0), ("b", 0, 1), offset=2, consumed=(0, 1))
        story.transaction("w1", "t2", ("c", 2, 0), offset=3, consumed=(2,), end="aborted")
        story.transaction("w2", "t3", ("d", 4, 0), offset=3, consumed=(2,))
        story.read_offsets(3)
        story.poll("r", (0, "a"), (0, "b", 1)).poll("r", (4, "d")).read_all("r", 0, 1)
        self.finds(story)

    def test_an_unknown_outcome_may_be_a_commit_or_an_abort(self):
        for seen in ([], [(0, "a"), (0, "b", 1)]):
            story = Story().transaction("w", "t", ("a", None, 0), ("b", None, 1), end="commit", offset=1)
            story.poll("r", *seen).read_offsets(1 if seen else -1).read_all("r", 0, 1)
            self.finds(story)

    def test_a_send_without_an_answer_may_be_there_or_not(self):
        for seen in ([], [(0, "a")]):
            self.finds(Story().send("p", "a").poll("r", *seen).read_all("r"))

    def test_a_new_assignment_may_go_back_or_ahead(self):
        story = Story().send("p", "a", 0).send("p", "b", 1).send("p", "c", 2)
        story.poll("r", (0, "a"), (1, "b")).tell("r", "assign").poll("r", (0, "a")).tell("r", "assign").poll("r", (2, "c"))
        self.finds(story)

    def test_offsets_of_transactions_at_the_same_time_come_in_any_order(self):
        story = Story().tell("w1", "begin", txn="t1")
        story.transaction("w2", "t2", offset=9)
        story.tell("w1", "offsets", txn="t1", group="g", offsets=[["in", 0, 5]]).tell("w1", "commit", txn="t1").tell("w1", "committed", txn="t1")
        self.finds(story)

    def test_records_of_others_between_those_of_a_transaction(self):
        story = Story().tell("w", "begin", txn="t").send("w", "a", 0, txn="t").send("p", "x", 1).send("w", "b", 2, txn="t")
        story.tell("w", "commit", txn="t").tell("w", "committed", txn="t")
        self.finds(story.poll("r", (0, "a"), (1, "x"), (2, "b")).read_all("r"))

    def test_offsets_of_a_group_that_tells_nothing_of_its_commits(self):
        self.finds(Story().send("p", "a", 0).read_offsets(5).read_offsets(6))

    def test_events_may_come_in_any_order_in_the_file(self):
        story = Story().transaction("w", "t", ("a", 0, 0)).poll("r", (0, "a")).read_all("r")
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(json.dumps(event) + "\n" for event in reversed(story.events))
            file.flush()
            self.assertEqual(found_in(History.read(file.name)), [])

    # ---- one bad history for each anomaly

    def test_inconsistent_offset(self):
        self.finds(Story().send("p", "a", 0).send("q", "b", 0), "inconsistent-offset")

    def test_duplicate(self):
        self.finds(Story().send("p", "a", 0).poll("r", (0, "a"), (1, "a")), "duplicate")

    def test_duplicate_between_the_acknowledgement_and_a_poll(self):
        self.finds(Story().send("p", "a", 0).poll("r", (5, "a")), "duplicate")

    def test_phantom(self):
        self.finds(Story().send("p", "a", 0).poll("r", (0, "a"), (1, "b")), "phantom")

    def test_lost_write(self):
        self.finds(Story().send("p", "a", 0).send("p", "b", 1).poll("r", (1, "b")), "lost-write")

    def test_lost_writes_of_a_whole_transaction(self):
        story = Story().transaction("w", "t", ("a", 0, 0)).send("p", "b", 2).poll("r", (2, "b"))
        self.finds(story, "lost-write")

    def test_unseen(self):
        self.finds(Story().send("p", "a", 0).read_all("r"), "unseen")

    def test_unseen_by_one_of_two_readers(self):
        self.finds(Story().send("p", "a", 0).poll("r", (0, "a")).read_all("r").read_all("s"), "unseen")

    def test_unseen_without_an_acknowledgement(self):
        self.finds(Story().transaction("w", "t", ("a", None, 0)).read_all("r"), "unseen")

    def test_torn_transaction(self):
        story = Story().transaction("w", "t", ("a", 0, 0), ("b", 0, 1)).poll("r", (0, "a")).read_all("r", 0, 1)
        self.finds(story, "torn-transaction")

    def test_torn_transaction_of_unknown_outcome(self):
        story = Story().transaction("w", "t", ("a", None, 0), ("b", None, 1), end="commit").poll("r", (0, "a")).read_all("r", 0, 1)
        self.finds(story, "torn-transaction")

    def test_aborted_read(self):
        self.finds(Story().transaction("w", "t", ("a", 0, 0), end="aborted").poll("r", (0, "a")), "aborted-read")

    def test_aborted_read_of_a_transaction_that_was_left_open(self):
        self.finds(Story().transaction("w", "t", ("a", 0, 0), end="none").poll("r", (0, "a")), "aborted-read")

    def test_aborted_read_of_a_failed_send(self):
        self.finds(Story().send("p", "a").tell("p", "failed", value="a").poll("r", (0, "a")), "aborted-read")

    def test_precommitted_read(self):
        story = Story().tell("w", "begin", txn="t").send("w", "a", 0, txn="t").poll("r", (0, "a"))
        self.finds(story.tell("w", "commit", txn="t").tell("w", "committed", txn="t"), "precommitted-read")

    def test_precommitted_read_of_one_s_own(self):
        story = Story().tell("w", "begin", txn="t").send("w", "a", 0, txn="t").poll("w", (0, "a"), txn="t")
        self.finds(story.tell("w", "commit", txn="t").tell("w", "committed", txn="t"), "precommitted-read")

    def test_poll_skip(self):
        story = Story().send("p", "a", 0).send("p", "b", 1).send("p", "c", 2).poll("s", (1, "b"))
        self.finds(story.poll("r", (0, "a")).poll("r", (2, "c")), "poll-skip")

    def test_nonmonotonic_poll(self):
        self.finds(Story().send("p", "a", 0).send("p", "b", 1).poll("r", (0, "a"), (1, "b")).poll("r", (1, "b")), "nonmonotonic-poll")

    def test_nonmonotonic_send(self):
        self.finds(Story().send("p", "a", 1).send("p", "b", 0), "nonmonotonic-send")

    def test_sends_of_two_producers_of_a_process_come_in_any_order(self):
        story = Story().tell("p", "send", topic="out", value="a", producer="one").tell("p", "send", topic="out", value="b", producer="two")
        for value, offset in (("a", 1), ("b", 0)):
            story.tell("p", "acked", value=value, topic="out", partition=0, offset=offset)
        self.finds(story)

    def test_cyclic_reads(self):
        story = Story()
        for process, txn, value, offset in (("v", "t1", "a", 0), ("w", "t2", "b", 1)):
            story.tell(process, "begin", txn=txn).send(process, value, offset, txn=txn).tell(process, "commit", txn=txn)
        story.poll("v", (1, "b"), txn="t1").poll("w", (0, "a"), txn="t2")
        self.finds(story, "cyclic-reads")

    def test_consumed_twice(self):
        story = Story().transaction("v", "t1", ("a", 0, 0), consumed=(7,)).transaction("w", "t2", ("b", 2, 0), consumed=(7,))
        self.finds(story, "consumed-twice")

    def test_offsets_went_back_as_read(self):
        story = Story().transaction("w", "t1", offset=5, end="commit").transaction("w", "t2", offset=9, end="commit")
        self.finds(story.read_offsets(9).read_offsets(5), "offsets-went-back")

    def test_offsets_went_back_as_committed(self):
        self.finds(Story().transaction("v", "t1", offset=9).transaction("w", "t2", offset=5), "offsets-went-back")

    def test_lost_offsets(self):
        for confirmed in ({"txn": "t2"}, {}):
            story = Story().transaction("w", "t1", offset=5, end="commit")
            if confirmed:
                story.transaction("w", "t2", offset=9)
            else:
                story.tell("w", "offsets_acked", group="g", offsets=[["in", 0, 9]])
            self.finds(story.read_offsets(5), "lost-offsets")

    def test_aborted_offsets(self):
        self.finds(Story().transaction("w", "t", offset=5, end="aborted").read_offsets(5), "aborted-offsets")

    # ---- what no history may hold

    def test_a_value_that_is_sent_twice_cannot_be_judged(self):
        with self.assertRaisesRegex(ValueError, "sent twice"):
            Story().send("p", "a").send("q", "a").anomalies()

    def test_an_unknown_op(self):
        with self.assertRaisesRegex(ValueError, "no such op"):
            Story().tell("p", "pol").anomalies()


if __name__ == "__main__":
    unittest.main()
