"""What is asked of both brokers, as data.

A scenario has a set-up (topics and records that it needs, made on both) and requests. A request is (API, body) with
Kafka's field names. The API of the first one (or the one that `varies`) is sent in every version that Kafka serves, or
in `versions`; the others are sent in their newest. A field of `only(versions, value)` is there in those versions alone.
In strings, {v} becomes the version, so that every version has topics of its own, and {n} the scenario's number and the
version; "$id:NAME" becomes the topic's id on the broker that is asked. A third element of a request, {name: field},
keeps a field of the answer: "$name" in the bodies that follow is its value on the broker that is asked.
"""

import base64
from dataclasses import dataclass, field

from lib import api, records

NOW = 1_790_000_000_000  # a fixed time, so that both brokers store the same
ZERO = "AAAAAAAAAAAAAAAAAAAAAA"
UNKNOWN_ID = "q80AEv8SNE2rzQAS_xI0TQ"
LONG_MAX = 2**63 - 1


@dataclass
class Scenario:
    """`requests` in order; `topics` {name: partitions or (partitions, configs)}; `produce` {topic: how many records}."""

    name: str
    requests: list
    topics: dict = field(default_factory=dict)
    produce: dict = field(default_factory=dict)
    versions: range | None = None
    varies: str | None = None


def only(versions, value):
    """A field's value for some versions; in the others the field keeps its default."""
    return {"$versions": [versions.start, versions.stop], "value": value}


def encoded(batch):
    return base64.b64encode(batch).decode()


def batch(*values, **fields):
    return encoded(records.batch([value.encode() for value in values], timestamp=NOW, **fields))


def metadata(*topics, **fields):
    return ("Metadata", {"topics": [{"name": topic} if isinstance(topic, str) else topic for topic in topics], **fields})


def delete(*topics):
    names, states = only(range(6), list(topics)), only(range(6, 7), [{"name": topic} for topic in topics])
    return ("DeleteTopics", {"topicNames": names, "topics": states, "timeoutMs": 5000})


def grow(*topics, **fields):
    return ("CreatePartitions", {"topics": [{"assignments": None, **topic} for topic in topics], "timeoutMs": 5000, **fields})


def create(**topic):
    topic = {"name": "made-{v}", "numPartitions": 1, "replicationFactor": 1, **topic}
    return ("CreateTopics", {"topics": [topic], "timeoutMs": 10_000})


def configs(*pairs):
    return [{"name": name, "value": value} for name, value in pairs]


def assignments(*pairs):
    return {"numPartitions": -1, "replicationFactor": -1, "assignments": [{"partitionIndex": p, "brokerIds": b} for p, b in pairs]}


def list_offsets(timestamp, topic="list-{v}", partition=0, **fields):
    inner = {"partitionIndex": partition, "timestamp": timestamp, **fields}
    return ("ListOffsets", {"replicaId": -1, "topics": [{"name": topic, "partitions": [inner]}]})


def produce(topic, records_field, partition=0, **fields):
    partitions = [{"index": partition, "records": records_field}]
    return ("Produce", {"acks": -1, "timeoutMs": 5000, "topicData": [{"name": topic, "topicId": f"$id:{topic}", "partitionData": partitions}], **fields})


def fetch(topic, offset=0, partition=0, inner=None, **fields):
    partitions = [{"partition": partition, "fetchOffset": offset, "partitionMaxBytes": 1 << 20, **(inner or {})}]
    body = {"maxWaitMs": 0, "minBytes": 1, "maxBytes": 1 << 20, "sessionEpoch": -1}
    return ("Fetch", {**body, "topics": [{"topic": topic, "topicId": f"$id:{topic}", "partitions": partitions}], **fields})


def epoch_end(leader_epoch, topic="epochs-{v}", partition=0, current=-1):
    inner = {"partition": partition, "leaderEpoch": leader_epoch, "currentLeaderEpoch": current}
    return ("OffsetForLeaderEpoch", {"replicaId": -2, "topics": [{"topic": topic, "partitions": [inner]}]})


def describe_configs(kind, name, keys=None, synonyms=True):
    resource = {"resourceType": kind, "resourceName": name, "configurationKeys": keys}
    return ("DescribeConfigs", {"resources": [resource], "includeSynonyms": synonyms, "includeDocumentation": False})


def alter_configs(kind, name, validate_only=False, **values):
    """IncrementalAlterConfigs; dots of the names are double underscores here, and None deletes."""
    configs = [{"name": key.replace("__", "."), "configOperation": 0 if value is not None else 1, "value": value} for key, value in values.items()]
    return ("IncrementalAlterConfigs", {"resources": [{"resourceType": kind, "resourceName": name, "configs": configs}], "validateOnly": validate_only})


TOPIC, BROKER, BROKER_LOGGER, GROUP = 2, 4, 8, 32

SCENARIOS = [
    Scenario("api versions", [("ApiVersions", {"clientSoftwareName": "differential", "clientSoftwareVersion": "1"})]),
    Scenario("api versions, bad software name", [("ApiVersions", {"clientSoftwareName": "-", "clientSoftwareVersion": "?"})], versions=range(3, 5)),
    # Metadata
    Scenario("metadata of a topic", [metadata("known-{v}")], topics={"known-{v}": 3}),
    Scenario("metadata of an unknown topic", [metadata("unknown", allowAutoTopicCreation=False)], versions=range(4, 14)),
    Scenario("metadata creates a topic", [metadata("auto-{v}")]),
    Scenario("metadata of bad names", [metadata("a/b", "", ".."), metadata("x" * 250)]),
    Scenario("metadata of no topic", [metadata()], versions=range(1, 14)),
    Scenario("metadata by unknown id", [metadata({"name": None, "topicId": UNKNOWN_ID})], versions=range(12, 14)),
    Scenario("metadata by id", [metadata({"name": None, "topicId": "$id:by-id-{v}"})], topics={"by-id-{v}": 1}, versions=range(12, 14)),
    Scenario("metadata by id too early", [metadata({"name": None, "topicId": UNKNOWN_ID})], versions=range(10, 12)),
    Scenario("metadata with authorized operations",
             [metadata("allowed-{v}", includeTopicAuthorizedOperations=True, includeClusterAuthorizedOperations=only(range(8, 11), True))],
             topics={"allowed-{v}": 1}, versions=range(8, 14)),
    Scenario("metadata of one topic twice", [metadata("double-{v}", "double-{v}")], topics={"double-{v}": 1}),
    # CreateTopics
    Scenario("create a topic", [create(numPartitions=3), create(numPartitions=3)]),
    Scenario("create a topic with the default numbers", [create(name="defaults-{v}", numPartitions=-1, replicationFactor=-1)], versions=range(4, 8)),
    Scenario("create a topic with configs",
             [create(name="configured-{v}", configs=configs(("retention.ms", "5000"), ("cleanup.policy", "compact,delete")))]),
    Scenario("create only validated", [("CreateTopics", {"topics": [{"name": "dry-{v}", "numPartitions": 2, "replicationFactor": 1}], "validateOnly": True}),
                                       metadata("dry-{v}", allowAutoTopicCreation=False)], versions=range(4, 8)),
    Scenario("create topics with bad names", [create(name=name) for name in ("", ".", "..", "a/b", "x" * 250, "é", "a b", "__cluster_metadata")]),
    Scenario("create topics whose names collide", [create(name="a.b-{v}"), create(name="a_b-{v}")]),
    Scenario("create with bad numbers", [create(**numbers) for numbers in (
        {"numPartitions": 0}, {"numPartitions": -2}, {"replicationFactor": 0}, {"replicationFactor": -3}, {"replicationFactor": 2})]),
    Scenario("create with assignments", [create(name="assigned-{v}", **assignments((0, [1]), (1, [1]))),
                                         metadata("assigned-{v}", allowAutoTopicCreation=False)], versions=range(4, 8)),
    Scenario("create with bad assignments", [create(**assignments(*pairs)) for pairs in (
        [(0, [9])], [(0, [1, 1])], [(0, [])], [(0, [1]), (0, [1])], [(1, [1])], [(0, [1]), (2, [1])], [(-1, [1])])]),
    Scenario("create with an assignment and numbers",
             [create(**{**assignments((0, [1])), "numPartitions": 1}), create(**{**assignments((0, [1])), "replicationFactor": 1})]),
    Scenario("create with bad configs", [create(configs=configs(pair)) for pair in (
        ("no.such.config", "1"), ("retention.ms", None), ("retention.ms", "x"), ("segment.bytes", "1"), ("cleanup.policy", "shred"),
        ("compression.type", "rar"), ("min.insync.replicas", "0"), ("message.timestamp.type", "Never"), ("max.message.bytes", "-1"),
        ("retention.bytes", "-2"), ("unclean.leader.election.enable", "maybe"), ("remote.storage.enable", "true"))]),
    Scenario("create one topic twice in a request",
             [("CreateTopics", {"topics": [{"name": "pair-{v}", "numPartitions": 1, "replicationFactor": 1}] * 2})]),
    # DeleteTopics
    Scenario("delete a topic", [delete("gone-{v}"), delete("gone-{v}")], topics={"gone-{v}": 1}),
    Scenario("delete by id", [("DeleteTopics", {"topics": [topic], "timeoutMs": 5000}) for topic in (
        {"name": None, "topicId": "$id:gone-by-id-{v}"}, {"name": None, "topicId": UNKNOWN_ID}, {"name": None, "topicId": ZERO},
        {"name": "both", "topicId": UNKNOWN_ID})],
             topics={"gone-by-id-{v}": 1}, versions=range(6, 7)),
    Scenario("delete topics that cannot be", [delete(name) for name in ("never", "a/b", "")] + [delete("never", "a/b")]),
    Scenario("delete one topic twice in a request", [delete("twice-{v}", "twice-{v}")], topics={"twice-{v}": 1}),
    # CreatePartitions
    Scenario("add partitions", [grow({"name": "grow-{v}", "count": count, "assignments": assigned}) for count, assigned in (
        (3, None), (3, None), (2, None), (0, None), (-1, None), (4, [{"brokerIds": [1]}]), (5, [{"brokerIds": [9]}]), (6, [{"brokerIds": [1]}]),
        (5, [{"brokerIds": []}]))], topics={"grow-{v}": 1}),
    Scenario("add partitions to nothing", [grow({"name": name, "count": 2}) for name in ("never", "a/b", "")]),
    Scenario("add partitions, only validated", [grow({"name": "dry-grow-{v}", "count": 4}, validateOnly=True), metadata("dry-grow-{v}")],
             topics={"dry-grow-{v}": 1}),
    Scenario("add partitions twice in a request", [grow({"name": "grow-twice-{v}", "count": 2}, {"name": "grow-twice-{v}", "count": 3})],
             topics={"grow-twice-{v}": 1}),
    # Produce
    Scenario("produce", [produce("produce-{v}", batch("a", "b")), produce("produce-{v}", batch("c", codec=records.GZIP)), fetch("produce-{v}")],
             topics={"produce-{v}": 1}, versions=range(3, 14)),
    Scenario("produce to nothing", [produce("never", batch("a")), produce("produce-0-{v}", batch("a"), partition=7)],
             topics={"produce-0-{v}": 1}, versions=range(3, 13)),
    Scenario("produce by an unknown id",
             [("Produce", {"acks": -1, "timeoutMs": 5000, "topicData": [{"topicId": topic_id, "partitionData": [{"index": 0, "records": batch("a")}]}]})
              for topic_id in (UNKNOWN_ID, ZERO)], versions=range(13, 14)),
    Scenario("produce with bad acks", [produce("acks-{v}", batch("a"), acks=acks) for acks in (2, -2, 1)], topics={"acks-{v}": 1}),
    Scenario("produce bad batches", [produce("bad-{v}", one) for one in (
        encoded(b""), batch("a", crc=1), batch("a", base_offset=3), batch("a", last_offset_delta=4), batch("a", count=2, last_offset_delta=1),
        batch("a", magic=1), batch("a", attributes=records.CONTROL_BIT), batch("a", "b") + "", encoded(records.batch([b"a"], timestamp=LONG_MAX)),
        batch("a", producer_id=9, producer_epoch=0, base_sequence=-1))], topics={"bad-{v}": 1}),
    Scenario("produce too much", [produce("large-{v}", encoded(records.batch([b"x" * 2000], timestamp=NOW)))],
             topics={"large-{v}": (1, {"max.message.bytes": 1000})}),
    Scenario("produce with log append time", [produce("stamped-{v}", batch("a"))], topics={"stamped-{v}": (1, {"message.timestamp.type": "LogAppendTime"})}),
    Scenario("produce to a compacted topic", [produce("compacted-{v}", batch("a")),
                                              produce("compacted-{v}", encoded(records.batch([records.Record(b"v", key=b"k", timestamp=NOW)])))],
             topics={"compacted-{v}": (1, {"cleanup.policy": "compact"})}),
    Scenario("idempotence", [produce("idem-{v}", batch("x", producer_id=4711, producer_epoch=epoch, base_sequence=sequence)) for epoch, sequence in (
        (0, 0), (0, 1), (0, 1), (0, 0), (0, 5), (0, 2), (0, 3), (0, 4), (0, 5), (0, 6), (0, 0), (1, 3), (1, 0), (0, 7), (1, 1))] + [fetch("idem-{v}")],
             topics={"idem-{v}": 1}, versions=range(3, 14)),
    Scenario("idempotence starts anywhere", [produce("idem-new-{v}", batch("x", producer_id=4712, producer_epoch=3, base_sequence=sequence))
                                             for sequence in (77, 78, 80)], topics={"idem-new-{v}": 1}),
    # Fetch
    Scenario("fetch", [fetch("fetch-{v}", offset) for offset in (0, 5, 9, 10, 11, -1, LONG_MAX)], topics={"fetch-{v}": 1}, produce={"fetch-{v}": 10}),
    Scenario("fetch with small limits", [fetch("fetch-small-{v}", 0, inner={"partitionMaxBytes": 1}), fetch("fetch-small-{v}", 3, maxBytes=1),
                                         fetch("fetch-small-{v}", 0, maxBytes=0), fetch("fetch-small-{v}", 0, inner={"partitionMaxBytes": 0})],
             topics={"fetch-small-{v}": 1}, produce={"fetch-small-{v}": 10}),
    Scenario("fetch from nothing", [fetch("never"), fetch("fetch-one-{v}", partition=4), fetch("fetch-one-{v}", partition=-1)],
             topics={"fetch-one-{v}": 1}, versions=range(4, 13)),
    Scenario("fetch by an unknown id",
             [("Fetch", {"maxWaitMs": 0, "sessionEpoch": -1, "topics": [{"topicId": UNKNOWN_ID, "partitions": [{"partition": 0}]}]})], versions=range(13, 19)),
    Scenario("fetch with epochs", [fetch("fetch-epoch-{v}", inner={"currentLeaderEpoch": epoch}) for epoch in (-1, 0, 1, 99)],
             topics={"fetch-epoch-{v}": 1}, produce={"fetch-epoch-{v}": 3}, versions=range(9, 19)),
    Scenario("fetch with a last fetched epoch", [fetch("fetch-last-{v}", 1, inner={"lastFetchedEpoch": epoch}) for epoch in (-1, 0, 7)],
             topics={"fetch-last-{v}": 1}, produce={"fetch-last-{v}": 3}, versions=range(12, 19)),
    Scenario("fetch read committed", [fetch("fetch-committed-{v}", isolationLevel=1)], topics={"fetch-committed-{v}": 1}, produce={"fetch-committed-{v}": 3}),
    Scenario("fetch sessions", [fetch("fetch-session-{v}", sessionId=0, sessionEpoch=0), fetch("fetch-session-{v}", sessionId=0, sessionEpoch=3),
                                fetch("fetch-session-{v}", sessionId=999, sessionEpoch=3), fetch("fetch-session-{v}", sessionId=999, sessionEpoch=-1),
                                fetch("fetch-session-{v}", sessionId=999, sessionEpoch=0)],
             topics={"fetch-session-{v}": 1}, produce={"fetch-session-{v}": 3}, versions=range(7, 19)),
    # ListOffsets
    Scenario("list offsets", [list_offsets(at) for at in (-1, -2, -3, -4, -5, -6, -7, -100, 0, NOW, NOW + 4, NOW + 9, NOW + 10, LONG_MAX)],
             topics={"list-{v}": 1}, produce={"list-{v}": 10}),
    Scenario("list offsets of an empty partition", [list_offsets(at, topic="list-empty-{v}") for at in (-1, -2, -3, -4, -5, -6, 0)],
             topics={"list-empty-{v}": 1}),
    Scenario("list offsets of nothing", [list_offsets(-1, topic="never"), list_offsets(-1, topic="list-one-{v}", partition=5)], topics={"list-one-{v}": 1}),
    Scenario("list offsets with epochs", [list_offsets(-1, topic="list-epoch-{v}", currentLeaderEpoch=epoch) for epoch in (0, 1, 9)],
             topics={"list-epoch-{v}": 1}, versions=range(4, 12)),
    Scenario("list offsets twice", [("ListOffsets", {"replicaId": -1, "topics": [{"name": "list-two-{v}", "partitions": [
        {"partitionIndex": 0, "timestamp": -1}, {"partitionIndex": 0, "timestamp": -2}]}]})], topics={"list-two-{v}": 1}),
    # OffsetForLeaderEpoch
    Scenario("end of an epoch", [epoch_end(epoch) for epoch in (0, 1, 99, -1)] + [epoch_end(0, current=5), epoch_end(0, current=0)],
             topics={"epochs-{v}": 1}, produce={"epochs-{v}": 5}),
    Scenario("end of an epoch of nothing", [epoch_end(0, topic="never"), epoch_end(0, topic="epoch-one-{v}", partition=3)], topics={"epoch-one-{v}": 1}),
    # DeleteRecords
    Scenario("delete records", [("DeleteRecords", {"timeoutMs": 5000, "topics": [{"name": "trim-{v}", "partitions": [{"partitionIndex": 0, "offset": offset}]}]})
                                for offset in (4, 2, 11, -1, -2, LONG_MAX)] + [list_offsets(-2, topic="trim-{v}"), fetch("trim-{v}", 3)],
             topics={"trim-{v}": 1}, produce={"trim-{v}": 10}),
    Scenario("delete records of nothing", [("DeleteRecords", {"timeoutMs": 5000, "topics": [{"name": name, "partitions": [{"partitionIndex": at, "offset": 0}]}]})
                                           for name, at in (("never", 0), ("trim-one-{v}", 6))], topics={"trim-one-{v}": 1}),
    # InitProducerId
    Scenario("a producer id", [("InitProducerId", {"transactionalId": None, "transactionTimeoutMs": 1000}),
                               ("InitProducerId", {"transactionalId": None, "transactionTimeoutMs": -1})]),
    Scenario("an empty transactional id", [("InitProducerId", {"transactionalId": "", "transactionTimeoutMs": 1000})]),
    Scenario("a producer id that is brought along", [("InitProducerId", {"transactionalId": None, "producerId": 5, "producerEpoch": 3}),
                                                     ("InitProducerId", {"transactionalId": None, "producerId": 5, "producerEpoch": -1})], versions=range(3, 6)),
    # DescribeConfigs
    Scenario("configs of a topic", [describe_configs(TOPIC, "conf-{v}"), describe_configs(TOPIC, "conf-{v}", synonyms=False)],
             topics={"conf-{v}": (1, {"retention.ms": "5000"})}),
    Scenario("some configs of a topic", [describe_configs(TOPIC, "conf-some-{v}", keys) for keys in (["retention.ms"], [], ["no.such.key", "cleanup.policy"])],
             topics={"conf-some-{v}": 1}),
    Scenario("configs of nothing", [describe_configs(TOPIC, "never"), describe_configs(TOPIC, "a/b"), describe_configs(TOPIC, ""),
                                    describe_configs(BROKER, "99"), describe_configs(BROKER, "one"), describe_configs(99, "x"), describe_configs(0, "x")]),
    Scenario("configs of the broker", [describe_configs(BROKER, "1", [
        "num.partitions", "message.max.bytes", "log.retention.ms", "log.retention.hours", "log.segment.bytes", "auto.create.topics.enable",
        "default.replication.factor", "min.insync.replicas", "log.cleanup.policy", "compression.type", "log.message.timestamp.type",
        "connections.max.idle.ms", "socket.request.max.bytes", "fetch.max.bytes", "max.incremental.fetch.session.cache.slots", "node.id",
        "unclean.leader.election.enable", "num.network.threads.no.such"])]),
    Scenario("configs of the cluster's default", [describe_configs(BROKER, "", ["min.insync.replicas", "num.partitions"])]),
    # Kafka may tell of a change only a while after it has answered it: no description here.
    Scenario("alter configs of the broker", [alter_configs(BROKER, name, max__connections__per__ip=value)
                                             for name in ("1", "") for value in ("1000", None)]),
    Scenario("configs of the broker that cannot be", [alter_configs(BROKER, name, True, **values) for name, values in (
        ("1", {"num__partitions": "3"}), ("1", {"num__partitions": None}), ("1", {"message__max__bytes": "-1"}), ("1", {"message__max__bytes": "x"}),
        ("", {"cordoned__log__dirs": "/tmp"}), ("99", {"max__connections": "50"}), ("one", {"max__connections": "50"}), ("-1", {"max__connections": "50"}),
        ("1", {"max__connections__per__ip": "0"}), ("1", {"max__connections__per__ip__overrides": "a"}), ("1", {"log__retention__ms": "0"}),
        ("1", {"no__such__key": "1"}), ("1", {"log__roll__ms": "0"}), ("1", {"log__cleaner__dedupe__buffer__size": "5"}),
        ("", {"ssl__keystore__location": "x"}), ("1", {"node__id": "1", "max__connections": "50"}))]),
    # DescribeCluster, DescribeQuorum, DescribeTopicPartitions, FindCoordinator
    Scenario("describe the cluster", [("DescribeCluster", {"includeClusterAuthorizedOperations": operations, "endpointType": only(range(1, 3), kind)})
                                      for operations, kind in ((False, 1), (True, 1), (False, 2), (False, 7))]),
    Scenario("describe the quorum", [("DescribeQuorum", {"topics": [{"topicName": "__cluster_metadata", "partitions": [{"partitionIndex": 0}]}]})]),
    Scenario("describe the quorum of nothing", [("DescribeQuorum", {"topics": [{"topicName": name, "partitions": [{"partitionIndex": at}]}]})
                                                for name, at in (("never", 0), ("__cluster_metadata", 1))]),
    Scenario("describe topic partitions", [("DescribeTopicPartitions", {"topics": [{"name": name}], **limits}) for name, limits in (
        ("describe-{v}", {}), ("describe-{v}", {"responsePartitionLimit": 2}), ("describe-{v}", {"responsePartitionLimit": 0}),
        ("describe-{v}", {"cursor": {"topicName": "describe-{v}", "partitionIndex": 3}}), ("never", {}), ("a/b", {}))]
        + [("DescribeTopicPartitions", {"topics": [{"name": "describe-{v}"}, {"name": "describe-too-{v}"}], "responsePartitionLimit": 6})],
             topics={"describe-{v}": 5, "describe-too-{v}": 3}),
    Scenario("find a coordinator of an unknown type", [("FindCoordinator", {"key": only(range(4), "g"), "keyType": 7, "coordinatorKeys": only(range(4, 7), ["g"])})], versions=range(1, 7)),
]  # fmt: skip
