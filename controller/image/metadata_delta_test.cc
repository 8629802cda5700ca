#include "controller/image/metadata_delta.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "protocol/error_code.h"

namespace milena::controller {
namespace {

const Uuid kOrders = Uuid::from_halves(1, 1);
const Uuid kDirA = Uuid::from_halves(7, 1000);
const Uuid kDirB = Uuid::from_halves(7, 2000);

// Lists that records can point to for as long as the test runs.
struct Lists {
  std::span<BrokerId> ids(std::initializer_list<BrokerId> list) {
    return id_lists_.emplace_back(std::vector<BrokerId>(list));
  }
  std::span<Uuid> dirs(std::initializer_list<Uuid> list) {
    return dir_lists_.emplace_back(std::vector<Uuid>(list));
  }

 private:
  std::vector<std::vector<BrokerId>> id_lists_;
  std::vector<std::vector<Uuid>> dir_lists_;
};

class MetadataDeltaTest : public testing::Test {
 protected:
  // Replays into the current image; a failure leaves it as it was.
  Status apply(std::initializer_list<MetadataRecordBody> bodies) {
    MetadataDelta delta(image_);
    for (const auto& body : bodies) MILENA_CHECK(delta.replay({.body = body}));
    changes_ = delta.changes();
    image_ = std::move(delta).finish({});
    return {};
  }
  void must_apply(std::initializer_list<MetadataRecordBody> bodies) {
    const Status status = apply(bodies);
    ASSERT_TRUE(status) << status.error().why;
  }
  std::string refusal(const MetadataRecordBody& body) {
    const MetadataImage before = image_;
    const Status status = apply({body});
    if (status) return "accepted";
    EXPECT_EQ(status.error().code, ErrorCode::kCorruptMessage);
    EXPECT_EQ(image_, before);
    return status.error().why;
  }
  protocol::TopicRecord orders() { return {.name = "orders", .topic_id = kOrders}; }
  protocol::PartitionRecord partition(PartitionId index) {
    return {.partition_id = index,
            .topic_id = kOrders,
            .replicas = lists_.ids({1, 2}),
            .isr = lists_.ids({1, 2}),
            .leader = 1,
            .leader_epoch = 0,
            .partition_epoch = 0,
            .directories = lists_.dirs({kDirA, kDirB})};
  }
  protocol::RegisterBrokerRecord broker(BrokerId id, std::int64_t epoch) {
    return {.broker_id = id, .incarnation_id = Uuid::from_halves(9, 9), .broker_epoch = epoch};
  }

  Lists lists_;
  MetadataImage image_;
  MetadataChanges changes_;
};

TEST_F(MetadataDeltaTest, TopicsAreFoundByNameAndById) {
  must_apply({orders(), partition(0), partition(1)});
  ASSERT_NE(image_.topic("orders"), nullptr);
  EXPECT_EQ(image_.topic("orders"), image_.topic(kOrders));
  EXPECT_EQ(image_.topic("orders")->partitions.size(), 2u);
  EXPECT_EQ(image_.topic("orders")->partition(1)->leader(), BrokerId(1));
  EXPECT_EQ(image_.topic("orders")->partition(2), nullptr);
  EXPECT_EQ(changes_.topics.at(kOrders), (std::set<PartitionId>{0, 1}));
}

TEST_F(MetadataDeltaTest, AnImageIsNotTouchedByWhatComesAfterIt) {
  must_apply({orders(), partition(0)});
  const MetadataImage before = image_;
  must_apply({protocol::PartitionChangeRecord{.partition_id = 0, .topic_id = kOrders, .leader = 2}});
  EXPECT_EQ(before.topic(kOrders)->partition(0)->leader(), BrokerId(1));
  EXPECT_EQ(image_.topic(kOrders)->partition(0)->leader(), BrokerId(2));
}

TEST_F(MetadataDeltaTest, TheLeaderEpochCountsNamedLeadersAndThePartitionEpochEveryChange) {
  must_apply({orders(), partition(0)});
  must_apply(
      {protocol::PartitionChangeRecord{.partition_id = 0, .topic_id = kOrders, .isr = lists_.ids({1})}});
  EXPECT_EQ(image_.topic(kOrders)->partition(0)->leader_epoch(), LeaderEpoch(0));
  EXPECT_EQ(image_.topic(kOrders)->partition(0)->partition_epoch(), 1);
  must_apply({protocol::PartitionChangeRecord{.partition_id = 0, .topic_id = kOrders, .leader = 1}});
  EXPECT_EQ(image_.topic(kOrders)->partition(0)->leader_epoch(), LeaderEpoch(1));
  EXPECT_EQ(image_.topic(kOrders)->partition(0)->partition_epoch(), 2);
}

TEST_F(MetadataDeltaTest, AChangeKeepsWhatItDoesNotName) {
  must_apply({orders(), partition(0)});
  must_apply({protocol::PartitionChangeRecord{.partition_id = 0,
                                              .topic_id = kOrders,
                                              .isr = lists_.ids({}),
                                              .leader = -1,
                                              .eligible_leader_replicas = lists_.ids({2}),
                                              .last_known_elr = lists_.ids({1})}});
  const Partition& changed = *image_.topic(kOrders)->partition(0);
  EXPECT_EQ(changed.replicas().size(), 2u);
  EXPECT_TRUE(changed.isr().empty());
  EXPECT_FALSE(changed.has_leader());
  EXPECT_EQ(changed.elr()[0], BrokerId(2));
  EXPECT_EQ(changed.last_known_elr()[0], BrokerId(1));
  EXPECT_EQ(changed.directory_of(2), kDirB);
}

TEST_F(MetadataDeltaTest, PartitionsFromBeforeDirectoriesAreMigrating) {
  auto record = partition(0);
  record.directories = {};
  must_apply({orders(), record});
  EXPECT_EQ(image_.topic(kOrders)->partition(0)->directories().size(), 2u);
  EXPECT_EQ(image_.topic(kOrders)->partition(0)->directory_of(2), kMigratingDirectory);
}

TEST_F(MetadataDeltaTest, RemovingATopicTakesItsConfigurationAlong) {
  must_apply({orders(), partition(0),
              protocol::ConfigRecord{
                  .resource_type = 2, .resource_name = "orders", .name = "retention.ms", .value = "5"}});
  ASSERT_NE(image_.config(ConfigResourceType::kTopic, "orders"), nullptr);
  must_apply({protocol::RemoveTopicRecord{.topic_id = kOrders}});
  EXPECT_EQ(image_, MetadataImage{});
  EXPECT_TRUE(changes_.topics.contains(kOrders));
  EXPECT_TRUE(changes_.configs.contains({ConfigResourceType::kTopic, "orders"}));
}

TEST_F(MetadataDeltaTest, ATopicMayBeRemovedAndMadeAgainInOneDelta) {
  must_apply({orders(), partition(0), partition(1)});
  const Uuid second = Uuid::from_halves(1, 2);
  must_apply({protocol::RemoveTopicRecord{.topic_id = kOrders},
              protocol::TopicRecord{.name = "orders", .topic_id = second}});
  EXPECT_EQ(image_.topic(kOrders), nullptr);
  EXPECT_EQ(image_.topic("orders")->id, second);
  EXPECT_TRUE(image_.topic("orders")->partitions.empty());
}

TEST_F(MetadataDeltaTest, ClearElrEmptiesWhatIsThere) {
  auto record = partition(0);
  record.eligible_leader_replicas = lists_.ids({2});
  record.last_known_elr = lists_.ids({1});
  must_apply({orders(), record, partition(1)});
  must_apply({protocol::ClearElrRecord{.topic_name = ""}});
  EXPECT_TRUE(image_.topic(kOrders)->partition(0)->elr().empty());
  EXPECT_TRUE(image_.topic(kOrders)->partition(0)->last_known_elr().empty());
  EXPECT_EQ(image_.topic(kOrders)->partition(0)->partition_epoch(), 1);
  EXPECT_EQ(image_.topic(kOrders)->partition(1)->partition_epoch(), 0);
}

TEST_F(MetadataDeltaTest, BrokersAreFencedAndShutDownByEpoch) {
  must_apply({broker(1, 10)});
  EXPECT_TRUE(image_.broker(1)->fenced);
  must_apply({protocol::BrokerRegistrationChangeRecord{.broker_id = 1, .broker_epoch = 10, .fenced = -1}});
  EXPECT_TRUE(image_.broker(1)->is_active());
  EXPECT_EQ(refusal(protocol::BrokerRegistrationChangeRecord{.broker_id = 1, .broker_epoch = 9, .fenced = 1}),
            "changes a broker of another epoch");
  must_apply({protocol::BrokerRegistrationChangeRecord{
      .broker_id = 1, .broker_epoch = 10, .in_controlled_shutdown = 1}});
  EXPECT_FALSE(image_.broker(1)->is_active());
  must_apply({protocol::UnregisterBrokerRecord{.broker_id = 1, .broker_epoch = 10}});
  EXPECT_EQ(image_.broker(1), nullptr);
}

TEST_F(MetadataDeltaTest, FeaturesAtLevelZeroAreGone) {
  must_apply({protocol::FeatureLevelRecord{.name = "metadata.version", .feature_level = 30},
              protocol::FeatureLevelRecord{.name = "group.version", .feature_level = 1}});
  EXPECT_EQ(image_.metadata_version(), 30);
  must_apply({protocol::FeatureLevelRecord{.name = "group.version", .feature_level = 0}});
  EXPECT_EQ(image_.features.size(), 1u);
  EXPECT_EQ(image_.feature("group.version"), 0);
}

TEST_F(MetadataDeltaTest, ConfigurationIsRemovedByNull) {
  const auto set = [](std::optional<std::string_view> value) {
    return protocol::ConfigRecord{.resource_type = 4, .resource_name = "", .name = "a", .value = value};
  };
  must_apply({set("1"), set("2")});
  EXPECT_EQ(image_.config(ConfigResourceType::kBroker, "")->at("a"), "2");
  must_apply({set(std::nullopt)});
  EXPECT_EQ(image_, MetadataImage{});
}

TEST_F(MetadataDeltaTest, ProducerIdsOnlyGrow) {
  must_apply({protocol::ProducerIdsRecord{.broker_id = 1, .broker_epoch = 5, .next_producer_id = 1000}});
  EXPECT_EQ(refusal(protocol::ProducerIdsRecord{.broker_id = 1, .broker_epoch = 5, .next_producer_id = 1000}),
            "producer ids go backwards");
  EXPECT_EQ(image_.next_producer_id, ProducerId(1000));
}

TEST_F(MetadataDeltaTest, QuotasAreKeyedByTheWholeEntity) {
  using Entity = protocol::ClientQuotaRecord::EntityData;
  Entity user[] = {{.entity_type = "user", .entity_name = "ann"}};
  Entity default_user[] = {{.entity_type = "user", .entity_name = std::nullopt}};
  must_apply(
      {protocol::ClientQuotaRecord{.entity = user, .key = "producer_byte_rate", .value = 10.0},
       protocol::ClientQuotaRecord{.entity = default_user, .key = "producer_byte_rate", .value = 20.0}});
  EXPECT_EQ(image_.client_quotas.size(), 2u);
  must_apply({protocol::ClientQuotaRecord{.entity = user, .key = "producer_byte_rate", .remove = true}});
  EXPECT_EQ(image_.client_quotas.size(), 1u);
}

TEST_F(MetadataDeltaTest, CredentialsAclsAndTokensComeAndGo) {
  const Uuid acl = Uuid::from_halves(3, 3);
  must_apply(
      {protocol::AccessControlEntryRecord{.id = acl, .resource_name = "orders", .principal = "User:ann"},
       protocol::UserScramCredentialRecord{.name = "ann", .mechanism = 1, .iterations = 4096},
       protocol::DelegationTokenRecord{.owner = "User:ann", .token_id = "t"}});
  EXPECT_EQ((*image_.acls.find(acl))->principal, "User:ann");
  EXPECT_EQ((*image_.scram.find(ScramKey{1, "ann"}))->iterations, 4096);
  EXPECT_EQ((*image_.delegation_tokens.find("t"))->owner, "User:ann");
  must_apply({protocol::RemoveAccessControlEntryRecord{.id = acl},
              protocol::RemoveUserScramCredentialRecord{.name = "ann", .mechanism = 1},
              protocol::RemoveDelegationTokenRecord{.token_id = "t"}});
  EXPECT_EQ(image_, MetadataImage{});
}

// Invariant K8: after any additions and removals the ACLs are exactly those that were not removed.
TEST_F(MetadataDeltaTest, AclsAreASetWhateverTheOrderOfChanges) {
  SeededRng rng(8);
  std::map<Uuid, std::string> model;
  MetadataImage image;
  for (int step = 0; step < 3'000; ++step) {
    MetadataDelta delta(image);
    const Uuid id = Uuid::from_halves(1, rng.below(200));
    if (model.contains(id) && rng.one_in(2)) {
      ASSERT_TRUE(delta.replay({.body = protocol::RemoveAccessControlEntryRecord{.id = id}}));
      model.erase(id);
    } else {
      // A few resources only, so that most have several entries, and deny stands beside allow
      // (CVE-2024-27309).
      const std::string resource = "topic-" + std::to_string(rng.below(5));
      ASSERT_TRUE(delta.replay({.body = protocol::AccessControlEntryRecord{.id = id,
                                                                           .resource_type = 2,
                                                                           .resource_name = resource,
                                                                           .pattern_type = 3,
                                                                           .principal = "User:ann",
                                                                           .host = "*",
                                                                           .operation = 3,
                                                                           .permission_type = 2}}));
      model[id] = resource;
    }
    image = std::move(delta).finish({});
    ASSERT_EQ(image.acls.size(), model.size());
  }
  for (const auto& [id, acl] : image.acls) ASSERT_EQ(acl->resource_name, model.at(id));
}

TEST_F(MetadataDeltaTest, RefusesRecordsThatDoNotFitTheState) {
  must_apply({orders()});
  EXPECT_EQ(refusal(orders()), "a topic's name is taken");
  EXPECT_EQ(refusal(protocol::TopicRecord{.name = "other", .topic_id = kOrders}), "a topic's id is taken");
  auto stray = partition(0);
  stray.topic_id = Uuid::from_halves(5, 5);
  EXPECT_EQ(refusal(stray), "a partition has no topic");
  auto lopsided = partition(0);
  lopsided.directories = lists_.dirs({kDirA});
  EXPECT_EQ(refusal(lopsided), "a partition has as many directories as replicas");
  auto recovering = partition(0);
  recovering.leader_recovery_state = 2;
  EXPECT_EQ(refusal(recovering), "a leader recovery state is unknown");
  EXPECT_EQ(refusal(protocol::PartitionChangeRecord{.partition_id = 7, .topic_id = kOrders}),
            "a partition change has no partition");
  EXPECT_EQ(refusal(protocol::RemoveTopicRecord{.topic_id = Uuid::from_halves(5, 5)}),
            "removes an unknown topic");
  EXPECT_EQ(refusal(protocol::ClearElrRecord{.topic_name = "nope"}), "clears the ELR of an unknown topic");
  EXPECT_EQ(refusal(protocol::UnregisterBrokerRecord{.broker_id = 1}),
            "changes a broker that is not registered");
  EXPECT_EQ(refusal(protocol::RemoveAccessControlEntryRecord{}), "removes an unknown ACL");
  EXPECT_EQ(refusal(protocol::EndTransactionRecord{}), "a transaction marker is not a change of state");
}

TEST_F(MetadataDeltaTest, EpochsThatAreUsedUpAreRefusedNotWrapped) {
  auto last = partition(0);
  last.partition_epoch = std::numeric_limits<std::int32_t>::max();
  must_apply({orders(), last});
  EXPECT_EQ(refusal(protocol::PartitionChangeRecord{.partition_id = 0, .topic_id = kOrders}),
            "a partition's epochs are used up");
}

}  // namespace
}  // namespace milena::controller
