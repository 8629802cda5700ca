"""The requests that the black-box tests send by hand: one flexible version of each API, described as data.

A message is a dict with Kafka's field names in snake_case; a field left out takes the default given here (or zero,
"", empty). `Client` sends one and returns the decoded answer. Error codes stay numbers: `ERROR` names those used.
"""

import itertools
import time

from lib.wire import Closed, Connection, Reader, Writer, frame, header  # noqa: F401  (Closed is part of this API)

ERROR = {
    "UNKNOWN_SERVER_ERROR": -1,
    "NONE": 0,
    "OFFSET_OUT_OF_RANGE": 1,
    "CORRUPT_MESSAGE": 2,
    "UNKNOWN_TOPIC_OR_PARTITION": 3,
    "LEADER_NOT_AVAILABLE": 5,
    "NOT_LEADER_OR_FOLLOWER": 6,
    "MESSAGE_TOO_LARGE": 10,
    "COORDINATOR_LOAD_IN_PROGRESS": 14,
    "COORDINATOR_NOT_AVAILABLE": 15,
    "NOT_COORDINATOR": 16,
    "REBALANCE_IN_PROGRESS": 27,
    "INVALID_TOPIC_EXCEPTION": 17,
    "RECORD_LIST_TOO_LARGE": 18,
    "INVALID_REQUIRED_ACKS": 21,
    "INVALID_TIMESTAMP": 32,
    "UNSUPPORTED_VERSION": 35,
    "TOPIC_ALREADY_EXISTS": 36,
    "INVALID_PARTITIONS": 37,
    "INVALID_REPLICATION_FACTOR": 38,
    "INVALID_REPLICA_ASSIGNMENT": 39,
    "INVALID_CONFIG": 40,
    "INVALID_REQUEST": 42,
    "OUT_OF_ORDER_SEQUENCE_NUMBER": 45,
    "INVALID_PRODUCER_EPOCH": 47,
    "FETCH_SESSION_ID_NOT_FOUND": 70,
    "INVALID_FETCH_SESSION_EPOCH": 71,
    "FENCED_LEADER_EPOCH": 74,
    "UNKNOWN_LEADER_EPOCH": 75,
    "UNSUPPORTED_COMPRESSION_TYPE": 76,
    "INVALID_RECORD": 87,
    "UNKNOWN_TOPIC_ID": 100,
}
ERROR_NAME = {code: name for name, code in ERROR.items()}

NOT_YET = {3, 5, 6, 14, 15, 16}  # what a broker may answer while it is still taking up a new topic or a new role

ZERO_UUID = bytes(16)

# (name, type[, default]); a list as type is an array of structs, "[]x" an array of x, ("struct", [...]) one struct,
# ("nullable", [...]) one or none.
_PARTITION_METADATA = [
    ("error_code", "i16"), ("partition_index", "i32"), ("leader_id", "i32"), ("leader_epoch", "i32"),
    ("replica_nodes", "[]i32"), ("isr_nodes", "[]i32"), ("offline_replicas", "[]i32"),
]  # fmt: skip

# name: (api key, version, request fields, response fields)
APIS = {
    "Produce": (0, 9, [
        ("transactional_id", "string", None), ("acks", "i16", -1), ("timeout_ms", "i32", 10000),
        ("topics", [("name", "string"), ("partitions", [("index", "i32"), ("records", "bytes", None)])]),
    ], [
        ("topics", [("name", "string"), ("partitions", [
            ("index", "i32"), ("error_code", "i16"), ("base_offset", "i64"), ("log_append_time_ms", "i64"),
            ("log_start_offset", "i64"), ("record_errors", [("batch_index", "i32"), ("message", "string")]),
            ("error_message", "string")])]),
        ("throttle_time_ms", "i32"),
    ]),
    "Fetch": (1, 12, [
        ("replica_id", "i32", -1), ("max_wait_ms", "i32", 500), ("min_bytes", "i32", 1), ("max_bytes", "i32", 50 << 20),
        ("isolation_level", "i8"), ("session_id", "i32"), ("session_epoch", "i32", -1),
        ("topics", [("topic", "string"), ("partitions", [
            ("partition", "i32"), ("current_leader_epoch", "i32", -1), ("fetch_offset", "i64"),
            ("last_fetched_epoch", "i32", -1), ("log_start_offset", "i64", -1), ("partition_max_bytes", "i32", 10 << 20)])]),
        ("forgotten", [("topic", "string"), ("partitions", "[]i32")]), ("rack_id", "string", ""),
    ], [
        ("throttle_time_ms", "i32"), ("error_code", "i16"), ("session_id", "i32"),
        ("topics", [("topic", "string"), ("partitions", [
            ("partition", "i32"), ("error_code", "i16"), ("high_watermark", "i64"), ("last_stable_offset", "i64"),
            ("log_start_offset", "i64"), ("aborted", [("producer_id", "i64"), ("first_offset", "i64")]),
            ("preferred_read_replica", "i32"), ("records", "bytes")])]),
    ]),
    "ListOffsets": (2, 7, [
        ("replica_id", "i32", -1), ("isolation_level", "i8"),
        ("topics", [("name", "string"), ("partitions", [
            ("partition_index", "i32"), ("current_leader_epoch", "i32", -1), ("timestamp", "i64")])]),
    ], [
        ("throttle_time_ms", "i32"),
        ("topics", [("name", "string"), ("partitions", [
            ("partition_index", "i32"), ("error_code", "i16"), ("timestamp", "i64"), ("offset", "i64"),
            ("leader_epoch", "i32")])]),
    ]),
    "Metadata": (3, 12, [
        ("topics", [("topic_id", "uuid", ZERO_UUID), ("name", "string", None)]),
        ("allow_auto_topic_creation", "boolean"), ("include_topic_authorized_operations", "boolean"),
    ], [
        ("throttle_time_ms", "i32"),
        ("brokers", [("node_id", "i32"), ("host", "string"), ("port", "i32"), ("rack", "string")]),
        ("cluster_id", "string"), ("controller_id", "i32"),
        ("topics", [
            ("error_code", "i16"), ("name", "string"), ("topic_id", "uuid"), ("is_internal", "boolean"),
            ("partitions", _PARTITION_METADATA), ("topic_authorized_operations", "i32")]),
    ]),
    "OffsetCommit": (8, 8, [
        ("group_id", "string"), ("generation_id", "i32", -1), ("member_id", "string", ""), ("group_instance_id", "string", None),
        ("topics", [("name", "string"), ("partitions", [
            ("partition_index", "i32"), ("committed_offset", "i64"), ("committed_leader_epoch", "i32", -1),
            ("committed_metadata", "string", None)])]),
    ], [
        ("throttle_time_ms", "i32"),
        ("topics", [("name", "string"), ("partitions", [("partition_index", "i32"), ("error_code", "i16")])]),
    ]),
    "OffsetFetch": (9, 8, [
        ("groups", [("group_id", "string"), ("topics", [("name", "string"), ("partition_indexes", "[]i32")], None)]),
        ("require_stable", "boolean"),
    ], [
        ("throttle_time_ms", "i32"),
        ("groups", [
            ("group_id", "string"),
            ("topics", [("name", "string"), ("partitions", [
                ("partition_index", "i32"), ("committed_offset", "i64"), ("committed_leader_epoch", "i32"),
                ("metadata", "string"), ("error_code", "i16")])]),
            ("error_code", "i16")]),
    ]),
    "FindCoordinator": (10, 4, [("key_type", "i8"), ("coordinator_keys", "[]string")], [
        ("throttle_time_ms", "i32"),
        ("coordinators", [
            ("key", "string"), ("node_id", "i32"), ("host", "string"), ("port", "i32"), ("error_code", "i16"), ("error_message", "string")]),
    ]),
    "JoinGroup": (11, 9, [
        ("group_id", "string"), ("session_timeout_ms", "i32", 45000), ("rebalance_timeout_ms", "i32", 60000),
        ("member_id", "string", ""), ("group_instance_id", "string", None), ("protocol_type", "string", "consumer"),
        ("protocols", [("name", "string"), ("metadata", "bytes")]), ("reason", "string", None),
    ], [
        ("throttle_time_ms", "i32"), ("error_code", "i16"), ("generation_id", "i32"), ("protocol_type", "string"),
        ("protocol_name", "string"), ("leader", "string"), ("skip_assignment", "boolean"), ("member_id", "string"),
        ("members", [("member_id", "string"), ("group_instance_id", "string"), ("metadata", "bytes")]),
    ]),
    "SyncGroup": (14, 5, [
        ("group_id", "string"), ("generation_id", "i32"), ("member_id", "string"), ("group_instance_id", "string", None),
        ("protocol_type", "string", "consumer"), ("protocol_name", "string"),
        ("assignments", [("member_id", "string"), ("assignment", "bytes")]),
    ], [
        ("throttle_time_ms", "i32"), ("error_code", "i16"), ("protocol_type", "string"), ("protocol_name", "string"), ("assignment", "bytes"),
    ]),
    "Heartbeat": (12, 4, [
        ("group_id", "string"), ("generation_id", "i32"), ("member_id", "string"), ("group_instance_id", "string", None),
    ], [("throttle_time_ms", "i32"), ("error_code", "i16")]),
    "LeaveGroup": (13, 5, [
        ("group_id", "string"),
        ("members", [("member_id", "string"), ("group_instance_id", "string", None), ("reason", "string", None)]),
    ], [
        ("throttle_time_ms", "i32"), ("error_code", "i16"),
        ("members", [("member_id", "string"), ("group_instance_id", "string"), ("error_code", "i16")]),
    ]),
    "ListGroups": (16, 5, [("states_filter", "[]string"), ("types_filter", "[]string")], [
        ("throttle_time_ms", "i32"), ("error_code", "i16"),
        ("groups", [("group_id", "string"), ("protocol_type", "string"), ("group_state", "string"), ("group_type", "string")]),
    ]),
    "DeleteGroups": (42, 2, [("groups_names", "[]string")], [
        ("throttle_time_ms", "i32"), ("results", [("group_id", "string"), ("error_code", "i16")]),
    ]),
    "ConsumerGroupHeartbeat": (68, 1, [
        ("group_id", "string"), ("member_id", "string"), ("member_epoch", "i32"), ("instance_id", "string", None), ("rack_id", "string", None),
        ("rebalance_timeout_ms", "i32", -1), ("subscribed_topic_names", "[]string", None), ("subscribed_topic_regex", "string", None),
        ("server_assignor", "string", None), ("topic_partitions", [("topic_id", "uuid"), ("partitions", "[]i32")], None),
    ], [
        ("throttle_time_ms", "i32"), ("error_code", "i16"), ("error_message", "string"), ("member_id", "string"), ("member_epoch", "i32"),
        ("heartbeat_interval_ms", "i32"), ("assignment", ("nullable", [("topic_partitions", [("topic_id", "uuid"), ("partitions", "[]i32")])])),
    ]),
    "ApiVersions": (18, 3, [("client_software_name", "string", "compat"), ("client_software_version", "string", "1")], [
        ("error_code", "i16"), ("api_keys", [("api_key", "i16"), ("min_version", "i16"), ("max_version", "i16")]),
        ("throttle_time_ms", "i32"),
    ]),
    "CreateTopics": (19, 7, [
        ("topics", [
            ("name", "string"), ("num_partitions", "i32", 1), ("replication_factor", "i16", 1),
            ("assignments", [("partition_index", "i32"), ("broker_ids", "[]i32")]),
            ("configs", [("name", "string"), ("value", "string")])]),
        ("timeout_ms", "i32", 30000), ("validate_only", "boolean"),
    ], [
        ("throttle_time_ms", "i32"),
        ("topics", [
            ("name", "string"), ("topic_id", "uuid"), ("error_code", "i16"), ("error_message", "string"),
            ("num_partitions", "i32"), ("replication_factor", "i16"),
            ("configs", [("name", "string"), ("value", "string"), ("read_only", "boolean"), ("config_source", "i8"),
                         ("is_sensitive", "boolean")])]),
    ]),
    "DeleteTopics": (20, 6, [
        ("topics", [("name", "string", None), ("topic_id", "uuid", ZERO_UUID)]), ("timeout_ms", "i32", 30000),
    ], [
        ("throttle_time_ms", "i32"),
        ("topics", [("name", "string"), ("topic_id", "uuid"), ("error_code", "i16"), ("error_message", "string")]),
    ]),
    "DeleteRecords": (21, 2, [
        ("topics", [("name", "string"), ("partitions", [("partition_index", "i32"), ("offset", "i64")])]),
        ("timeout_ms", "i32", 30000),
    ], [
        ("throttle_time_ms", "i32"),
        ("topics", [("name", "string"), ("partitions", [
            ("partition_index", "i32"), ("low_watermark", "i64"), ("error_code", "i16")])]),
    ]),
    "InitProducerId": (22, 4, [
        ("transactional_id", "string", None), ("transaction_timeout_ms", "i32", 60000), ("producer_id", "i64", -1),
        ("producer_epoch", "i16", -1),
    ], [("throttle_time_ms", "i32"), ("error_code", "i16"), ("producer_id", "i64"), ("producer_epoch", "i16")]),
    "OffsetForLeaderEpoch": (23, 4, [
        ("replica_id", "i32", -2),
        ("topics", [("topic", "string"), ("partitions", [
            ("partition", "i32"), ("current_leader_epoch", "i32", -1), ("leader_epoch", "i32")])]),
    ], [
        ("throttle_time_ms", "i32"),
        ("topics", [("topic", "string"), ("partitions", [
            ("error_code", "i16"), ("partition", "i32"), ("leader_epoch", "i32"), ("end_offset", "i64")])]),
    ]),
}  # fmt: skip


def request(name, **fields):
    """One framed request with the correlation id 1."""
    return frame(request_payload(name, **fields))


def request_payload(name, correlation_id=1, client_id="compat", **fields):
    key, version, schema, _ = APIS[name]
    writer = Writer()
    _write(writer, schema, fields)
    return header(key, version, correlation_id, client_id, flexible=True) + writer.bytes()


def decode(name, data):
    """The answer to `name` as a dict; `data` are the bytes behind the correlation id."""
    reader = Reader(data)
    if name != "ApiVersions":  # its response header has no tagged fields, so that any client can read it
        reader.tags()
    return _read(reader, APIS[name][3])


class Client(Connection):
    """A connection that asks one request at a time and decodes the answer."""

    def __init__(self, address, timeout=10.0, client_id="compat"):
        super().__init__(address, timeout)
        self.client_id = client_id
        self._correlation_ids = itertools.count(1)

    def call(self, name, **fields):
        correlation_id = next(self._correlation_ids)
        self.send(frame(request_payload(name, correlation_id, self.client_id, **fields)))
        answered, data = self.receive()
        if answered != correlation_id:
            raise ValueError(f"answer {answered} to request {correlation_id}")
        return decode(name, data)

    def metadata(self, topics=None, create=False):
        """Metadata of the named topics; None means all of them."""
        names = None if topics is None else [{"name": topic} for topic in topics]
        return self.call("Metadata", topics=names, allow_auto_topic_creation=create)

    def create_topic(self, name, partitions=1, configs=None, **fields):
        """The answer's entry for the one topic."""
        configs = [{"name": key, "value": str(value)} for key, value in (configs or {}).items()]
        topic = {"name": name, "num_partitions": partitions, "configs": configs, **fields}
        return self.call("CreateTopics", topics=[topic])["topics"][0]

    def delete_topic(self, name):
        return self.call("DeleteTopics", topics=[{"name": name}])["topics"][0]

    def produce(self, topic, partition, batch, acks=-1, **fields):
        """The answer's entry for the one partition."""
        topics = [{"name": topic, "partitions": [{"index": partition, "records": batch}]}]
        return self.call("Produce", topics=topics, acks=acks, **fields)["topics"][0]["partitions"][0]

    def fetch(self, topic, partition, offset, max_wait_ms=500, **fields):
        """The answer's entry for the one partition; `partition_max_bytes` and its siblings may be given too."""
        inner = {k: fields.pop(k) for k in ("partition_max_bytes", "current_leader_epoch") if k in fields}
        topics = [{"topic": topic, "partitions": [{"partition": partition, "fetch_offset": offset, **inner}]}]
        answer = self.call("Fetch", topics=topics, max_wait_ms=max_wait_ms, **fields)
        if answer["error_code"]:
            raise ValueError(f"Fetch answered with error {answer['error_code']}")
        return answer["topics"][0]["partitions"][0]

    def offset(self, topic, partition, timestamp=-1):
        """ListOffsets for the one partition: -1 the end, -2 the start, else the first offset at or after that time."""
        topics = [{"name": topic, "partitions": [{"partition_index": partition, "timestamp": timestamp}]}]
        return self.call("ListOffsets", topics=topics)["topics"][0]["partitions"][0]

    def init_producer_id(self):
        """A fresh (producer id, epoch)."""
        answer = until_ready(lambda: self.call("InitProducerId"))
        if answer["error_code"]:
            raise ValueError(f"InitProducerId answered with error {answer['error_code']}")
        return answer["producer_id"], answer["producer_epoch"]

    def await_group(self, group):
        """Waits until the coordinator of the group is ready; on a fresh broker that creates the log of the groups."""
        until_ready(lambda: self.call("FindCoordinator", coordinator_keys=[group])["coordinators"][0])
        ready = until_ready(lambda: self.call("OffsetFetch", groups=[{"group_id": group}])["groups"][0])
        if ready["error_code"]:
            raise ValueError(f"the coordinator of {group} answers with error {ready['error_code']}")

    def make_topic(self, name, partitions=1, configs=None):
        """Creates a topic and waits until every partition serves; returns its id."""
        created = self.create_topic(name, partitions, configs)
        if created["error_code"]:
            raise ValueError(f"CreateTopics {name} answered with error {created['error_code']}: {created['error_message']}")
        for partition in range(partitions):
            served = until_ready(lambda at=partition: self.offset(name, at))
            if served["error_code"]:
                raise ValueError(f"{name}-{partition} answers with error {served['error_code']}")
        return created["topic_id"]


def until_ready(ask, seconds=15.0):
    """Asks until the answer's error is none of NOT_YET or the time is up; the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer["error_code"] not in NOT_YET or time.monotonic() > deadline:
            return answer
        time.sleep(0.02)


_DEFAULTS = {"string": "", "uuid": ZERO_UUID, "boolean": False, "bytes": b""}


def _default(kind):
    if isinstance(kind, list) or kind.startswith("[]"):
        return []
    return _DEFAULTS.get(kind, 0)


def _write(writer, schema, fields):
    unknown = set(fields) - {field[0] for field in schema}
    if unknown:
        raise KeyError(f"no such field: {unknown}")
    for name, kind, *default in schema:
        _write_value(writer, kind, fields.get(name, default[0] if default else _default(kind)))
    writer.tags()


def _write_value(writer, kind, value):
    if isinstance(kind, list):
        writer.compact_array(value, lambda w, item: _write(w, kind, item))
    elif kind.startswith("[]"):
        writer.compact_array(value, lambda w, item: _write_value(w, kind[2:], item))
    elif kind == "uuid":
        writer.raw(value)
    elif kind in ("string", "bytes"):
        getattr(writer, "compact_" + kind)(value)
    else:
        getattr(writer, kind)(value)


def _read(reader, schema):
    values = {name: _read_value(reader, kind) for name, kind, *_ in schema}
    reader.tags()
    return values


def _read_value(reader, kind):
    if isinstance(kind, tuple):
        return None if kind[0] == "nullable" and reader.i8() < 0 else _read(reader, kind[1])
    if isinstance(kind, list):
        return reader.compact_array(lambda r: _read(r, kind))
    if kind.startswith("[]"):
        return reader.compact_array(lambda r: _read_value(r, kind[2:]))
    if kind in ("string", "bytes"):
        return getattr(reader, "compact_" + kind)()
    return getattr(reader, kind)()
