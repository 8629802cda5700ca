// Configuration keys of replicas and their leaders.
#pragma once

#include <array>

#include "broker/config/key.h"

namespace milena::broker::keys {

inline constexpr std::array kReplicationKeys{
    cluster_wide("min.insync.replicas", kInt, "1", at_least(1),
                 "Replicas that must have a record before acks=all is answered."),
    cluster_wide(
        "unclean.leader.election.enable", kBoolean, "false", any_value(),
        "A replica that lags may become leader when no other is left. Acknowledged records are lost then."),
    without_effect(
        internal(read_only("unclean.leader.election.interval.ms", kLong, "300000", at_least(1),
                           "How often the controller looks for partitions that need such an election."))),
    without_effect(read_only("auto.leader.rebalance.enable", kBoolean, "true", any_value(),
                             "Leadership moves back to preferred replicas by itself.")),
    without_effect(read_only("leader.imbalance.check.interval.seconds", kLong, "300", at_least(1),
                             "How often the controller looks for leaders to move back.")),
    without_effect(cluster_wide("num.replica.fetchers", kInt, "1", at_least(1),
                                "Threads that fetch from each other broker.")),
    without_effect(read_only("num.replica.alter.log.dirs.threads", kInt, std::nullopt, any_value(),
                             "Threads that move replicas between directories.")),
    without_effect(read_only("replica.fetch.backoff.ms", kInt, "1000", at_least(0),
                             "Wait after a failed fetch from a leader.")),
    without_effect(read_only("replica.fetch.max.bytes", kInt, "1048576", at_least(0),
                             "Bytes that a follower asks for per partition.")),
    without_effect(
        read_only("replica.fetch.min.bytes", kInt, "1", any_value(), "Bytes that a follower waits for.")),
    without_effect(read_only("replica.fetch.response.max.bytes", kInt, "10485760", at_least(0),
                             "Bytes that a follower asks for per fetch.")),
    without_effect(read_only("replica.fetch.wait.max.ms", kInt, "500", any_value(),
                             "How long a follower lets the leader wait for these bytes.")),
    without_effect(read_only("replica.high.watermark.checkpoint.interval.ms", kLong, "5000", any_value(),
                             "How often high watermarks are written down.")),
    without_effect(read_only("replica.lag.time.max.ms", kLong, "30000", any_value(),
                             "A follower that has not caught up for this long leaves the in-sync replicas.")),
    without_meaning(read_only("replica.selector.class", kString, std::nullopt, any_value(),
                              "Java class that picks the replica a consumer reads from.")),
    without_effect(read_only("replica.socket.receive.buffer.bytes", kInt, "65536", any_value(),
                             "Receive buffer of connections between brokers.")),
    without_effect(read_only("replica.socket.timeout.ms", kInt, "30000", any_value(),
                             "How long a follower waits for an answer.")),
    without_effect(read_only("replication.quota.window.num", kInt, "11", at_least(1),
                             "Samples kept for replication quotas.")),
    without_effect(read_only("replication.quota.window.size.seconds", kInt, "1", at_least(1),
                             "Length of a sample for replication quotas.")),
    without_effect(read_only("alter.log.dirs.replication.quota.window.num", kInt, "11", at_least(1),
                             "Samples kept for the quota on moves between directories.")),
    without_effect(read_only("alter.log.dirs.replication.quota.window.size.seconds", kInt, "1", at_least(1),
                             "Length of a sample for that quota.")),
    without_meaning(cluster_wide("follower.fetch.last.tiered.offset.enable", kBoolean, "false", any_value(),
                                 "A new follower starts where the local log of the leader starts.")),
};

}  // namespace milena::broker::keys
