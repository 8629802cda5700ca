"""Checks of Kafka's tools for transactions; tools_test.py runs them.

A perf test writes the topic `ledger` in transactions. Another one, `killed`, dies in the middle of its transaction, which
is told about and then terminated. A transaction that no coordinator knows of is found in the topic `stuck` and aborted.
"""

import json
import re
import signal
import time

from lib import api, records
from lib.report import Skipped

from tools import dump, expect

TOPIC = "ledger"
RECORDS = 3000
TRANSACTIONAL = 0x10  # the bit of a batch's attributes
LONG_AGO = 1_700_000_000_000  # ms
EMPTY, ONGOING, PREPARE_COMMIT, PREPARE_ABORT, COMPLETE_COMMIT, COMPLETE_ABORT = range(6)  # as __transaction_state has them

# Without it nobody could write a transactional batch behind the coordinator's back, and nothing would ever hang.
PROPERTIES = {"transaction.partition.verification.enable": "false"}


def transactions(tools, *arguments, expect=0):
    return tools.run("transactions", *arguments, expect=expect)


def table(output, first):
    """The rows of a printed table whose header starts with `first`, as dicts."""
    lines = output.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith(first)), None)
    assert start is not None, f"no table {first} in:\n{output}"
    names = lines[start].split()
    return [dict(zip(names, map(str.strip, line.split("\t")))) for line in lines[start + 1 :] if line.strip()]


def read(tools, topic, isolation_level):
    """How many records the console consumer finds."""
    reading = ("--topic", topic, "--from-beginning", "--timeout-ms", 5000, "--isolation-level", isolation_level)
    return int(expect(r"^Processed a total of (\d+) messages$", tools.run("console-consumer", *reading))[1])


def open_offsets(tools, topic, partition=0):
    """(last stable offset, high watermark)."""
    with api.Client(tools.target.address) as client:
        asked = [{"name": topic, "partitions": [{"partition_index": partition, "timestamp": -1}]}]
        answers = [client.call("ListOffsets", isolation_level=level, topics=asked) for level in (1, 0)]
    return tuple(answer["topics"][0]["partitions"][0]["offset"] for answer in answers)


def perf_in_transactions(tools):
    tools.run("topics", "--create", "--topic", TOPIC)
    load = ("--topic", TOPIC, "--num-records", RECORDS, "--record-size", 100, "--throughput", 3000)
    output = tools.run("producer-perf-test", *load, "--transactional-id", "perf", "--transaction-duration-ms", 50)
    expect(rf"^{RECORDS} records sent, [\d.]+ records/sec .* 99\.9th\.$", output)
    assert read(tools, TOPIC, "read_committed") == RECORDS
    stable, end = open_offsets(tools, TOPIC)
    assert stable == end > RECORDS, f"last stable offset {stable}, high watermark {end}: more than the records, because of the markers"


def killed_in_the_middle(tools):
    load = ("--topic", TOPIC, "--num-records", 100_000, "--record-size", 100, "--throughput", 50)
    options = ("--transactional-id", "killed", "--transaction-duration-ms", 600_000, "--command-property", "transaction.timeout.ms=600000")
    process = tools.start("producer-perf-test", *load, *options)
    deadline = time.monotonic() + 30
    while len(set(open_offsets(tools, TOPIC))) == 1:
        assert time.monotonic() < deadline and process.poll() is None, "no transaction was opened"
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert read(tools, TOPIC, "read_committed") == RECORDS < read(tools, TOPIC, "read_uncommitted")


def list_transactions(tools):
    rows = {row["TransactionalId"]: row for row in table(transactions(tools, "list"), "TransactionalId")}
    assert rows["killed"]["TransactionState"] == "Ongoing" and rows["killed"]["Coordinator"] == "1", rows
    assert rows["perf"]["TransactionState"] in ("CompleteCommit", "Empty"), rows
    assert rows["perf"]["ProducerId"] != rows["killed"]["ProducerId"], rows


def list_filtered(tools):
    def found(*arguments):
        return {row["TransactionalId"] for row in table(transactions(tools, "list", *arguments), "TransactionalId")} & {"perf", "killed"}

    assert "killed" in found("--duration-filter", 1)
    assert "killed" not in found("--duration-filter", 3_600_000)
    assert found("--transactional-id-pattern", "pe.*") == {"perf"}


def describe(tools):
    (row,) = table(transactions(tools, "describe", "--transactional-id", "killed"), "CoordinatorId")
    wanted = {"CoordinatorId": "1", "TransactionalId": "killed", "TransactionState": "Ongoing", "TransactionTimeoutMs": "600000", "TopicPartitions": f"{TOPIC}-0"}
    assert wanted.items() <= row.items(), row
    assert int(row["TransactionDurationMs"]) > 0, row
    unknown = transactions(tools, "describe", "--transactional-id", "never", expect=1)
    expect(r"transactionalId `never` failed because the ID could not be found", unknown)


def describe_producers(tools):
    rows = table(transactions(tools, "describe-producers", "--topic", TOPIC, "--partition", 0), "ProducerId")
    by_open = {row["CurrentTransactionStartOffset"]: row for row in rows}
    stable, _ = open_offsets(tools, TOPIC)
    assert set(by_open) == {"None", str(stable)}, f"{rows}, last stable offset {stable}"
    (row,) = table(transactions(tools, "describe", "--transactional-id", "killed"), "CoordinatorId")
    assert by_open[str(stable)]["ProducerId"] == row["ProducerId"], (rows, row)


def force_terminate(tools):
    transactions(tools, "forceTerminateTransaction", "--transactionalId", "killed")
    deadline = time.monotonic() + 10
    while len(set(open_offsets(tools, TOPIC))) > 1:
        assert time.monotonic() < deadline, f"still open: {open_offsets(tools, TOPIC)}"
        time.sleep(0.1)
    (row,) = table(transactions(tools, "describe", "--transactional-id", "killed"), "CoordinatorId")
    assert row["TransactionState"] in ("CompleteAbort", "Empty"), row
    assert read(tools, TOPIC, "read_committed") == RECORDS


def find_hanging(tools):
    tools.run("topics", "--create", "--topic", "stuck")
    none = transactions(tools, "find-hanging", "--broker-id", 1)
    assert table(none, "Topic") == [], none
    with api.Client(tools.target.address) as client:
        producer_id, epoch = client.init_producer_id()
        idempotence = {"producer_id": producer_id, "producer_epoch": epoch, "base_sequence": 0}
        batch = records.batch([b"nobody ends this"], timestamp=LONG_AGO, attributes=TRANSACTIONAL, **idempotence)
        written = client.produce("stuck", 0, batch, transactional_id="unknown-to-its-coordinator")
        assert written["error_code"] == 0, written
    (row,) = table(transactions(tools, "find-hanging", "--broker-id", 1), "Topic")
    wanted = {"Topic": "stuck", "Partition": "0", "ProducerId": str(producer_id), "ProducerEpoch": str(epoch), "StartOffset": "0", "LastTimestamp": str(LONG_AGO)}
    assert wanted.items() <= row.items(), row
    assert table(transactions(tools, "find-hanging", "--topic", "stuck", "--partition", 0), "Topic") == [row]


def abort_hanging(tools):
    assert read(tools, "stuck", "read_committed") == 0
    transactions(tools, "abort", "--topic", "stuck", "--partition", 0, "--start-offset", 0)
    assert open_offsets(tools, "stuck") == (2, 2)
    assert read(tools, "stuck", "read_committed") == 0 and read(tools, "stuck", "read_uncommitted") == 1
    assert table(transactions(tools, "find-hanging", "--broker-id", 1), "Topic") == []
    assert transactions(tools, "abort", "--topic", "stuck", "--partition", 0, "--start-offset", 0, expect=1)


# ---- after the graceful stop, and after the start that follows


def files(tools, pattern):
    if tools.target.data is None:
        raise Skipped("the broker's data directory is not ours to read")
    return [path for path in sorted(tools.target.data.glob(pattern)) if path.stat().st_size]


def dump_transactional_log(tools):
    output = dump(tools, files(tools, f"{TOPIC}-0/*.log"), "--deep-iteration")
    expect(r"^baseOffset: 0 .* isTransactional: true isControl: false .* isvalid: true$", output)
    expect(r"isTransactional: true isControl: true .* isvalid: true$", output)
    markers = re.findall(r"endTxnMarker: (\w+) coordinatorEpoch: (\d+)", output)
    kinds = {kind for kind, _ in markers}
    assert kinds == {"COMMIT", "ABORT"} and len(markers) > 5, markers


def dump_transaction_index(tools):
    entries = re.findall(r"^version: 0 producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+) lastStableOffset: (\d+)$",
                         dump(tools, files(tools, f"{TOPIC}-0/*.txnindex")), re.M)  # fmt: skip
    assert len(entries) == 1, entries
    _, first, last, stable = map(int, entries[0])
    assert RECORDS < first < last and stable > last, entries


def dump_transaction_state(tools):
    """__transaction_state as Kafka's own deserializers read it."""
    output = dump(tools, files(tools, "__transaction_state-*/*.log"), "--transaction-log-decoder")
    told = re.findall(r'key: \{"type":"0","data":\{"transactionalId":"(\w+)"\}\} payload: (\{.*\})$', output, re.M)
    for name, end in (("perf", {PREPARE_COMMIT, COMPLETE_COMMIT}), ("killed", {PREPARE_ABORT, COMPLETE_ABORT})):
        states = [json.loads(payload)["data"] for found, payload in told if found == name]
        seen = {state["transactionStatus"] for state in states}
        assert {EMPTY, ONGOING} | end <= seen, f"{name}: states {seen}\n{output[:2000]}"
        began = [state for state in states if state["transactionStatus"] == ONGOING]
        assert all(state["transactionPartitions"] == [{"topic": TOPIC, "partitionIds": [0]}] for state in began), began


def transactions_survive_a_restart(tools):
    rows = {row["TransactionalId"]: row["TransactionState"] for row in table(transactions(tools, "list"), "TransactionalId")}
    assert {"perf", "killed"} <= set(rows), rows
    assert read(tools, TOPIC, "read_committed") == RECORDS


ONLINE = [
    ("kafka-producer-perf-test --transactional-id", perf_in_transactions),
    ("kafka-producer-perf-test killed in a transaction", killed_in_the_middle),
    ("kafka-transactions list", list_transactions),
    ("kafka-transactions list, filtered", list_filtered),
    ("kafka-transactions describe", describe),
    ("kafka-transactions describe-producers", describe_producers),
    ("kafka-transactions forceTerminateTransaction", force_terminate),
    ("kafka-transactions find-hanging", find_hanging),
    ("kafka-transactions abort", abort_hanging),
]
STOPPED = [
    ("kafka-dump-log: transactional batches and markers", dump_transactional_log),
    ("kafka-dump-log: transaction index", dump_transaction_index),
    ("kafka-dump-log --transaction-log-decoder", dump_transaction_state),
]
RESTARTED = [("kafka-transactions after a restart", transactions_survive_a_restart)]
