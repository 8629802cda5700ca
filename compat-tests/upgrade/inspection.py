"""What a broker serves, as one JSON value: every batch, offset, group, transaction, producer and configuration.

Two brokers serve the same if their inspections are equal; `difference` says where they are not. Nothing is changed by
asking. `go_on` then continues what the directories left half done.
"""

import base64
import struct

from lib import admin_api, api, records  # noqa: F401  (admin_api brings the requests)

import content

OUT_OF_ORDER = 45
READ_COMMITTED = 1
_SOURCES = {1: "topic", 3: "cluster", 8: "group"}


def inspect(broker):
    with api.Client(broker.address, timeout=30.0) as client:
        topics = _topics(client)
        partitions = [(name, index) for name, topic in topics.items() for index in range(topic["partitions"])]
        return {
            "topics": topics,
            "records": {f"{t}-{p}": _partition(client, t, p) for t, p in partitions},
            "producers": {f"{t}-{p}": _producers(client, t, p) for t, p in partitions},
            "groups": _groups(client),
            "transactions": _transactions(client),
            "configs": _configs(client, topics),
        }


def _topics(client):
    found = {}
    for topic in client.metadata()["topics"]:
        if not topic["is_internal"]:
            assert topic["error_code"] == 0, topic
            found[topic["name"]] = {"id": base64.urlsafe_b64encode(topic["topic_id"]).decode(), "partitions": len(topic["partitions"])}
    return dict(sorted(found.items()))


def _partition(client, topic, partition):
    """Start, end, last stable offset; every batch with its CRC, which is checked; what readers of committed records see."""
    start = api.until_ready(lambda: client.offset(topic, partition, -2))
    end = client.offset(topic, partition, -1)
    assert start["error_code"] == end["error_code"] == 0, (topic, partition, start, end)
    told = {"start": start["offset"], "end": end["offset"], "batches": []}
    at = start["offset"]
    while at < end["offset"]:
        fetched = client.fetch(topic, partition, at)
        assert fetched["error_code"] == 0 and fetched["records"], (topic, partition, at, fetched)
        for batch in _batches(fetched["records"]):
            if batch["last"] >= at:
                told["batches"].append(batch)
                at = batch["last"] + 1
    committed = client.fetch(topic, partition, start["offset"], isolation_level=READ_COMMITTED, max_wait_ms=0)
    told["last_stable"] = committed["last_stable_offset"]
    told["aborted"] = sorted([aborted["producer_id"], aborted["first_offset"]] for aborted in committed["aborted"] or [])
    return told


def _batches(data):
    """The whole batches, without reading what is inside: a checksum says that that is the same."""
    at = 0
    while at + records.BATCH_HEADER_SIZE <= len(data):
        base, length, _, _, crc = struct.unpack_from(">qiibI", data, at)
        end = at + 12 + length
        if end > len(data):
            return
        assert length > 100_000 or records.crc32c(data[at + 21 : end]) == crc, f"bad CRC at offset {base}"  # big ones: too slow here
        attributes, last, first_time, last_time, producer, epoch, sequence, count = struct.unpack_from(">hiqqqhii", data, at + 21)
        yield {
            "base": base, "last": base + last, "crc": crc, "attributes": attributes, "times": [first_time, last_time],
            "producer": [producer, epoch, sequence], "count": count,
        }  # fmt: skip
        at = end


def _producers(client, topic, partition):
    answer = client.call("DescribeProducers", topics=[{"name": topic, "partition_indexes": [partition]}])["topics"][0]["partitions"][0]
    assert answer["error_code"] == 0, answer
    fields = ("producer_id", "producer_epoch", "last_sequence", "last_timestamp", "current_txn_start_offset")
    return sorted([producer[field] for field in fields] for producer in answer["active_producers"])


def _groups(client):
    for group in ("offsets-only", "classic", "consumer", "left", "in-transaction"):
        client.await_group(group)
    listed = client.call("ListGroups")
    assert listed["error_code"] == 0, listed
    found = {}
    for group in listed["groups"]:
        group_id = group["group_id"]
        found[group_id] = {"type": group["group_type"].lower(), "protocol": group["protocol_type"], "state": group["group_state"]}
        fetched = client.call("OffsetFetch", groups=[{"group_id": group_id}])["groups"][0]
        assert fetched["error_code"] == 0, fetched
        found[group_id]["offsets"] = {
            f"{topic['name']}-{p['partition_index']}": [p["committed_offset"], p["metadata"]]
            for topic in fetched["topics"]
            for p in topic["partitions"]
        }
    classic = client.call("DescribeGroups", groups=["classic"])["groups"][0]
    found["classic"]["members"] = [[member["member_id"], member["member_assignment"].hex()] for member in classic["members"]]
    consumer = client.call("ConsumerGroupDescribe", group_ids=["consumer"])["groups"][0]
    found["consumer"]["epochs"] = [consumer["group_epoch"], consumer["assignment_epoch"]]
    found["consumer"]["members"] = [[m["member_id"], m["member_epoch"], sorted(m["subscribed_topic_names"])] for m in consumer["members"]]
    return dict(sorted(found.items()))


def _transactions(client):
    listed = content.until(lambda: client.call("ListTransactions"), api.NOT_YET)
    assert listed["error_code"] == 0, listed
    ids = sorted(transaction["transactional_id"] for transaction in listed["transaction_states"])
    found = {}
    for state in client.call("DescribeTransactions", transactional_ids=ids)["transaction_states"]:
        assert state["error_code"] == 0, state
        topics = sorted(f"{topic['topic']}-{p}" for topic in state["topics"] for p in topic["partitions"] if not topic["topic"].startswith("__"))
        found[state["transactional_id"]] = [
            state["transaction_state"],
            state["producer_id"],
            state["producer_epoch"],
            state["transaction_timeout_ms"],
            topics,
        ]
    return found


def _configs(client, topics):
    """What was set: by kind and name of the resource."""
    resources = [(content.TOPIC, name) for name in topics] + [(content.BROKER, ""), (content.GROUP, "consumer")]
    asked = [{"resource_type": kind, "resource_name": name} for kind, name in resources]
    found = {}
    for result in client.call("DescribeConfigs", resources=asked)["results"]:
        assert result["error_code"] == 0, result
        set_here = {c["name"]: c["value"] for c in result["configs"] if c["config_source"] in _SOURCES}
        if result["resource_type"] == content.TOPIC:
            set_here = {c["name"]: c["value"] for c in result["configs"] if c["config_source"] == 1}
        found[f"{result['resource_type']} {result['resource_name']}"] = dict(sorted(set_here.items()))
    return found


def difference(expected, found, path=""):
    """Where two inspections differ, a line each."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted(expected.keys() | found.keys())
            for line in difference(expected.get(key, "nothing"), found.get(key, "nothing"), f"{path}/{key}")
        ]
    return [] if expected == found else [f"{path}: {expected!r} was expected, found {found!r}"]


def go_on(broker, notes, now):
    """Members beat, an idempotent producer sends again and goes on, the open transaction is committed. `now`: in seconds."""
    with api.Client(broker.address, timeout=30.0) as client:
        beat = client.call("Heartbeat", group_id="classic", **notes["classic"])
        assert beat["error_code"] == 0, f"the member of the classic group is told {beat['error_code']}"
        beat = client.call("ConsumerGroupHeartbeat", group_id="consumer", **notes["consumer"])
        assert beat["error_code"] == 0, f"the member of the consumer group is told {beat}"
        _producer_goes_on(client, notes["idempotent"], int(now * 1000))
        before = client.offset("transactions", 1)["offset"]
        content.end(client, notes["open"], True)
        told = content.until(lambda: {"error_code": 0 if _last_stable(client) > before else 51}, {51})
        assert told["error_code"] == 0, "the open transaction was committed, and its records are still not stable"
        content.await_offset(client, "in-transaction", ("codecs", 4), 12)


def _last_stable(client):
    return client.fetch("transactions", 1, 0, isolation_level=READ_COMMITTED, max_wait_ms=0)["last_stable_offset"]


def _producer_goes_on(client, notes, now_ms):
    last = bytes.fromhex(notes["batches"][-1])
    again = client.produce("idempotent", 0, last)
    assert (again["error_code"], again["base_offset"]) == (0, 4), f"a batch that was there already: {again}"
    fields = {"producer_id": notes["producer_id"], "producer_epoch": notes["epoch"], "timestamp": now_ms}
    gap = client.produce("idempotent", 0, records.batch([b"gap"], base_sequence=notes["next_sequence"] + 5, **fields))
    assert gap["error_code"] == OUT_OF_ORDER, f"a gap in the sequence: {gap}"
    next_one = client.produce("idempotent", 0, records.batch([b"6"], base_sequence=notes["next_sequence"], **fields))
    assert (next_one["error_code"], next_one["base_offset"]) == (0, 6), f"the next batch: {next_one}"
