#include "broker/handlers/list_reassignments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace milena::broker {
namespace {

using controller::Partition;
using protocol::BrokerId;
using Request = protocol::ListPartitionReassignmentsRequest;
using Asked = Request::ListPartitionReassignmentsTopics;
using Ids = std::vector<BrokerId>;

Ids ids(std::span<const BrokerId> list) { return {list.begin(), list.end()}; }

// The topic "moving": partition 0 goes from broker 1 to broker 2, partition 1 stays. "still" has one that
// stays.
struct ListReassignmentsTest : ::testing::Test {
  ListReassignmentsTest() {
    add_topic("moving", Uuid::from_halves(1, 1), partition({2, 1}, {2}, {1}), partition({1}, {}, {}));
    add_topic("still", Uuid::from_halves(1, 2), partition({1}, {}, {}));
  }
  static Partition partition(const Ids& replicas, const Ids& adding, const Ids& removing) {
    const std::vector<Uuid> directories(replicas.size(), controller::kUnassignedDirectory);
    auto made = Partition::make({.replicas = replicas,
                                 .isr = replicas,
                                 .removing_replicas = removing,
                                 .adding_replicas = adding,
                                 .directories = directories,
                                 .leader = replicas.front()});
    EXPECT_TRUE(made);
    return *std::move(made);
  }
  template <class... Partitions>
  void add_topic(const char* name, const Uuid& id, Partitions... partitions) {
    controller::Topic topic{.name = name, .id = id};
    std::int32_t index = 0;
    (topic.partitions.set(protocol::PartitionId(index++), controller::Shared(std::move(partitions))), ...);
    image.topics.set(id, controller::Shared(std::move(topic)));
    image.topic_ids.set(name, id);
  }
  Request asking_for(std::string_view topic, std::vector<protocol::PartitionId> partitions) {
    Request request;
    request.topics = arena.array<Asked>(1);
    (*request.topics)[0].name = topic;
    (*request.topics)[0].partition_indexes = arena.array<protocol::PartitionId>(partitions.size());
    std::ranges::copy(partitions, (*request.topics)[0].partition_indexes.begin());
    return request;
  }

  Arena arena;
  controller::MetadataImage image;
};

TEST_F(ListReassignmentsTest, OnlyPartitionsThatAreBeingMovedAreListed) {
  for (const Request& request : {Request{.topics = std::nullopt}, asking_for("moving", {0, 1, 9})}) {
    const auto response = list_reassignments(request, image, arena);
    ASSERT_EQ(response.topics.size(), 1u);
    EXPECT_EQ(response.topics[0].name, "moving");
    ASSERT_EQ(response.topics[0].partitions.size(), 1u);
    const auto& moved = response.topics[0].partitions[0];
    EXPECT_EQ(moved.partition_index, 0);
    EXPECT_EQ(ids(moved.replicas), (Ids{2, 1}));
    EXPECT_EQ(ids(moved.adding_replicas), Ids{2});
    EXPECT_EQ(ids(moved.removing_replicas), Ids{1});
  }
}

TEST_F(ListReassignmentsTest, WhatStaysOrDoesNotExistIsLeftOut) {
  EXPECT_TRUE(list_reassignments(asking_for("moving", {1}), image, arena).topics.empty());
  EXPECT_TRUE(list_reassignments(asking_for("still", {0}), image, arena).topics.empty());
  EXPECT_TRUE(list_reassignments(asking_for("nope", {0}), image, arena).topics.empty());
}

}  // namespace
}  // namespace milena::broker
