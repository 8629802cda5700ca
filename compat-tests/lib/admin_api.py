"""More requests for `api.Client`: transactions, configuration, members of groups, what producers left behind.

Importing this module is enough: `client.call(name, ...)` knows them from then on.
"""

from lib import api

_TOPIC_PARTITIONS = ("topics", [("name", "string"), ("partitions", "[]i32")])
_MEMBER_ASSIGNMENT = ("topic_partitions", [("topic_id", "uuid"), ("topic_name", "string"), ("partitions", "[]i32")])

# name: (api key, version, request fields, response fields), as in lib/api.py
ADMIN_APIS = {
    "Heartbeat": (12, 4, [
        ("group_id", "string"), ("generation_id", "i32"), ("member_id", "string"), ("group_instance_id", "string", None),
    ], [("throttle_time_ms", "i32"), ("error_code", "i16")]),
    "DescribeGroups": (15, 6, [("groups", "[]string"), ("include_authorized_operations", "boolean")], [
        ("throttle_time_ms", "i32"),
        ("groups", [
            ("error_code", "i16"), ("error_message", "string"), ("group_id", "string"), ("group_state", "string"),
            ("protocol_type", "string"), ("protocol_data", "string"),
            ("members", [("member_id", "string"), ("group_instance_id", "string"), ("client_id", "string"), ("client_host", "string"),
                         ("member_metadata", "bytes"), ("member_assignment", "bytes")]),
            ("authorized_operations", "i32")]),
    ]),
    "AddPartitionsToTxn": (24, 3, [
        ("transactional_id", "string"), ("producer_id", "i64"), ("producer_epoch", "i16"), _TOPIC_PARTITIONS,
    ], [
        ("throttle_time_ms", "i32"),
        ("topics", [("name", "string"), ("partitions", [("partition_index", "i32"), ("error_code", "i16")])]),
    ]),
    "AddOffsetsToTxn": (25, 3, [
        ("transactional_id", "string"), ("producer_id", "i64"), ("producer_epoch", "i16"), ("group_id", "string"),
    ], [("throttle_time_ms", "i32"), ("error_code", "i16")]),
    "EndTxn": (26, 3, [
        ("transactional_id", "string"), ("producer_id", "i64"), ("producer_epoch", "i16"), ("committed", "boolean"),
    ], [("throttle_time_ms", "i32"), ("error_code", "i16")]),
    "TxnOffsetCommit": (28, 3, [
        ("transactional_id", "string"), ("group_id", "string"), ("producer_id", "i64"), ("producer_epoch", "i16"),
        ("generation_id", "i32", -1), ("member_id", "string", ""), ("group_instance_id", "string", None),
        ("topics", [("name", "string"), ("partitions", [
            ("partition_index", "i32"), ("committed_offset", "i64"), ("committed_leader_epoch", "i32", -1), ("metadata", "string", None)])]),
    ], [
        ("throttle_time_ms", "i32"),
        ("topics", [("name", "string"), ("partitions", [("partition_index", "i32"), ("error_code", "i16")])]),
    ]),
    "DescribeConfigs": (32, 4, [
        ("resources", [("resource_type", "i8"), ("resource_name", "string"), ("configuration_keys", "[]string", None)]),
        ("include_synonyms", "boolean"), ("include_documentation", "boolean"),
    ], [
        ("throttle_time_ms", "i32"),
        ("results", [
            ("error_code", "i16"), ("error_message", "string"), ("resource_type", "i8"), ("resource_name", "string"),
            ("configs", [
                ("name", "string"), ("value", "string"), ("read_only", "boolean"), ("config_source", "i8"), ("is_sensitive", "boolean"),
                ("synonyms", [("name", "string"), ("value", "string"), ("source", "i8")]), ("config_type", "i8"), ("documentation", "string")])]),
    ]),
    "CreatePartitions": (37, 3, [
        ("topics", [("name", "string"), ("count", "i32"), ("assignments", [("broker_ids", "[]i32")], None)]),
        ("timeout_ms", "i32", 30000), ("validate_only", "boolean"),
    ], [
        ("throttle_time_ms", "i32"), ("results", [("name", "string"), ("error_code", "i16"), ("error_message", "string")]),
    ]),
    "IncrementalAlterConfigs": (44, 1, [
        ("resources", [("resource_type", "i8"), ("resource_name", "string"),
                       ("configs", [("name", "string"), ("config_operation", "i8"), ("value", "string")])]),
        ("validate_only", "boolean"),
    ], [
        ("throttle_time_ms", "i32"),
        ("responses", [("error_code", "i16"), ("error_message", "string"), ("resource_type", "i8"), ("resource_name", "string")]),
    ]),
    "DescribeProducers": (61, 0, [("topics", [("name", "string"), ("partition_indexes", "[]i32")])], [
        ("throttle_time_ms", "i32"),
        ("topics", [("name", "string"), ("partitions", [
            ("partition_index", "i32"), ("error_code", "i16"), ("error_message", "string"),
            ("active_producers", [
                ("producer_id", "i64"), ("producer_epoch", "i32"), ("last_sequence", "i32"), ("last_timestamp", "i64"),
                ("coordinator_epoch", "i32"), ("current_txn_start_offset", "i64")])])]),
    ]),
    "DescribeTransactions": (65, 0, [("transactional_ids", "[]string")], [
        ("throttle_time_ms", "i32"),
        ("transaction_states", [
            ("error_code", "i16"), ("transactional_id", "string"), ("transaction_state", "string"), ("transaction_timeout_ms", "i32"),
            ("transaction_start_time_ms", "i64"), ("producer_id", "i64"), ("producer_epoch", "i16"),
            ("topics", [("topic", "string"), ("partitions", "[]i32")])]),
    ]),
    "ListTransactions": (66, 1, [("state_filters", "[]string"), ("producer_id_filters", "[]i64"), ("duration_filter", "i64", -1)], [
        ("throttle_time_ms", "i32"), ("error_code", "i16"), ("unknown_state_filters", "[]string"),
        ("transaction_states", [("transactional_id", "string"), ("producer_id", "i64"), ("transaction_state", "string")]),
    ]),
    "ConsumerGroupDescribe": (69, 1, [("group_ids", "[]string"), ("include_authorized_operations", "boolean")], [
        ("throttle_time_ms", "i32"),
        ("groups", [
            ("error_code", "i16"), ("error_message", "string"), ("group_id", "string"), ("group_state", "string"), ("group_epoch", "i32"),
            ("assignment_epoch", "i32"), ("assignor_name", "string"),
            ("members", [
                ("member_id", "string"), ("instance_id", "string"), ("rack_id", "string"), ("member_epoch", "i32"), ("client_id", "string"),
                ("client_host", "string"), ("subscribed_topic_names", "[]string"), ("subscribed_topic_regex", "string"),
                ("assignment", ("struct", [_MEMBER_ASSIGNMENT])), ("target_assignment", ("struct", [_MEMBER_ASSIGNMENT])),
                ("member_type", "i8")]),
            ("authorized_operations", "i32")]),
    ]),
}  # fmt: skip

api.APIS.update(ADMIN_APIS)
api.APIS["OffsetCommitOfMember"] = (8, 9, *api.APIS["OffsetCommit"][2:])  # the first version for members of the new protocol
