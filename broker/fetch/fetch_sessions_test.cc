#include "broker/fetch/fetch_sessions.h"

#include <gtest/gtest.h>

namespace milena::broker {
namespace {

class NoPartitions final : public PartitionFinder {
 public:
  std::shared_ptr<Partition> find(std::string_view, PartitionId) override { return nullptr; }
  std::shared_ptr<Partition> find(const Uuid&, PartitionId) override { return nullptr; }
  std::shared_ptr<const TopicIdentity> topic(const Uuid&) override { return nullptr; }
};

class FetchSessionsTest : public testing::Test {
 protected:
  std::shared_ptr<FetchSet> set_of(int partitions, bool by_id = true) {
    auto set = std::make_shared<FetchSet>(finder_, by_id);
    for (int i = 0; i < partitions; ++i) set->put({Uuid::from_halves(1, 1), ""}, i, {});
    return set;
  }

  NoPartitions finder_;
  SeededRng rng_{1};
  FetchSessions sessions_{rng_, {.max_sessions = 3, .eviction = Instant(1000)}};
};

TEST_F(FetchSessionsTest, EpochsMustComeOneAfterTheOther) {
  const auto id = sessions_.create(set_of(1), false, Instant(0));
  EXPECT_GT(id, 0);
  EXPECT_EQ(sessions_.acquire(id, 2, true, Instant(0)).error().code, ErrorCode::kInvalidFetchSessionEpoch);
  ASSERT_TRUE(sessions_.acquire(id, 1, true, Instant(0)));
  sessions_.release(id);
  EXPECT_EQ(sessions_.acquire(id, 1, true, Instant(0)).error().code, ErrorCode::kInvalidFetchSessionEpoch);
  EXPECT_TRUE(sessions_.acquire(id, 2, true, Instant(0)));
}

TEST_F(FetchSessionsTest, ASessionInUseIsNotGivenAway) {
  const auto id = sessions_.create(set_of(1), false, Instant(0));
  ASSERT_TRUE(sessions_.acquire(id, 1, true, Instant(0)));
  EXPECT_EQ(sessions_.acquire(id, 2, true, Instant(0)).error().code, ErrorCode::kInvalidFetchSessionEpoch);
}

TEST_F(FetchSessionsTest, AnUnknownSessionAndAChangeOfNamingAreRefused) {
  EXPECT_EQ(sessions_.acquire(77, 1, true, Instant(0)).error().code, ErrorCode::kFetchSessionIdNotFound);
  const auto id = sessions_.create(set_of(1), false, Instant(0));
  EXPECT_EQ(sessions_.acquire(id, 1, false, Instant(0)).error().code, ErrorCode::kFetchSessionTopicIdError);
  sessions_.remove(id);
  EXPECT_EQ(sessions_.acquire(id, 1, true, Instant(0)).error().code, ErrorCode::kFetchSessionIdNotFound);
}

TEST_F(FetchSessionsTest, AFullCacheKeepsYoungSessions) {
  for (int i = 0; i < 3; ++i) EXPECT_GT(sessions_.create(set_of(1), false, Instant(0)), 0);
  EXPECT_EQ(sessions_.create(set_of(5), false, Instant(10)), FetchSessions::kNoSession);
  EXPECT_EQ(sessions_.size(), 3u);
}

TEST_F(FetchSessionsTest, AStaleSessionMakesRoom) {
  const auto stale = sessions_.create(set_of(9), false, Instant(0));
  for (int i = 0; i < 2; ++i) sessions_.create(set_of(1), false, Instant(900));
  EXPECT_GT(sessions_.create(set_of(1), false, Instant(1100)), 0);
  EXPECT_EQ(sessions_.acquire(stale, 1, true, Instant(1100)).error().code,
            ErrorCode::kFetchSessionIdNotFound);
}

TEST_F(FetchSessionsTest, AReplicasSessionReplacesAConsumersButNotTheOtherWayRound) {
  for (int i = 0; i < 3; ++i) sessions_.create(set_of(5), false, Instant(0));
  for (int i = 0; i < 3; ++i) EXPECT_GT(sessions_.create(set_of(1), true, Instant(1)), 0);
  EXPECT_EQ(sessions_.create(set_of(50), false, Instant(2)), FetchSessions::kNoSession);
}

}  // namespace
}  // namespace milena::broker
