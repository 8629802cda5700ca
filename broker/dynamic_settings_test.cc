// Settings that change while a broker runs: each is set and deleted again by IncrementalAlterConfigs, for all
// brokers and for this one, and what it does is seen from outside: on the wire, or in the files.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "broker/config/broker_keys.h"
#include "broker/testing/test_broker.h"
#include "protocol/consumer_group_heartbeat.gen.h"
#include "protocol/describe_configs.gen.h"
#include "protocol/describe_producers.gen.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/list_offsets.gen.h"

namespace milena::broker {
namespace {

using protocol::IncrementalAlterConfigsRequest;
using protocol::IncrementalAlterConfigsResponse;
using testing::Client;
using testing::TestBroker;

constexpr std::int8_t kBrokerResource = 4;
// Retention is at work all the time: records must be young.
std::int64_t now_ms() { return SystemClock().wall_ms(); }

using Settings = std::map<std::string, std::optional<std::string>>;  // nullopt deletes

class DynamicSettingsTest : public testing::BrokerTest {
 protected:
  void start(std::vector<std::string> overrides = {}) {
    overrides.emplace_back("log.retention.check.interval.ms=5");
    overrides.emplace_back("log.flush.offset.checkpoint.interval.ms=5");
    overrides.emplace_back("producer.id.expiration.check.interval.ms=5");
    overrides.emplace_back("offsets.topic.num.partitions=1");
    overrides.emplace_back("transaction.state.log.num.partitions=1");
    broker = std::make_unique<TestBroker>(root_, std::move(overrides));
    ASSERT_TRUE(broker->started()) << broker->started().error();
  }

  IncrementalAlterConfigsResponse::AlterConfigsResourceResponse alter(std::string_view resource,
                                                                      const Settings& settings) {
    IncrementalAlterConfigsRequest request;
    request.resources = arena_.array<IncrementalAlterConfigsRequest::AlterConfigsResource>(1);
    auto& altered = request.resources[0];
    altered.resource_type = kBrokerResource;
    altered.resource_name = resource;
    altered.configs =
        arena_.array<IncrementalAlterConfigsRequest::AlterConfigsResource::AlterableConfig>(settings.size());
    std::size_t at = 0;
    for (const auto& [name, value] : settings) {
      auto& config = altered.configs[at++];
      config.name = arena_.text(name);
      config.config_operation = value ? 0 : 1;
      if (value) config.value = arena_.text(*value);
    }
    return broker->ask<IncrementalAlterConfigsResponse>(request, 1, arena_).responses[0];
  }
  void set(std::string_view resource, const Settings& settings) {
    const auto answer = alter(resource, settings);
    ASSERT_EQ(answer.error_code, ErrorCode::kNone) << answer.error_message.value_or("");
  }
  std::string refusal(std::string_view resource, const Settings& settings) {
    const auto answer = alter(resource, settings);
    if (answer.error_code == ErrorCode::kNone) return "";
    EXPECT_EQ(answer.error_code, ErrorCode::kInvalidRequest);
    return std::string(answer.error_message.value_or(""));
  }

  // A setting does what it should for all brokers and for this one, and no longer once it is deleted.
  void expect_effect(const Settings& settings, const std::function<bool()>& is_seen) {
    Settings deletions;
    for (const auto& [name, value] : settings) deletions[name] = std::nullopt;
    const std::string name = settings.begin()->first;
    EXPECT_FALSE(is_seen()) << name << " before it is set";
    for (const char* resource : {"", "1"}) {
      set(resource, settings);
      EXPECT_TRUE(is_seen()) << name << " for '" << resource << "'";
      set(resource, deletions);
      EXPECT_FALSE(is_seen()) << name << " deleted for '" << resource << "'";
    }
  }

  static bool soon(const std::function<bool()>& holds) {
    for (int i = 0; i < 200; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return holds();
  }

  // A new topic, so that nothing of the one before is in the way.
  std::string fresh_topic() {
    std::string name = "topic-" + std::to_string(++topics_);
    EXPECT_EQ(create_topic(*broker, name, 1), ErrorCode::kNone);
    return name;
  }
  Produced write(std::string_view topic, std::string_view value, std::int64_t timestamp_ms = now_ms(),
                 const protocol::BatchSettings& settings = {}) {
    protocol::RecordBatchBuilder builder(settings);
    builder.append(timestamp_ms, as_bytes("key"), as_bytes(value));
    return write_batch(topic, builder.build());
  }
  Produced write_batch(std::string_view topic, const std::vector<std::byte>& batch, int version = 12,
                       std::optional<std::string_view> transactional_id = std::nullopt) {
    protocol::ProduceRequest request{.transactional_id = transactional_id, .acks = -1, .timeout_ms = 1000};
    request.topic_data = arena_.array<protocol::ProduceRequest::TopicProduceData>(1);
    request.topic_data[0].name = topic;
    request.topic_data[0].partition_data =
        arena_.array<protocol::ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    request.topic_data[0].partition_data[0].records = protocol::RecordsRef{.bytes = batch};
    return broker->ask<protocol::ProduceResponse>(request, version, arena_)
        .responses[0]
        .partition_responses[0];
  }
  std::int64_t earliest(std::string_view topic) {
    protocol::ListOffsetsRequest request;
    request.topics = arena_.array<protocol::ListOffsetsRequest::ListOffsetsTopic>(1);
    request.topics[0].name = topic;
    request.topics[0].partitions =
        arena_.array<protocol::ListOffsetsRequest::ListOffsetsTopic::ListOffsetsPartition>(1);
    request.topics[0].partitions[0].timestamp = -2;
    return broker->ask<protocol::ListOffsetsResponse>(request, 7, arena_)
        .topics[0]
        .partitions[0]
        .offset.value;
  }
  // Sizes of the files of a topic's partition with this suffix, oldest first.
  std::vector<std::uintmax_t> files(const std::string& topic, std::string_view suffix) {
    std::map<std::string, std::uintmax_t> found;
    for (const auto& entry : std::filesystem::directory_iterator(root_ + "/" + topic + "-0")) {
      if (entry.path().extension() == suffix) found[entry.path().filename()] = entry.file_size();
    }
    std::vector<std::uintmax_t> sizes;
    for (const auto& [name, size] : found) sizes.push_back(size);
    return sizes;
  }
  // Whether a third record opens another segment.
  bool rolls() {
    const std::string topic = fresh_topic();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(write(topic, std::string(1000, 'x'), now_ms() + 1000 * i).error_code, ErrorCode::kNone);
    }
    return files(topic, ".log").size() > 1;
  }
  // Up to where the partition is known to be on disk.
  std::string recovery_point(const std::string& topic) {
    std::ifstream in(root_ + "/recovery-point-offset-checkpoint");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(topic + " 0 ")) return line.substr(topic.size() + 3);
    }
    return "";
  }
  std::string described(std::int8_t type, std::string_view resource, std::string_view name) {
    protocol::DescribeConfigsRequest request;
    request.resources = arena_.array<protocol::DescribeConfigsRequest::DescribeConfigsResource>(1);
    request.resources[0] = {.resource_type = type, .resource_name = resource};
    const auto answer = broker->ask<protocol::DescribeConfigsResponse>(request, 4, arena_).results[0];
    for (const auto& config : answer.configs) {
      if (config.name == name) return std::string(config.value.value_or("null"));
    }
    return "not told";
  }
  bool answers(Client& client) {
    const auto frame = protocol::flatten(
        protocol::encode_request(protocol::ApiVersionsRequest{}, 0, 7, "test", arena_), arena_);
    if (!client.send(as_text(frame))) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return client.readable() > 0;
  }
  void find_coordinator(std::int8_t type, std::string_view key) {
    protocol::FindCoordinatorRequest request{.key_type = type};
    request.coordinator_keys = arena_.array<std::string_view>(1);
    request.coordinator_keys[0] = key;
    EXPECT_TRUE(soon([&] {
      return broker->ask<protocol::FindCoordinatorResponse>(request, 4, arena_).coordinators[0].error_code ==
             ErrorCode::kNone;
    }));
  }

  std::unique_ptr<TestBroker> broker;

 private:
  int topics_ = 0;
};

// --- connections

TEST_F(DynamicSettingsTest, MaxConnections) {
  start();
  Client held(broker->port());
  EXPECT_TRUE(answers(held));
  const auto second_waits = [&] {
    Client second(broker->port());
    return !answers(second);
  };
  EXPECT_FALSE(second_waits());
  for (const char* resource : {"", "1"}) {
    // The request itself comes over a connection: both change within the limit's own life.
    set(resource, {{"max.connections", "2"}});
    Client third(broker->port());
    EXPECT_TRUE(answers(third));
    EXPECT_TRUE(second_waits()) << "'" << resource << "'";
    third.reset();
    EXPECT_TRUE(soon([&] { return !second_waits(); }));
    set(resource, {{"max.connections", std::nullopt}});
    EXPECT_FALSE(second_waits());
  }
}

TEST_F(DynamicSettingsTest, MaxConnectionsPerIp) {
  start();
  const auto second_is_closed = [&] {
    Client first(broker->port(), {.bind_to = "127.0.0.9"});
    EXPECT_TRUE(answers(first));
    Client second(broker->port(), {.bind_to = "127.0.0.9"});
    return !answers(second);
  };
  expect_effect({{"max.connections.per.ip", "1"}}, second_is_closed);
  expect_effect({{"max.connections.per.ip.overrides", "127.0.0.9:1"}}, second_is_closed);
}

TEST_F(DynamicSettingsTest, MaxConnectionCreationRate) {
  start({"quota.window.num=2"});
  expect_effect({{"max.connection.creation.rate", "2"}}, [&] {
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 5; ++i) {
      Client client(broker->port());
      EXPECT_TRUE(client.send(as_text(protocol::flatten(
          protocol::encode_request(protocol::ApiVersionsRequest{}, 0, 7, "test", arena_), arena_))));
      EXPECT_TRUE(client.receive());
    }
    return std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(900);
  });
}

// --- what partitions accept and keep

TEST_F(DynamicSettingsTest, MessageMaxBytes) {
  start();
  const std::string topic = fresh_topic();
  expect_effect({{"message.max.bytes", "200"}}, [&] {
    return write(topic, std::string(300, 'x')).error_code == ErrorCode::kMessageTooLarge;
  });
}

TEST_F(DynamicSettingsTest, CompressionAndItsLevels) {
  start();
  const auto stored_bytes = [&](const char* type) {
    set("", {{"compression.type", type}});
    const std::string topic = fresh_topic();
    std::string value;
    for (int i = 0; value.size() < 60'000; ++i) value += std::to_string(i * 7919 % 1000);
    EXPECT_EQ(write(topic, value).error_code, ErrorCode::kNone);
    const std::size_t stored = fetch(*broker, topic).size();
    set("", {{"compression.type", std::nullopt}});
    return stored;
  };
  EXPECT_LT(stored_bytes("gzip") * 2, stored_bytes("producer"));
  for (const auto& [key, type, level] :
       {std::tuple{"compression.gzip.level", "gzip", "1"}, std::tuple{"compression.lz4.level", "lz4", "1"},
        std::tuple{"compression.zstd.level", "zstd", "19"}}) {
    const std::size_t usual = stored_bytes(type);
    expect_effect({{key, level}}, [&] { return stored_bytes(type) != usual; });
  }
}

TEST_F(DynamicSettingsTest, CleanupPolicy) {
  start();
  const std::string topic = fresh_topic();
  expect_effect({{"log.cleanup.policy", "compact"}}, [&] {
    return try_produce(*broker, topic, "a record without a key").error_code == ErrorCode::kInvalidRecord;
  });
}

TEST_F(DynamicSettingsTest, Timestamps) {
  start();
  const std::string topic = fresh_topic();
  const std::int64_t now = now_ms();
  expect_effect({{"log.message.timestamp.type", "LogAppendTime"}},
                [&] { return write(topic, "x").log_append_time_ms != -1; });
  expect_effect({{"log.message.timestamp.before.max.ms", "1000"}},
                [&] { return write(topic, "x", now - 100'000).error_code == ErrorCode::kInvalidTimestamp; });
  expect_effect({{"log.message.timestamp.after.max.ms", "1000"}},
                [&] { return write(topic, "x", now + 100'000).error_code == ErrorCode::kInvalidTimestamp; });
}

TEST_F(DynamicSettingsTest, Segments) {
  start({"log.index.interval.bytes=0"});
  expect_effect({{"log.roll.ms", "500"}}, [&] { return rolls(); });
  // The jitter is a random part of this; no part of so large a number is smaller than the age.
  set("", {{"log.roll.ms", "100000"}});
  expect_effect({{"log.roll.jitter.ms", "9223372036854775807"}}, [&] { return rolls(); });
  set("", {{"log.roll.ms", std::nullopt}});
  expect_effect({{"log.index.size.max.bytes", "16"}}, [&] { return rolls(); });
  expect_effect({{"log.segment.bytes", "1048576"}}, [&] {
    const std::string topic = fresh_topic();
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(write(topic, std::string(500'000, 'x')).error_code, ErrorCode::kNone);
    return files(topic, ".log").size() > 1;
  });
}

TEST_F(DynamicSettingsTest, IndexInterval) {
  start({"log.index.interval.bytes=100000000", "log.roll.ms=2500"});
  expect_effect({{"log.index.interval.bytes", "0"}}, [&] {
    const std::string topic = fresh_topic();
    for (int i = 0; i < 5; ++i) write(topic, "x", now_ms() + 1000 * i);
    EXPECT_GT(files(topic, ".log").size(), 1u);
    return soon([&] { return !files(topic, ".index").empty() && files(topic, ".index")[0] > 0; });
  });
}

TEST_F(DynamicSettingsTest, Retention) {
  start({"log.roll.ms=500"});
  const auto old_goes = [&] {
    const std::string topic = fresh_topic();
    for (int i = 0; i < 3; ++i) write(topic, "x", now_ms() - 10'000 + 1000 * i);
    for (int i = 0; i < 20 && earliest(topic) == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return earliest(topic) > 0;
  };
  expect_effect({{"log.retention.ms", "1000"}}, old_goes);
  expect_effect({{"log.retention.bytes", "1"}}, old_goes);
}

TEST_F(DynamicSettingsTest, Flush) {
  start();
  const auto is_flushed = [&](int wait_ms) {
    const std::string topic = fresh_topic();
    write(topic, "x");
    for (int waited = 0; waited < wait_ms && recovery_point(topic) != "1"; waited += 10) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return recovery_point(topic) == "1";
  };
  expect_effect({{"log.flush.interval.messages", "1"}}, [&] { return is_flushed(500); });
  expect_effect({{"log.flush.interval.ms", "1"}}, [&] { return is_flushed(2500); });
}

// --- producers and transactions

TEST_F(DynamicSettingsTest, ProducerIdExpiration) {
  start();
  const auto are_forgotten = [&] {
    const std::string topic = fresh_topic();
    const protocol::BatchSettings settings{.producer_id = 77, .producer_epoch = 0, .base_sequence = 0};
    EXPECT_EQ(write(topic, "x", now_ms(), settings).error_code, ErrorCode::kNone);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    protocol::DescribeProducersRequest request;
    request.topics = arena_.array<protocol::DescribeProducersRequest::TopicRequest>(1);
    request.topics[0].name = topic;
    request.topics[0].partition_indexes = arena_.array<protocol::PartitionId>(1);
    const auto answer = broker->ask<protocol::DescribeProducersResponse>(request, 0, arena_);
    return answer.topics[0].partitions[0].active_producers.empty();
  };
  expect_effect({{"producer.id.expiration.ms", "20"}}, are_forgotten);
}

TEST_F(DynamicSettingsTest, TransactionPartitionVerification) {
  start();
  find_coordinator(1, "writer");
  constexpr int kBeforeImplicitPartitions = 11;
  expect_effect({{"transaction.partition.verification.enable", "false"}}, [&] {
    const std::string topic = fresh_topic();
    const auto producer = broker->ask<protocol::InitProducerIdResponse>(
        protocol::InitProducerIdRequest{.transactional_id = "writer", .transaction_timeout_ms = 60'000}, 4,
        arena_);
    EXPECT_EQ(producer.error_code, ErrorCode::kNone);
    protocol::RecordBatchBuilder builder({.producer_id = producer.producer_id,
                                          .producer_epoch = producer.producer_epoch,
                                          .base_sequence = 0,
                                          .transactional = true});
    builder.append(now_ms(), std::nullopt, as_bytes("never announced to the coordinator"));
    return write_batch(topic, builder.build(), kBeforeImplicitPartitions, "writer").error_code ==
           ErrorCode::kNone;
  });
}

// --- groups

TEST_F(DynamicSettingsTest, GroupConsumerAssignmentInterval) {
  start();
  find_coordinator(0, "readers");
  const std::string topic = fresh_topic();
  int groups = 0;
  const auto second_member_waits = [&] {
    const std::string group = "group-" + std::to_string(++groups);
    const auto join = [&](std::string_view member) {
      protocol::ConsumerGroupHeartbeatRequest request{
          .group_id = group, .member_id = member, .member_epoch = 0, .rebalance_timeout_ms = 10'000};
      const std::vector<std::string_view> names{topic};
      request.subscribed_topic_names = std::span(arena_.array<std::string_view>(1));
      (*request.subscribed_topic_names)[0] = topic;
      request.topic_partitions.emplace();
      const auto answer = broker->ask<protocol::ConsumerGroupHeartbeatResponse>(request, 1, arena_);
      EXPECT_EQ(answer.error_code, ErrorCode::kNone) << answer.error_message.value_or("");
      return answer.member_epoch;
    };
    const auto first = join("AAAAAAAAAAAAAAAAAAAAAQ");
    return join("AAAAAAAAAAAAAAAAAAAAAg") == first;  // no new target yet
  };
  expect_effect({{"group.consumer.assignment.interval.ms", "15000"}}, second_member_waits);
}

// --- what topics inherit, and what has no outside but its description

TEST_F(DynamicSettingsTest, WhatTopicsInherit) {
  start();
  const std::string topic = fresh_topic();
  expect_effect({{"unclean.leader.election.enable", "true"}},
                [&] { return described(2, topic, "unclean.leader.election.enable") == "true"; });
  EXPECT_EQ(described(2, topic, "min.insync.replicas"), "1");
  set("", {{"min.insync.replicas", "2"}});
  EXPECT_EQ(described(2, topic, "min.insync.replicas"), "2");
}

TEST_F(DynamicSettingsTest, ThreadsOfTheBackground) {
  start();
  for (const auto& [name, half] :
       {std::pair{"background.threads", "5"}, std::pair{"num.recovery.threads.per.data.dir", "1"}}) {
    expect_effect({{name, half}}, [&] { return described(kBrokerResource, "1", name) == half; });
  }
  EXPECT_EQ(
      refusal("1", {{"background.threads", "4"}}),
      "Dynamic thread count update validation failed for background.threads=4, value should be at least half "
      "the current value 10");
  EXPECT_EQ(
      refusal("", {{"background.threads", "21"}}),
      "Dynamic thread count update validation failed for background.threads=21, value should not be greater "
      "than double the current value 10");
  set("", {{"background.threads", "5"}});
  const std::string topic = fresh_topic();
  EXPECT_EQ(write(topic, "x").error_code, ErrorCode::kNone);
}

// --- the rest of the kind

TEST_F(DynamicSettingsTest, EveryKeyThatMayChangeIsInOneOfTheseTests) {
  std::ifstream in("broker/dynamic_settings_test.cc");
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(text.empty());
  constexpr std::string_view kElsewhere[] = {"cordoned.log.dirs"};  // placement of partitions
  for (const BrokerConfigKey& key : broker_config_keys()) {
    const bool may_change =
        key.update != ConfigUpdate::kReadOnly && !key.only_at_start && key.effect == ConfigEffect::kInForce;
    if (!may_change || std::ranges::find(kElsewhere, key.name) != std::end(kElsewhere)) continue;
    EXPECT_NE(text.find("\"" + std::string(key.name) + "\""), std::string::npos) << key.name;
  }
}

TEST_F(DynamicSettingsTest, WhatCannotChangeIsRefusedAsReadOnlyKeysAre) {
  start();
  EXPECT_EQ(refusal("1", {{"log.dirs", "/elsewhere"}}),
            "Cannot update these configs dynamically: [log.dirs]");
  EXPECT_EQ(refusal("1", {{"num.network.threads", "4"}}),
            "Cannot update these configs dynamically: [num.network.threads]");
  EXPECT_EQ(refusal("", {{"authorizer.class.name", "A"}}),
            "authorizer.class.name asks for access control, which this version does not have");
  EXPECT_EQ(refusal("2", {{"max.connections", "4"}}), "Unexpected broker id, expected 1, but received 2");
}

TEST_F(DynamicSettingsTest, WhatWasChangedIsInForceAfterARestart) {
  start();
  set("", {{"message.max.bytes", "200"}, {"max.connections.per.ip.overrides", "127.0.0.9:1"}});
  set("1", {{"producer.id.expiration.ms", "4711"}});
  broker->stop();
  start();
  const std::string topic = fresh_topic();
  EXPECT_EQ(write(topic, std::string(300, 'x')).error_code, ErrorCode::kMessageTooLarge);
  Client first(broker->port(), {.bind_to = "127.0.0.9"});
  EXPECT_TRUE(answers(first));
  Client second(broker->port(), {.bind_to = "127.0.0.9"});
  EXPECT_FALSE(answers(second));
  EXPECT_EQ(described(kBrokerResource, "1", "producer.id.expiration.ms"), "4711");
}

TEST_F(DynamicSettingsTest, DescribeConfigsTellsWhatIsInForce) {
  start({"max.connections=1000000", "log.dir=/elsewhere"});
  const auto told = [&](std::string_view name) { return described(kBrokerResource, "1", name); };
  const std::string address = "PLAINTEXT://127.0.0.1:" + std::to_string(broker->port());
  EXPECT_EQ(told("broker.id"), "1");
  EXPECT_EQ(told("node.id"), "1");
  EXPECT_EQ(told("listeners"), address);
  EXPECT_EQ(told("advertised.listeners"), address);
  EXPECT_EQ(told("log.dirs"), root_);
  EXPECT_EQ(told("num.network.threads"), "2");
  EXPECT_EQ(told("max.connections"), "3072") << "what 4096 descriptors allow";
  EXPECT_EQ(told("socket.send.buffer.bytes"), "-1") << "the system decides";
  set("1", {{"max.connections", "77"}});
  EXPECT_EQ(told("max.connections"), "77");
}

}  // namespace
}  // namespace milena::broker
