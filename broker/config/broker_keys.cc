#include "broker/config/broker_keys.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "broker/config/keys_coordinator.h"
#include "broker/config/keys_log.h"
#include "broker/config/keys_network.h"
#include "broker/config/keys_remote.h"
#include "broker/config/keys_replication.h"
#include "broker/config/keys_security.h"
#include "broker/config/keys_server.h"

namespace milena::broker {
namespace {

template <std::size_t... N>
consteval auto joined(const std::array<BrokerConfigKey, N>&... tables) {
  std::array<BrokerConfigKey, (N + ...)> all{};
  auto at = all.begin();
  ((at = std::ranges::copy(tables, at).out), ...);
  return all;
}

constexpr ConfigTable kBrokerConfigs(joined(keys::kServerKeys, keys::kNetworkKeys, keys::kLogKeys,
                                            keys::kReplicationKeys, keys::kCoordinatorKeys,
                                            keys::kSecurityKeys, keys::kRemoteKeys));

constexpr std::array kRetention{"log.retention.ms", "log.retention.minutes", "log.retention.hours"};
constexpr std::array kRoll{"log.roll.ms", "log.roll.hours"};
constexpr std::array kRollJitter{"log.roll.jitter.ms", "log.roll.jitter.hours"};
constexpr std::array kFlush{"log.flush.interval.ms", "log.flush.scheduler.interval.ms"};

// The keys of Kafka's own authorizer. They are not in its table of keys, as any plug-in's are not.
constexpr std::string_view kSuperUsers = "super.users";
constexpr std::string_view kAllowEveryone = "allow.everyone.if.no.acl.found";
constexpr std::string_view kAccessControl = "access control";

// The number of letters to insert, remove, change or swap with their neighbour to get from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0uz);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::span<const BrokerConfigKey> broker_config_keys() { return kBrokerConfigs.keys(); }

const BrokerConfigKey* find_broker_config(std::string_view name) { return kBrokerConfigs.find(name); }

const BrokerConfigKey* find_listener_config(std::string_view name) {
  constexpr std::string_view kPrefix = "listener.name.";
  if (!name.starts_with(kPrefix)) return nullptr;
  name.remove_prefix(kPrefix.size());
  for (int part = 0; part < 2; ++part) {  // the name; and the mechanism, where a key has one
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    name.remove_prefix(dot + 1);
    if (const BrokerConfigKey* key = find_broker_config(name)) return key;
  }
  return nullptr;
}

std::vector<std::string_view> broker_config_synonyms(std::string_view name) {
  const auto among = [&](const auto& group) { return std::ranges::find(group, name) != group.end(); };
  if (among(kRetention)) return {kRetention.begin(), kRetention.end()};
  if (among(kRoll)) return {kRoll.begin(), kRoll.end()};
  if (among(kRollJitter)) return {kRollJitter.begin(), kRollJitter.end()};
  if (name == kFlush.front()) return {kFlush.begin(), kFlush.end()};
  if (name.starts_with("listener.name.")) {
    const auto dot = name.find('.', sizeof("listener.name.") - 1);
    if (dot != std::string_view::npos) return {name, name.substr(dot + 1)};
  }
  return {name};
}

std::optional<std::string_view> lacking_for(std::string_view name, std::string_view text) {
  if (name == kSuperUsers) return trimmed(text).empty() ? std::nullopt : std::optional(kAccessControl);
  if (name == kAllowEveryone) {
    const bool is_true = parse_config({.type = ConfigType::kBoolean}, text) == ConfigValue(true);
    return is_true ? std::nullopt : std::optional(kAccessControl);
  }
  const BrokerConfigKey* key = find_broker_config(name);
  if (key == nullptr) key = find_listener_config(name);
  if (key == nullptr || key->effect != ConfigEffect::kRefused) return std::nullopt;
  const auto value = parse_config(*key, text);
  const bool asks = !trimmed(text).empty() && value != default_config(*key);
  return asks ? std::optional(key->lacks) : std::nullopt;
}

bool is_ignored_config(std::string_view name) {
  constexpr std::array<std::string_view, 10> kPrefixes{
      "listener.name.",   "confluent.",        "zookeeper.", "rlmm.config.", "rsm.config.",
      "metrics.context.", "config.providers.", "kafka.",     "client.",      "producer."};
  constexpr std::array<std::string_view, 12> kNames{kSuperUsers,
                                                    kAllowEveryone,
                                                    "inter.broker.protocol.version",
                                                    "log.message.format.version",
                                                    "log.message.downconversion.enable",
                                                    "log.message.timestamp.difference.max.ms",
                                                    "offsets.commit.required.acks",
                                                    "reserved.broker.max.id",
                                                    "broker.id.generation.enable",
                                                    "control.plane.listener.name",
                                                    "leader.imbalance.per.broker.percentage",
                                                    "password.encoder.secret"};
  return std::ranges::any_of(kPrefixes, [&](auto prefix) { return name.starts_with(prefix); }) ||
         std::ranges::find(kNames, name) != kNames.end();
}

std::optional<std::string_view> nearest_broker_config(std::string_view name) {
  constexpr std::size_t kLongestName = 100;
  if (name.size() > kLongestName) return std::nullopt;
  std::size_t best = std::max<std::size_t>(2, name.size() / 5) + 1;
  std::optional<std::string_view> nearest;
  for (const BrokerConfigKey& key : broker_config_keys()) {
    if (const std::size_t distance = edit_distance(name, key.name); distance < best) {
      best = distance;
      nearest = key.name;
    }
  }
  return nearest;
}

}  // namespace milena::broker
