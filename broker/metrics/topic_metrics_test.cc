#include "broker/metrics/topic_metrics.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "broker/metrics/group_metrics.h"
#include "broker/partition/testing/test_partition.h"

namespace milena::broker {
namespace {

using controller::MetadataImage;
using controller::Shared;
using protocol::BrokerId;

constexpr BrokerId kSelf{1};

struct State {
  BrokerId leader = kSelf;
  std::vector<BrokerId> isr{kSelf};
  std::vector<BrokerId> replicas{kSelf};
  std::vector<BrokerId> elr{};
};

void put(MetadataImage& image, const std::string& name, const Uuid& id, const std::vector<State>& states) {
  controller::Topic topic{.name = name, .id = id};
  for (std::size_t i = 0; i < states.size(); ++i) {
    const State& state = states[i];
    const std::vector<Uuid> directories(state.replicas.size());
    auto partition = controller::Partition::make({.replicas = state.replicas,
                                                  .isr = state.isr,
                                                  .elr = state.elr,
                                                  .directories = directories,
                                                  .leader = state.leader});
    ASSERT_TRUE(partition);
    topic.partitions.set(PartitionId{static_cast<std::int32_t>(i)}, Shared(*std::move(partition)));
  }
  image.topics.set(id, Shared(std::move(topic)));
  image.topic_ids.set(name, id);
}

class TopicMetricsTest : public ::testing::Test {
 protected:
  TopicMetricsTest() {
    registry_.publish(std::make_shared<const TopicIdentity>(TopicIdentity{"letters", partitions_.topic_id()}),
                      {partitions_.shared(0), partitions_.shared(1)});
  }
  std::string scrape(MetricLimits limits = {}) {
    Exposition out;
    TopicMetrics({.self = kSelf,
                  .image = [this] { return std::make_shared<const MetadataImage>(image_); },
                  .registry = registry_,
                  .file_config = {},
                  .unclean_elections = unclean_,
                  .limits = limits})
        .write(out);
    return std::move(out).finish();
  }
  ::testing::AssertionResult tells(const std::string& text, std::string_view line) {
    if (("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos)
      return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << line << " is not in\n" << text;
  }

  TestPartitions partitions_{2};
  PartitionRegistry registry_;
  SharedCounter unclean_;
  MetadataImage image_;
};

TEST_F(TopicMetricsTest, PartitionsOfEveryState) {
  put(image_, "letters", partitions_.topic_id(),
      {State{.isr = {kSelf}, .replicas = {kSelf, 2}},
       State{.leader = 2, .isr = {kSelf, 2}, .replicas = {2, kSelf}}, State{.leader = protocol::kNoBroker}});
  ASSERT_TRUE(partitions_.append(0, 3));
  const std::string text = scrape();
  EXPECT_TRUE(tells(text, R"(kafka_topic_partitions{topic="letters"} 3)"));
  EXPECT_TRUE(tells(text, R"(kafka_topic_partition_current_offset{topic="letters",partition="0"} 3)"));
  EXPECT_TRUE(
      tells(text, R"(kafka_topic_partition_under_replicated_partition{topic="letters",partition="0"} 1)"));
  EXPECT_TRUE(
      tells(text, R"(kafka_topic_partition_under_replicated_partition{topic="letters",partition="1"} 0)"));
  EXPECT_TRUE(tells(text, R"(kafka_topic_partition_leader{topic="letters",partition="2"} -1)"));
  EXPECT_TRUE(tells(text, R"(kafka_topic_partition_leader_is_preferred{topic="letters",partition="1"} 1)"));
  EXPECT_TRUE(tells(text, R"(kafka_server_brokertopicmetrics_messagesin_total{topic="letters"} 3)"));
  EXPECT_TRUE(tells(text, "kafka_server_replicamanager_leadercount 1"));
  EXPECT_TRUE(tells(text, "kafka_server_replicamanager_partitioncount 3"));
  EXPECT_TRUE(tells(text, "kafka_server_replicamanager_underreplicatedpartitions 1"));
  EXPECT_TRUE(tells(text, "kafka_server_replicamanager_offlinereplicacount 1"));
  EXPECT_TRUE(tells(text, "kafka_controller_kafkacontroller_offlinepartitionscount 1"));
}

TEST_F(TopicMetricsTest, MinIsrIsOfTheTopicAndAtMostTheReplicas) {
  put(image_, "letters", partitions_.topic_id(),
      {State{.isr = {kSelf}, .replicas = {kSelf, 2}}, State{.isr = {kSelf}, .replicas = {kSelf}}});
  EXPECT_TRUE(tells(scrape(), R"(kafka_cluster_partition_atminisr{topic="letters",partition="0"} 1)"));
  image_.configs.set({.type = controller::ConfigResourceType::kTopic, .name = "letters"},
                     Shared(controller::ConfigMap{{"min.insync.replicas", "3"}}));
  const std::string text = scrape();
  EXPECT_TRUE(tells(text, R"(kafka_cluster_partition_atminisr{topic="letters",partition="0"} 0)"));
  EXPECT_TRUE(tells(text, R"(kafka_cluster_partition_underminisr{topic="letters",partition="0"} 1)"));
  EXPECT_TRUE(tells(text, R"(kafka_cluster_partition_atminisr{topic="letters",partition="1"} 1)"));
  EXPECT_TRUE(tells(text, R"(kafka_cluster_partition_underminisr{topic="letters",partition="1"} 0)"));
}

TEST_F(TopicMetricsTest, BeyondTheLimitsIsLeftOutAndCounted) {
  put(image_, "letters", partitions_.topic_id(), {State{}, State{}});
  put(image_, "zebras", Uuid::from_halves(1, 2), {State{}, State{}, State{}});
  const std::string text = scrape({.partitions = 3, .topics = 1});
  EXPECT_TRUE(tells(text, R"(milena_metrics_left_out{what="topics"} 1)"));
  EXPECT_TRUE(tells(text, R"(milena_metrics_left_out{what="partitions"} 2)"));
  EXPECT_TRUE(tells(text, R"(kafka_topic_partition_leader{topic="zebras",partition="0"} 1)"));
  EXPECT_EQ(text.find(R"({topic="zebras",partition="1"})"), std::string::npos);
  EXPECT_EQ(text.find(R"(kafka_topic_partitions{topic="zebras"})"), std::string::npos);
  EXPECT_TRUE(tells(text, "kafka_server_replicamanager_leadercount 5"));  // counted all the same
}

TEST_F(TopicMetricsTest, AnElectionIsUncleanWhenTheLeaderWasNotInSync) {
  const Uuid id = partitions_.topic_id();
  put(image_, "letters", id,
      {State{.leader = 1, .isr = {1, 2}, .replicas = {1, 2, 3}},
       State{.leader = 1, .isr = {1}, .replicas = {1, 2}},
       State{.leader = 1, .isr = {1}, .replicas = {1, 2}, .elr = {2}},
       State{.leader = 1, .isr = {1}, .replicas = {1, 2}}});
  MetadataImage after;
  put(after, "letters", id,
      {State{.leader = 2, .isr = {2}, .replicas = {1, 2, 3}},  // in sync
       State{.leader = 2, .isr = {2}, .replicas = {1, 2}},     // unclean
       State{.leader = 2, .isr = {2}, .replicas = {1, 2}},     // eligible
       State{.leader = -1, .isr = {1}, .replicas = {1, 2}}});  // none
  controller::MetadataChanges changes;
  changes.topics[id] = {0, 1, 2, 3};
  EXPECT_EQ(unclean_elections(image_, after, changes), 1u);
  changes.topics[id] = {0, 2, 3};
  EXPECT_EQ(unclean_elections(image_, after, changes), 0u);
}

TEST_F(TopicMetricsTest, LagOfWhatIsHereAndOfWhatIsNot) {
  put(image_, "letters", partitions_.topic_id(), {State{}, State{}});
  ASSERT_TRUE(partitions_.append(0, 5));
  ASSERT_TRUE(partitions_.append(1, 3));
  GroupsStatus status;
  status.by_state[{"classic", "Stable"}] = 1;
  status.groups.push_back(
      {.id = "readers", .members = 2, .offsets = {{"letters", 0, 1}, {"letters", 1, 3}, {"unknown", 0, 7}}});
  status.groups_left_out = 4;
  Exposition out;
  GroupMetrics({.groups = [&](const auto&) { return status; },
                .transactions = [] { return TransactionsStatus{.open = 1, .committed = 2, .aborted = 3}; },
                .image = [this] { return std::make_shared<const MetadataImage>(image_); },
                .registry = registry_,
                .limits = {}})
      .write(out);
  const std::string text = std::move(out).finish();
  EXPECT_TRUE(
      tells(text, R"(kafka_consumergroup_lag{consumergroup="readers",topic="letters",partition="0"} 4)"));
  EXPECT_TRUE(
      tells(text, R"(kafka_consumergroup_lag{consumergroup="readers",topic="letters",partition="1"} 0)"));
  EXPECT_TRUE(
      tells(text, R"(kafka_consumergroup_lag{consumergroup="readers",topic="unknown",partition="0"} -1)"));
  EXPECT_TRUE(tells(text, R"(kafka_consumergroup_lag_sum{consumergroup="readers",topic="letters"} 4)"));
  EXPECT_TRUE(tells(text, R"(kafka_consumergroup_lag_sum{consumergroup="readers",topic="unknown"} 0)"));
  EXPECT_TRUE(
      tells(text, R"(kafka_consumergroup_current_offset_sum{consumergroup="readers",topic="letters"} 4)"));
  EXPECT_TRUE(tells(text, R"(kafka_consumergroup_members{consumergroup="readers"} 2)"));
  EXPECT_TRUE(tells(text, R"(milena_groups{protocol="classic",state="Stable"} 1)"));
  EXPECT_TRUE(tells(text, R"(milena_metrics_left_out{what="groups"} 4)"));
  EXPECT_TRUE(tells(text, "milena_open_transactions 1"));
  EXPECT_TRUE(tells(text, R"(milena_transactions_total{result="abort"} 3)"));
}

}  // namespace
}  // namespace milena::broker
