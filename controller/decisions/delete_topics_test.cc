#include "controller/decisions/delete_topics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Request = protocol::DeleteTopicsRequest;
using Result = protocol::DeleteTopicsResponse::DeletableTopicResult;
using Given = Request::DeleteTopicState;

class DeleteTopicsTest : public ::testing::Test {
 protected:
  explicit DeleteTopicsTest(ControllerSettings settings = test_support::rig_settings())
      : rig_(std::move(settings)) {
    rig_.add_broker(1);
    a_ = rig_.create_topic("a", 2, 1).id;
    b_ = rig_.create_topic("b", 1, 1).id;
  }
  std::span<Result> remove(std::initializer_list<Given> topics, const DeleteTopicsAccess& access = {}) {
    const Request request{.topics = list_of<Given>(rig_.arena, topics)};
    return rig_.commit(rig_.controller.delete_topics(request, 6, access, rig_.arena)).responses;
  }

  ControllerRig rig_;
  Uuid a_, b_;
};

TEST_F(DeleteTopicsTest, ByNameAndById) {
  const auto results = remove({{.name = "a"}, {.topic_id = b_}});
  ASSERT_EQ(results.size(), 2u);
  for (const Result& result : results) EXPECT_EQ(result.error_code, ErrorCode::kNone);
  EXPECT_TRUE(rig_.image().topics.empty());
  EXPECT_TRUE(std::ranges::any_of(results, [](const Result& r) { return r.name == "b"; }));
}

TEST_F(DeleteTopicsTest, OldClientsSendNames) {
  std::string_view names[] = {"a", "nope"};
  const auto results =
      rig_.commit(rig_.controller.delete_topics({.topic_names = names}, 3, {}, rig_.arena)).responses;
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(rig_.image().topic("a"), nullptr);
  EXPECT_TRUE(std::ranges::any_of(
      results, [](const Result& r) { return r.error_code == ErrorCode::kUnknownTopicOrPartition; }));
}

TEST_F(DeleteTopicsTest, ANameIsFreeAgainAndItsCollisionsAreGone) {
  rig_.create_topic("x.y", 1, 1);
  remove({{.name = "x.y"}});
  rig_.create_topic("x_y", 1, 1);
}

TEST_F(DeleteTopicsTest, NeitherAndBothAreRefused) {
  const auto results = remove({{}, {.name = "a", .topic_id = a_}});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].error_message, "Neither topic name nor id were specified.");
  EXPECT_EQ(results[1].error_message, "You may not specify both topic name and topic id.");
  for (const Result& result : results) EXPECT_EQ(result.error_code, ErrorCode::kInvalidRequest);
  EXPECT_NE(rig_.image().topic("a"), nullptr);
}

TEST_F(DeleteTopicsTest, WhatIsNamedTwiceIsLeftAlone) {
  const auto by_name = remove({{.name = "a"}, {.name = "a"}});
  ASSERT_EQ(by_name.size(), 1u);
  EXPECT_EQ(by_name[0].error_message, "Duplicate topic name.");
  const auto by_id = remove({{.topic_id = a_}, {.topic_id = a_}});
  ASSERT_EQ(by_id.size(), 1u);
  EXPECT_EQ(by_id[0].error_message, "Duplicate topic id.");
  const auto by_both = remove({{.topic_id = a_}, {.name = "a"}});
  ASSERT_EQ(by_both.size(), 1u);
  EXPECT_EQ(by_both[0].error_message, "The provided topic name maps to an ID that was already supplied.");
  EXPECT_NE(rig_.image().topic("a"), nullptr);
}

TEST_F(DeleteTopicsTest, UnknownTopicsAreNamed) {
  const auto results = remove({{.name = "nope"}, {.topic_id = Uuid::from_halves(9, 9)}});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(std::ranges::any_of(results, [](const Result& r) {
    return r.name == "nope" && r.error_code == ErrorCode::kUnknownTopicOrPartition;
  }));
  EXPECT_TRUE(std::ranges::any_of(
      results, [](const Result& r) { return !r.name && r.error_code == ErrorCode::kUnknownTopicId; }));
}

TEST_F(DeleteTopicsTest, WhoMayNotSeeATopicLearnsNothing) {
  const DeleteTopicsAccess access{.may_describe = [](std::string_view name) { return name == "b"; },
                                  .may_delete = [](std::string_view) { return false; }};
  const auto results = remove({{.name = "a"}, {.name = "nope"}, {.topic_id = b_}}, access);
  ASSERT_EQ(results.size(), 3u);
  for (const Result& result : results) {
    EXPECT_EQ(result.error_code, ErrorCode::kTopicAuthorizationFailed);
    if (result.topic_id == b_) EXPECT_EQ(result.name, "b");
  }
  const auto hidden = remove({{.topic_id = a_}}, access);
  EXPECT_FALSE(hidden[0].name);
}

TEST(DeleteTopics, CanBeTurnedOff) {
  ControllerSettings settings = test_support::rig_settings();
  settings.delete_topic_enable = false;
  ControllerRig rig(settings);
  rig.add_broker(1);
  rig.create_topic("a", 1, 1);
  std::string_view names[] = {"a"};
  const Request request{.topic_names = names};
  const auto told = rig.controller.delete_topics(request, 3, {}, rig.arena);
  EXPECT_EQ(told.response.responses[0].error_code, ErrorCode::kTopicDeletionDisabled);
  EXPECT_TRUE(told.records.empty());
  const auto old = rig.controller.delete_topics(request, 1, {}, rig.arena);
  EXPECT_EQ(old.response.responses[0].error_code, ErrorCode::kInvalidRequest);
}

}  // namespace
}  // namespace milena::controller
