#include "controller/config/topic_configs.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>
#include <vector>

namespace milena::controller {
namespace {

constexpr std::int64_t kMinutes = 60'000;
constexpr std::int64_t kHours = 3'600'000;
constexpr std::string_view kForever = "9223372036854775807";

// "" or "12:3": one member of a list of throttled replicas.
bool is_throttled_replica(std::string_view member) {
  if (member.empty()) return true;
  const auto colon = member.find(':');
  if (colon == std::string_view::npos) return false;
  const auto is_number = [](std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  return is_number(member.substr(0, colon)) && is_number(member.substr(colon + 1));
}

std::string check_throttled_replicas(std::string_view name, const ConfigValue& value) {
  const auto* members = std::get_if<std::vector<std::string>>(&value);
  if (members == nullptr) return invalid_config(name, "null", fmt::format("{} must be a list", name));
  if (std::ranges::all_of(*members, is_throttled_replica) ||
      fmt::format("{}", fmt::join(*members, "")) == "*") {
    return {};
  }
  return invalid_config(
      name, fmt::format("[{}]", fmt::join(*members, ", ")),
      fmt::format("{} must be the literal '*' or a list of replicas in the following format: "
                  "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
                  name));
}

std::string check_gzip_level(std::string_view name, const ConfigValue& value) {
  const auto* level = std::get_if<std::int64_t>(&value);
  if (level == nullptr) return invalid_config(name, "null", "Value must be non-null");
  if (*level == -1 || (*level >= 1 && *level <= 9)) return {};
  return invalid_config(name, std::to_string(*level), "Value must be between 1 and 9 or equal to -1");
}

constexpr TopicConfigKey key(std::string_view name, ConfigType type,
                             std::optional<std::string_view> default_text, ConfigRule rule,
                             std::array<BrokerSynonym, 3> synonyms, std::string_view doc) {
  TopicConfigKey made;
  made.name = name;
  made.type = type;
  made.default_text = default_text;
  made.rule = rule;
  made.doc = doc;
  made.synonyms = synonyms;
  return made;
}

using enum ConfigType;

constexpr ConfigTable<TopicConfigKey, 34> kTopicConfigs({
    key("cleanup.policy", kList, "delete", list_of("compact, delete"), {{{"log.cleanup.policy"}}},
        "What happens to old data: delete drops whole segments by age or size, compact keeps the newest "
        "value of "
        "each key, both together do both, and an empty list keeps everything."),
    key("compression.gzip.level", kInt, "-1", checked_by(check_gzip_level), {{{"compression.gzip.level"}}},
        "Level used when compression.type is gzip; -1 is the codec's own default."),
    key("compression.lz4.level", kInt, "9", between(1, 17), {{{"compression.lz4.level"}}},
        "Level used when compression.type is lz4."),
    key("compression.type", kString, "producer", one_of("uncompressed, zstd, lz4, snappy, gzip, producer"),
        {{{"compression.type"}}},
        "Codec in which batches are stored. producer keeps whatever the producer chose; any other value "
        "makes the "
        "broker recompress batches that differ."),
    key("compression.zstd.level", kInt, "3", between(-131072, 22), {{{"compression.zstd.level"}}},
        "Level used when compression.type is zstd."),
    key("delete.retention.ms", kLong, "86400000", at_least(0), {{{"log.cleaner.delete.retention.ms"}}},
        "How long a tombstone stays readable in a compacted topic. A reader that starts at the beginning "
        "must get "
        "through within this time to see every deletion."),
    key("file.delete.delay.ms", kLong, "60000", at_least(0), {{{"log.segment.delete.delay.ms"}}},
        "Time between taking a segment out of the log and removing its files."),
    key("flush.messages", kLong, kForever, at_least(1), {{{"log.flush.interval.messages"}}},
        "Number of records after which the log is forced to disk. The default leaves it to the durability "
        "mode and "
        "the operating system."),
    key("flush.ms", kLong, kForever, at_least(0),
        {{{"log.flush.interval.ms"}, {"log.flush.scheduler.interval.ms"}}},
        "Longest time before written data is forced to disk. The default leaves it to the durability mode "
        "and the "
        "operating system."),
    key("follower.replication.throttled.replicas", kList, "", checked_by(check_throttled_replicas), {},
        "Followers whose fetching is throttled: partition:broker pairs, or * for all."),
    key("index.interval.bytes", kInt, "4096", at_least(0), {{{"log.index.interval.bytes"}}},
        "Bytes of log per entry of the offset index. Smaller means shorter scans and larger indexes."),
    [] {
      TopicConfigKey made = key("internal.segment.bytes", kInt, std::nullopt, any_value(), {},
                                "Segment size without the lower limit of segment.bytes, for tests.");
      made.internal = true;
      return made;
    }(),
    key("leader.replication.throttled.replicas", kList, "", checked_by(check_throttled_replicas), {},
        "Leaders whose serving of followers is throttled: partition:broker pairs, or * for all."),
    key("local.retention.bytes", kLong, "-2", at_least(-2), {{{"log.local.retention.bytes"}}},
        "With tiered storage, bytes of a partition kept on the broker; -2 follows retention.bytes."),
    key("local.retention.ms", kLong, "-2", at_least(-2), {{{"log.local.retention.ms"}}},
        "With tiered storage, time that data stays on the broker; -2 follows retention.ms."),
    key("max.compaction.lag.ms", kLong, kForever, at_least(1), {{{"log.cleaner.max.compaction.lag.ms"}}},
        "Longest time that a record of a compacted topic may go without being considered for compaction."),
    key("max.message.bytes", kInt, "1048588", at_least(0), {{{"message.max.bytes"}}},
        "Largest record batch, as it is on the wire, that the topic accepts."),
    key("message.timestamp.after.max.ms", kLong, "3600000", at_least(0),
        {{{"log.message.timestamp.after.max.ms"}}},
        "How far ahead of the broker's clock a record's timestamp may be. Ignored with LogAppendTime."),
    key("message.timestamp.before.max.ms", kLong, kForever, at_least(0),
        {{{"log.message.timestamp.before.max.ms"}}},
        "How far behind the broker's clock a record's timestamp may be. Ignored with LogAppendTime."),
    key("message.timestamp.type", kString, "CreateTime", one_of("CreateTime, LogAppendTime"),
        {{{"log.message.timestamp.type"}}},
        "Whether records keep the producer's timestamp or get the broker's when they are appended."),
    key("min.cleanable.dirty.ratio", kDouble, "0.5", between(0, 1), {{{"log.cleaner.min.cleanable.ratio"}}},
        "Share of a compacted log that must be uncompacted before the cleaner takes it up."),
    key("min.compaction.lag.ms", kLong, "0", at_least(0), {{{"log.cleaner.min.compaction.lag.ms"}}},
        "Shortest time that a record of a compacted topic stays as it was written."),
    key("min.insync.replicas", kInt, "1", at_least(1), {{{"min.insync.replicas"}}},
        "In-sync replicas, the leader included, without which a write with acks=all is refused and the high "
        "watermark stands still."),
    key("preallocate", kBoolean, "false", any_value(), {{{"log.preallocate"}}},
        "Whether a new segment's file is given its full size on disk at once."),
    key("remote.log.copy.disable", kBoolean, "false", any_value(), {},
        "With tiered storage, stops copying segments to remote storage; what is there stays readable."),
    key("remote.log.delete.on.disable", kBoolean, "false", any_value(), {},
        "With tiered storage, whether turning it off for the topic deletes the remote data."),
    key("remote.storage.enable", kBoolean, "false", any_value(), {},
        "Turns tiered storage on for the topic; only on brokers that have it."),
    key("retention.bytes", kLong, "-1", any_value(), {{{"log.retention.bytes"}}},
        "Size of a partition above which its oldest segments are deleted; negative for no limit."),
    key("retention.ms", kLong, "604800000", at_least(-1),
        {{{"log.retention.ms"}, {"log.retention.minutes", kMinutes}, {"log.retention.hours", kHours}}},
        "Age above which segments are deleted; -1 for no limit."),
    key("segment.bytes", kInt, "1073741824", at_least(1024 * 1024), {{{"log.segment.bytes"}}},
        "Size at which a segment is closed and the next one begun. Deletion and compaction work on whole "
        "segments."),
    key("segment.index.bytes", kInt, "10485760", at_least(4), {{{"log.index.size.max.bytes"}}},
        "Largest size of a segment's offset index; a full index closes the segment."),
    key("segment.jitter.ms", kLong, "0", at_least(0),
        {{{"log.roll.jitter.ms"}, {"log.roll.jitter.hours", kHours}}},
        "Largest random amount by which segment.ms is shortened, so that partitions do not all roll at "
        "once."),
    key("segment.ms", kLong, "604800000", at_least(1), {{{"log.roll.ms"}, {"log.roll.hours", kHours}}},
        "Age at which a segment is closed even if it is not full, so that retention and compaction can reach "
        "it."),
    key("unclean.leader.election.enable", kBoolean, "false", any_value(),
        {{{"unclean.leader.election.enable"}}},
        "Whether a replica outside the in-sync set may become leader when no other is left. Doing so may "
        "lose "
        "acknowledged records."),
});

const std::string* lookup(const ConfigMap* layer, std::string_view name) {
  if (layer == nullptr) return nullptr;
  const auto at = layer->find(name);
  return at == layer->end() ? nullptr : &at->second;
}

// A broker's value as a topic's: hours and minutes become milliseconds, and those below zero, which Kafka
// takes for no limit, -1. Text that is no number counts as 0.
std::string translated(const BrokerSynonym& synonym, const std::string& text) {
  if (synonym.to_milliseconds == 0) return text;
  const ConfigKey number{.name = synonym.name, .type = ConfigType::kInt};
  const auto value = parse_config(number, text);
  const std::int64_t units = value ? std::get<std::int64_t>(*value) : 0;
  return std::to_string(units < 0 ? -1 : units * synonym.to_milliseconds);
}

std::int64_t whole(std::string_view name, const ConfigLayers& layers) {
  return std::get<std::int64_t>(effective_topic_value(*find_topic_config(name), layers));
}

}  // namespace

std::span<const BrokerSynonym> TopicConfigKey::broker_synonyms() const {
  const auto end = std::ranges::find(synonyms, std::string_view{}, &BrokerSynonym::name);
  return {synonyms.begin(), end};
}

std::span<const TopicConfigKey> topic_config_keys() { return kTopicConfigs.keys(); }

const TopicConfigKey* find_topic_config(std::string_view name) { return kTopicConfigs.find(name); }

EffectiveConfig effective_topic_config(const TopicConfigKey& key, const ConfigLayers& layers) {
  if (const auto* text = lookup(layers.topic, key.name)) return {*text, ConfigSource::kDynamicTopic};
  const std::pair<const ConfigMap*, ConfigSource> below[] = {
      {layers.broker, ConfigSource::kDynamicBroker},
      {layers.cluster, ConfigSource::kDynamicDefaultBroker},
      {layers.file, ConfigSource::kStaticBroker},
  };
  for (const auto& [layer, source] : below) {
    for (const BrokerSynonym& synonym : key.broker_synonyms()) {
      if (const auto* text = lookup(layer, synonym.name)) return {translated(synonym, *text), source};
    }
  }
  return {config_text(default_config(key)), ConfigSource::kDefault};
}

ConfigValue effective_topic_value(const TopicConfigKey& key, const ConfigLayers& layers) {
  const EffectiveConfig effective = effective_topic_config(key, layers);
  auto value = parse_config(key, effective.value);
  return value ? *std::move(value) : default_config(key);
}

std::optional<std::string> check_topic_configs(const ConfigLayers& layers) {
  if (layers.topic == nullptr) return std::nullopt;
  for (const auto& [name, text] : *layers.topic) {
    if (find_topic_config(name) == nullptr) return "Unknown topic config name: " + name;
  }
  for (const auto& [name, text] : *layers.topic) {
    if (auto value = parse_config(*find_topic_config(name), text); !value) return value.error();
  }
  const std::int64_t min_lag = whole("min.compaction.lag.ms", layers);
  const std::int64_t max_lag = whole("max.compaction.lag.ms", layers);
  if (min_lag > max_lag) {
    return fmt::format(
        "conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})", min_lag,
        max_lag);
  }
  if (std::get<bool>(effective_topic_value(*find_topic_config("remote.storage.enable"), layers))) {
    return "Tiered Storage functionality is disabled in the broker. "
           "Topic cannot be configured with remote log storage.";
  }
  return std::nullopt;
}

}  // namespace milena::controller
