#include <gtest/gtest.h>

#include <set>

#include "coordinator/transaction/testing/transaction_harness.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;
using protocol::ListTransactionsRequest;
using protocol::ListTransactionsResponse;

struct TransactionAdminTest : testing::Test {
  TransactionHarness h;

  std::set<std::string> list(const ListTransactionsRequest& request) {
    const auto response = h.ask<ListTransactionsResponse>(request, 2);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    std::set<std::string> ids;
    for (const auto& each : response.transaction_states) ids.emplace(each.transactional_id);
    return ids;
  }
};

TEST_F(TransactionAdminTest, T11DescribeAgreesWithTheState) {
  const auto producer = h.producer("x", 12'345);
  ASSERT_EQ(h.add("x", producer, {"t-1", "t-0", "u-5"}), ErrorCode::kNone);
  std::string_view ids[] = {"x", "y", ""};
  const auto response =
      h.ask<DescribeTransactionsResponse>(DescribeTransactionsRequest{.transactional_ids = ids}, 0);
  ASSERT_EQ(response.transaction_states.size(), 3U);
  const auto& x = response.transaction_states[0];
  EXPECT_EQ(x.error_code, ErrorCode::kNone);
  EXPECT_EQ(x.transactional_id, "x");
  EXPECT_EQ(x.transaction_state, "Ongoing");
  EXPECT_EQ(x.transaction_timeout_ms, 12'345);
  EXPECT_EQ(x.transaction_start_time_ms, h.now.wall_ms);
  EXPECT_EQ(x.producer_id, producer.id);
  EXPECT_EQ(x.producer_epoch, producer.epoch);
  ASSERT_EQ(x.topics.size(), 2U);
  EXPECT_EQ(x.topics[0].topic, "t");
  EXPECT_EQ(x.topics[0].partitions.size(), 2U);
  EXPECT_EQ(x.topics[1].partitions[0], protocol::PartitionId{5});
  EXPECT_EQ(response.transaction_states[1].error_code, ErrorCode::kTransactionalIdNotFound);
  EXPECT_EQ(response.transaction_states[2].error_code, ErrorCode::kInvalidRequest);
}

TEST_F(TransactionAdminTest, ListFiltersByStateProducerDurationAndPattern) {
  const auto a = h.producer("app-a");
  h.add("app-a", a, {"t-0"});
  h.advance(5'000);
  const auto b = h.producer("app-b");
  h.add("app-b", b, {"t-0"});
  h.producer("other");
  EXPECT_EQ(list({}), (std::set<std::string>{"app-a", "app-b", "other"}));
  std::string_view states[] = {"Ongoing", "NoSuchState"};
  EXPECT_EQ(list({.state_filters = states}), (std::set<std::string>{"app-a", "app-b"}));
  std::string_view unknown[] = {"NoSuchState"};
  EXPECT_EQ(list({.state_filters = unknown}), std::set<std::string>{});
  protocol::ProducerId producers[] = {b.id, 99};
  EXPECT_EQ(list({.producer_id_filters = producers}), (std::set<std::string>{"app-b"}));
  EXPECT_EQ(list({.duration_filter = 4'999}), (std::set<std::string>{"app-a", "other"}));
  EXPECT_EQ(list({.duration_filter = 5'000}), (std::set<std::string>{"other"}));
  EXPECT_EQ(list({.transactional_id_pattern = "app-.*"}), (std::set<std::string>{"app-a", "app-b"}));
  EXPECT_EQ(list({.transactional_id_pattern = "app"}), std::set<std::string>{});
  EXPECT_EQ(list({.transactional_id_pattern = ""}).size(), 3U);
}

TEST_F(TransactionAdminTest, ListSaysWhichStatesItDoesNotKnowAndRefusesBadPatterns) {
  std::string_view states[] = {"Dead", "NoSuchState", "PrepareEpochFence", "ongoing"};
  const auto response = h.ask<ListTransactionsResponse>(ListTransactionsRequest{.state_filters = states}, 2);
  ASSERT_EQ(response.unknown_state_filters.size(), 2U);
  EXPECT_EQ(response.unknown_state_filters[0], "NoSuchState");
  EXPECT_EQ(response.unknown_state_filters[1], "ongoing");
  EXPECT_EQ(h.ask<ListTransactionsResponse>(ListTransactionsRequest{.transactional_id_pattern = "a("}, 2)
                .error_code,
            ErrorCode::kInvalidRegularExpression);
}

TEST_F(TransactionAdminTest, EveryRequestHearsThatTheCoordinatorIsElsewhere) {
  h.shard.unload(ErrorCode::kNotCoordinator);
  const auto kElsewhere = ErrorCode::kNotCoordinator;
  EXPECT_EQ(h.init("x").error_code, kElsewhere);
  EXPECT_EQ(h.init("x").producer_epoch, -1);
  EXPECT_EQ(h.add("x", {1, 0}, {"t-0"}), kElsewhere);
  EXPECT_EQ(h.verify("x", {1, 0}, "t-0"), kElsewhere);
  EXPECT_EQ(h.end("x", {1, 0}, true).error_code, kElsewhere);
  EXPECT_EQ(h.ask<protocol::AddOffsetsToTxnResponse>(AddOffsets{{.transactional_id = "x"}, 0}, 4).error_code,
            kElsewhere);
  EXPECT_EQ(h.ask<ListTransactionsResponse>(ListTransactionsRequest{}, 2).error_code, kElsewhere);
  std::string_view ids[] = {"x"};
  const auto described =
      h.ask<DescribeTransactionsResponse>(DescribeTransactionsRequest{.transactional_ids = ids}, 0);
  EXPECT_EQ(described.transaction_states[0].error_code, kElsewhere);
  EXPECT_EQ(described.transaction_states[0].transactional_id, "x");
}

}  // namespace
}  // namespace milena::coordinator
