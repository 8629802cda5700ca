// Configuration keys of listeners, connections and requests.
#pragma once

#include <array>

#include "broker/config/key.h"

namespace milena::broker::keys {

inline constexpr std::array kNetworkKeys{
    only_at_start(per_broker(
        "listeners", kList, "PLAINTEXT://:9092", list_of("", false),
        "Where this node listens, as NAME://host:port. No host: every address. Port 0: a free one.")),
    read_only("advertised.listeners", kList, std::nullopt, list_of("", false, true),
              "Where clients are told to connect. Unset: what fits the connection they use."),
    only_at_start(per_broker("listener.security.protocol.map", kString,
                             "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
                             any_value(), "The security protocol of each listener, as NAME:PROTOCOL.")),
    read_only("inter.broker.listener.name", kString, std::nullopt, any_value(),
              "The listener that brokers use among themselves."),
    read_only("security.inter.broker.protocol", kString, "PLAINTEXT",
              one_of("PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
              "Security protocol between brokers, when no listener is named."),
    only_at_start(cluster_wide("num.network.threads", kInt, "3", at_least(1),
                               "Event loops that serve connections; at most 32 for each processor; unless it "
                               "is set, one for each.")),
    read_only("socket.listen.backlog.size", kInt, "50", at_least(1),
              "Connections that may wait to be accepted. Unless it is set, as many as the system allows."),
    read_only("socket.receive.buffer.bytes", kInt, "102400", any_value(),
              "Receive buffer of a connection. Unless it is set, and for -1, the system decides."),
    read_only("socket.send.buffer.bytes", kInt, "102400", any_value(),
              "Send buffer of a connection. Unless it is set, and for -1, the system decides."),
    read_only("socket.request.max.bytes", kInt, "104857600", at_least(1),
              "Largest request; a larger one closes the connection."),
    without_effect(
        read_only("queued.max.requests", kInt, "500", at_least(1),
                  "Requests that may wait for a handler in Apache Kafka; here no request waits for one.")),
    read_only("queued.max.request.bytes", kLong, "-1", any_value(),
              "Bytes of requests held in memory; then connections wait. -1: a quarter of the memory, at most "
              "256 MiB."),
    read_only("connections.max.idle.ms", kLong, "600000", any_value(),
              "A connection without traffic for this long is closed; negative: never."),
    cluster_wide(
        "max.connections", kInt, "2147483647", at_least(0),
        "Connections this broker accepts; at the limit new ones wait. Never more than descriptors allow."),
    cluster_wide("max.connections.per.ip", kInt, "2147483647", at_least(0),
                 "Connections from one address; the next one is closed at once."),
    cluster_wide("max.connections.per.ip.overrides", kString, "", any_value(),
                 "Other limits for single addresses, as address:count."),
    cluster_wide("max.connection.creation.rate", kInt, "2147483647", at_least(0),
                 "New connections per second."),
    without_effect(
        read_only("connection.failed.authentication.delay.ms", kInt, "100", at_least(0),
                  "How long a connection that failed to authenticate is kept before it is closed.")),
    read_only("max.incremental.fetch.session.cache.slots", kInt, "1000", at_least(0),
              "Fetch sessions that are remembered."),
    read_only("max.request.partition.size.limit", kInt, "2000", at_least(1),
              "Partitions in one answer of DescribeTopicPartitions."),
    read_only("fetch.max.bytes", kInt, "57671680", at_least(1024),
              "Most bytes in one answer to a fetch; a first batch that is larger is sent all the same."),
    without_effect(read_only("fetch.purgatory.purge.interval.requests", kInt, "1000", any_value(),
                             "When Apache Kafka clears out finished fetches; here they go at once.")),
    without_effect(read_only("producer.purgatory.purge.interval.requests", kInt, "1000", any_value(),
                             "When Apache Kafka clears out finished produces; here they go at once.")),
    without_effect(read_only("delete.records.purgatory.purge.interval.requests", kInt, "1", any_value(),
                             "When Apache Kafka clears out finished DeleteRecords; here they go at once.")),
    read_only("milena.in.flight.requests.max", kInt, "64", at_least(1),
              "Requests of one connection that may be unanswered; then it is not read from."),
    read_only(
        "milena.partial.request.timeout.ms", kInt, "30000", at_least(1000),
        "Time for a request that has begun to arrive as a whole, plus a second for every 64 KiB of it."),
};

}  // namespace milena::broker::keys
