#include "broker/config/broker_config.h"

#include <gtest/gtest.h>

#include "broker/config/broker_keys.h"
#include "broker/config/describe.h"

namespace milena::broker {
namespace {

const MachineFacts kMachine{
    .processors = 2, .memory_bytes = std::uint64_t{8} << 30, .descriptors_max = 20'000};

StaticConfig read(const ConfigSources& sources) {
  auto config = StaticConfig::read(sources);
  EXPECT_TRUE(config) << config.error();
  return config ? *std::move(config) : StaticConfig{};
}

StaticConfig from_file(std::string text) {
  return read({.file_name = "server.properties", .file_text = std::move(text)});
}

BrokerConfig typed(std::string text) {
  auto config = BrokerConfig::make(from_file(std::move(text)), kMachine);
  EXPECT_TRUE(config) << config.error();
  return config ? *std::move(config) : BrokerConfig{};
}

std::string refusal(std::string text) {
  auto settings = StaticConfig::read({.file_name = "server.properties", .file_text = std::move(text)});
  if (!settings) return settings.error();
  auto config = BrokerConfig::make(*std::move(settings), kMachine);
  return config ? "" : config.error();
}

TEST(BrokerKeys, EveryDefaultParsesUnderItsOwnRule) {
  EXPECT_GE(broker_config_keys().size(), 360u);
  for (const BrokerConfigKey& key : broker_config_keys()) {
    EXPECT_FALSE(key.doc.empty()) << key.name;
    default_config(key);  // aborts otherwise
  }
}

TEST(BrokerKeys, KnowsTheNearestKeyOfATypo) {
  EXPECT_EQ(nearest_broker_config("num.partition"), "num.partitions");
  EXPECT_EQ(nearest_broker_config("log.retention.huors"), "log.retention.hours");
  EXPECT_EQ(nearest_broker_config("auto.create.topic.enable"), "auto.create.topics.enable");
  EXPECT_EQ(nearest_broker_config("something.else.entirely"), std::nullopt);
}

TEST(StaticConfig, NothingIsRequired) {
  const BrokerConfig config = typed("");
  EXPECT_EQ(config.node_id, 1);
  EXPECT_EQ(config.log_dirs, std::vector<std::string>{"/tmp/milena-logs"});
  ASSERT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.listeners[0].port, 9092);
  EXPECT_EQ(config.durability, Durability::kPageCache);
  EXPECT_EQ(config.network_threads, 2u) << "the default is 3, but there are 2 processors";
  EXPECT_TRUE(config.settings.warnings().empty());
}

TEST(BrokerConfig, NetworkThreadsAreBoundedByTheMachine) {
  EXPECT_EQ(typed("num.network.threads=5").network_threads, 5u);
  EXPECT_EQ(typed("num.network.threads=2147483647").network_threads, 64u) << "32 for each processor";
}

TEST(BrokerConfig, MetricsAreServedOnThisMachineUnlessAnotherHostIsWrittenOut) {
  const auto where = [](const std::string& value) {
    const auto listener = typed("milena.metrics.listener=" + value).metrics_listener;
    return listener ? listener->host + " " + std::to_string(listener->port) : "nowhere";
  };
  EXPECT_EQ(typed("").metrics_listener.has_value(), false);
  EXPECT_EQ(where(""), "nowhere");
  EXPECT_EQ(where(":9404"), "127.0.0.1 9404");
  EXPECT_EQ(where("127.0.0.1:0"), "127.0.0.1 0");
  EXPECT_EQ(where("0.0.0.0:9404"), "0.0.0.0 9404");
  EXPECT_EQ(where("[::1]:9404"), "::1 9404");
  for (const auto* wrong :
       {"9404", "localhost", "localhost:port", "localhost:65536", "http://localhost:9404"}) {
    EXPECT_NE(refusal(std::string("milena.metrics.listener=") + wrong).find("milena.metrics.listener"),
              std::string::npos)
        << wrong;
  }
}

TEST(BrokerConfig, LogFilesLeaveDescriptorsToTheMetricsListener) {
  EXPECT_LT(typed("milena.metrics.listener=:9404").open_files_max, typed("").open_files_max);
}

TEST(StaticConfig, LaterLayersWin) {
  const ConfigSources sources{
      .file_name = "f",
      .file_text = "num.partitions=2\nnode.id=2\nmessage.max.bytes=2\nbroker.rack=2",
      .environment = {{"KAFKA_NODE_ID", "3"}, {"KAFKA_MESSAGE_MAX_BYTES", "3"}, {"KAFKA_BROKER_RACK", "3"}},
      .overrides = {"message.max.bytes=4", "broker.rack=4", "broker.rack=5"},
      .port = std::nullopt,
      .data = std::nullopt};
  const StaticConfig config = read(sources);
  EXPECT_EQ(config.number("num.partitions"), 2);
  EXPECT_EQ(config.number("node.id"), 3);
  EXPECT_EQ(config.number("message.max.bytes"), 4);
  EXPECT_EQ(config.text("broker.rack"), "5");
  EXPECT_EQ(config.number("offsets.topic.num.partitions"), 50);
  EXPECT_FALSE(config.is_set("offsets.topic.num.partitions"));
}

TEST(StaticConfig, PortAndDataFlagsGoIntoTheKeysTheyStandFor) {
  ConfigSources sources{.port = 0, .data = "/data"};
  StaticConfig config = read(sources);
  EXPECT_EQ(config.text("listener.security.protocol.map"),
            "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT");
  EXPECT_EQ(config.list("listeners"), std::vector<std::string>{"PLAINTEXT://:0"});
  EXPECT_EQ(config.list("log.dirs"), std::vector<std::string>{"/data"});
  sources.file_text = "listeners=CONTROLLER://:9093,PLAINTEXT://127.0.0.1:9092,OTHER://:1\nlog.dirs=/x";
  config = read(sources);
  EXPECT_EQ(config.list("listeners"),
            (std::vector<std::string>{"CONTROLLER://:9093", "PLAINTEXT://127.0.0.1:0", "OTHER://:1"}));
}

TEST(StaticConfig, ATypoIsWarnedAboutWithTheNearestKey) {
  const StaticConfig config =
      from_file("log.retention.huors=5\nmade.up=1\nzookeeper.connect=z:2181\nlistener.name.x.y=1");
  EXPECT_EQ(config.warnings(),
            (std::vector<std::string>{
                "Unknown configuration log.retention.huors; did you mean log.retention.hours?",
                "Unknown configuration made.up"}));
}

TEST(StaticConfig, ValuesAreCheckedInKafkasWords) {
  EXPECT_EQ(refusal("num.partitions=many"),
            "Invalid value many for configuration num.partitions: Not a number of type INT");
  EXPECT_EQ(refusal("num.partitions=0"),
            "Invalid value 0 for configuration num.partitions: Value must be at least 1");
  EXPECT_EQ(refusal("compression.type=rar"),
            "Invalid value rar for configuration compression.type: String must be one of: uncompressed, "
            "zstd, lz4, snappy, "
            "gzip, producer");
  EXPECT_EQ(refusal("auto.create.topics.enable=yes"),
            "Invalid value yes for configuration auto.create.topics.enable: Expected value to be either true "
            "or false");
  EXPECT_EQ(refusal("node.id=x"), "Invalid value x for configuration node.id: Not a number of type INT");
  EXPECT_EQ(refusal("compression.gzip.level=0"),
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or "
            "equal to -1");
  EXPECT_EQ(refusal("group.consumer.assignors=range,my.Assignor"),
            "Invalid value my.Assignor for configuration group.consumer.assignors: this version has the "
            "assignors uniform and range only");
  EXPECT_EQ(refusal("controller.quorum.voters=1@localhost"),
            "Failed to parse host port from entry 1@localhost for the configuration "
            "controller.quorum.voters. Each entry "
            "should be in the form `{id}@{host}:{port}`.");
}

TEST(BrokerConfig, SettingsThatContradictEachOtherAreRefusedInKafkasWords) {
  EXPECT_EQ(refusal("group.consumer.session.timeout.ms=30000"),
            "group.consumer.session.timeout.ms must be greater than or equal to "
            "group.consumer.min.session.timeout.ms");
  EXPECT_EQ(refusal("group.consumer.heartbeat.interval.ms=20000"),
            "group.consumer.heartbeat.interval.ms must be less than or equal to "
            "group.consumer.max.heartbeat.interval.ms");
  EXPECT_EQ(refusal("group.share.max.heartbeat.interval.ms=50000\ngroup.share.heartbeat.interval.ms=45000"),
            "group.share.heartbeat.interval.ms must be less than group.share.session.timeout.ms");
  EXPECT_EQ(refusal("group.streams.min.assignment.interval.ms=20000"),
            "group.streams.max.assignment.interval.ms must be greater than or equal to "
            "group.streams.min.assignment.interval.ms");
  EXPECT_EQ(
      refusal("log.dirs=/a,/b\ncordoned.log.dirs=/b/,/c,/d"),
      "All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : /c, /d");
  EXPECT_EQ(refusal("cordoned.log.dirs=*,/tmp/milena-logs"),
            "When cordoned.log.dirs is set to *, it must not contain other values");
  EXPECT_EQ(refusal("log.dirs=/a,/b\ncordoned.log.dirs=/b/"), "");
  EXPECT_EQ(refusal("metadata.log.dir="), "metadata.log.dir names no directory");
}

TEST(StaticConfig, BadFlagsAndFilesAreNamed) {
  EXPECT_EQ(StaticConfig::read({.overrides = {"nonsense"}}).error(),
            "--override wants key=value, not nonsense");
  EXPECT_EQ(StaticConfig::read({.file_name = "s.p", .file_text = "a=\\u1"}).error(),
            "s.p: line 1: Malformed \\uxxxx encoding.");
}

TEST(BrokerConfig, BrokerIdAndNodeIdAreOneThing) {
  EXPECT_EQ(typed("broker.id=7").node_id, 7);
  EXPECT_EQ(typed("node.id=7").node_id, 7);
  EXPECT_EQ(typed("node.id=7\nbroker.id=7").node_id, 7);
  EXPECT_EQ(refusal("node.id=7\nbroker.id=8"), "You must set `node.id` to the same value as `broker.id`.");
}

TEST(BrokerConfig, ListensWhereItAdvertisesWhenOnlyThatIsSaid) {
  const BrokerConfig config = typed("advertised.listeners=PLAINTEXT://example.org:29092");
  ASSERT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.listeners[0].host, "0.0.0.0");
  EXPECT_EQ(config.listeners[0].port, 29092);
  EXPECT_EQ(config.listeners[0].advertised_host, "example.org");
}

TEST(BrokerConfig, ValuesAreCheckedAgainstEachOther) {
  EXPECT_EQ(refusal("log.roll.ms=0"), "log.roll.ms must be greater than or equal to 1");
  EXPECT_EQ(refusal("log.retention.ms=0"),
            "log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
  EXPECT_EQ(refusal("queued.max.request.bytes=5"),
            "queued.max.request.bytes must be larger or equal to socket.request.max.bytes");
  EXPECT_EQ(refusal("listeners=SSL://:9093"),
            "Listener SSL wants SSL, but this version speaks PLAINTEXT only");
  EXPECT_EQ(refusal("inter.broker.listener.name=X"),
            "inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid "
            "options based "
            "on currently configured listeners are PLAINTEXT");
  EXPECT_EQ(refusal("inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT"),
            "Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.");
  EXPECT_EQ(refusal("max.connections.per.ip.overrides=10.0.0.1"),
            "Error parsing configuration property 'max.connections.per.ip.overrides': 10.0.0.1");
  EXPECT_EQ(refusal("metadata.log.dir=/m\nlog.retention.minutes=-1\nlog.retention.hours=-1"), "");
}

TEST(BrokerConfig, ConnectionLimitsFollowTheMachine) {
  const BrokerConfig config =
      typed("max.connections.per.ip=10\nmax.connections.per.ip.overrides=10.0.0.1:100, localhost:7");
  EXPECT_EQ(config.net.connections.all.max, 15'000u);
  EXPECT_EQ(config.open_files_max, 4'952u) << "what connections leave, but for 48 of the process itself";
  EXPECT_EQ(typed("max.connections=100").open_files_max, 19'852u);
  EXPECT_EQ(config.mapped_files_max, 32'765u);
  EXPECT_EQ(config.net.connections.per_ip_max, 10u);
  EXPECT_EQ(config.net.connections.per_ip_overrides,
            (std::map<std::string, std::size_t>{{"10.0.0.1", 100}, {"127.0.0.1", 7}}));
  EXPECT_EQ(config.net.request_bytes_max, 256u << 20);
  EXPECT_EQ(config.net.send_buffer_bytes, -1) << "not set: the system decides";
  EXPECT_EQ(typed("socket.send.buffer.bytes=5000").net.send_buffer_bytes, 5000);
  EXPECT_EQ(typed("connections.max.idle.ms=-1").net.idle_max, Instant{0});
}

TEST(DescribeBroker, ToldAreValueSourceAndSynonyms) {
  const StaticConfig file =
      from_file("log.retention.hours=5\nnum.network.threads= 4\nssl.key.password=secret\nmade.up=1");
  const ConfigMap dynamic{{"log.retention.ms", "1000"}};
  const auto all = describe_broker({.broker = &dynamic, .file = &file.set()}, {});
  const auto find = [&](std::string_view name) -> const DescribedConfig& {
    const auto at = std::ranges::find(all, name, &DescribedConfig::name);
    EXPECT_NE(at, all.end()) << name;
    return *at;
  };
  const auto& retention = find("log.retention.ms");
  EXPECT_EQ(retention.value, "1000");
  EXPECT_EQ(retention.source, ConfigSource::kDynamicBroker);
  EXPECT_FALSE(retention.is_read_only);
  EXPECT_EQ(retention.synonyms,
            (std::vector<DescribedConfig::Synonym>{{"log.retention.ms", "1000", ConfigSource::kDynamicBroker},
                                                   {"log.retention.hours", "5", ConfigSource::kStaticBroker},
                                                   {"log.retention.hours", "168", ConfigSource::kDefault}}));
  const auto& hours = find("log.retention.hours");
  EXPECT_EQ(hours.value, "5");
  EXPECT_EQ(hours.source, ConfigSource::kStaticBroker);
  EXPECT_TRUE(hours.is_read_only);
  EXPECT_EQ(hours.synonyms.size(), 2u);
  EXPECT_EQ(find("num.network.threads").value, "4");
  EXPECT_EQ(find("num.partitions").source, ConfigSource::kDefault);
  EXPECT_EQ(find("broker.rack").value, std::nullopt);
  EXPECT_TRUE(find("ssl.key.password").is_sensitive);
  EXPECT_EQ(find("ssl.key.password").value, std::nullopt);
  EXPECT_EQ(find("ssl.key.password").synonyms.at(0).value, std::nullopt);
  EXPECT_TRUE(find("made.up").is_sensitive) << "who knows what it is";
  EXPECT_EQ(find("made.up").type, std::nullopt);
  EXPECT_EQ(std::ranges::find(all, "unstable.api.versions.enable", &DescribedConfig::name), all.end());
}

TEST(DescribeBroker, WhatIsInForceGoesBeforeWhatTheLayersTell) {
  const ConfigMap file{{"max.connections", "1000"}};
  const auto all = describe_broker({.file = &file}, {{"node.id", {"1", true}},
                                                     {"broker.id", {"1", true}},
                                                     {"max.connections", {"77", false}},
                                                     {"num.network.threads", {"2", false}}});
  const auto find = [&](std::string_view name) {
    return *std::ranges::find(all, name, &DescribedConfig::name);
  };
  using Synonyms = std::vector<DescribedConfig::Synonym>;
  EXPECT_EQ(find("node.id").source, ConfigSource::kStaticBroker);
  EXPECT_EQ(find("node.id").synonyms, (Synonyms{{"node.id", "1", ConfigSource::kStaticBroker}}));
  EXPECT_EQ(find("broker.id").value, "1");
  EXPECT_EQ(find("broker.id").synonyms, (Synonyms{{"broker.id", "1", ConfigSource::kStaticBroker},
                                                  {"broker.id", "-1", ConfigSource::kDefault}}));
  EXPECT_EQ(find("max.connections").value, "77");
  EXPECT_EQ(find("max.connections").synonyms.front().value, "1000") << "as it is configured";
  EXPECT_EQ(find("num.network.threads").value, "2");
  EXPECT_EQ(find("num.network.threads").source, ConfigSource::kDefault);
}

TEST(DescribeBroker, TheDefaultOfAllBrokersIsItsDynamicPartOnly) {
  const ConfigMap cluster{{"message.max.bytes", "500"}};
  const auto all = describe_broker_defaults({.cluster = &cluster});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].value, "500");
  EXPECT_EQ(all[0].source, ConfigSource::kDynamicDefaultBroker);
  EXPECT_EQ(all[0].synonyms.size(), 1u);
}

}  // namespace
}  // namespace milena::broker
