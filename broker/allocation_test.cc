// A steady stream of produce and fetch requests allocates nothing: counted in operator new, on the loop's
// thread, in a whole broker.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/testing/allocation_count.h"
#include "broker/testing/test_broker.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/heartbeat.gen.h"
#include "protocol/offset_commit.gen.h"

namespace milena::broker::testing {
namespace {

using milena::testing::AllocationCount;
using protocol::FetchRequest;
using protocol::FetchResponse;
using protocol::Offset;
using protocol::ProduceRequest;
using protocol::ProduceResponse;

constexpr std::size_t kRecordBytes = 1024;
constexpr int kRounds = 200;
constexpr int kByName = 12;  // of Fetch; 9 of Produce
constexpr int kById = 17;    // of Fetch; 13 of Produce

int produce_version(int fetch_version) { return fetch_version == kById ? 13 : 9; }

std::vector<std::byte> batch_of(int records, const protocol::BatchSettings& settings = {}) {
  protocol::RecordBatchBuilder builder(settings);
  const std::string value(kRecordBytes, 'x');
  for (int i = 0; i < records; ++i) builder.append(1'700'000'000'000, std::nullopt, as_bytes(value));
  return builder.build();
}

// A connection that counts its requests.
class Peer {
 public:
  explicit Peer(TestBroker& broker) : client_(broker.port()) {}

  template <class Request>
  void send(const Request& request, int version) {
    send_together(1, request, version);
  }
  // In one piece, so that the broker always has `count` of them in hand at a time.
  template <class Request>
  void send_together(int count, const Request& request, int version) {
    Arena arena;
    std::string frames;
    for (int i = 0; i < count; ++i) {
      const auto frame = protocol::encode_request(request, version, ++sent_, "steady", arena);
      frames += as_text(protocol::flatten(frame, arena));
    }
    ASSERT_TRUE(client_.send(frames));
  }
  template <class Response>
  Response receive(int version, Arena& arena) {
    const auto reply = client_.receive();
    EXPECT_TRUE(reply);
    EXPECT_EQ(reply->correlation_id, ++received_ + unanswered_);
    return TestBroker::decoded<Response>(reply, version, arena);
  }
  void expect_no_answer() { ++unanswered_; }

 private:
  Client client_;
  int sent_ = 0;
  int received_ = 0;
  int unanswered_ = 0;
};

// One event loop, and a clock that stands still, so that no upkeep gets in the way.
class SteadyBroker : public BrokerTest, public ::testing::WithParamInterface<int> {
 protected:
  // Segments whose indexes do not grow: where they do, see the test that says so.
  explicit SteadyBroker(const char* index_interval = "log.index.interval.bytes=2000000000")
      : broker_(root_, {"num.network.threads=1", index_interval, "offsets.topic.num.partitions=1"}, nullptr,
                &clock_) {
    const auto created =
        broker_.ask<protocol::CreateTopicsResponse>(creation_of("letters", 1), 7, arena_).topics[0];
    EXPECT_EQ(created.error_code, ErrorCode::kNone);
    topic_id_ = created.topic_id;
  }

  // What `rounds` calls of `exchange` allocate on the loop, after as many that are not counted.
  static std::size_t steady_allocations(const std::function<void()>& exchange, int rounds = kRounds) {
    for (int i = 0; i < rounds; ++i) exchange();
    const AllocationCount count("loop");
    for (int i = 0; i < rounds; ++i) exchange();
    return count.value();
  }

  ProduceRequest produce_of(BytesView batch, std::int16_t acks = 1) {
    ProduceRequest request{.acks = acks, .timeout_ms = 1000};
    request.topic_data = scratch_.array<ProduceRequest::TopicProduceData>(1);
    auto& topic = request.topic_data[0];
    topic.name = "letters";
    topic.topic_id = topic_id_;
    topic.partition_data = scratch_.array<ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    topic.partition_data[0].records = protocol::RecordsRef{.bytes = batch};
    return request;
  }
  void expect_appended(Peer& peer, int version) {
    const auto answer = peer.receive<ProduceResponse>(version, scratch_).responses[0].partition_responses[0];
    ASSERT_EQ(answer.error_code, ErrorCode::kNone);
    next_offset_ = answer.base_offset + 1;
    scratch_.reset();
  }
  // One record.
  void produce_one(Peer& peer) {
    peer.send(produce_of(one_), produce_version(GetParam()));
    expect_appended(peer, produce_version(GetParam()));
  }

  FetchRequest fetch_of(Offset offset, int max_wait_ms) {
    FetchRequest request{.max_wait_ms = max_wait_ms, .min_bytes = 1, .max_bytes = 50 << 20};
    request.topics = scratch_.array<FetchRequest::FetchTopic>(1);
    request.topics[0].topic = "letters";
    request.topics[0].topic_id = topic_id_;
    request.topics[0].partitions = scratch_.array<FetchRequest::FetchTopic::FetchPartition>(1);
    request.topics[0].partitions[0] = {.fetch_offset = offset, .partition_max_bytes = 1 << 20};
    return request;
  }
  // Returns the session.
  std::int32_t expect_records(Peer& peer, std::size_t bytes) {
    const auto answer = peer.receive<FetchResponse>(GetParam(), scratch_);
    EXPECT_EQ(answer.error_code, ErrorCode::kNone);
    EXPECT_EQ(answer.responses.size(), 1u);
    EXPECT_EQ(answer.responses[0].partitions[0].error_code, ErrorCode::kNone);
    EXPECT_EQ(answer.responses[0].partitions[0].records->size(), bytes);
    scratch_.reset();
    return answer.session_id;
  }

  ManualClock clock_;
  TestBroker broker_;
  Uuid topic_id_;
  Arena scratch_;  // of the exchange under way
  Offset next_offset_ = 0;
  const std::vector<std::byte> one_ = batch_of(1);
  const std::vector<std::byte> many_ = batch_of(62);  // just below 64 KiB
};

INSTANTIATE_TEST_SUITE_P(Topics, SteadyBroker, ::testing::Values(kByName, kById),
                         [](const auto& version) { return version.param == kById ? "ById" : "ByName"; });

TEST_P(SteadyBroker, ProducesOneRecordAtATime) {
  Peer peer(broker_);
  EXPECT_EQ(steady_allocations([&] { produce_one(peer); }), 0u);
}

TEST_P(SteadyBroker, ProducesWithAcksOfAllReplicas) {
  Peer peer(broker_);
  EXPECT_EQ(steady_allocations([&] {
              peer.send(produce_of(one_, -1), produce_version(GetParam()));
              expect_appended(peer, produce_version(GetParam()));
            }),
            0u);
}

TEST_P(SteadyBroker, ProducesWithoutAcks) {
  Peer peer(broker_);
  EXPECT_EQ(steady_allocations([&] {
              peer.send(produce_of(one_, 0), produce_version(GetParam()));
              peer.expect_no_answer();
              produce_one(peer);
            }),
            0u);
}

TEST_P(SteadyBroker, ProducesManyRequestsInFlight) {
  Peer peer(broker_);
  EXPECT_EQ(steady_allocations([&] {
              peer.send_together(20, produce_of(one_), produce_version(GetParam()));
              for (int i = 0; i < 20; ++i) expect_appended(peer, produce_version(GetParam()));
            }),
            0u);
}

TEST_P(SteadyBroker, ProducesLargeBatches) {
  Peer peer(broker_);
  EXPECT_EQ(steady_allocations([&] {
              for (int i = 0; i < 3; ++i) peer.send(produce_of(many_), produce_version(GetParam()));
              for (int i = 0; i < 3; ++i) expect_appended(peer, produce_version(GetParam()));
            }),
            0u);
}

TEST_P(SteadyBroker, ProducesIdempotently) {
  Peer peer(broker_);
  std::int32_t sequence = 0;
  EXPECT_EQ(steady_allocations([&] {
              const auto batch =
                  batch_of(1, {.producer_id = 7, .producer_epoch = 0, .base_sequence = sequence++});
              peer.send(produce_of(batch, -1), produce_version(GetParam()));
              expect_appended(peer, produce_version(GetParam()));
            }),
            0u);
}

TEST_P(SteadyBroker, FetchesWhatIsThere) {
  Peer peer(broker_);
  for (int i = 0; i < 100; ++i) produce_one(peer);
  EXPECT_EQ(steady_allocations([&] {
              peer.send(fetch_of(50, 0), GetParam());
              expect_records(peer, 50 * one_.size());
            }),
            0u);
}

TEST_P(SteadyBroker, FetchesNothingAtTheEnd) {
  Peer peer(broker_);
  produce_one(peer);
  EXPECT_EQ(steady_allocations([&] {
              peer.send(fetch_of(next_offset_, 0), GetParam());
              expect_records(peer, 0);
            }),
            0u);
}

TEST_P(SteadyBroker, WaitsAtTheEndAndIsWokenByAProduce) {
  Peer producer(broker_);
  Peer consumer(broker_);
  EXPECT_EQ(steady_allocations([&] {
              consumer.send(fetch_of(next_offset_, 10'000), GetParam());
              produce_one(producer);
              expect_records(consumer, one_.size());
            }),
            0u);
}

TEST_P(SteadyBroker, FetchesInASession) {
  Peer producer(broker_);
  Peer consumer(broker_);
  const auto in_session = [&](std::int32_t session, std::int32_t epoch, int max_wait_ms) {
    auto request = fetch_of(next_offset_, max_wait_ms);
    request.session_id = session;
    request.session_epoch = epoch;
    return request;
  };
  consumer.send(in_session(0, 0, 0), GetParam());
  const auto session = expect_records(consumer, 0);
  ASSERT_NE(session, 0);
  std::int32_t epoch = 0;
  EXPECT_EQ(steady_allocations([&] {
              consumer.send(in_session(session, ++epoch, 10'000), GetParam());
              produce_one(producer);
              expect_records(consumer, one_.size());
            }),
            0u);
}

// Requests to a group's coordinator build records and replies of their own: few allocations, but not none.
TEST_P(SteadyBroker, CommitsOffsetsAndBeatsWithFewAllocations) {
  constexpr int kCommit = 8;
  constexpr int kHeartbeat = 4;
  constexpr std::size_t kCommitMax = 8;
  constexpr std::size_t kHeartbeatMax = 2;
  protocol::FindCoordinatorRequest find;
  find.coordinator_keys = arena_.array<std::string_view>(1);
  find.coordinator_keys[0] = "readers";
  broker_.ask<protocol::FindCoordinatorResponse>(find, 4, arena_);

  Peer peer(broker_);
  using Commit = protocol::OffsetCommitRequest;
  Commit commit{.group_id = "readers"};
  commit.topics = arena_.array<Commit::OffsetCommitRequestTopic>(1);
  commit.topics[0].name = "letters";
  commit.topics[0].partitions =
      arena_.array<Commit::OffsetCommitRequestTopic::OffsetCommitRequestPartition>(1);
  const auto committed = [&] {
    ++commit.topics[0].partitions[0].committed_offset;
    peer.send(commit, kCommit);
    const auto answer = peer.receive<protocol::OffsetCommitResponse>(kCommit, scratch_);
    const ErrorCode error = answer.topics[0].partitions[0].error_code;
    scratch_.reset();
    return error;
  };
  while (committed() != ErrorCode::kNone) {  // the coordinator reads its log in the background
  }
  EXPECT_LE(steady_allocations([&] { EXPECT_EQ(committed(), ErrorCode::kNone); }), kRounds * kCommitMax);

  const protocol::HeartbeatRequest beat{.group_id = "readers", .generation_id = 1, .member_id = "nobody"};
  EXPECT_LE(steady_allocations([&] {
              peer.send(beat, kHeartbeat);
              EXPECT_EQ(peer.receive<protocol::HeartbeatResponse>(kHeartbeat, scratch_).error_code,
                        ErrorCode::kUnknownMemberId);
              scratch_.reset();
            }),
            kRounds * kHeartbeatMax);
}

// With the indexes that every log has: they grow by doubling.
class GrowingBroker : public SteadyBroker {
 protected:
  GrowingBroker() : SteadyBroker("log.index.interval.bytes=4096") {}
};

INSTANTIATE_TEST_SUITE_P(Topics, GrowingBroker, ::testing::Values(kByName),
                         [](const auto&) { return "ByName"; });

TEST_P(GrowingBroker, AllocatesOncePerHundredRequestsAtMost) {
  Peer peer(broker_);
  EXPECT_LE(steady_allocations([&] { produce_one(peer); }, 1000), 10u);
}

}  // namespace
}  // namespace milena::broker::testing
