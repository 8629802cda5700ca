#include "controller/decisions/placement.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace milena::controller {
namespace {

struct TestBroker {
  std::int32_t id;
  std::string rack;
  bool fenced = false;
};

MetadataImage image_of(const std::vector<TestBroker>& brokers) {
  MetadataImage image;
  for (const TestBroker& broker : brokers) {
    BrokerRegistration registration{.id = broker.id, .fenced = broker.fenced};
    if (!broker.rack.empty()) registration.rack = broker.rack;
    image.brokers.set(broker.id, Shared(std::move(registration)));
  }
  return image;
}

std::string refusal(const std::vector<TestBroker>& brokers, std::int32_t factor) {
  const MetadataImage image = image_of(brokers);
  SeededRng rng(1);
  const auto checked = ReplicaPlacer(image, rng).check(factor);
  return checked ? "accepted" : *checked.error().message;
}

TEST(Placement, ReplicasAreDistinctAndLeadersUnfenced) {
  const MetadataImage image =
      image_of({{1, "a"}, {2, "a", true}, {3, "b"}, {4, "b", true}, {5, "c"}, {6, ""}});
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SeededRng rng(seed);
    for (std::int32_t factor = 1; factor <= 6; ++factor) {
      ReplicaPlacer placer(image, rng);
      ASSERT_TRUE(placer.check(factor));
      for (int partition = 0; partition < 40; ++partition) {
        const auto replicas = placer.place(factor);
        ASSERT_EQ(replicas.size(), static_cast<std::size_t>(factor));
        ASSERT_EQ(std::set<BrokerId>(replicas.begin(), replicas.end()).size(), replicas.size());
        ASSERT_FALSE(image.broker(replicas[0])->fenced);
      }
    }
  }
}

TEST(Placement, LeadersAndReplicasAreSpreadEvenly) {
  const MetadataImage image = image_of({{1, ""}, {2, ""}, {3, ""}, {4, ""}});
  SeededRng rng(7);
  ReplicaPlacer placer(image, rng);
  std::map<BrokerId, int> leaders, all;
  for (int partition = 0; partition < 400; ++partition) {
    const auto replicas = placer.place(2);
    ++leaders[replicas[0]];
    for (const BrokerId replica : replicas) ++all[replica];
  }
  for (const auto& [id, count] : leaders) EXPECT_EQ(count, 100) << id.value;
  for (const auto& [id, count] : all) EXPECT_EQ(count, 200) << id.value;
}

TEST(Placement, EveryRackGetsAReplica) {
  const MetadataImage image = image_of({{1, "a"}, {2, "a"}, {3, "b"}, {4, "b"}, {5, "c"}, {6, "c"}});
  SeededRng rng(3);
  ReplicaPlacer placer(image, rng);
  for (int partition = 0; partition < 100; ++partition) {
    std::set<std::string> racks;
    for (const BrokerId replica : placer.place(3)) racks.insert(*image.broker(replica)->rack);
    ASSERT_EQ(racks.size(), 3u);
  }
}

TEST(Placement, ASingleBrokerTakesEverything) {
  const MetadataImage image = image_of({{1, ""}, {2, "", true}});
  SeededRng rng(3);
  ReplicaPlacer placer(image, rng);
  for (int partition = 0; partition < 10; ++partition) EXPECT_EQ(placer.place(1), std::vector<BrokerId>{1});
  for (int partition = 0; partition < 10; ++partition)
    EXPECT_EQ(placer.place(2), (std::vector<BrokerId>{1, 2}));
}

TEST(Placement, SaysWhyItCannot) {
  EXPECT_EQ(refusal({{1, ""}}, 0), "Invalid replication factor 0: the replication factor must be positive.");
  EXPECT_EQ(refusal({}, 1), "All brokers are currently fenced, or have all their log directories cordoned.");
  EXPECT_EQ(refusal({{1, "", true}}, 1),
            "All brokers are currently fenced, or have all their log directories cordoned.");
  EXPECT_EQ(
      refusal({{1, ""}, {2, ""}}, 3),
      "The target replication factor of 3 cannot be reached because only 2 broker(s) are registered or some "
      "brokers have all their log directories cordoned.");
}

TEST(Placement, BrokersOnTheirWayOutGetNothing) {
  MetadataImage image = image_of({{1, ""}});
  image.brokers.set(2, Shared(BrokerRegistration{.id = 2, .fenced = false, .in_controlled_shutdown = true}));
  const Uuid dir = Uuid::from_halves(1, 200);
  image.brokers.set(
      3, Shared(BrokerRegistration{
             .id = 3, .fenced = false, .log_dirs = {dir}, .cordoned_log_dirs = std::vector<Uuid>{dir}}));
  SeededRng rng(1);
  EXPECT_FALSE(ReplicaPlacer(image, rng).check(2));
  EXPECT_TRUE(ReplicaPlacer(image, rng).check(1));
}

TEST(Placement, TheSameSeedPlacesTheSame) {
  const MetadataImage image = image_of({{1, "a"}, {2, "b"}, {3, "c"}});
  const auto placed = [&] {
    SeededRng rng(11);
    ReplicaPlacer placer(image, rng);
    std::vector<std::vector<BrokerId>> all;
    for (int partition = 0; partition < 20; ++partition) all.push_back(placer.place(2));
    return all;
  };
  EXPECT_EQ(placed(), placed());
}

}  // namespace
}  // namespace milena::controller
