// Configuration keys of tiered storage, which is accepted and not run.
#pragma once

#include <array>

#include "broker/config/key.h"

namespace milena::broker::keys {

inline constexpr std::array kRemoteKeys{
    refused(read_only("remote.log.storage.system.enable", kBoolean, "false", any_value(),
                      "Tiered storage is on."),
            "tiered storage"),
    without_meaning(read_only("remote.log.storage.manager.class.name", kString, std::nullopt,
                              checked_by(check_not_empty), "Java class that stores segments elsewhere.")),
    without_meaning(read_only("remote.log.storage.manager.class.path", kString, std::nullopt, any_value(),
                              "Class path of that class.")),
    without_meaning(read_only("remote.log.storage.manager.impl.prefix", kString, "rsm.config.",
                              checked_by(check_not_empty),
                              "Prefix of the keys that are passed to that class.")),
    without_meaning(
        read_only("remote.log.metadata.manager.class.name", kString,
                  "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager",
                  checked_by(check_not_empty), "Java class that remembers where segments are.")),
    without_meaning(read_only("remote.log.metadata.manager.class.path", kString, std::nullopt, any_value(),
                              "Class path of that class.")),
    without_meaning(read_only("remote.log.metadata.manager.impl.prefix", kString, "rlmm.config.",
                              checked_by(check_not_empty),
                              "Prefix of the keys that are passed to that class.")),
    without_meaning(read_only("remote.log.metadata.manager.listener.name", kString, std::nullopt,
                              checked_by(check_not_empty), "Listener that this class connects to.")),
    without_meaning(read_only("remote.log.metadata.custom.metadata.max.bytes", kInt, "128", at_least(0),
                              "Most metadata that the storage may add to a segment.")),
    without_meaning(cluster_wide("remote.log.index.file.cache.total.size.bytes", kLong, "1073741824",
                                 at_least(1), "Disk for indexes of segments that lie elsewhere.")),
    without_meaning(internal(read_only("remote.log.index.file.cache.ttl.ms", kLong, "900000", at_least(-1),
                                       "How long an unused index stays there."))),
    without_meaning(read_only("remote.log.manager.thread.pool.size", kInt, "2", at_least(1),
                              "Threads that look after segments that lie elsewhere.")),
    without_meaning(cluster_wide("remote.log.manager.copier.thread.pool.size", kInt, "10", at_least(1),
                                 "Threads that copy segments there.")),
    without_meaning(cluster_wide("remote.log.manager.expiration.thread.pool.size", kInt, "10", at_least(1),
                                 "Threads that delete segments there.")),
    without_meaning(cluster_wide("remote.log.manager.follower.thread.pool.size", kInt, "2", at_least(1),
                                 "Threads that follow on behalf of followers.")),
    without_meaning(read_only("remote.log.manager.task.interval.ms", kLong, "30000", at_least(1),
                              "How often these threads run.")),
    without_meaning(internal(read_only("remote.log.manager.task.retry.backoff.ms", kLong, "500", at_least(1),
                                       "Wait before a failed run is repeated."))),
    without_meaning(internal(read_only("remote.log.manager.task.retry.backoff.max.ms", kLong, "30000",
                                       at_least(1), "Longest such wait."))),
    without_meaning(internal(read_only("remote.log.manager.task.retry.jitter", kDouble, "0.2",
                                       between(0, 0.5), "Random part of that wait."))),
    without_meaning(cluster_wide("remote.log.manager.copy.max.bytes.per.second", kLong, "9223372036854775807",
                                 at_least(1), "Limit on copying there.")),
    without_meaning(read_only("remote.log.manager.copy.quota.window.num", kInt, "11", at_least(1),
                              "Samples kept for that limit.")),
    without_meaning(read_only("remote.log.manager.copy.quota.window.size.seconds", kInt, "1", at_least(1),
                              "Length of a sample for that limit.")),
    without_meaning(cluster_wide("remote.log.manager.fetch.max.bytes.per.second", kLong,
                                 "9223372036854775807", at_least(1), "Limit on reading from there.")),
    without_meaning(read_only("remote.log.manager.fetch.quota.window.num", kInt, "11", at_least(1),
                              "Samples kept for that limit.")),
    without_meaning(read_only("remote.log.manager.fetch.quota.window.size.seconds", kInt, "1", at_least(1),
                              "Length of a sample for that limit.")),
    without_meaning(
        cluster_wide("remote.log.reader.threads", kInt, "10", at_least(1), "Threads that read from there.")),
    without_meaning(read_only("remote.log.reader.max.pending.tasks", kInt, "100", at_least(1),
                              "Reads from there that may wait.")),
    without_meaning(cluster_wide("remote.fetch.max.wait.ms", kInt, "500", at_least(1),
                                 "How long a fetch waits for bytes from there.")),
    without_meaning(cluster_wide("remote.list.offsets.request.timeout.ms", kLong, "30000", at_least(1),
                                 "How long a lookup of offsets waits for an answer from there.")),
};

}  // namespace milena::broker::keys
