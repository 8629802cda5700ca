#include "controller/decisions/create_topics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Request = protocol::CreateTopicsRequest;
using Result = protocol::CreateTopicsResponse::CreatableTopicResult;
using Creatable = Request::CreatableTopic;
using Config = Request::CreatableTopic::CreatableTopicConfig;
using Assignment = Request::CreatableTopic::CreatableReplicaAssignment;

class CreateTopicsTest : public ::testing::Test {
 protected:
  CreateTopicsTest() { rig_.add_broker(1); }

  std::span<Result> create(std::initializer_list<Creatable> topics, bool validate_only = false,
                           const CreateTopicsAccess& access = {}) {
    const Request request{.topics = list_of<Creatable>(rig_.arena, topics), .validate_only = validate_only};
    return rig_.commit(rig_.controller.create_topics(request, access, rig_.arena)).topics;
  }
  Result create_one(const Creatable& topic) { return create({topic})[0]; }

  static Creatable simple(std::string_view name, std::int32_t partitions = 1, std::int16_t factor = 1) {
    return {.name = name, .num_partitions = partitions, .replication_factor = factor};
  }
  Creatable with_config(std::string_view name, std::initializer_list<Config> configs) {
    Creatable topic = simple(name);
    topic.configs = list_of<Config>(rig_.arena, configs);
    return topic;
  }
  Creatable assigned(std::string_view name, std::initializer_list<Assignment> assignments) {
    return {.name = name,
            .num_partitions = -1,
            .replication_factor = -1,
            .assignments = list_of<Assignment>(rig_.arena, assignments)};
  }
  Assignment on(PartitionId index, std::initializer_list<BrokerId> brokers) {
    return {.partition_index = index, .broker_ids = list_of<BrokerId>(rig_.arena, brokers)};
  }

  void expect_refusal(const Result& result, ErrorCode code, std::string_view message) {
    EXPECT_EQ(result.error_code, code);
    EXPECT_EQ(result.error_message, message);
    EXPECT_EQ(result.num_partitions, -1);
  }

  ControllerRig rig_;
};

TEST_F(CreateTopicsTest, ATopicHasItsPartitionsLedAndInSync) {
  const Result result = create_one(simple("orders", 3));
  EXPECT_EQ(result.error_code, ErrorCode::kNone);
  EXPECT_EQ(result.num_partitions, 3);
  EXPECT_EQ(result.replication_factor, 1);
  const Topic& topic = *rig_.image().topic("orders");
  EXPECT_EQ(topic.id, result.topic_id);
  ASSERT_EQ(topic.partitions.size(), 3u);
  for (const auto& [index, partition] : topic.partitions) {
    EXPECT_EQ(partition->leader(), BrokerId(1));
    EXPECT_EQ(partition->leader_epoch(), LeaderEpoch(0));
    EXPECT_EQ(partition->partition_epoch(), 0);
    EXPECT_TRUE(std::ranges::equal(partition->isr(), partition->replicas()));
    EXPECT_EQ(partition->directories()[0], rig_.image().broker(1)->log_dirs[0]);
  }
}

TEST_F(CreateTopicsTest, RecordsAreInKafkasOrder) {
  const Request request{.topics = list_of<Creatable>(
                            rig_.arena, {with_config("orders", {{.name = "retention.ms", .value = "5"}})})};
  const auto outcome = rig_.controller.create_topics(request, {}, rig_.arena);
  ASSERT_EQ(outcome.records.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<protocol::TopicRecord>(outcome.records[0].body));
  EXPECT_TRUE(std::holds_alternative<protocol::ConfigRecord>(outcome.records[1].body));
  EXPECT_TRUE(std::holds_alternative<protocol::PartitionRecord>(outcome.records[2].body));
  EXPECT_EQ(outcome.records[2].version, 2);
}

TEST_F(CreateTopicsTest, MinusOneMeansTheDefaults) {
  const Result result = create_one(simple("orders", -1, -1));
  EXPECT_EQ(result.num_partitions, 1);
  EXPECT_EQ(result.replication_factor, 1);
}

TEST_F(CreateTopicsTest, ACapMakesAsManyReplicasAsThereAreBrokers) {
  EXPECT_EQ(create_one(simple("orders", 1, 3)).error_code, ErrorCode::kInvalidReplicationFactor);
  ControllerSettings settings = test_support::rig_settings();
  settings.cap_replication_factor = true;
  ControllerRig capped(settings);
  capped.add_broker(1);
  const Creatable topic = simple("orders", 1, 3);
  const Request request{.topics = list_of<Creatable>(capped.arena, {topic})};
  const Result result = capped.commit(capped.controller.create_topics(request, {}, capped.arena)).topics[0];
  EXPECT_EQ(result.error_code, ErrorCode::kNone);
  EXPECT_EQ(result.replication_factor, 1);
}

TEST_F(CreateTopicsTest, ValidateOnlyAnswersAndChangesNothing) {
  const Result result = create({simple("orders", 2)}, true)[0];
  EXPECT_EQ(result.error_code, ErrorCode::kNone);
  EXPECT_EQ(result.num_partitions, 2);
  EXPECT_EQ(rig_.image().topic("orders"), nullptr);
}

TEST_F(CreateTopicsTest, NamesAreRestricted) {
  const auto refusal = [&](std::string_view name, std::string_view message) {
    expect_refusal(create_one(simple(name)), ErrorCode::kInvalidTopicException, message);
  };
  refusal("", "Topic name is invalid: the empty string is not allowed");
  refusal(".", "Topic name is invalid: '.' is not allowed");
  refusal("..", "Topic name is invalid: '..' is not allowed");
  refusal("a/b",
          "Topic name is invalid: 'a/b' contains one or more characters other than ASCII alphanumerics, '.', "
          "'_' and "
          "'-'");
  const std::string longest(249, 'x');
  EXPECT_EQ(create_one(simple(longest)).error_code, ErrorCode::kNone);
  const std::string longer(250, 'x');
  refusal(longer,
          "Topic name is invalid: the length of '" + longer + "' is longer than the max allowed length 249");
  for (const std::string_view name : {std::string_view("../../etc/passwd"), std::string_view("a\0b", 3),
                                      std::string_view("caf\xc3\xa9"), std::string_view("orders ")}) {
    EXPECT_EQ(create_one(simple(name)).error_code, ErrorCode::kInvalidTopicException);
  }
  for (const char* name : {"con", "__consumer_offsets", "__transaction_state", "-", "..."}) {
    EXPECT_EQ(create_one(simple(name)).error_code, ErrorCode::kNone) << name;
  }
  expect_refusal(create_one(simple("__cluster_metadata")), ErrorCode::kInvalidRequest,
                 "Creation of internal topic __cluster_metadata is prohibited.");
}

TEST_F(CreateTopicsTest, NamesThatMetricsCannotTellApartCollide) {
  create_one(simple("a.b_c"));
  expect_refusal(create_one(simple("a_b.c")), ErrorCode::kInvalidTopicException,
                 "Topic 'a_b.c' collides with existing topic: a.b_c");
  EXPECT_EQ(create_one(simple("a-b.c")).error_code, ErrorCode::kNone);
  const auto both = create({simple("x.y"), simple("x_y")});
  EXPECT_EQ(both[0].error_code, ErrorCode::kNone);
  expect_refusal(both[1], ErrorCode::kInvalidTopicException, "Topic 'x_y' collides with existing topic: x.y");
}

TEST_F(CreateTopicsTest, ATopicIsCreatedOnce) {
  create_one(simple("or.ders"));
  expect_refusal(create_one(simple("or.ders")), ErrorCode::kTopicAlreadyExists,
                 "Topic 'or.ders' already exists.");
}

TEST_F(CreateTopicsTest, ANameGivenTwiceIsRefusedOnce) {
  const auto results = create({simple("a"), simple("b"), simple("a")});
  ASSERT_EQ(results.size(), 2u);
  expect_refusal(results[0], ErrorCode::kInvalidRequest, "Duplicate topic name.");
  EXPECT_EQ(results[1].error_code, ErrorCode::kNone);
  EXPECT_EQ(rig_.image().topic("a"), nullptr);
}

TEST_F(CreateTopicsTest, CountsMustMakeSense) {
  expect_refusal(create_one(simple("t", 0)), ErrorCode::kInvalidPartitions,
                 "Number of partitions was set to an invalid non-positive value.");
  expect_refusal(create_one(simple("t", -2)), ErrorCode::kInvalidPartitions,
                 "Number of partitions was set to an invalid non-positive value.");
  for (const std::int16_t factor : {std::int16_t{0}, std::int16_t{-2}}) {
    expect_refusal(create_one(simple("t", 1, factor)), ErrorCode::kInvalidReplicationFactor,
                   "Replication factor must be larger than 0, or -1 to use the default value.");
  }
  expect_refusal(
      create_one(simple("t", 1, 32767)), ErrorCode::kInvalidReplicationFactor,
      "Unable to replicate the partition 32767 time(s): The target replication factor of 32767 cannot be "
      "reached because only 1 broker(s) are registered or some brokers have all their log directories "
      "cordoned.");
}

TEST_F(CreateTopicsTest, AFencedClusterTakesNoTopics) {
  rig_.heartbeat(1, true, false);
  expect_refusal(
      create_one(simple("t")), ErrorCode::kInvalidReplicationFactor,
      "Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all their log "
      "directories cordoned.");
}

TEST_F(CreateTopicsTest, MorePartitionsThanARequestMayMakeRefuseAllOfIt) {
  for (const std::int32_t count : {10'000, 1'000'000, 2'147'483'647}) {
    const auto results = create({simple("a"), simple("b", count)});
    for (const Result& result : results) {
      expect_refusal(result, ErrorCode::kPolicyViolation,
                     "Excessively large number of partitions per request.");
    }
  }
  expect_refusal(create_one(simple("a", 10'000)), ErrorCode::kPolicyViolation,
                 "Unable to perform excessively large batch operation.");
  EXPECT_TRUE(rig_.image().topics.empty());
  EXPECT_EQ(create_one(simple("a", 9'999)).error_code, ErrorCode::kNone);
}

TEST_F(CreateTopicsTest, ManyTopicsInOneRequestAreOneChange) {
  std::vector<std::string> names;
  std::vector<Creatable> topics;
  for (int i = 0; i < 4'999; ++i) names.push_back("topic-" + std::to_string(i));
  for (const std::string& name : names) topics.push_back(simple(name));
  const std::size_t batches = rig_.log().size();
  rig_.commit(rig_.controller.create_topics({.topics = topics}, {}, rig_.arena));
  EXPECT_EQ(rig_.log().size(), batches + 1);
  EXPECT_EQ(rig_.image().topics.size(), 4'999u);
}

TEST_F(CreateTopicsTest, ConfigurationIsCheckedStoredAndTold) {
  const Result result = create_one(with_config(
      "t", {{.name = "cleanup.policy", .value = "compact"}, {.name = "segment.bytes", .value = "2097152"}}));
  EXPECT_EQ(result.error_code, ErrorCode::kNone);
  EXPECT_EQ(*rig_.image().config(ConfigResourceType::kTopic, "t"),
            (ConfigMap{{"cleanup.policy", "compact"}, {"segment.bytes", "2097152"}}));
  ASSERT_TRUE(result.configs);
  EXPECT_EQ(result.configs->size(), topic_config_keys().size() - 1);  // but the internal one
  const auto policy =
      std::ranges::find(*result.configs, "cleanup.policy",
                        &protocol::CreateTopicsResponse::CreatableTopicResult::CreatableTopicConfigs::name);
  EXPECT_EQ(policy->value, "compact");
  EXPECT_EQ(policy->config_source, 1);
  const auto retention =
      std::ranges::find(*result.configs, "retention.ms",
                        &protocol::CreateTopicsResponse::CreatableTopicResult::CreatableTopicConfigs::name);
  EXPECT_EQ(retention->value, "604800000");
  EXPECT_EQ(retention->config_source, 5);
}

TEST_F(CreateTopicsTest, BadConfigurationRefusesTheTopic) {
  expect_refusal(create_one(with_config("t", {{.name = "nope", .value = "1"}})), ErrorCode::kInvalidConfig,
                 "Unknown topic config name: nope");
  expect_refusal(create_one(with_config("t", {{.name = "retention.ms", .value = "soon"}})),
                 ErrorCode::kInvalidConfig,
                 "Invalid value soon for configuration retention.ms: Not a number of type LONG");
  expect_refusal(create_one(with_config("t", {{.name = "retention.ms", .value = std::nullopt}})),
                 ErrorCode::kInvalidConfig, "Null value not supported for topic configs: retention.ms");
  const std::string huge(32'768, '1');
  expect_refusal(
      create_one(with_config("t", {{.name = "cleanup.policy", .value = huge}})), ErrorCode::kInvalidConfig,
      "The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.");
  EXPECT_EQ(rig_.image().topic("t"), nullptr);
  EXPECT_EQ(rig_.image().config(ConfigResourceType::kTopic, "t"), nullptr);
}

TEST_F(CreateTopicsTest, OneBadTopicDoesNotSpoilTheOthers) {
  const auto results = create({simple("good"), simple("bad/"), simple("fine", 2)});
  EXPECT_EQ(results[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(results[1].error_code, ErrorCode::kInvalidTopicException);
  EXPECT_EQ(results[2].error_code, ErrorCode::kNone);
  EXPECT_EQ(rig_.image().topics.size(), 2u);
}

TEST_F(CreateTopicsTest, AssignmentsByHandAreKept) {
  rig_.add_broker(2);
  const Result result = create_one(assigned("t", {on(1, {2, 1}), on(0, {1, 2})}));
  EXPECT_EQ(result.error_code, ErrorCode::kNone);
  EXPECT_EQ(result.num_partitions, 2);
  EXPECT_EQ(result.replication_factor, 2);
  EXPECT_EQ(rig_.image().topic("t")->partition(0)->leader(), BrokerId(1));
  EXPECT_EQ(rig_.image().topic("t")->partition(1)->leader(), BrokerId(2));
}

TEST_F(CreateTopicsTest, AssignmentsByHandAreChecked) {
  rig_.register_broker(2);  // fenced
  const auto refusal = [&](std::initializer_list<Assignment> assignments, std::string_view message) {
    expect_refusal(create_one(assigned("t", assignments)), ErrorCode::kInvalidReplicaAssignment, message);
  };
  refusal({on(0, {})}, "The manual partition assignment includes an empty replica list.");
  refusal({on(0, {9})},
          "The manual partition assignment includes broker 9, but no such broker is registered.");
  refusal({on(0, {1, 1})}, "The manual partition assignment includes the broker 1 more than once.");
  refusal({on(0, {1}), on(1, {1, 2})},
          "The manual partition assignment includes a partition with 2 replica(s), but this is not "
          "consistent with "
          "previous partitions, which have 1 replica(s).");
  refusal({on(0, {1}), on(0, {1})}, "Found multiple manual partition assignments for partition 0");
  refusal({on(1, {1})}, "partitions should be a consecutive 0-based integer sequence");
  refusal({on(-1, {1})}, "partitions should be a consecutive 0-based integer sequence");
  refusal(
      {on(0, {2})},
      "All brokers specified in the manual partition assignment for partition 0 are fenced or in controlled "
      "shutdown.");
  Creatable both = assigned("t", {on(0, {1})});
  both.num_partitions = 1;
  expect_refusal(create_one(both), ErrorCode::kInvalidRequest,
                 "A manual partition assignment was specified, but numPartitions was not set to -1.");
  both.replication_factor = 1;
  expect_refusal(create_one(both), ErrorCode::kInvalidRequest,
                 "A manual partition assignment was specified, but replication factor was not set to -1.");
  const Result mixed = create_one(assigned("t", {on(0, {2, 1})}));
  EXPECT_EQ(mixed.error_code, ErrorCode::kNone);
  EXPECT_EQ(rig_.image().topic("t")->partition(0)->leader(), BrokerId(1));
  EXPECT_EQ(rig_.image().topic("t")->partition(0)->isr().size(), 1u);
}

TEST_F(CreateTopicsTest, AccessDecidesWhatIsMadeAndTold) {
  const CreateTopicsAccess access{.may_create = [](std::string_view name) { return name != "secret"; },
                                  .may_describe_configs = [](std::string_view) { return false; }};
  const auto results = create({simple("secret"), simple("open")}, false, access);
  expect_refusal(results[0], ErrorCode::kTopicAuthorizationFailed, "Authorization failed.");
  EXPECT_EQ(results[1].error_code, ErrorCode::kNone);
  EXPECT_EQ(results[1].topic_config_error_code, ErrorCode::kTopicAuthorizationFailed);
  EXPECT_EQ(results[1].num_partitions, -1);
}

class CreatePartitionsTest : public ::testing::Test {
 protected:
  using Grow = protocol::CreatePartitionsRequest::CreatePartitionsTopic;
  using GrowAssignment = protocol::CreatePartitionsRequest::CreatePartitionsTopic::CreatePartitionsAssignment;
  using GrowResult = protocol::CreatePartitionsResponse::CreatePartitionsTopicResult;

  CreatePartitionsTest() {
    rig_.add_broker(1);
    rig_.add_broker(2);
    rig_.create_topic("t", 2, 1);
  }
  std::span<GrowResult> grow(std::initializer_list<Grow> topics, bool validate_only = false) {
    const protocol::CreatePartitionsRequest request{.topics = list_of<Grow>(rig_.arena, topics),
                                                    .validate_only = validate_only};
    return rig_.commit(rig_.controller.create_partitions(request, {}, rig_.arena)).results;
  }
  void expect_refusal(const Grow& topic, ErrorCode code, std::string_view message) {
    const GrowResult result = grow({topic})[0];
    EXPECT_EQ(result.error_code, code);
    EXPECT_EQ(result.error_message, message);
    EXPECT_EQ(rig_.image().topic("t")->partitions.size(), 2u);
  }
  GrowAssignment on(std::initializer_list<BrokerId> brokers) {
    return {.broker_ids = list_of<BrokerId>(rig_.arena, brokers)};
  }

  ControllerRig rig_;
};

TEST_F(CreatePartitionsTest, ATopicGrows) {
  EXPECT_EQ(grow({{.name = "t", .count = 5}})[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(rig_.image().topic("t")->partitions.size(), 5u);
  EXPECT_EQ(rig_.image().topic("t")->partition(4)->replicas().size(), 1u);
}

TEST_F(CreatePartitionsTest, ValidateOnlyGrowsNothing) {
  EXPECT_EQ(grow({{.name = "t", .count = 5}}, true)[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(rig_.image().topic("t")->partitions.size(), 2u);
}

TEST_F(CreatePartitionsTest, CountsMustIncreaseWithinReason) {
  expect_refusal({.name = "t", .count = 2}, ErrorCode::kInvalidPartitions,
                 "Topic already has 2 partition(s).");
  for (const std::int32_t count : {1, 0, -1}) {
    expect_refusal(
        {.name = "t", .count = count}, ErrorCode::kInvalidPartitions,
        "The topic t currently has 2 partition(s); " + std::to_string(count) + " would not be an increase.");
  }
  for (const std::int32_t count : {10'003, 2'147'483'647}) {
    expect_refusal({.name = "t", .count = count}, ErrorCode::kPolicyViolation,
                   "Unable to perform excessively large batch operation.");
  }
  expect_refusal({.name = "nope", .count = 3}, ErrorCode::kUnknownTopicOrPartition,
                 error_message(ErrorCode::kUnknownTopicOrPartition));
}

TEST_F(CreatePartitionsTest, AssignmentsByHandAreCheckedAndKept) {
  Grow topic{.name = "t", .count = 4, .assignments = list_of<GrowAssignment>(rig_.arena, {on({1})})};
  expect_refusal(topic, ErrorCode::kInvalidReplicaAssignment,
                 "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.");
  topic.assignments = list_of<GrowAssignment>(rig_.arena, {on({1}), on({1, 2})});
  expect_refusal(
      topic, ErrorCode::kInvalidReplicaAssignment,
      "The manual partition assignment includes a partition with 2 replica(s), but this is not consistent "
      "with previous partitions, which have 1 replica(s).");
  topic.assignments = list_of<GrowAssignment>(rig_.arena, {on({1}), on({2})});
  EXPECT_EQ(grow({topic})[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(rig_.image().topic("t")->partition(3)->leader(), BrokerId(2));
}

TEST_F(CreatePartitionsTest, ANameGivenTwiceIsRefusedOnce) {
  const auto results = grow({{.name = "t", .count = 3}, {.name = "t", .count = 4}});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].error_code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(results[0].error_message, "Duplicate topic name.");
}

}  // namespace
}  // namespace milena::controller
