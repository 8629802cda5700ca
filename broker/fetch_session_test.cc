// Fetch by topic id when the topic is deleted and created anew: what a session, a fetch that waits and a
// fetch without a session are told.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "broker/testing/test_broker.h"
#include "protocol/delete_topics.gen.h"

namespace milena::broker {
namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr int kVersion = 13;

class FetchSessionTest : public testing::BrokerTest {
 protected:
  void SetUp() override {
    broker = std::make_unique<testing::TestBroker>(root_);
    ASSERT_TRUE(broker->started()) << broker->started().error();
    id_ = create();
  }
  Uuid create() {
    return broker->ask<protocol::CreateTopicsResponse>(creation_of("letters", 1), 7, arena_)
        .topics[0]
        .topic_id;
  }
  void remove() {
    protocol::DeleteTopicsRequest request;
    request.topics = arena_.array<protocol::DeleteTopicsRequest::DeleteTopicState>(1);
    request.topics[0].name = "letters";
    ASSERT_EQ(broker->ask<protocol::DeleteTopicsResponse>(request, 6, arena_).responses[0].error_code,
              ErrorCode::kNone);
  }
  FetchRequest full(std::int32_t epoch, std::int32_t max_wait_ms = 0) {
    FetchRequest request{.max_wait_ms = max_wait_ms, .min_bytes = 1, .max_bytes = 1 << 20};
    request.session_epoch = epoch;
    request.topics = arena_.array<FetchRequest::FetchTopic>(1);
    request.topics[0].topic_id = id_;
    request.topics[0].partitions = arena_.array<FetchRequest::FetchTopic::FetchPartition>(1);
    request.topics[0].partitions[0].partition_max_bytes = 1 << 20;
    return request;
  }
  // The next fetch of the session: the error of its partition.
  ErrorCode fetch(std::int32_t session, std::int32_t epoch) {
    FetchRequest request{.min_bytes = 1, .max_bytes = 1 << 20};
    request.session_id = session;
    request.session_epoch = epoch;
    return error_of(broker->ask<FetchResponse>(request, kVersion, arena_));
  }
  static ErrorCode error_of(const FetchResponse& response) {
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    if (response.responses.empty()) return ErrorCode::kNone;
    return response.responses[0].partitions[0].error_code;
  }

  std::unique_ptr<testing::TestBroker> broker;
  Uuid id_;
};

TEST_F(FetchSessionTest, ASessionStandsForTheTopicItWasOpenedWith) {
  const auto opened = broker->ask<FetchResponse>(full(0), kVersion, arena_);
  ASSERT_NE(opened.session_id, 0);
  EXPECT_EQ(fetch(opened.session_id, 1), ErrorCode::kNone);
  remove();
  EXPECT_EQ(fetch(opened.session_id, 2), ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(fetch(opened.session_id, 3), ErrorCode::kUnknownTopicOrPartition);
  EXPECT_NE(create(), id_);
  EXPECT_EQ(fetch(opened.session_id, 4), ErrorCode::kInconsistentTopicId);
  EXPECT_EQ(fetch(opened.session_id, 5), ErrorCode::kInconsistentTopicId);
  remove();
  EXPECT_EQ(fetch(opened.session_id, 6), ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(FetchSessionTest, AFetchThatWaitsIsToldThatItsTopicIsGone) {
  testing::Client client(broker->port());
  const auto frame =
      protocol::flatten(protocol::encode_request(full(-1, 20'000), kVersion, 7, "test", arena_), arena_);
  ASSERT_TRUE(client.send(as_text(frame)));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(client.readable(), 0);
  remove();
  EXPECT_EQ(error_of(testing::TestBroker::decoded<FetchResponse>(client.receive(), kVersion, arena_)),
            ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(FetchSessionTest, AFetchWithoutASessionLooksTheIdUpEachTime) {
  EXPECT_EQ(error_of(broker->ask<FetchResponse>(full(-1), kVersion, arena_)), ErrorCode::kNone);
  remove();
  EXPECT_EQ(error_of(broker->ask<FetchResponse>(full(-1), kVersion, arena_)), ErrorCode::kUnknownTopicId);
  create();
  EXPECT_EQ(error_of(broker->ask<FetchResponse>(full(-1), kVersion, arena_)), ErrorCode::kUnknownTopicId);
}

}  // namespace
}  // namespace milena::broker
