"""Tests of the suite that fail with Apache Kafka 4.3.1 on one node too, and why: no broker's fault.

Found by running the whole suite against Kafka several times. Keys are names as the suite prints them, or their numbers.
"""

_THREE_REPLICAS = "wants three brokers"
_TIMING = "the suite's own timing"

CLASSIC = {
    "0076_produce_retry": _TIMING,
    "0081_admin": "wants more brokers than one, and its own set-up",
    "0086_purge_remote": _TIMING,
    "0101_fetch_from_follower": _THREE_REPLICAS,
    "0113_cooperative_rebalance": _TIMING,
    "0173_share_consumer_commit_async": "lock time-out redelivery",
}
CONSUMER = {
    "0045_resubscribe_with_regex": "expects the new subscription's share in the first assignment; KIP-848 gives the old one once more",
    "0045_subscribe_many_updates": _TIMING,
    "0091_max_poll_interval_timeout": _TIMING,
}


# A broker that may give fewer replicas than asked for has no such excuse.
STRICT = {
    "0098_consumer_txn": _THREE_REPLICAS,
    "0103_transactions": _THREE_REPLICAS,
}


def reason_for(name, protocol, capped):
    """Why a failure of the test says nothing about the broker, or None. `capped`: it gives as many replicas as it can."""
    reasons = CLASSIC | CONSUMER if protocol == "consumer" else CLASSIC
    return (reasons if capped else reasons | STRICT).get(name)
