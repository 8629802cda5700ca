#include "bench/load/produce_frame.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/arena.h"
#include "bench/load/sample_records.h"
#include "protocol/frame.h"
#include "protocol/produce.gen.h"
#include "protocol/record_batch.h"

namespace milena::bench {
namespace {

using protocol::CompressionType;

std::shared_ptr<const std::vector<std::byte>> sample(const BatchShape& shape) {
  return std::make_shared<const std::vector<std::byte>>(full_batch(shape, 1'700'000'000'000));
}

// What a broker would read, its only partition and the batch in it.
struct Parsed {
  std::vector<std::byte> bytes;
  std::optional<protocol::Request> header = {};
  Arena arena = {};
  protocol::ProduceRequest request = {};

  const auto& topic() const { return request.topic_data[0]; }
  const auto& partition() const { return topic().partition_data[0]; }
  protocol::RecordBatchView batch() const {
    return *protocol::RecordBatchView::parse(partition().records->bytes);
  }
};

Parsed parse(const ProduceFrame& frame, const ProduceFrame::Stamp& stamp) {
  Parsed parsed{.bytes = std::vector<std::byte>(frame.head_size())};
  frame.write_head(stamp, parsed.bytes.data());
  for (const BytesView piece : {frame.rest(), frame.tail()}) {
    parsed.bytes.insert(parsed.bytes.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(parsed.bytes.size(), frame.size());
  EXPECT_EQ(load_be<std::uint32_t>(parsed.bytes.data()), frame.size() - 4);
  const auto header = protocol::parse_request(BytesView(parsed.bytes).subspan(4));
  EXPECT_TRUE(header);
  parsed.header = *header;
  BytesView rest = header->body;
  const auto request = protocol::decode_front<protocol::ProduceRequest>(rest, header->version, parsed.arena);
  EXPECT_TRUE(request);
  EXPECT_TRUE(rest.empty());
  parsed.request = *request;
  return parsed;
}

TEST(ProduceFrame, AStampChangesCorrelationIdAndPartitionOnly) {
  const auto batch = sample({});
  const ProduceFrame frame({.topic = "events", .acks = -1}, batch);
  const Parsed parsed = parse(frame, {.correlation_id = 77, .partition = 4711, .base_sequence = 5});
  EXPECT_EQ(parsed.header->correlation_id, 77);
  EXPECT_EQ(parsed.request.acks, -1);
  EXPECT_EQ(parsed.topic().name, "events");
  EXPECT_EQ(parsed.partition().index, 4711);
  EXPECT_TRUE(std::ranges::equal(parsed.batch().bytes(), *batch));
  EXPECT_TRUE(parsed.batch().crc_matches());
}

TEST(ProduceFrame, ASequenceComesWithTheChecksumOfTheBatchThatHasIt) {
  for (const auto codec : {CompressionType::kNone, CompressionType::kLz4, CompressionType::kZstd}) {
    const ProduceFrame frame({.topic = "events", .producer = {.id = 9000, .epoch = 3}},
                             sample({.record_bytes = 100, .batch_bytes = 16384, .codec = codec}));
    for (const std::int32_t sequence : {0, 1, 2'000'000'000}) {
      const Parsed parsed = parse(frame, {.base_sequence = sequence});
      EXPECT_EQ(parsed.batch().producer_id(), 9000);
      EXPECT_EQ(parsed.batch().producer_epoch(), 3);
      EXPECT_EQ(parsed.batch().base_sequence(), sequence);
      EXPECT_TRUE(parsed.batch().crc_matches());
    }
  }
}

TEST(ProduceFrame, TransactionalBatchesSaySo) {
  const ProduceFrame frame(
      {.topic = "events", .acks = -1, .transactional_id = "tx-1", .producer = {.id = 1, .epoch = 0}},
      sample({.record_bytes = 100, .batch_bytes = 0}));
  const Parsed parsed = parse(frame, {.base_sequence = 0});
  EXPECT_EQ(parsed.request.transactional_id, "tx-1");
  EXPECT_TRUE(parsed.batch().is_transactional());
  EXPECT_TRUE(parsed.batch().crc_matches());
}

TEST(ProduceFrame, FindsTheErrorInAnAnswer) {
  for (const std::string& topic : {std::string("t"), std::string(200, 'x')}) {
    const ProduceFrame frame({.topic = topic}, sample({.record_bytes = 100, .batch_bytes = 0}));
    for (const ErrorCode error : {ErrorCode::kNone, ErrorCode::kNotLeaderOrFollower}) {
      using Topic = protocol::ProduceResponse::TopicProduceResponse;
      std::array<Topic::PartitionProduceResponse, 1> partitions{};
      partitions[0].index = 3;
      partitions[0].error_code = error;
      partitions[0].base_offset = 77;
      std::array<Topic, 1> topics{};
      topics[0].name = topic;
      topics[0].partition_responses = partitions;
      protocol::ProduceResponse response;
      response.responses = topics;
      Arena arena;
      const BytesView answer = protocol::flatten(protocol::encode_response(response, 9, 1, arena), arena);
      EXPECT_EQ(frame.error_in(answer.subspan(4)), error);
    }
  }
}

TEST(FullBatch, IsAsLargeAsItsLimitLetsItBe) {
  const BatchShape plain{.record_bytes = 1024, .batch_bytes = 65536};
  const auto batch = full_batch(plain, 0);
  EXPECT_LE(batch.size(), 65536u);
  EXPECT_GT(batch.size() + 1024 + 10, 65536u);

  const BatchShape packed{.record_bytes = 1024, .batch_bytes = 16384, .codec = CompressionType::kZstd};
  const auto compressed = full_batch(packed, 0);
  EXPECT_LE(compressed.size(), 16384u);
  EXPECT_GT(compressed.size(), 15000u);
}

TEST(FullBatch, HoldsOneRecordWhenThatIsLargerThanTheLimit) {
  for (const std::size_t limit : {0u, 500u}) {
    const auto batch = full_batch({.record_bytes = 1024, .batch_bytes = limit}, 0);
    EXPECT_EQ(protocol::RecordBatchView::parse(batch)->record_count(), 1);
  }
}

}  // namespace
}  // namespace milena::bench
