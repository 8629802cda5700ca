#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coordinator/group/testing/requests.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using protocol::ConsumerGroupDescribeRequest;
using protocol::ConsumerGroupDescribeResponse;
using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

struct GroupAdminTest : testing::Test {
  GroupAdminTest() { h.add_topic("t", 2); }

  std::span<std::string_view> names(const std::vector<std::string>& list) {
    const auto out = h.arena().array<std::string_view>(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) out[i] = h.keep(list[i]);
    return out;
  }
  std::string classic_member(const std::string& group) {
    const auto joined = h.ask<protocol::JoinGroupResponse>(join_request(h, group, {}), 3);
    h.ask<protocol::SyncGroupResponse>(
        sync_request(h, group, joined.member_id, 1, {{std::string(joined.member_id), "assigned"}}));
    return std::string(joined.member_id);
  }
  void simple(const std::string& group) {
    h.ask<protocol::OffsetCommitResponse>(commit_request(h, group, {{"t", 0, 1}}), 9);
  }
  void consumer_member(const std::string& group, const std::string& member) {
    h.ask<protocol::ConsumerGroupHeartbeatResponse>(beat_request(h, group, member, joining({"t"})));
  }
  DescribeGroupsResponse::DescribedGroup describe(const std::string& group, int version = 6) {
    return h.ask<DescribeGroupsResponse>(DescribeGroupsRequest{.groups = names({group})}, version).groups[0];
  }
  ConsumerGroupDescribeResponse::DescribedGroup describe_consumer(const std::string& group) {
    return h.ask<ConsumerGroupDescribeResponse>(ConsumerGroupDescribeRequest{.group_ids = names({group})})
        .groups[0];
  }
  std::vector<std::string> list(const std::vector<std::string>& states,
                                const std::vector<std::string>& types) {
    const auto response = h.ask<ListGroupsResponse>(
        ListGroupsRequest{.states_filter = names(states), .types_filter = names(types)});
    std::vector<std::string> out;
    for (const auto& group : response.groups) {
      out.push_back(std::string(group.group_id) + " " + std::string(group.group_state) + " " +
                    std::string(group.group_type) + " " + std::string(group.protocol_type));
    }
    return out;
  }
  ErrorCode remove(const std::string& group) {
    return h.ask<DeleteGroupsResponse>(DeleteGroupsRequest{.groups_names = names({group})})
        .results[0]
        .error_code;
  }

  GroupHarness h;
};

TEST_F(GroupAdminTest, ListsByStateAndType) {
  classic_member("classic");
  consumer_member("consumer", "a");
  simple("simple");
  EXPECT_EQ(list({}, {}),
            (std::vector<std::string>{"classic Stable classic consumer", "consumer Stable consumer consumer",
                                      "simple Empty classic "}));
  EXPECT_EQ(list({" sTaBlE "}, {}).size(), 2u);
  EXPECT_EQ(list({"Stable"}, {"Classic"}), (std::vector<std::string>{"classic Stable classic consumer"}));
  EXPECT_EQ(list({"Empty", "Dead"}, {}).size(), 1u);
  EXPECT_TRUE(list({}, {"share"}).empty());
  EXPECT_TRUE(list({}, {"nonsense"}).empty());
  EXPECT_TRUE(list({}, {" consumer"}).empty()) << "as in Kafka, which trims states only";
}

TEST_F(GroupAdminTest, DescribesClassicGroups) {
  const std::string member = classic_member("g");
  const auto group = describe("g");
  EXPECT_EQ(group.error_code, ErrorCode::kNone);
  EXPECT_EQ(group.group_state, "Stable");
  EXPECT_EQ(group.protocol_type, "consumer");
  EXPECT_EQ(group.protocol_data, "range");
  ASSERT_EQ(group.members.size(), 1u);
  EXPECT_EQ(group.members[0].member_id, member);
  EXPECT_EQ(group.members[0].client_id, "client");
  EXPECT_EQ(group.members[0].client_host, "/127.0.0.1");
  EXPECT_EQ(as_text(group.members[0].member_metadata), "m");
  EXPECT_EQ(as_text(group.members[0].member_assignment), "assigned");
  h.ask<protocol::JoinGroupResponse>(join_request(h, "g", {}));
  h.send(join_request(h, "g", {.member_id = member}));
  const auto rebalancing = describe("g");
  EXPECT_EQ(rebalancing.group_state, "PreparingRebalance");
  EXPECT_EQ(rebalancing.protocol_data, "");
  EXPECT_TRUE(rebalancing.members[0].member_metadata.empty());
}

TEST_F(GroupAdminTest, WhatIsNoClassicGroupIsDeadAndSinceVersion6NotFound) {
  consumer_member("consumer", "a");
  for (const char* id : {"none", "consumer"}) {
    EXPECT_EQ(describe(id, 5).group_state, "Dead");
    EXPECT_EQ(describe(id, 5).error_code, ErrorCode::kNone);
    EXPECT_EQ(describe(id, 6).error_code, ErrorCode::kGroupIdNotFound);
  }
  EXPECT_EQ(describe("none").error_message, "Group none not found.");
  EXPECT_EQ(describe("consumer").error_message, "Group consumer is not a classic group.");
}

TEST_F(GroupAdminTest, DescribesConsumerGroups) {
  consumer_member("g", "a");
  consumer_member("g", "b");
  const auto group = describe_consumer("g");
  EXPECT_EQ(group.error_code, ErrorCode::kNone);
  EXPECT_EQ(group.group_state, "Reconciling");
  EXPECT_EQ(group.group_epoch, 3);
  EXPECT_EQ(group.assignment_epoch, 3);
  EXPECT_EQ(group.assignor_name, "uniform");
  ASSERT_EQ(group.members.size(), 2u);
  EXPECT_EQ(group.members[0].member_id, "a");
  EXPECT_EQ(group.members[0].member_epoch, 2);
  EXPECT_EQ(group.members[0].member_type, 1);
  EXPECT_EQ(group.members[0].subscribed_topic_names[0], "t");
  EXPECT_EQ(group.members[0].assignment.topic_partitions[0].partitions.size(), 2u);
  EXPECT_EQ(group.members[0].target_assignment.topic_partitions[0].partitions.size(), 1u);
  EXPECT_EQ(group.members[1].assignment.topic_partitions.size(), 0u);
  EXPECT_EQ(describe_consumer("none").error_code, ErrorCode::kGroupIdNotFound);
  classic_member("classic");
  EXPECT_EQ(describe_consumer("classic").error_code, ErrorCode::kGroupIdNotFound);
}

TEST_F(GroupAdminTest, G10_OnlyEmptyGroupsAreDeleted) {
  EXPECT_EQ(remove("none"), ErrorCode::kGroupIdNotFound);
  const std::string member = classic_member("classic");
  consumer_member("consumer", "a");
  EXPECT_EQ(remove("classic"), ErrorCode::kNonEmptyGroup);
  EXPECT_EQ(remove("consumer"), ErrorCode::kNonEmptyGroup);
  h.ask<protocol::OffsetCommitResponse>(commit_request(h, "classic", {{"t", 0, 1}}, member, 1), 9);
  h.ask<protocol::LeaveGroupResponse>(leave_request(h, "classic", {{member, {}}}));
  h.ask<protocol::ConsumerGroupHeartbeatResponse>(beat_request(h, "consumer", "a", {.epoch = -1}));
  simple("simple");
  for (const char* id : {"classic", "consumer", "simple"}) {
    EXPECT_EQ(remove(id), ErrorCode::kNone) << id;
    EXPECT_EQ(h.group(id), nullptr) << id;
  }
  EXPECT_EQ(h.text_of_log(), "");
}

TEST_F(GroupAdminTest, DeletingAGroupTwiceInOneRequestIsOneDeletion) {
  simple("g");
  const auto response =
      h.ask<DeleteGroupsResponse>(DeleteGroupsRequest{.groups_names = names({"g", "g", "none"})});
  EXPECT_EQ(response.results[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(response.results[1].error_code, ErrorCode::kNone);
  EXPECT_EQ(response.results[2].error_code, ErrorCode::kGroupIdNotFound);
}

TEST_F(GroupAdminTest, RefusalsNameTheGroups) {
  h.shard.unload(ErrorCode::kNotCoordinator);
  EXPECT_EQ(describe("g").error_code, ErrorCode::kNotCoordinator);
  EXPECT_EQ(describe("g").group_id, "g");
  EXPECT_EQ(describe_consumer("g").error_code, ErrorCode::kNotCoordinator);
  EXPECT_EQ(remove("g"), ErrorCode::kNotCoordinator);
  EXPECT_EQ(h.ask<ListGroupsResponse>(ListGroupsRequest{}).error_code, ErrorCode::kNotCoordinator);
}

}  // namespace
}  // namespace milena::coordinator
