#include "broker/partition/topic_settings.h"

#include <algorithm>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "base/assert.h"

namespace milena::broker {
namespace {

using controller::ConfigLayers;

// Typed access to effective values; the table of topic configurations guarantees the types.
class Values {
 public:
  explicit Values(const ConfigLayers& layers) : layers_(layers) {}

  std::int64_t number(std::string_view name) const { return get<std::int64_t>(name); }
  std::int32_t number32(std::string_view name) const {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(
        number(name), std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
  }
  std::string text(std::string_view name) const { return get<std::string>(name); }
  bool list_has(std::string_view name, std::string_view member) const {
    const auto list = get<std::vector<std::string>>(name);
    return std::ranges::find(list, member) != list.end();
  }

 private:
  template <class T>
  T get(std::string_view name) const {
    const auto* key = controller::find_topic_config(name);
    MILENA_ASSERT(key != nullptr, "the broker reads topic configurations that exist");
    auto value = controller::effective_topic_value(*key, layers_);
    auto* typed = std::get_if<T>(&value);
    MILENA_ASSERT(typed != nullptr, "a topic configuration has the type the broker expects");
    return std::move(*typed);
  }

  const ConfigLayers& layers_;
};

std::optional<int> level_for(const Values& values, protocol::CompressionType type) {
  switch (type) {
    case protocol::CompressionType::kGzip:
      return values.number32("compression.gzip.level");
    case protocol::CompressionType::kLz4:
      return values.number32("compression.lz4.level");
    case protocol::CompressionType::kZstd:
      return values.number32("compression.zstd.level");
    default:
      return std::nullopt;
  }
}

}  // namespace

std::shared_ptr<const TopicSettings> topic_settings(const ConfigLayers& layers) {
  const Values values(layers);
  auto log = std::make_shared<storage::LogConfig>();
  log->segment_bytes = values.number32("segment.bytes");
  log->segment_ms = values.number("segment.ms");
  log->segment_jitter_ms = values.number("segment.jitter.ms");
  log->segment_index_bytes = values.number32("segment.index.bytes");
  log->index_interval_bytes = values.number32("index.interval.bytes");
  log->retention_bytes = values.number("retention.bytes");
  log->retention_ms = values.number("retention.ms");
  log->flush_messages = values.number("flush.messages");
  log->flush_ms = values.number("flush.ms");
  log->cleanup_delete = values.list_has("cleanup.policy", "delete");
  log->cleanup_compact = values.list_has("cleanup.policy", "compact");

  auto settings = std::make_shared<TopicSettings>();
  auto& rules = settings->batch_rules;
  rules.compacted = log->cleanup_compact;
  rules.timestamp_type = values.text("message.timestamp.type") == "LogAppendTime"
                             ? protocol::TimestampType::kLogAppendTime
                             : protocol::TimestampType::kCreateTime;
  rules.timestamp_before_max_ms = values.number("message.timestamp.before.max.ms");
  rules.timestamp_after_max_ms = values.number("message.timestamp.after.max.ms");
  rules.max_message_bytes = values.number32("max.message.bytes");
  const std::string compression = values.text("compression.type");
  if (compression == "uncompressed") {
    rules.compression = protocol::CompressionType::kNone;
  } else if (compression != "producer") {
    rules.compression = protocol::compression_by_name(compression);
  }
  if (rules.compression) settings->compression_level = level_for(values, *rules.compression);
  settings->log = std::move(log);
  return settings;
}

}  // namespace milena::broker
