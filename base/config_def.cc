#include "base/config_def.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <compare>
#include <limits>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "base/result.h"

namespace milena {
namespace {

using Checked = std::expected<ConfigValue, std::string>;

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view type_name(ConfigType type) {
  switch (type) {
    case ConfigType::kBoolean:
      return "BOOLEAN";
    case ConfigType::kString:
      return "STRING";
    case ConfigType::kInt:
      return "INT";
    case ConfigType::kShort:
      return "SHORT";
    case ConfigType::kLong:
      return "LONG";
    case ConfigType::kDouble:
      return "DOUBLE";
    case ConfigType::kList:
      return "LIST";
    case ConfigType::kClass:
      return "CLASS";
    case ConfigType::kPassword:
      return "PASSWORD";
  }
  return "UNKNOWN";
}

// Java's parseInt and parseLong: an optional sign and decimal digits, nothing else.
std::optional<std::int64_t> parse_whole(std::string_view text, std::int64_t min, std::int64_t max) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min || value > max)
    return std::nullopt;
  return value;
}

// Java's parseDouble for decimal text: optional sign, digits, exponent, one of the suffixes d D f F; NaN and
// Infinity by name.
std::optional<double> parse_real(std::string_view text) {
  double sign = 1;
  if (text.starts_with('+') || text.starts_with('-')) {
    sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return sign * std::numeric_limits<double>::infinity();
  if (!text.empty() && (lower(text.back()) == 'd' || lower(text.back()) == 'f')) text.remove_suffix(1);
  if (text.empty() || (text.front() != '.' && (text.front() < '0' || text.front() > '9')))
    return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return sign * value;  // 0 or infinity, as Java has it
  if (error != std::errc()) return std::nullopt;
  return sign * value;
}

// Java's Double.toString: at least one digit after the point, scientific below 10^-3 and from 10^7.
std::string real_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  const double size = std::fabs(value);
  std::array<char, 64> buffer;
  if (size == 0 || (size >= 1e-3 && size < 1e7)) {
    const auto end = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::fixed).ptr;
    std::string text(buffer.begin(), end);
    return text.find('.') == std::string::npos ? text + ".0" : text;
  }
  const auto end = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific).ptr;
  std::string_view text(buffer.begin(), end);
  const auto e = text.find('e');
  const std::string_view mantissa = text.substr(0, e);
  const auto exponent = parse_whole(text.substr(e + 1), -400, 400).value_or(0);
  return fmt::format("{}{}E{}", mantissa, mantissa.find('.') == std::string_view::npos ? ".0" : "", exponent);
}

std::string number_text(const ConfigRule::Number& number) {
  if (const auto* whole = std::get_if<std::int64_t>(&number)) return std::to_string(*whole);
  return real_text(std::get<double>(number));
}

std::string shown(const ConfigValue& value) { return config_text(value).value_or("null"); }

// Calls visit(choice) for each of "a, b, c".
template <class Visit>
void for_each_choice(std::string_view choices, Visit visit) {
  while (!choices.empty()) {
    const auto comma = choices.find(',');
    visit(trimmed(choices.substr(0, comma)));
    choices = comma == std::string_view::npos ? std::string_view{} : choices.substr(comma + 1);
  }
}

bool is_choice(std::string_view choices, std::string_view text, bool ignore_case) {
  bool found = false;
  for_each_choice(choices, [&](std::string_view choice) {
    found = found || (ignore_case ? equal_ignoring_case(choice, text) : choice == text);
  });
  return found;
}

// Whole numbers compare exactly, anything else as doubles. The value is a number.
std::partial_ordering compare(const ConfigValue& value, const ConfigRule::Number& bound) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  const auto* whole_bound = std::get_if<std::int64_t>(&bound);
  if (whole != nullptr && whole_bound != nullptr) return *whole <=> *whole_bound;
  return (whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value)) <=>
         (whole_bound != nullptr ? static_cast<double>(*whole_bound) : std::get<double>(bound));
}

std::string check_range(std::string_view name, const ConfigValue& value, const ConfigRule& rule) {
  if (std::holds_alternative<std::monostate>(value)) {
    return invalid_config(name, "null", "Value must be non-null");
  }
  if (rule.min && compare(value, *rule.min) < 0) {
    return invalid_config(name, shown(value), "Value must be at least " + number_text(*rule.min));
  }
  if (rule.max && compare(value, *rule.max) > 0) {
    return invalid_config(name, shown(value), "Value must be no more than " + number_text(*rule.max));
  }
  return {};
}

std::string check_choice(std::string_view name, const ConfigValue& value, const ConfigRule& rule) {
  const bool ignore_case = rule.kind == ConfigRule::Kind::kOneOfIgnoringCase;
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr && is_choice(rule.choices, *text, ignore_case)) return {};
  if (!ignore_case) {
    return invalid_config(name, shown(value), fmt::format("String must be one of: {}", rule.choices));
  }
  std::string choices(rule.choices);
  std::ranges::transform(choices, choices.begin(), upper);
  return invalid_config(name, shown(value), "String must be one of (case insensitive): " + choices);
}

std::string check_list(std::string_view name, const ConfigValue& value, const ConfigRule& rule) {
  const auto* list = std::get_if<std::vector<std::string>>(&value);
  if (list == nullptr) {
    return rule.null_allowed ? "" : fmt::format("Configuration '{}' values must not be null.", name);
  }
  if (list->empty() && !rule.empty_allowed) {
    return fmt::format("Configuration '{}' must not be empty. Valid values include: {}", name,
                       rule.choices.empty() ? "any non-empty value" : fmt::format("[{}]", rule.choices));
  }
  for (const std::string& member : *list) {
    if (member.empty()) return fmt::format("Configuration '{}' values must not be empty.", name);
    if (!rule.choices.empty() && !is_choice(rule.choices, member, false)) {
      return invalid_config(name, member, fmt::format("String must be one of: {}", rule.choices));
    }
  }
  return {};
}

std::string check_rule(std::string_view name, const ConfigValue& value, const ConfigRule& rule) {
  switch (rule.kind) {
    case ConfigRule::Kind::kAny:
      return {};
    case ConfigRule::Kind::kRange:
      return check_range(name, value, rule);
    case ConfigRule::Kind::kOneOf:
    case ConfigRule::Kind::kOneOfIgnoringCase:
      return check_choice(name, value, rule);
    case ConfigRule::Kind::kList:
      return check_list(name, value, rule);
    case ConfigRule::Kind::kNotNull:
      return std::holds_alternative<std::monostate>(value)
                 ? invalid_config(name, "null", "entry must be non null")
                 : std::string();
    case ConfigRule::Kind::kCustom:
      return rule.check(name, value);
  }
  return {};
}

Checked parse_number(const ConfigKey& key, std::string_view text) {
  const auto fits = [&](auto limits) { return parse_whole(trimmed(text), limits.min(), limits.max()); };
  std::optional<std::int64_t> whole;
  switch (key.type) {
    case ConfigType::kInt:
      whole = fits(std::numeric_limits<std::int32_t>());
      break;
    case ConfigType::kShort:
      whole = fits(std::numeric_limits<std::int16_t>());
      break;
    case ConfigType::kLong:
      whole = fits(std::numeric_limits<std::int64_t>());
      break;
    default:
      if (const auto real = parse_real(trimmed(text))) return *real;
  }
  if (whole) return *whole;
  return std::unexpected(
      invalid_config(key.name, text, fmt::format("Not a number of type {}", type_name(key.type))));
}

Checked parse_type(const ConfigKey& key, std::optional<std::string_view> text) {
  if (!text) return std::monostate{};
  switch (key.type) {
    case ConfigType::kBoolean:
      if (equal_ignoring_case(trimmed(*text), "true")) return true;
      if (equal_ignoring_case(trimmed(*text), "false")) return false;
      return std::unexpected(invalid_config(key.name, *text, "Expected value to be either true or false"));
    case ConfigType::kString:
    case ConfigType::kClass:
    case ConfigType::kPassword:
      return std::string(trimmed(*text));
    case ConfigType::kList:
      return split_config_list(*text);
    default:
      return parse_number(key, *text);
  }
}

// Keeps the first of equal members, in order.
void drop_doubles(std::vector<std::string>& list) {
  std::vector<std::string> kept;
  for (std::string& member : list) {
    if (std::ranges::find(kept, member) == kept.end()) kept.push_back(std::move(member));
  }
  list = std::move(kept);
}

}  // namespace

std::expected<ConfigValue, std::string> parse_config(const ConfigKey& key,
                                                     std::optional<std::string_view> text) {
  MILENA_TRY(ConfigValue value, parse_type(key, text));
  auto* list = std::get_if<std::vector<std::string>>(&value);
  if (list != nullptr && key.rule.kind == ConfigRule::Kind::kList) drop_doubles(*list);
  if (std::string complaint = check_rule(key.name, value, key.rule); !complaint.empty()) {
    return std::unexpected(std::move(complaint));
  }
  return value;
}

ConfigValue default_config(const ConfigKey& key) {
  if (!key.default_text) return std::monostate{};
  auto value = parse_config(key, key.default_text);
  MILENA_ASSERT(value.has_value(), "a default satisfies its own rule");
  return *std::move(value);
}

std::optional<std::string> config_text(const ConfigValue& value) {
  struct {
    std::optional<std::string> operator()(std::monostate) const { return std::nullopt; }
    std::optional<std::string> operator()(bool flag) const { return flag ? "true" : "false"; }
    std::optional<std::string> operator()(std::int64_t whole) const { return std::to_string(whole); }
    std::optional<std::string> operator()(double real) const { return real_text(real); }
    std::optional<std::string> operator()(const std::string& text) const { return text; }
    std::optional<std::string> operator()(const std::vector<std::string>& list) const {
      return fmt::format("{}", fmt::join(list, ","));
    }
  } print;
  return std::visit(print, value);
}

std::string invalid_config(std::string_view name, std::string_view value, std::string_view why) {
  return fmt::format("Invalid value {} for configuration {}: {}", value, name, why);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_config_list(std::string_view text) {
  std::vector<std::string> members;
  text = trimmed(text);
  if (text.empty()) return members;
  for (;;) {
    const auto comma = text.find(',');
    members.emplace_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) return members;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace milena
