// What becomes of keys that do not do here what they do in Kafka: refused, or named in a warning.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/config/broker_keys.h"
#include "broker/config/static_config.h"

namespace milena::broker {
namespace {

std::string refusal(std::vector<std::string> overrides) {
  const auto settings = StaticConfig::read({.overrides = std::move(overrides)});
  return settings ? "" : settings.error();
}

std::vector<std::string> warnings(std::vector<std::string> overrides) {
  const auto settings = StaticConfig::read({.overrides = std::move(overrides)});
  EXPECT_TRUE(settings) << settings.error();
  return settings ? settings->warnings() : std::vector<std::string>{};
}

TEST(KeyEffects, WhatAsksForProtectionIsRefused) {
  for (const char* setting :
       {"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:admin", "allow.everyone.if.no.acl.found=false",
        "principal.builder.class=my.Builder", "create.topic.policy.class.name=my.Policy",
        "alter.config.policy.class.name=my.Policy", "client.quota.callback.class=my.Callback",
        "remote.log.storage.system.enable=true", "security.providers=my.Provider", "ssl.client.auth=required",
        "sasl.enabled.mechanisms=PLAIN", "sasl.jaas.config=x required;", "connections.max.reauth.ms=1000",
        "delegation.token.secret.key=s", "listener.name.plaintext.ssl.client.auth=requested",
        "config.providers=file", "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=x required;"}) {
    const std::string name(setting, std::string_view(setting).find('='));
    const std::string why = refusal({setting});
    EXPECT_NE(why.find(name), std::string::npos) << setting << ": " << why;
    EXPECT_EQ(why.find('\n'), std::string::npos);
  }
  EXPECT_EQ(refusal({"super.users=User:admin", "authorizer.class.name=A"}),
            "this version does not have what the configuration asks for, and would run without it: "
            "authorizer.class.name (access control), super.users (access control). Remove these settings to "
            "start all the same");
  const auto from_environment = StaticConfig::read({.environment = {{"KAFKA_AUTHORIZER_CLASS_NAME", "A"}}});
  EXPECT_FALSE(from_environment);
}

TEST(KeyEffects, NothingIsAskedForByADefaultOrAnEmptyValue) {
  for (const BrokerConfigKey& key : broker_config_keys()) {
    if (key.effect != ConfigEffect::kRefused) continue;
    EXPECT_FALSE(key.lacks.empty()) << key.name;
    if (key.default_text)
      EXPECT_EQ(refusal({std::string(key.name) + "=" + std::string(*key.default_text)}), "");
    const bool is_text = key.type != ConfigType::kLong && key.type != ConfigType::kBoolean;
    if (key.rule.kind == ConfigRule::Kind::kAny && is_text) {
      EXPECT_EQ(refusal({std::string(key.name) + "="}), "") << key.name;
    }
  }
  EXPECT_EQ(refusal({"super.users=", "allow.everyone.if.no.acl.found=TRUE", "ssl.client.auth=none",
                     "remote.log.storage.system.enable=false", "early.start.listeners=PLAINTEXT"}),
            "");
}

TEST(KeyEffects, OneWarningListsWhatHasNoEffect) {
  EXPECT_EQ(warnings({"num.io.threads=16", "log.cleaner.threads=2", "num.partitions=3"}),
            std::vector<std::string>{
                "Settings without effect in this version: log.cleaner.threads, num.io.threads"});
  EXPECT_TRUE(warnings({"num.io.threads=8"}).empty()) << "the default asks for nothing";
  EXPECT_TRUE(warnings({"metric.reporters=my.Reporter", "remote.log.reader.threads=3"}).empty())
      << "what is about Java has no meaning here";
}

}  // namespace
}  // namespace milena::broker
