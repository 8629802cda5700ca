// ConfigDef: what a configuration key is, and how its text becomes a value.
//
// Pure functions over constant tables; any thread. A room writes its keys as one constexpr ConfigTable and
// the machinery here parses, checks and prints them by Kafka's rules: text is trimmed, booleans ignore case,
// a list is split at commas, a number is Java's. Errors are the finished sentence that Kafka's clients show
// to people.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace milena {

// The numbers are the ones a DescribeConfigs answer carries.
enum class ConfigType : std::int8_t {
  kBoolean = 1,
  kString = 2,
  kInt = 3,
  kShort = 4,
  kLong = 5,
  kDouble = 6,
  kList = 7,
  kClass = 8,
  kPassword = 9,
};

enum class ConfigImportance : std::uint8_t { kHigh, kMedium, kLow };

// A parsed value. monostate is Kafka's null (nothing set, no default); kInt, kShort and kLong are all
// int64_t; kString, kClass and kPassword are all std::string.
using ConfigValue =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

// Checks one value: an empty string is "fine", anything else the whole error text.
using ConfigCheck = std::string (*)(std::string_view name, const ConfigValue& value);

// What a value must satisfy beyond its type. Made by the functions below, never by hand.
struct ConfigRule {
  enum class Kind : std::uint8_t { kAny, kRange, kOneOf, kOneOfIgnoringCase, kList, kNotNull, kCustom };
  using Number = std::variant<std::int64_t, double>;  // a bound is printed as it was written: 0 or 0.0

  Kind kind = Kind::kAny;
  std::optional<Number> min{};
  std::optional<Number> max{};
  std::string_view choices{};  // "a, b, c"
  bool empty_allowed = true;
  bool null_allowed = true;
  ConfigCheck check = nullptr;
};

constexpr ConfigRule any_value() { return {}; }
constexpr ConfigRule at_least(ConfigRule::Number min) {
  return {.kind = ConfigRule::Kind::kRange, .min = min, .null_allowed = false};
}
constexpr ConfigRule between(ConfigRule::Number min, ConfigRule::Number max) {
  return {.kind = ConfigRule::Kind::kRange, .min = min, .max = max, .null_allowed = false};
}
// `choices` is a list such as "CreateTime, LogAppendTime"; errors quote it as it stands.
constexpr ConfigRule one_of(std::string_view choices) {
  return {.kind = ConfigRule::Kind::kOneOf, .choices = choices, .null_allowed = false};
}
constexpr ConfigRule one_of_ignoring_case(std::string_view choices) {
  return {.kind = ConfigRule::Kind::kOneOfIgnoringCase, .choices = choices, .null_allowed = false};
}
// A list whose members are each one of `choices`, or anything but "" when there are no choices. Doubles are
// dropped.
constexpr ConfigRule list_of(std::string_view choices, bool empty_allowed = true, bool null_allowed = false) {
  return {.kind = ConfigRule::Kind::kList,
          .choices = choices,
          .empty_allowed = empty_allowed,
          .null_allowed = null_allowed};
}
constexpr ConfigRule not_null() { return {.kind = ConfigRule::Kind::kNotNull, .null_allowed = false}; }
constexpr ConfigRule checked_by(ConfigCheck check) {
  return {.kind = ConfigRule::Kind::kCustom, .check = check};
}

struct ConfigKey {
  std::string_view name{};
  ConfigType type = ConfigType::kString;
  std::optional<std::string_view> default_text{};  // nullopt: null
  ConfigRule rule{};
  ConfigImportance importance = ConfigImportance::kMedium;
  std::string_view doc{};
  bool internal = false;  // for tests and developers; listings leave it out

  bool is_sensitive() const { return type == ConfigType::kPassword; }
};

// Keys in the order of their names, whatever order the source gives them. Key is ConfigKey or derives from
// it. Two keys of one name do not compile (when the table is constexpr).
template <class Key, std::size_t N>
class ConfigTable {
 public:
  consteval explicit ConfigTable(std::array<Key, N> keys) : keys_(keys) {
    std::ranges::sort(keys_, {}, [](const Key& key) { return key.name; });
    for (std::size_t i = 1; i < N; ++i) {
      if (keys_[i - 1].name == keys_[i].name) throw "two configuration keys of one name";
    }
  }

  constexpr std::span<const Key> keys() const { return keys_; }

  // nullptr when there is no such key.
  constexpr const Key* find(std::string_view name) const {
    const auto at = std::ranges::lower_bound(keys_, name, {}, [](const Key& key) { return key.name; });
    return at != keys_.end() && at->name == name ? &*at : nullptr;
  }

 private:
  std::array<Key, N> keys_;
};

// Text to value: the type's grammar, then the rule. nullopt is null.
std::expected<ConfigValue, std::string> parse_config(const ConfigKey& key,
                                                     std::optional<std::string_view> text);

// The parsed default. A default that breaks its own rule is a bug in the table and aborts.
ConfigValue default_config(const ConfigKey& key);

// The canonical text of a value: what Kafka prints for it. nullopt for null.
std::optional<std::string> config_text(const ConfigValue& value);

// "Invalid value VALUE for configuration NAME: WHY": the form of nearly every error.
std::string invalid_config(std::string_view name, std::string_view value, std::string_view why);

// Without the characters up to ' ' at both ends, as Java trims.
std::string_view trimmed(std::string_view text);

// The members of "a, b ,c"; nothing for blank text.
std::vector<std::string> split_config_list(std::string_view text);

}  // namespace milena
