#include "broker/handlers/topic_answers.h"

#include <gtest/gtest.h>

#include "protocol/offset_commit.gen.h"

namespace milena::broker {
namespace {

using Topic = protocol::OffsetCommitResponse::OffsetCommitResponseTopic;
using Partition = Topic::OffsetCommitResponsePartition;

class TopicAnswersTest : public ::testing::Test {
 protected:
  std::span<Topic> answered(std::string_view name, std::initializer_list<int> partitions) {
    auto topics = arena.array<Topic>(1);
    topics[0].name = name;
    topics[0].partitions = arena.array<Partition>(partitions.size());
    std::size_t at = 0;
    for (const int partition : partitions) topics[0].partitions[at++].partition_index = partition;
    return topics;
  }
  Arena arena;
  TopicAnswers<Topic> answers;
};

TEST_F(TopicAnswersTest, WithoutRefusalsTheAnswerStaysAsItIs) {
  const auto all = answered("letters", {0, 1});
  EXPECT_EQ(answers.with(all, arena).data(), all.data());
}

TEST_F(TopicAnswersTest, RefusedPartitionsOfATopicComeBeforeItsOthers) {
  answers.refuse("letters", {}, 9, ErrorCode::kUnknownTopicOrPartition);
  const auto all = answers.with(answered("letters", {0, 1}), arena);
  ASSERT_EQ(all.size(), 1);
  ASSERT_EQ(all[0].partitions.size(), 3);
  EXPECT_EQ(all[0].partitions[0].partition_index, 9);
  EXPECT_EQ(all[0].partitions[0].error_code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(all[0].partitions[2].error_code, ErrorCode::kNone);
}

TEST_F(TopicAnswersTest, RefusedTopicsComeFirstInTheirOrder) {
  answers.refuse("b", {}, 0, ErrorCode::kUnknownTopicOrPartition);
  answers.refuse("a", {}, 0, ErrorCode::kUnknownTopicOrPartition);
  const auto all = answers.with(answered("letters", {0}), arena);
  ASSERT_EQ(all.size(), 3);
  EXPECT_EQ(all[0].name, "b");
  EXPECT_EQ(all[1].name, "a");
  EXPECT_EQ(all[2].name, "letters");
}

}  // namespace
}  // namespace milena::broker
