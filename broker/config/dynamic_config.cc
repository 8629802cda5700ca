#include "broker/config/dynamic_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/result.h"
#include "broker/config/broker_keys.h"
#include "broker/config/connection_limits.h"
#include "broker/config/cross_checks.h"

namespace milena::broker {
namespace {

using controller::ConfigEdits;
using controller::ConfigResourceType;
using controller::MetadataImage;

enum class Verdict : std::uint8_t { kFine, kNotDynamic, kLacking, kMalformed, kPerBrokerOnly };

// The key of the table that a name means, with or without the prefix of a listener.
const BrokerConfigKey* meant_key(std::string_view name) {
  if (const BrokerConfigKey* key = find_broker_config(name)) return key;
  return find_listener_config(name);
}

// Kafka knows these only as dynamic settings: what replication among brokers may cost.
bool is_replication_throttle(std::string_view name) {
  return name == "leader.replication.throttled.rate" || name == "follower.replication.throttled.rate" ||
         name == "replica.alter.log.dirs.io.max.bytes.per.second";
}

bool may_change(const BrokerConfigKey& key) {
  if (key.update == ConfigUpdate::kReadOnly || key.only_at_start) return false;
  return key.effect == ConfigEffect::kInForce || key.effect == ConfigEffect::kWithoutMeaning;
}

bool is_for_all(const BrokerConfigKey& key) { return key.update == ConfigUpdate::kClusterWide; }

// A name that is no key of ours is kept, as Kafka keeps it for plug-ins.
Verdict judge(const std::string& name, const std::string& text, bool for_all) {
  if (lacking_for(name, text)) return Verdict::kLacking;
  const BrokerConfigKey* key = meant_key(name);
  if (key == nullptr) return is_replication_throttle(name) ? Verdict::kNotDynamic : Verdict::kFine;
  if (!may_change(*key)) return Verdict::kNotDynamic;
  if (!parse_config(*key, text)) return Verdict::kMalformed;
  if (for_all && !is_for_all(*key)) return Verdict::kPerBrokerOnly;
  return Verdict::kFine;
}

ConfigMap applicable(ConfigMap stored, bool for_all) {
  std::erase_if(
      stored, [&](const auto& entry) { return judge(entry.first, entry.second, for_all) != Verdict::kFine; });
  return stored;
}

void lay_over(ConfigMap& values, const ConfigMap& layer) {
  for (const auto& [name, text] : layer) {
    if (find_broker_config(name) != nullptr) {
      for (const std::string_view synonym : broker_config_synonyms(name)) values.erase(std::string(synonym));
    }
    values[name] = text;
  }
}

// Kafka bounds what operators set while it runs, instead of refusing it.
void clamp(ConfigMap& values, const char* name, const char* min, const char* max) {
  const ConfigValues before(values);
  const std::int64_t low = before.number(min), high = before.number(max);
  const std::int64_t bounded = std::max(low, std::min(before.number(name), high));
  if (before.is_set(name)) values[name] = std::to_string(bounded);
}

// As Kafka: a pool of threads at most doubles, and loses no more than half, at once.
std::expected<void, std::string> check_thread_counts(const ConfigValues& now, const ConfigValues& next) {
  for (const std::string_view key : {"background.threads", "num.recovery.threads.per.data.dir"}) {
    const std::int64_t before = now.number(key), after = next.number(key);
    const char* const bound = after < before / 2 ? "value should be at least half the current value"
                              : after > before * 2
                                  ? "value should not be greater than double the current value"
                                  : nullptr;
    if (bound != nullptr) {
      return std::unexpected(fmt::format("Dynamic thread count update validation failed for {}={}, {} {}",
                                         key, after, bound, before));
    }
  }
  return {};
}

std::string quoted(const std::vector<std::string>& names) {
  return fmt::format("[{}]", fmt::join(names, ", "));
}

}  // namespace

DynamicConfig::DynamicConfig(const ConfigValues& file, protocol::BrokerId self, const Logger& log)
    : file_(file),
      self_(self),
      log_(log),
      state_(std::make_shared<const State>(State{{}, {}, ConfigValues(file.set())})) {}

std::shared_ptr<const DynamicConfig::State> DynamicConfig::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

std::shared_ptr<const ConfigValues> DynamicConfig::current() const {
  auto now = state();
  const ConfigValues* values = &now->values;
  return {std::move(now), values};
}

void DynamicConfig::subscribe(Subscriber subscriber) {
  subscriber(*current());
  subscribers_.push_back(std::move(subscriber));
}

void DynamicConfig::follow(const MetadataImage& image) {
  const auto stored = [&](const std::string& name) {
    const ConfigMap* config = image.config(ConfigResourceType::kBroker, name);
    return config == nullptr ? ConfigMap{} : *config;
  };
  ConfigMap for_all = stored(""), for_this = stored(std::to_string(self_.value));
  if (for_all == stored_for_all_ && for_this == stored_for_this_) return;
  auto next = std::make_shared<State>();
  next->for_all = applicable(for_all, true);
  next->for_this = applicable(for_this, false);
  next->values = laid_over(next->for_all, next->for_this);
  report_ignored(for_all, true);
  report_ignored(for_this, false);
  stored_for_all_ = std::move(for_all);
  stored_for_this_ = std::move(for_this);
  {
    const MutexLock lock(mutex_);
    state_ = next;
  }
  for (const Subscriber& subscriber : subscribers_) subscriber(next->values);
}

ConfigValues DynamicConfig::laid_over(const ConfigMap& for_all, const ConfigMap& for_this) const {
  ConfigMap values = file_.set();
  lay_over(values, for_all);
  lay_over(values, for_this);
  clamp(values, "group.consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms",
        "group.consumer.max.assignment.interval.ms");
  return ConfigValues(std::move(values));
}

void DynamicConfig::report_ignored(const ConfigMap& stored, bool for_all) const {
  std::vector<std::string_view> names;
  for (const auto& [name, text] : stored) {
    if (judge(name, text, for_all) != Verdict::kFine) names.push_back(name);
  }
  if (names.empty()) return;
  log_.warn("The metadata of the cluster stores settings of {} that are not applied: {}",
            for_all ? "all brokers" : "this broker", fmt::join(names, ", "));
}

std::expected<void, std::string> DynamicConfig::check(const std::string& resource, const ConfigMap& result,
                                                      const ConfigEdits& edits) const {
  const bool for_all = resource.empty();
  if (!for_all && resource != std::to_string(self_.value)) {
    return std::unexpected(
        fmt::format("Unexpected broker id, expected {}, but received {}", self_.value, resource));
  }
  std::vector<std::string> not_dynamic, per_broker;
  std::optional<std::string> lacking, malformed;
  for (const auto& [name, text] : edits) {
    if (!text) continue;
    switch (judge(name, *text, for_all)) {
      case Verdict::kFine:
        break;
      case Verdict::kNotDynamic:
        not_dynamic.push_back(name);
        break;
      case Verdict::kLacking:
        lacking =
            fmt::format("{} asks for {}, which this version does not have", name, *lacking_for(name, *text));
        break;
      case Verdict::kMalformed:
        malformed = parse_config(*meant_key(name), *text).error();
        break;
      case Verdict::kPerBrokerOnly:
        per_broker.push_back(name);
        break;
    }
  }
  if (lacking) return std::unexpected(*std::move(lacking));
  if (!not_dynamic.empty()) {
    return std::unexpected("Cannot update these configs dynamically: " + quoted(not_dynamic));
  }
  if (malformed) return std::unexpected(*std::move(malformed));
  if (!per_broker.empty()) {
    return std::unexpected(
        "Cannot update these configs at default cluster level, broker id must be specified: " +
        quoted(per_broker));
  }
  const auto now = state();
  const ConfigMap wanted = applicable(result, for_all);
  const ConfigValues after = laid_over(for_all ? wanted : now->for_all, for_all ? now->for_this : wanted);
  MILENA_CHECK(check_together(after));
  MILENA_CHECK(check_thread_counts(now->values, after));
  MILENA_TRY([[maybe_unused]] const ConnectionLimits limits,
             connection_limits(after, ConnectionLimits::kNone));
  return {};
}

}  // namespace milena::broker
