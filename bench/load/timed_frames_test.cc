#include "bench/load/timed_frames.h"

#include <gtest/gtest.h>

#include "base/arena.h"
#include "protocol/frame.h"
#include "protocol/produce.gen.h"

namespace milena::bench {
namespace {

TEST(TimedFrames, ABatchOfAnySizeCarriesItsTimesAndTheRightChecksum) {
  const TimedFrames frames({.topic = "events"}, {.record_bytes = 100, .batch_bytes = 16384},
                           1'700'000'000'000);
  ASSERT_GT(frames.most_records(), 100u);
  std::vector<std::byte> records;
  RequestPipe::Request request;
  for (std::size_t count = 1; count <= frames.most_records(); ++count) {
    std::vector<std::int64_t> due;
    for (std::size_t i = 0; i < count; ++i) due.push_back(static_cast<std::int64_t>(1'000'000 * count + i));
    frames.write(due, {.correlation_id = 1, .partition = 2}, records, request);

    std::vector<std::byte> bytes = request.head;
    for (const BytesView piece : {request.rest, request.tail})
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    Arena arena;
    const auto header = protocol::parse_request(BytesView(bytes).subspan(4));
    ASSERT_TRUE(header);
    const auto produce = protocol::decode<protocol::ProduceRequest>(header->body, header->version, arena);
    ASSERT_TRUE(produce);
    const auto& partition = produce->topic_data[0].partition_data[0];
    EXPECT_EQ(partition.index, 2);
    const auto batch = protocol::RecordBatchView::parse(partition.records->bytes);
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->crc_matches());
    std::vector<std::int64_t> read;
    for_each_due_time(*batch, [&](std::int64_t due_ns) { read.push_back(due_ns); });
    EXPECT_EQ(read, due);
  }
}

}  // namespace
}  // namespace milena::bench
