// The controller against a model that knows nothing of records, images or epochs: a map of topics, a set of
// brokers, the log directories of both. Random requests; answers, state and invariants are compared after
// each. A failure prints the seed.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/controller.h"
#include "controller/snapshot/metadata_snapshot.h"
#include "controller/testing/controller_rig.h"
#include "controller/testing/directory_model.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Directories = test_support::DirectoryModel;

constexpr std::int32_t kBrokers = 4;

struct ModelTopic {
  std::size_t partitions = 0;
  std::size_t factor = 0;
  std::map<std::string, std::string> configs;
};

class ModelRun {
 public:
  ModelRun(std::uint64_t seed, bool elr)
      : chance_(seed),
        rig_(test_support::rig_settings(),
             elr ? FeatureLevels{{"metadata.version", 30}, {"eligible.leader.replicas.version", 1}}
                 : FeatureLevels{{"metadata.version", 30}},
             seed),
        elr_(elr) {}

  void run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE(step);
      random_step();
      if (step % 4 == 0) compare_topics();
      if (step % 8 == 0) check_partitions();
      rig_.arena.reset();
    }
    check_recovery();
  }

  const std::vector<std::vector<std::byte>>& log() const { return rig_.log(); }

 private:
  void random_step() {
    rig_.now_ms += 1;
    switch (chance_.below(18)) {
      case 0:
      case 1:
      case 2:
        return create();
      case 3:
      case 4:
        return remove();
      case 5:
      case 6:
        return grow();
      case 7:
      case 8:
      case 9:
        return configure();
      case 10:
        return allocate();
      case 11:
        return change_feature();
      case 12:
      case 13:
        return assign_directory();
      default:
        return change_broker();
    }
  }

  // "a.b" and "a_b" collide; "x/y" is no name.
  std::string random_name() {
    static constexpr std::string_view kOdd[] = {"a.b", "a_b", "x/y", "", "..", "__cluster_metadata"};
    if (chance_.one_in(8)) return std::string(kOdd[chance_.below(std::size(kOdd))]);
    return fmt::format("topic-{}", chance_.below(25));
  }

  bool known(const std::string& name) const { return topics_.contains(name); }

  ErrorCode expected_creation(const std::string& name, std::int32_t partitions, std::int32_t factor,
                              const std::string& retention) {
    if (name == "__cluster_metadata") return ErrorCode::kInvalidRequest;
    if (known(name)) return ErrorCode::kTopicAlreadyExists;
    if (name == "x/y" || name.empty() || name == "..") return ErrorCode::kInvalidTopicException;
    if ((name == "a.b" && known("a_b")) || (name == "a_b" && known("a.b")))
      return ErrorCode::kInvalidTopicException;
    if (retention == "bad") return ErrorCode::kInvalidConfig;
    if (factor == 0) return ErrorCode::kInvalidReplicationFactor;
    if (partitions == 0) return ErrorCode::kInvalidPartitions;
    const auto wanted = static_cast<std::size_t>(factor == -1 ? 1 : factor);
    if (active_.empty() || wanted > registered_.size()) return ErrorCode::kInvalidReplicationFactor;
    return ErrorCode::kNone;
  }

  void create() {
    using Request = protocol::CreateTopicsRequest;
    const std::string name = random_name();
    const auto partitions = static_cast<std::int32_t>(chance_.below(8)) - 1;
    const auto factor = static_cast<std::int16_t>(static_cast<int>(chance_.below(6)) - 1);
    const std::string retention = chance_.one_in(8) ? "bad" : fmt::format("{}", chance_.below(1'000));
    const bool configured = chance_.one_in(2);
    Request::CreatableTopic topic{.name = name, .num_partitions = partitions, .replication_factor = factor};
    if (configured) {
      topic.configs = list_of<Request::CreatableTopic::CreatableTopicConfig>(
          rig_.arena, {{.name = "retention.ms", .value = retention}});
    }
    const Request request{.topics = list_of<Request::CreatableTopic>(rig_.arena, {topic}),
                          .validate_only = chance_.one_in(8)};
    const auto result = rig_.commit(rig_.controller.create_topics(request, {}, rig_.arena)).topics[0];
    ASSERT_EQ(result.error_code, expected_creation(name, partitions, factor, configured ? retention : ""))
        << name << ' ' << partitions << ' ' << factor << ' ' << result.error_message.value_or("");
    if (result.error_code != ErrorCode::kNone || request.validate_only) return;
    ModelTopic& made = topics_[name];
    made.partitions = static_cast<std::size_t>(partitions == -1 ? 1 : partitions);
    made.factor = static_cast<std::size_t>(factor == -1 ? 1 : factor);
    if (configured) made.configs["retention.ms"] = retention;
    ASSERT_TRUE(ids_.insert(result.topic_id).second) << "a topic id was used before";
    directories_.created(*rig_.image().topic(name), 0);
  }

  void remove() {
    using Request = protocol::DeleteTopicsRequest;
    const std::string name = random_name();
    Request::DeleteTopicState given{.name = name};
    const Topic* topic = rig_.image().topic(name);
    if (topic != nullptr && chance_.one_in(2)) given = {.topic_id = topic->id};
    const Request request{.topics = list_of<Request::DeleteTopicState>(rig_.arena, {given})};
    const auto result = rig_.commit(rig_.controller.delete_topics(request, 6, {}, rig_.arena)).responses[0];
    ASSERT_EQ(result.error_code, known(name) ? ErrorCode::kNone : ErrorCode::kUnknownTopicOrPartition);
    topics_.erase(name);
  }

  void grow() {
    using Request = protocol::CreatePartitionsRequest;
    const std::string name = random_name();
    const auto count = static_cast<std::int32_t>(chance_.below(12));
    const Request request{
        .topics = list_of<Request::CreatePartitionsTopic>(rig_.arena, {{.name = name, .count = count}})};
    const auto result = rig_.commit(rig_.controller.create_partitions(request, {}, rig_.arena)).results[0];
    const auto wanted = static_cast<std::size_t>(count);
    ErrorCode expected = ErrorCode::kNone;
    if (!known(name)) {
      expected = ErrorCode::kUnknownTopicOrPartition;
    } else if (wanted <= topics_[name].partitions) {
      expected = ErrorCode::kInvalidPartitions;
    } else if (active_.empty() || topics_[name].factor > registered_.size()) {
      expected = ErrorCode::kInvalidReplicationFactor;
    }
    ASSERT_EQ(result.error_code, expected) << result.error_message.value_or("");
    if (expected != ErrorCode::kNone) return;
    const auto before = static_cast<std::int32_t>(topics_[name].partitions);
    topics_[name].partitions = wanted;
    directories_.created(*rig_.image().topic(name), before);
  }

  void configure() {
    using Request = protocol::IncrementalAlterConfigsRequest;
    using Resource = Request::AlterConfigsResource;
    const std::string name = random_name();
    const bool deletes = chance_.one_in(3);
    const bool bad = !deletes && chance_.one_in(6);
    const std::string key = chance_.one_in(2) ? "retention.ms" : "segment.ms";
    const std::string value = bad ? "-7" : fmt::format("{}", 1 + chance_.below(1'000));
    Resource::AlterableConfig edit{.name = key,
                                   .config_operation = static_cast<std::int8_t>(deletes ? 1 : 0)};
    if (!deletes) edit.value = value;
    const Request request{
        .resources = list_of<Resource>(
            rig_.arena, {{.resource_type = 2,
                          .resource_name = name,
                          .configs = list_of<Resource::AlterableConfig>(rig_.arena, {edit})}})};
    const auto result =
        rig_.commit(rig_.controller.incremental_alter_configs(request, {}, rig_.arena)).responses[0];
    ErrorCode expected = ErrorCode::kNone;
    if (name.empty()) {
      expected = ErrorCode::kInvalidRequest;
    } else if (name == "x/y" || name == "..") {
      expected = ErrorCode::kInvalidTopicException;
    } else if (bad) {
      expected = ErrorCode::kInvalidConfig;
    } else if (!known(name)) {
      expected = ErrorCode::kUnknownTopicOrPartition;
    }
    ASSERT_EQ(result.error_code, expected) << name << ' ' << result.error_message.value_or("");
    if (expected != ErrorCode::kNone) return;
    if (deletes) {
      topics_[name].configs.erase(key);
    } else {
      topics_[name].configs[key] = value;
    }
  }

  void allocate() {
    const BrokerId id = random_broker();
    const BrokerRegistration* broker = rig_.image().broker(id);
    const std::int64_t epoch = broker != nullptr ? broker->epoch : 0;
    const auto result = rig_.commit(
        rig_.controller.allocate_producer_ids({.broker_id = id, .broker_epoch = epoch}, rig_.arena));
    if (broker == nullptr) {
      ASSERT_EQ(result.error_code, ErrorCode::kStaleBrokerEpoch);
      return;
    }
    ASSERT_EQ(result.producer_id_start, ProducerId(next_producer_id_));
    next_producer_id_ += result.producer_id_len;
  }

  void change_feature() {
    using Request = protocol::UpdateFeaturesRequest;
    const auto level = static_cast<std::int16_t>(chance_.below(4));
    const Request request{.feature_updates = list_of<Request::FeatureUpdateKey>(
                              rig_.arena, {{.feature = "transaction.version", .max_version_level = level}})};
    const auto result = rig_.commit(rig_.controller.update_features(request, 2, 1, rig_.arena));
    const bool possible = level <= 2 && level >= transaction_version_;
    ASSERT_EQ(result.error_code, possible ? ErrorCode::kNone : ErrorCode::kInvalidUpdateVersion);
    if (possible) transaction_version_ = level;
    ASSERT_EQ(rig_.image().feature("transaction.version"), transaction_version_);
  }

  BrokerId random_broker() { return 1 + static_cast<std::int32_t>(chance_.below(kBrokers)); }

  void change_broker() {
    const BrokerId id = random_broker();
    if (!registered_.contains(id) || chance_.one_in(6)) {
      rig_.now_ms += 9'000;  // whoever had the id before is gone
      std::set<Uuid> directories{Directories::directory(id, 0), Directories::directory(id, 1)};
      if (chance_.one_in(3)) directories.erase(Directories::directory(id, chance_.below(2)));
      rig_.register_broker(id, chance_.one_in(2) ? "a" : "b", -1,
                           std::vector<Uuid>(directories.begin(), directories.end()));
      directories_.registered(id, directories);
      registered_.insert(id);
      active_.erase(id);
    } else if (chance_.one_in(20)) {
      rig_.commit(rig_.controller.unregister_broker({.broker_id = id}, rig_.arena));
      registered_.erase(id);
      active_.erase(id);
    } else {
      send_heartbeat(id);
    }
  }

  // The broker is fenced, unfenced or stays as it is, and one of its directories may have failed. Never its
  // last one: a broker without a directory stops.
  void send_heartbeat(BrokerId id) {
    const bool fence = chance_.one_in(2);
    std::vector<Uuid> failed;
    if (chance_.one_in(4)) failed = {Directories::directory(id, chance_.below(2))};
    if (directories_.online(id) == std::set<Uuid>(failed.begin(), failed.end())) failed.clear();
    for (const Uuid& directory : failed) directories_.failed(id, directory);
    ASSERT_EQ(rig_.heartbeat(id, fence, false, failed).is_fenced, fence);
    const auto& log_dirs = rig_.image().broker(id)->log_dirs;
    ASSERT_EQ(std::set<Uuid>(log_dirs.begin(), log_dirs.end()), directories_.online(id));
    active_.erase(id);
    if (!fence) active_.insert(id);
  }

  void assign_directory() {
    const std::string name = random_name();
    const BrokerId id = random_broker();
    if (!known(name) || !registered_.contains(id)) return;
    const PartitionId index = static_cast<std::int32_t>(chance_.below(8));
    const Uuid to = chance_.one_in(8) ? kLostDirectory : Directories::directory(id, chance_.below(2));
    Uuid* place = directories_.place(rig_.image().topic(name)->id, index, id);
    const bool exists = static_cast<std::size_t>(index.value) < topics_[name].partitions;
    ASSERT_EQ(rig_.assign_directory(id, name, index, to), !exists ? ErrorCode::kUnknownTopicOrPartition
                                                          : place == nullptr ? ErrorCode::kNotLeaderOrFollower
                                                                             : ErrorCode::kNone);
    if (place != nullptr) *place = to;
  }

  void compare_topics() {
    const MetadataImage& image = rig_.image();
    ASSERT_EQ(image.topics.size(), topics_.size());
    ASSERT_EQ(image.topic_ids.size(), topics_.size());
    for (const auto& [name, model] : topics_) {
      const Topic* topic = image.topic(name);
      ASSERT_NE(topic, nullptr) << name;
      ASSERT_EQ(topic->partitions.size(), model.partitions) << name;
      const ConfigMap* configs = image.config(ConfigResourceType::kTopic, name);
      ASSERT_EQ(configs != nullptr ? *configs : ConfigMap{},
                ConfigMap(model.configs.begin(), model.configs.end()));
    }
  }

  void check_partitions() {
    for (const auto& [id, topic] : rig_.image().topics) {
      std::int32_t next = 0;
      for (const auto& [index, partition] : topic->partitions) {
        ASSERT_EQ(index, PartitionId(next++));
        check_partition(*topic, *partition);
        for (const BrokerId broker : partition->replicas()) {
          ASSERT_EQ(partition->directory_of(broker), *directories_.place(id, index, broker));
        }
        check_epochs(id, index, *partition);
      }
    }
  }

  void check_partition(const Topic& topic, const Partition& partition) {
    const std::set<BrokerId> replicas(partition.replicas().begin(), partition.replicas().end());
    ASSERT_EQ(replicas.size(), topics_[topic.name].factor);
    ASSERT_EQ(partition.replicas().size(), replicas.size());
    for (const BrokerId member : partition.isr()) ASSERT_TRUE(replicas.contains(member));
    for (const BrokerId member : partition.elr()) {
      ASSERT_TRUE(replicas.contains(member));
      ASSERT_FALSE(partition.in_isr(member));
    }
    const auto may_lead = [&](BrokerId broker) {
      return active_.contains(broker) && directories_.is_online(broker, partition.directory_of(broker));
    };
    if (partition.has_leader()) {
      ASSERT_TRUE(partition.in_isr(partition.leader()));
      ASSERT_TRUE(may_lead(partition.leader()));
    } else {
      ASSERT_TRUE(std::ranges::none_of(partition.isr(), may_lead));
      if (partition.isr().empty()) ASSERT_TRUE(std::ranges::none_of(partition.elr(), may_lead));
    }
    if (!elr_) {
      ASSERT_FALSE(partition.isr().empty());
      ASSERT_TRUE(partition.elr().empty());
      ASSERT_TRUE(partition.last_known_elr().empty());
    }
  }

  // Epochs of a partition never go back.
  void check_epochs(const Uuid& id, PartitionId index, const Partition& partition) {
    auto& [leader_epoch, partition_epoch] = epochs_[{id, index}];
    ASSERT_GE(partition.leader_epoch(), leader_epoch);
    ASSERT_GE(partition.partition_epoch(), partition_epoch);
    ASSERT_GE(partition.partition_epoch(), partition.leader_epoch().value);
    leader_epoch = partition.leader_epoch();
    partition_epoch = partition.partition_epoch();
  }

  // K2, K3: the log alone, and a snapshot alone, give the state that the controller acted upon.
  void check_recovery() {
    const ControllerRig again = rig_.restarted();
    EXPECT_EQ(again.image(), rig_.image());
    std::vector<std::byte> file;
    ASSERT_TRUE(write_snapshot(rig_.image(), {}, 0, [&](BytesView batch) -> Status {
      file.insert(file.end(), batch.begin(), batch.end());
      return {};
    }));
    const auto read = read_snapshot(file, snapshot_id(rig_.image()));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->image, rig_.image());
  }

  SeededRng chance_;
  ControllerRig rig_;
  bool elr_;
  std::map<std::string, ModelTopic> topics_;
  std::set<BrokerId> registered_;
  std::set<BrokerId> active_;
  Directories directories_;
  std::set<Uuid> ids_;
  std::map<std::pair<Uuid, PartitionId>, std::pair<LeaderEpoch, std::int32_t>> epochs_;
  std::int64_t next_producer_id_ = 0;
  std::int16_t transaction_version_ = 0;
};

TEST(ControllerModel, AgreesWithAMapOfTopics) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    ModelRun(seed, false).run(2'000);
    if (HasFailure()) return;
  }
}

TEST(ControllerModel, AgreesWithAMapOfTopicsUnderEligibleLeaderReplicas) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    ModelRun(seed, true).run(2'000);
    if (HasFailure()) return;
  }
}

TEST(ControllerModel, TheSameSeedWritesTheSameLog) {
  ModelRun first(77, true), second(77, true);
  first.run(500);
  second.run(500);
  EXPECT_TRUE(first.log() == second.log());
}

}  // namespace
}  // namespace milena::controller
