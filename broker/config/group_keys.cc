#include "broker/config/group_keys.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace milena::broker {
namespace {

using enum ConfigType;

// ISO 8601, as far as java.time.Duration reads it and it is not negative: P1DT2H3M4.5S.
bool is_duration(std::string_view text) {
  if (!text.starts_with('P')) return false;
  text.remove_prefix(1);
  std::string_view units = "DHMS";
  bool in_time = false, has_any = false;
  while (!text.empty()) {
    if (!in_time && text.starts_with('T')) {
      in_time = true;
      text.remove_prefix(1);
      if (text.empty()) return false;
      units.remove_prefix(units.starts_with('D') ? 1 : 0);
    }
    const auto digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return false;
    const bool has_fraction = text.substr(0, digits).contains('.');
    const auto unit = units.find(text[digits]);
    if (unit == std::string_view::npos || (text[digits] != 'D' && !in_time)) return false;
    if (has_fraction && text[digits] != 'S') return false;
    units.remove_prefix(unit + 1);
    text.remove_prefix(digits + 1);
    has_any = true;
  }
  return has_any;
}

std::string check_reset(std::string_view name, const ConfigValue& value) {
  constexpr std::string_view kByDuration = "by_duration:";
  const std::string* text = std::get_if<std::string>(&value);
  const bool is_fine =
      text != nullptr &&
      (*text == "earliest" || *text == "latest" ||
       (text->starts_with(kByDuration) && is_duration(std::string_view(*text).substr(kByDuration.size()))));
  if (is_fine) return {};
  return invalid_config(name, text == nullptr ? "null" : *text,
                        "Invalid value for strategy. Supported values are 'earliest', 'latest' and "
                        "'by_duration:<duration>' with a duration as in ISO 8601 that is not negative.");
}

constexpr GroupConfigKey key(std::string_view name, ConfigType type, std::string_view default_text,
                             ConfigRule rule, std::string_view broker_key, std::string_view lower_bound,
                             std::string_view upper_bound, std::string_view doc) {
  GroupConfigKey made;
  made.name = name;
  made.type = type;
  made.default_text = default_text;
  made.rule = rule;
  made.doc = doc;
  made.broker_key = broker_key;
  made.lower_bound = lower_bound;
  made.upper_bound = upper_bound;
  return made;
}

constexpr ConfigTable kGroupConfigs(std::array{
    key("consumer.session.timeout.ms", kInt, "45000", at_least(1), "group.consumer.session.timeout.ms",
        "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms",
        "A member that is silent for this long is out."),
    key("consumer.heartbeat.interval.ms", kInt, "5000", at_least(1), "group.consumer.heartbeat.interval.ms",
        "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms",
        "How often members send heartbeats."),
    key("consumer.assignment.interval.ms", kInt, "0", at_least(0), "group.consumer.assignment.interval.ms",
        "group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms",
        "Shortest time between two assignments."),
    key("share.session.timeout.ms", kInt, "45000", at_least(1), "group.share.session.timeout.ms",
        "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms",
        "A member that is silent for this long is out."),
    key("share.heartbeat.interval.ms", kInt, "5000", at_least(1), "group.share.heartbeat.interval.ms",
        "group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms",
        "How often members send heartbeats."),
    key("share.assignment.interval.ms", kInt, "1000", at_least(0), "group.share.assignment.interval.ms",
        "group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms",
        "Shortest time between two assignments."),
    key("share.record.lock.duration.ms", kInt, "30000", at_least(1000), "group.share.record.lock.duration.ms",
        "group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms",
        "How long a delivered record belongs to its consumer."),
    key("share.delivery.count.limit", kInt, "5", at_least(2), "group.share.delivery.count.limit",
        "group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit",
        "How often a record is delivered before it is given up."),
    key("share.partition.max.record.locks", kInt, "2000", at_least(100),
        "group.share.partition.max.record.locks", "group.share.min.partition.max.record.locks",
        "group.share.max.partition.max.record.locks",
        "Records of a partition that may be delivered and unacknowledged."),
    key("share.auto.offset.reset", kString, "latest", checked_by(check_reset), "", "", "",
        "Where a share group begins: earliest, latest or by_duration:P1DT2H."),
    key("share.isolation.level", kString, "read_uncommitted", one_of("read_committed, read_uncommitted"), "",
        "", "", "Whether records of transactions that are not committed are delivered."),
    key("share.renew.acknowledge.enable", kBoolean, "true", any_value(), "", "", "",
        "Whether consumers may renew the lock of a record."),
    key("streams.session.timeout.ms", kInt, "45000", at_least(1), "group.streams.session.timeout.ms",
        "group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms",
        "A member that is silent for this long is out."),
    key("streams.heartbeat.interval.ms", kInt, "5000", at_least(1), "group.streams.heartbeat.interval.ms",
        "group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms",
        "How often members send heartbeats."),
    key("streams.assignment.interval.ms", kInt, "1000", at_least(0), "group.streams.assignment.interval.ms",
        "group.streams.min.assignment.interval.ms", "group.streams.max.assignment.interval.ms",
        "Shortest time between two assignments."),
    key("streams.num.standby.replicas", kInt, "0", at_least(0), "group.streams.num.standby.replicas", "",
        "group.streams.max.standby.replicas", "Standby copies of each task."),
    key("streams.initial.rebalance.delay.ms", kInt, "3000", at_least(0),
        "group.streams.initial.rebalance.delay.ms", "", "", "How long a new group waits for more members."),
});

// What the group sets, or what it has from the broker.
std::int64_t effective_number(const controller::ConfigMap& config, const ConfigValues& settings,
                              std::string_view name) {
  const GroupConfigKey& key = *find_group_config(name);
  const auto set = config.find(name);
  if (set == config.end()) return settings.number(key.broker_key);
  return std::get<std::int64_t>(*parse_config(key, set->second));
}

}  // namespace

std::span<const GroupConfigKey> group_config_keys() { return kGroupConfigs.keys(); }

const GroupConfigKey* find_group_config(std::string_view name) { return kGroupConfigs.find(name); }

std::expected<void, std::string> check_group_config(const controller::ConfigMap& config,
                                                    const ConfigValues& settings) {
  for (const auto& [name, text] : config) {
    const GroupConfigKey* key = find_group_config(name);
    if (key == nullptr) return std::unexpected("Unknown group config name: " + name);
    if (const auto value = parse_config(*key, text); !value) return std::unexpected(value.error());
  }
  for (const auto& [name, text] : config) {
    const GroupConfigKey& key = *find_group_config(name);
    if (!key.lower_bound.empty() &&
        effective_number(config, settings, name) < settings.number(key.lower_bound)) {
      return std::unexpected(fmt::format("{} must be greater than or equal to {}", name, key.lower_bound));
    }
    if (!key.upper_bound.empty() &&
        effective_number(config, settings, name) > settings.number(key.upper_bound)) {
      return std::unexpected(fmt::format("{} must be less than or equal to {}", name, key.upper_bound));
    }
  }
  for (const std::string_view type : {"consumer", "share", "streams"}) {
    const std::string session = fmt::format("{}.session.timeout.ms", type);
    const std::string heartbeat = fmt::format("{}.heartbeat.interval.ms", type);
    if (effective_number(config, settings, session) <= effective_number(config, settings, heartbeat)) {
      return std::unexpected(fmt::format("{} must be greater than {}", session, heartbeat));
    }
  }
  return {};
}

std::vector<DescribedConfig> describe_group(const controller::ConfigMap* group, const ConfigLayers& broker) {
  std::vector<DescribedConfig> all;
  for (const GroupConfigKey& key : group_config_keys()) {
    DescribedConfig described;
    described.name = key.name;
    described.is_read_only = false;
    described.type = key.type;
    described.doc = key.doc;
    described.value = config_text(default_config(key));
    if (key.broker_key.empty()) {
      described.synonyms = {{std::string(key.name), described.value, ConfigSource::kDefault}};
    } else {
      DescribedConfig inherited = describe_broker_key(broker, key.broker_key);
      described.value = std::move(inherited.value);
      described.synonyms = std::move(inherited.synonyms);
    }
    const bool is_set = group != nullptr && group->contains(key.name);
    if (is_set) {
      const auto value = parse_config(key, group->find(key.name)->second);
      if (value) described.value = config_text(*value);
      described.synonyms.insert(described.synonyms.begin(),
                                {std::string(key.name), described.value, ConfigSource::kGroup});
    }
    if (!described.synonyms.empty()) described.source = described.synonyms.front().source;
    all.push_back(std::move(described));
  }
  return all;
}

}  // namespace milena::broker
