#include "base/config_def.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

namespace milena {
namespace {

using List = std::vector<std::string>;

std::string error_of(const ConfigKey& key, std::optional<std::string_view> text) {
  const auto value = parse_config(key, text);
  return value ? "no error" : value.error();
}

TEST(ConfigDef, BooleansIgnoreCaseAndSpace) {
  const ConfigKey key{.name = "preallocate", .type = ConfigType::kBoolean};
  EXPECT_EQ(parse_config(key, " TRUE\n"), ConfigValue(true));
  EXPECT_EQ(parse_config(key, "False"), ConfigValue(false));
  EXPECT_EQ(error_of(key, "yes"),
            "Invalid value yes for configuration preallocate: Expected value to be either true or false");
}

TEST(ConfigDef, WholeNumbersAreJavas) {
  const ConfigKey number{.name = "n", .type = ConfigType::kInt};
  EXPECT_EQ(parse_config(number, " +12 "), ConfigValue(std::int64_t{12}));
  EXPECT_EQ(parse_config(number, "-2147483648"), ConfigValue(std::int64_t{-2147483648}));
  for (const char* bad : {"2147483648", "1.0", "0x10", "", "+-1", "1 2", "++1"}) {
    EXPECT_EQ(error_of(number, bad),
              "Invalid value " + std::string(bad) + " for configuration n: Not a number of type INT");
  }
  const ConfigKey small{.name = "n", .type = ConfigType::kShort};
  EXPECT_EQ(error_of(small, "32768"), "Invalid value 32768 for configuration n: Not a number of type SHORT");
  const ConfigKey large{.name = "n", .type = ConfigType::kLong};
  EXPECT_EQ(parse_config(large, "9223372036854775807"),
            ConfigValue(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(error_of(large, "9223372036854775808"),
            "Invalid value 9223372036854775808 for configuration n: Not a number of type LONG");
}

TEST(ConfigDef, RealNumbersParseAndPrintAsInJava) {
  const ConfigKey key{.name = "ratio", .type = ConfigType::kDouble};
  const auto printed = [&](std::string_view text) { return config_text(*parse_config(key, text)).value(); };
  EXPECT_EQ(printed("0.5"), "0.5");
  EXPECT_EQ(printed("1"), "1.0");
  EXPECT_EQ(printed("-.25d"), "-0.25");
  EXPECT_EQ(printed("12345678"), "1.2345678E7");
  EXPECT_EQ(printed("1e10"), "1.0E10");
  EXPECT_EQ(printed("0.0001"), "1.0E-4");
  EXPECT_EQ(printed("Infinity"), "Infinity");
  for (const char* bad : {"", "x", "inf", "nan", "1.5x", "--1", "-"})
    EXPECT_FALSE(parse_config(key, bad)) << bad;
}

TEST(ConfigDef, RangesSayWhichBoundIsBroken) {
  const ConfigKey retention{.name = "retention.ms", .type = ConfigType::kLong, .rule = at_least(-1)};
  EXPECT_EQ(error_of(retention, "-2"),
            "Invalid value -2 for configuration retention.ms: Value must be at least -1");
  EXPECT_EQ(error_of(retention, std::nullopt),
            "Invalid value null for configuration retention.ms: Value must be non-null");
  const ConfigKey ratio{.name = "r", .type = ConfigType::kDouble, .rule = between(0, 1)};
  EXPECT_EQ(error_of(ratio, "1.5"), "Invalid value 1.5 for configuration r: Value must be no more than 1");
  const ConfigKey factor{.name = "f", .type = ConfigType::kDouble, .rule = between(0.5, 1.0)};
  EXPECT_EQ(error_of(factor, "0.25"), "Invalid value 0.25 for configuration f: Value must be at least 0.5");
  EXPECT_EQ(error_of(factor, "2"), "Invalid value 2.0 for configuration f: Value must be no more than 1.0");
}

TEST(ConfigDef, ChoicesAreExactUnlessTheRuleIgnoresCase) {
  const ConfigKey type{.name = "t", .rule = one_of("CreateTime, LogAppendTime")};
  EXPECT_EQ(parse_config(type, " LogAppendTime"), ConfigValue(std::string("LogAppendTime")));
  EXPECT_EQ(error_of(type, "createtime"),
            "Invalid value createtime for configuration t: String must be one of: CreateTime, LogAppendTime");
  const ConfigKey auth{.name = "a", .rule = one_of_ignoring_case("required, none")};
  EXPECT_EQ(parse_config(auth, "Required"), ConfigValue(std::string("Required")));
  EXPECT_EQ(error_of(auth, "x"),
            "Invalid value x for configuration a: String must be one of (case insensitive): REQUIRED, NONE");
}

TEST(ConfigDef, ListsAreSplitTrimmedAndLoseDoubles) {
  const ConfigKey policy{
      .name = "cleanup.policy", .type = ConfigType::kList, .rule = list_of("compact, delete")};
  EXPECT_EQ(parse_config(policy, " delete , compact,delete "), ConfigValue(List{"delete", "compact"}));
  EXPECT_EQ(parse_config(policy, "  "), ConfigValue(List{}));
  EXPECT_EQ(config_text(*parse_config(policy, "delete, compact")), "delete,compact");
  EXPECT_EQ(error_of(policy, "delete,shred"),
            "Invalid value shred for configuration cleanup.policy: String must be one of: compact, delete");
  EXPECT_EQ(error_of(policy, "delete,"), "Configuration 'cleanup.policy' values must not be empty.");
  EXPECT_EQ(error_of(policy, std::nullopt), "Configuration 'cleanup.policy' values must not be null.");
  const ConfigKey dirs{.name = "log.dir", .type = ConfigType::kList, .rule = list_of("", false)};
  EXPECT_EQ(error_of(dirs, ""),
            "Configuration 'log.dir' must not be empty. Valid values include: any non-empty value");
}

TEST(ConfigDef, NullPassesOnlyWhereTheRuleLetsIt) {
  EXPECT_EQ(parse_config({.name = "n", .type = ConfigType::kLong}, std::nullopt), ConfigValue());
  EXPECT_EQ(config_text(ConfigValue()), std::nullopt);
  EXPECT_FALSE(parse_config({.name = "n", .rule = not_null()}, std::nullopt));
}

TEST(ConfigDef, CustomChecksGiveTheirOwnText) {
  const ConfigKey key{.name = "k", .rule = checked_by([](std::string_view name, const ConfigValue& value) {
                                     return config_text(value) == "good" ? "" : std::string(name) + " is bad";
                                   })};
  EXPECT_TRUE(parse_config(key, "good"));
  EXPECT_EQ(error_of(key, "x"), "k is bad");
}

TEST(ConfigDef, TablesFindTheirKeysInAnySourceOrder) {
  static constexpr ConfigTable<ConfigKey, 3> table(
      {ConfigKey{.name = "b", .default_text = "2"}, ConfigKey{.name = "a"}, ConfigKey{.name = "c"}});
  EXPECT_EQ(table.keys()[0].name, "a");
  ASSERT_NE(table.find("b"), nullptr);
  EXPECT_EQ(default_config(*table.find("b")), ConfigValue(std::string("2")));
  EXPECT_EQ(table.find("bb"), nullptr);
  EXPECT_EQ(table.find(""), nullptr);
}

}  // namespace
}  // namespace milena
