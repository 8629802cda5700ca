"""The checks. Each takes a History and yields (anomaly, what was found); README.md says what the anomalies are."""

import bisect
import graphlib
from collections import defaultdict

from .history import ABORTED, COMMITTED


def one_value_at_one_place(history):
    for place, values in history.values_at.items():
        if len(values) > 1:
            yield "inconsistent-offset", f"{_at(place)} holds {sorted(values)}"
    for value, places in history.places_of.items():
        if len(places) > 1:
            yield "duplicate", f"{value!r} is {' and '.join(_at(place) for place in sorted(places))}"


def only_what_was_sent(history):
    sent_to = {write.topic for write in history.writes.values()}
    for _, place, value in history.polls:
        if place[0] in sent_to and value not in history.writes:
            yield "phantom", f"{value!r} {_at(place)} was sent by nobody"


def nothing_aborted_or_early(history):
    for event, place, value in history.polls:
        write = history.writes.get(value)
        if write is None:
            continue
        if write.outcome == ABORTED:
            why = "its send failed" if write.failed else f"{write.transaction.name} aborted"
            yield "aborted-read", f"{event['process']} polled {value!r} {_at(place)}, but {why}"
        elif write.transaction is not None and event["time"] < write.transaction.commit_asked:
            yield "precommitted-read", f"{event['process']} polled {value!r} {_at(place)} before {write.transaction.name} was asked to commit"


def nothing_lost(history):
    """Committed values that are nowhere; those of a transaction of which others were seen are a torn transaction."""
    last_polled = defaultdict(lambda: -1)
    for _, (topic, partition, offset), _ in history.polls:
        last_polled[topic, partition] = max(last_polled[topic, partition], offset)
    complete = {}  # topic: the processes that have read all of some partition of it
    for (topic, _), processes in history.complete_readers.items():
        complete.setdefault(topic, set()).update(processes)
    polled_by = defaultdict(set)
    for event, _, value in history.polls:
        polled_by[value].add(event["process"])

    torn = defaultdict(list)
    for write in history.writes.values():
        if write.outcome != COMMITTED:
            continue
        if not write.polled and write.place and write.place[2] < last_polled[write.place[:2]]:
            found = "lost-write", f"{write.value!r} {_at(write.place)} of {write.producer[0]}: polls reached offset {last_polled[write.place[:2]]}"
        elif missed_by := _complete_readers(history, complete, write) - polled_by[write.value]:
            found = "unseen", f"{write.value!r} of {write.producer[0]}: {sorted(missed_by)} have read all and not found it"
        else:
            continue
        if write.transaction is not None and any(other.polled for other in write.transaction.writes):
            torn[write.transaction.name].append(write.value)
        else:
            yield found
    for name, values in torn.items():
        seen = sum(write.polled for write in history.transactions[name].writes)
        yield "torn-transaction", f"{name}: {seen} of its values were polled, these are missing: {values[:10]}"


def _complete_readers(history, complete, write):
    """Who must have seen the write: a write without an acknowledgement may be in any partition of its topic."""
    return history.complete_readers.get(write.place[:2], set()) if write.place else complete.get(write.topic, set())


def polls_in_order(history):
    visible = defaultdict(set)  # (topic, partition): offsets that hold a committed value
    for value, places in history.places_of.items():
        write = history.writes.get(value)
        if write is None or write.outcome == COMMITTED:
            for topic, partition, offset in places:
                visible[topic, partition].add(offset)
    order = {key: sorted(offsets) for key, offsets in visible.items()}
    last = {}  # (process, topic, partition): offset polled last
    for event in history.events:
        process = event["process"]
        if event["op"] == "assign":
            last = {key: offset for key, offset in last.items() if key[0] != process}
        if event["op"] != "poll":
            continue
        for topic, partition, offset, value in event["records"]:
            before = last.get((process, topic, partition))
            last[process, topic, partition] = offset
            if before is None:
                continue
            if offset <= before:
                yield "nonmonotonic-poll", f"{process} polled {_at((topic, partition, offset))} after offset {before}"
                continue
            known = order.get((topic, partition), [])
            passed = known[bisect.bisect_right(known, before) : bisect.bisect_left(known, offset)]
            if passed:
                yield "poll-skip", f"{process} went from {_at((topic, partition, before))} to {offset} and passed over {passed[:10]}"


def sends_in_order(history):
    last = {}  # (process, producer, topic, partition): the write acknowledged at the highest offset so far
    for write in history.writes.values():
        if write.place is None:
            continue
        key = (*write.producer, *write.place[:2])
        before = last.get(key)
        if before is not None and write.place[2] <= before.place[2]:
            yield "nonmonotonic-send", f"{write.producer[0]}: {write.value!r} {_at(write.place)} was sent after {before.value!r} {_at(before.place)}"
        last[key] = write


def no_circle_of_reads(history):
    reads_from = defaultdict(set)
    for event, _, value in history.polls:
        write = history.writes.get(value)
        reader = event.get("txn")
        if reader is not None and write is not None and write.transaction is not None and write.transaction.name != reader:
            reads_from[reader].add(write.transaction.name)
    try:
        graphlib.TopologicalSorter(reads_from).prepare()
    except graphlib.CycleError as error:
        yield "cyclic-reads", " -> ".join(error.args[1])


def consumed_once(history):
    consumers = defaultdict(list)
    for transaction in history.transactions.values():
        if transaction.outcome == COMMITTED:
            for place in transaction.consumed:
                consumers[place].append(transaction.name)
    for place, names in sorted(consumers.items()):
        if len(names) > 1:
            yield "consumed-twice", f"the record {_at(place)} by {' and '.join(sorted(names))}"


def offsets_of_transactions_rise(history):
    """Transactions one after the other: the later one's offsets are no lower."""
    committed = defaultdict(list)
    for transaction in history.transactions.values():
        if transaction.committed is not None and transaction.begun is not None:
            for key, following in transaction.offsets.items():
                committed[key].append((transaction, following))
    for key, entries in committed.items():
        ended = sorted(entries, key=lambda entry: entry[0].committed)
        highest, done = (None, -1), 0
        for transaction, following in sorted(entries, key=lambda entry: entry[0].begun):
            while done < len(ended) and ended[done][0].committed < transaction.begun:
                highest = max(highest, ended[done], key=lambda entry: entry[1])
                done += 1
            if following < highest[1]:
                yield "offsets-went-back", f"{_of(key)}: {transaction.name} committed {following} after {highest[0].name} had committed {highest[1]}"


def offsets_as_read(history):
    sent, decided = defaultdict(set), defaultdict(list)  # key: offsets that may stand; [(time, offset)] that were confirmed
    for transaction in history.transactions.values():
        for key, following in transaction.offsets.items():
            if transaction.outcome != ABORTED:
                sent[key].add(following)
            if transaction.committed is not None:
                decided[key].append((transaction.committed, following))
    for event in history.events:
        if event["op"] in ("offsets", "offsets_acked") and event.get("txn") is None:
            for topic, partition, following in event["offsets"]:
                key = (event["group"], topic, partition)
                sent[key].add(following)
                if event["op"] == "offsets_acked":
                    decided[key].append((event["time"], following))
    told_of = {group for group, _, _ in sent} | {group for one in history.transactions.values() for group, _, _ in one.offsets}
    last = {}
    for event in history.events:
        if event["op"] != "offsets_read":
            continue
        for topic, partition, following in event["offsets"]:
            key = (event["group"], topic, partition)
            told = f"{_of(key)}: read {following}"
            before = last.get(key, -1)
            confirmed = max((offset for time, offset in decided[key] if time < event["asked"]), default=-1)
            if following < before:
                yield "offsets-went-back", f"{told} after {before}"
            elif following < confirmed:
                yield "lost-offsets", f"{told}, but {confirmed} had been confirmed"
            if key[0] in told_of and following >= 0 and following not in sent[key]:
                yield "aborted-offsets", f"{told}, which no commit or only an aborted transaction sent"
            last[key] = following


CHECKS = [
    one_value_at_one_place, only_what_was_sent, nothing_aborted_or_early, nothing_lost, polls_in_order, sends_in_order, no_circle_of_reads,
    consumed_once, offsets_of_transactions_rise, offsets_as_read,
]  # fmt: skip


def found_in(history):
    """Every anomaly of the history, as [(name, what was found)]."""
    return [found for check in CHECKS for found in check(history)]


def _at(place):
    topic, partition, offset = place
    return f"at {topic}-{partition}/{offset}"


def _of(key):
    group, topic, partition = key
    return f"{group} on {topic}-{partition}"
