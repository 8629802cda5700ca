"""What is asked of both brokers before anything has looked a coordinator up, so that there are no internal topics."""

from scenarios import TOPIC, Scenario, describe_configs, metadata, only

LETTERS = "letters-{n}"


def of_group(api, **fields):
    return (api, {"groupId": "early", **fields})


def of_transaction(api, producer=4711, epoch=0, transactional_id="early", **fields):
    return (api, {"transactionalId": transactional_id, "producerId": producer, "producerEpoch": epoch, **fields})


def add_offsets(**fields):
    return of_transaction("AddOffsetsToTxn", groupId="early", **fields)


def end(**fields):
    return of_transaction("EndTxn", committed=True, **fields)


def commit_in_transaction(**fields):
    named = {"name": only(range(6), LETTERS), "topicId": only(range(6, 7), f"$id:{LETTERS}"), "partitions": [{"partitionIndex": 0, "committedOffset": 7}]}
    return of_transaction("TxnOffsetCommit", groupId="early", topics=[named], **fields)


def add_partitions(**fields):
    """To one transaction, as clients name it before version 4."""
    topics = [{"name": LETTERS, "partitions": [0]}]
    body = {"v3AndBelowTransactionalId": "early", "v3AndBelowProducerId": 4711, "v3AndBelowProducerEpoch": 0, "v3AndBelowTopics": topics}
    return ("AddPartitionsToTxn", {name: only(range(4), value) for name, value in (body | fields).items()})


INIT = ("InitProducerId", {"transactionalId": "early", "transactionTimeoutMs": 60_000}, {"producer": "producerId", "epoch": "producerEpoch"})
MINE = {"producer": "$producer", "epoch": "$epoch"}

FRESH_SCENARIOS = [
    Scenario("groups before there is a coordinator", [
        ("ListGroups", {}), ("DescribeGroups", {"groups": ["early"]}), ("ConsumerGroupDescribe", {"groupIds": ["early"]}),
        ("DeleteGroups", {"groupsNames": ["early"]}), of_group("Heartbeat", memberId="m", generationId=1),
        of_group("JoinGroup", memberId="", sessionTimeoutMs=60_000, protocolType="consumer", protocols=[{"name": "range", "metadata": ""}]),
        of_group("SyncGroup", memberId="m", generationId=1), of_group("LeaveGroup", members=[{"memberId": "m"}]),
        of_group("ConsumerGroupHeartbeat", memberId="m", memberEpoch=0, rebalanceTimeoutMs=5000, subscribedTopicNames=[LETTERS], topicPartitions=[]),
        of_group("OffsetDelete", topics=[{"name": LETTERS, "partitions": [{"partitionIndex": 0}]}]),
    ], topics={LETTERS: 1}, varies="OffsetDelete"),
    Scenario("transactions before there is a coordinator", [
        ("ListTransactions", {}), ("DescribeTransactions", {"transactionalIds": ["early"]}), INIT[:2], add_offsets(), end()],
             varies="AddOffsetsToTxn"),
    Scenario("partitions of a transaction before there is a coordinator", [add_partitions()], topics={LETTERS: 1}, versions=range(4)),
    Scenario("offsets of a transaction before there is a group", [
        ("$coordinator", 1), INIT, add_offsets(**MINE), add_offsets(producer="$producer", epoch=99), add_offsets(transactional_id="nobody", **MINE),
        commit_in_transaction(**MINE), end(**MINE)], topics={LETTERS: 1}, varies="AddOffsetsToTxn"),
    Scenario("metadata creates an internal topic", [
        metadata("__consumer_offsets"), ("$there", "__consumer_offsets"), metadata("__consumer_offsets"),
        describe_configs(TOPIC, "__consumer_offsets", ["cleanup.policy", "compression.type", "segment.bytes"])], versions=range(12, 14)),
]  # fmt: skip
