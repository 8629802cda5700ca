// docs/CONFIGURATION.md is the table of keys, written by this test: MILENA_REWRITE_DOCS=1 makes it anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "broker/config/broker_keys.h"

namespace milena::broker {
namespace {

std::string_view type_name(ConfigType type) {
  constexpr std::string_view kNames[] = {"boolean", "string", "int",   "short",   "long",
                                         "double",  "list",   "class", "password"};
  return kNames[static_cast<std::size_t>(type) - 1];
}

std::string number(const ConfigRule::Number& number) {
  if (const auto* whole = std::get_if<std::int64_t>(&number)) return std::to_string(*whole);
  return fmt::format("{}", std::get<double>(number));
}

std::string values(const BrokerConfigKey& key) {
  const ConfigRule& rule = key.rule;
  switch (rule.kind) {
    case ConfigRule::Kind::kAny:
      return "";
    case ConfigRule::Kind::kRange:
      return rule.max ? fmt::format("[{},...,{}]", number(*rule.min), number(*rule.max))
                      : fmt::format("[{},...]", number(*rule.min));
    case ConfigRule::Kind::kOneOf:
      return fmt::format("[{}]", rule.choices);
    case ConfigRule::Kind::kOneOfIgnoringCase:
      return fmt::format("(case insensitive) [{}]", rule.choices);
    case ConfigRule::Kind::kList: {
      const std::string members = rule.choices.empty() ? "" : fmt::format("[{}]", rule.choices);
      if (rule.empty_allowed) return members;
      return members.empty() ? "not empty" : members + ", not empty";
    }
    case ConfigRule::Kind::kNotNull:
      return "not null";
    case ConfigRule::Kind::kCustom:
      if (rule.check == keys::check_gzip_level) return "[1,...,9] or -1";
      if (rule.check == keys::check_not_empty) return "not empty";
      if (rule.check == keys::check_assignors) return "uniform, range; not empty";
      if (rule.check == keys::check_voters) return "{id}@{host}:{port}";
      return "{host}:{port}";
  }
  return "";
}

std::string_view changes(const BrokerConfigKey& key) {
  switch (key.update) {
    case ConfigUpdate::kReadOnly:
      return "read-only";
    case ConfigUpdate::kPerBroker:
      return "per-broker";
    case ConfigUpdate::kClusterWide:
      return "cluster-wide";
  }
  return "";
}

std::string effect(const BrokerConfigKey& key) {
  switch (key.effect) {
    case ConfigEffect::kInForce:
      if (key.only_at_start) return "in force; changes only with a restart";
      return key.update == ConfigUpdate::kReadOnly ? "in force" : "in force, a change at once";
    case ConfigEffect::kWithoutEffect:
      return "no effect yet";
    case ConfigEffect::kWithoutMeaning:
      return "no meaning here";
    case ConfigEffect::kRefused:
      return fmt::format("refused: asks for {}", key.lacks);
  }
  return "";
}

std::string page() {
  std::string text = R"(# Configuration

Every key of `server.properties`: those of Apache Kafka 4.3, and our own, which start with `milena.`. Nothing has to be
set. A key may also be given as a `KAFKA_*` variable or with `--override`. `broker_config_test` writes this page from the table
that the broker uses (`MILENA_REWRITE_DOCS=1`), and `make compat-config` compares the table with Apache Kafka's.

**Changes** is the update mode: read-only keys need a restart; the others are changed with AlterConfigs, for one broker
or (cluster-wide) for all. **Effect**:

- *in force*: does what it does in Kafka.
- *no effect yet*: accepted at the start, which lists such keys in one warning; a change while the broker runs is refused
  as that of a read-only key.
- *no meaning here*: is about the JVM, Java plug-ins or tiered storage; accepted without a word.
- *refused*: asks for protection or policy that is not here. With any value but the default or an empty one the broker
  does not start. `super.users` and `allow.everyone.if.no.acl.found=false`, which belong to an authorizer, are refused
  like it.

| key | type | default | values | changes | effect | what it is |
|---|---|---|---|---|---|---|
)";
  for (const BrokerConfigKey& key : broker_config_keys()) {
    const std::string default_text = !key.default_text           ? "null"
                                     : key.default_text->empty() ? "empty"
                                                                 : fmt::format("`{}`", *key.default_text);
    const std::string allowed = values(key);
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", key.name, type_name(key.type),
                        default_text, allowed.empty() ? "" : fmt::format("`{}`", allowed),
                        key.internal ? fmt::format("{}, internal", changes(key)) : std::string(changes(key)),
                        effect(key), key.doc);
  }
  return text;
}

TEST(ConfigurationPage, IsTheTableOfKeys) {
  const std::string path = "docs/CONFIGURATION.md";
  if (std::getenv("MILENA_REWRITE_DOCS") != nullptr) {  // NOLINT(concurrency-mt-unsafe): nobody sets one
    std::ofstream(path) << page();
    return;
  }
  std::ifstream file(path);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(file)), {}), page());
}

}  // namespace
}  // namespace milena::broker
