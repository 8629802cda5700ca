// What administrators' tools ask a single node that has no authorizer, no authenticated clients and nothing
// to move: ACLs, delegation tokens, leader elections, reassignments, configurable resources.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "broker/testing/test_broker.h"
#include "protocol/create_acls.gen.h"
#include "protocol/create_delegation_token.gen.h"
#include "protocol/delete_acls.gen.h"
#include "protocol/describe_acls.gen.h"
#include "protocol/describe_delegation_token.gen.h"
#include "protocol/elect_leaders.gen.h"
#include "protocol/expire_delegation_token.gen.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "protocol/list_config_resources.gen.h"
#include "protocol/list_partition_reassignments.gen.h"
#include "protocol/renew_delegation_token.gen.h"

namespace milena::broker {
namespace {

using protocol::CreateAclsRequest;
using protocol::CreateAclsResponse;
using protocol::DeleteAclsRequest;
using protocol::DeleteAclsResponse;
using protocol::DescribeAclsRequest;
using protocol::DescribeAclsResponse;
using protocol::ElectLeadersRequest;
using protocol::ElectLeadersResponse;
using protocol::ListConfigResourcesRequest;
using protocol::ListConfigResourcesResponse;
using protocol::ListPartitionReassignmentsRequest;
using protocol::ListPartitionReassignmentsResponse;

constexpr std::int8_t kAny = 1;
constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;
constexpr std::int8_t kGroup = 32;

class AdminRequestsTest : public testing::BrokerTest {
 protected:
  void SetUp() override {
    broker = std::make_unique<testing::TestBroker>(root_);
    ASSERT_TRUE(broker->started()) << broker->started().error();
    ASSERT_EQ(create_topic(*broker, "letters", 2), ErrorCode::kNone);
  }

  static DescribeAclsRequest all_acls() {
    return {.resource_type_filter = kAny,
            .pattern_type_filter = kAny,
            .operation = kAny,
            .permission_type = kAny};
  }
  CreateAclsRequest creation_of_acls(std::size_t count) {
    CreateAclsRequest request;
    request.creations = arena_.array<CreateAclsRequest::AclCreation>(count);
    for (auto& acl : request.creations) {
      acl = {.resource_type = kTopic,
             .resource_name = "letters",
             .principal = "User:a",
             .host = "*",
             .operation = 3,
             .permission_type = 3};
    }
    return request;
  }
  DeleteAclsRequest deletion_of_acls(std::size_t count) {
    DeleteAclsRequest request;
    request.filters = arena_.array<DeleteAclsRequest::DeleteAclsFilter>(count);
    for (auto& filter : request.filters) {
      filter = {.resource_type_filter = kAny,
                .pattern_type_filter = kAny,
                .operation = kAny,
                .permission_type = kAny};
    }
    return request;
  }
  ElectLeadersRequest election(std::int8_t type, std::vector<protocol::PartitionId> partitions,
                               std::string_view topic = "letters") {
    ElectLeadersRequest request{.election_type = type};
    request.topic_partitions = arena_.array<ElectLeadersRequest::TopicPartitions>(1);
    auto& named = (*request.topic_partitions)[0];
    named.topic = topic;
    named.partitions = arena_.array<protocol::PartitionId>(partitions.size());
    std::ranges::copy(partitions, named.partitions.begin());
    return request;
  }
  // "type name" of each resource, sorted.
  std::vector<std::string> resources(std::vector<std::int8_t> kinds, int version = 1) {
    ListConfigResourcesRequest request;
    request.resource_types = arena_.array<std::int8_t>(kinds.size());
    std::ranges::copy(kinds, request.resource_types.begin());
    const auto response = broker->ask<ListConfigResourcesResponse>(request, version, arena_);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    std::vector<std::string> names;
    for (const auto& each : response.config_resources) {
      names.push_back(std::to_string(each.resource_type) + " " + std::string(each.resource_name));
    }
    std::ranges::sort(names);
    return names;
  }

  std::unique_ptr<testing::TestBroker> broker;
};

TEST_F(AdminRequestsTest, WithoutAnAuthorizerThereAreNoAcls) {
  for (const int version : {1, 2, 3}) {
    EXPECT_EQ(broker->ask<DescribeAclsResponse>(all_acls(), version, arena_).error_code,
              ErrorCode::kSecurityDisabled);
    const auto created = broker->ask<CreateAclsResponse>(creation_of_acls(2), version, arena_);
    ASSERT_EQ(created.results.size(), 2);
    for (const auto& result : created.results) EXPECT_EQ(result.error_code, ErrorCode::kSecurityDisabled);
    const auto deleted = broker->ask<DeleteAclsResponse>(deletion_of_acls(2), version, arena_);
    ASSERT_EQ(deleted.filter_results.size(), 2);
    for (const auto& result : deleted.filter_results)
      EXPECT_EQ(result.error_code, ErrorCode::kSecurityDisabled);
  }
}

TEST_F(AdminRequestsTest, ElementsOfUnknownKindInAnAclCloseTheConnection) {
  auto describe = all_acls();
  describe.operation = 0;
  EXPECT_TRUE(broker->closes_on(describe, 3, arena_));
  auto creation = creation_of_acls(2);
  creation.creations[1].resource_type = 0;
  EXPECT_TRUE(broker->closes_on(creation, 3, arena_));
  auto deletion = deletion_of_acls(1);
  deletion.filters[0].permission_type = 0;
  EXPECT_TRUE(broker->closes_on(deletion, 3, arena_));
}

TEST_F(AdminRequestsTest, NobodyWhoIsNotAuthenticatedHasTokens) {
  constexpr auto kNotAllowed = ErrorCode::kDelegationTokenRequestNotAllowed;
  const auto created = broker->ask<protocol::CreateDelegationTokenResponse>(
      protocol::CreateDelegationTokenRequest{
          .owner_principal_type = "User", .owner_principal_name = "owner", .max_lifetime_ms = -1},
      3, arena_);
  EXPECT_EQ(created.error_code, kNotAllowed);
  EXPECT_EQ(created.principal_name, "owner");
  EXPECT_EQ(created.token_requester_principal_name, "ANONYMOUS");
  EXPECT_EQ(created.expiry_timestamp_ms, -1);
  const auto renewed = broker->ask<protocol::RenewDelegationTokenResponse>(
      protocol::RenewDelegationTokenRequest{.renew_period_ms = -1}, 2, arena_);
  EXPECT_EQ(renewed.error_code, kNotAllowed);
  EXPECT_EQ(renewed.expiry_timestamp_ms, -1);
  EXPECT_EQ(
      broker
          ->ask<protocol::ExpireDelegationTokenResponse>(protocol::ExpireDelegationTokenRequest{}, 2, arena_)
          .error_code,
      kNotAllowed);
  EXPECT_EQ(broker
                ->ask<protocol::DescribeDelegationTokenResponse>(protocol::DescribeDelegationTokenRequest{},
                                                                 3, arena_)
                .error_code,
            kNotAllowed);
}

TEST_F(AdminRequestsTest, ASingleNodeNeedsNoElection) {
  for (const auto type : {std::int8_t{0}, std::int8_t{1}}) {
    const auto response = broker->ask<ElectLeadersResponse>(election(type, {0, 1, 9}), 2, arena_);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    const auto results = response.replica_election_results[0].partition_result;
    EXPECT_EQ(results[0].error_code, ErrorCode::kElectionNotNeeded);
    EXPECT_EQ(results[1].error_code, ErrorCode::kElectionNotNeeded);
    EXPECT_EQ(results[2].error_code, ErrorCode::kUnknownTopicOrPartition);
  }
  EXPECT_EQ(broker->ask<ElectLeadersResponse>(election(0, {0}, "nope"), 0, arena_)
                .replica_election_results[0]
                .partition_result[0]
                .error_code,
            ErrorCode::kUnknownTopicOrPartition);
  const auto all = broker->ask<ElectLeadersResponse>(
      ElectLeadersRequest{.election_type = 0, .topic_partitions = std::nullopt}, 2, arena_);
  EXPECT_EQ(all.error_code, ErrorCode::kNone);
  ASSERT_EQ(all.replica_election_results.size(), 1);
  EXPECT_TRUE(all.replica_election_results[0].partition_result.empty());
  const auto unknown = broker->ask<ElectLeadersResponse>(election(2, {0}), 2, arena_);
  EXPECT_EQ(unknown.error_code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(unknown.replica_election_results[0].partition_result[0].error_code, ErrorCode::kInvalidRequest);
}

TEST_F(AdminRequestsTest, NothingIsBeingMoved) {
  ListPartitionReassignmentsRequest request{.topics = std::nullopt};
  auto response = broker->ask<ListPartitionReassignmentsResponse>(request, 0, arena_);
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  EXPECT_TRUE(response.topics.empty());
  using Topic = ListPartitionReassignmentsRequest::ListPartitionReassignmentsTopics;
  request.topics = arena_.array<Topic>(2);
  (*request.topics)[0].name = "letters";
  (*request.topics)[0].partition_indexes = arena_.array<protocol::PartitionId>(1);
  (*request.topics)[1].name = "nope";
  response = broker->ask<ListPartitionReassignmentsResponse>(request, 0, arena_);
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  EXPECT_TRUE(response.topics.empty());
}

TEST_F(AdminRequestsTest, WhatCanBeConfiguredIsListed) {
  EXPECT_EQ(resources({}), (std::vector<std::string>{"2 letters", "4 1"}));
  EXPECT_EQ(resources({}, 0), (std::vector<std::string>{}));
  EXPECT_EQ(resources({kGroup}), (std::vector<std::string>{}));
  using Alter = protocol::IncrementalAlterConfigsRequest;
  Alter alter;
  alter.resources = arena_.array<Alter::AlterConfigsResource>(1);
  alter.resources[0] = {.resource_type = kGroup, .resource_name = "readers"};
  alter.resources[0].configs = arena_.array<Alter::AlterConfigsResource::AlterableConfig>(1);
  alter.resources[0].configs[0] = {
      .name = "consumer.session.timeout.ms", .config_operation = 0, .value = "50000"};
  ASSERT_EQ(broker->ask<protocol::IncrementalAlterConfigsResponse>(alter, 1, arena_).responses[0].error_code,
            ErrorCode::kNone);
  EXPECT_EQ(resources({kGroup, kBroker}), (std::vector<std::string>{"32 readers", "4 1"}));
  EXPECT_EQ(resources({8, 16}), (std::vector<std::string>{}));

  ListConfigResourcesRequest unknown;
  unknown.resource_types = arena_.array<std::int8_t>(1);
  unknown.resource_types[0] = 3;
  EXPECT_EQ(broker->ask<ListConfigResourcesResponse>(unknown, 1, arena_).error_code,
            ErrorCode::kUnsupportedVersion);
}

}  // namespace
}  // namespace milena::broker
