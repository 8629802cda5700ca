#include "protocol/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <vector>

#include "protocol/fetch.gen.h"
#include "protocol/heartbeat.gen.h"
#include "protocol/join_group.gen.h"
#include "protocol/partition_record.gen.h"

namespace milena::protocol {
namespace {

static_assert(std::is_trivially_destructible_v<FetchRequest> && std::is_aggregate_v<FetchRequest>);

FetchRequest sample_request(Arena& arena) {
  auto topics = arena.array<FetchRequest::FetchTopic>(2);
  for (auto& topic : topics) {
    topic.topic = "orders";
    topic.topic_id = Uuid::from_halves(7, 8);
    auto partitions = arena.array<FetchRequest::FetchTopic::FetchPartition>(3);
    for (auto& partition : partitions) {
      partition.fetch_offset = 1000;
      partition.replica_directory_id = Uuid::from_halves(1, 2);
    }
    topic.partitions = partitions;
  }
  FetchRequest request;
  request.cluster_id = "c1";
  request.replica_state = {.replica_id = 3, .replica_epoch = 9};
  request.topics = topics;
  request.rack_id = "r";
  return request;
}

TEST(Codec, FieldsSurviveInTheVersionsThatHaveThem) {
  Arena arena;
  const FetchRequest request = sample_request(arena);
  for (int v = FetchRequest::kInfo.min_version; v <= FetchRequest::kInfo.max_version; ++v) {
    SCOPED_TRACE(v);
    const BytesView bytes = encode(request, v, arena).head();
    const auto decoded = decode<FetchRequest>(bytes, v, arena);
    ASSERT_TRUE(decoded) << decoded.error().why;
    ASSERT_EQ(decoded->topics.size(), 2u);
    const auto& topic = decoded->topics[1];
    EXPECT_EQ(topic.topic, v <= 12 ? "orders" : "");
    EXPECT_EQ(topic.topic_id, v >= 13 ? Uuid::from_halves(7, 8) : Uuid{});
    EXPECT_EQ(topic.partitions[2].fetch_offset, Offset(1000));
    EXPECT_EQ(topic.partitions[2].replica_directory_id, v >= 17 ? Uuid::from_halves(1, 2) : Uuid{});
    EXPECT_EQ(decoded->cluster_id.has_value(), v >= 12);
    EXPECT_EQ(decoded->replica_state.replica_epoch, v >= 15 ? 9 : -1);
    EXPECT_EQ(decoded->rack_id, v >= 11 ? "r" : "");
  }
}

TEST(Codec, ResponseSplicesRecordsWithoutACopy) {
  Arena arena;
  const std::vector<std::byte> batch(1000, std::byte{0xab});
  auto topics = arena.array<FetchResponse::FetchableTopicResponse>(1);
  auto partitions = arena.array<FetchResponse::FetchableTopicResponse::PartitionData>(2);
  partitions[0].records = RecordsRef{.bytes = batch};
  partitions[0].high_watermark = 77;
  partitions[1].current_leader = {.leader_id = 2, .leader_epoch = 5};
  topics[0].partitions = partitions;
  FetchResponse response;
  response.responses = topics;
  for (int v = FetchResponse::kInfo.min_version; v <= FetchResponse::kInfo.max_version; ++v) {
    SCOPED_TRACE(v);
    const Encoded encoded = encode(response, v, arena, 4);
    ASSERT_EQ(encoded.headroom, 4u);
    ASSERT_EQ(encoded.splices.size(), 1u);
    EXPECT_EQ(encoded.splices[0].records.bytes.data(), batch.data());
    const BytesView bytes = flatten(encoded, arena);
    EXPECT_EQ(bytes.size(), encoded.size());
    const auto decoded = decode<FetchResponse>(bytes, v, arena);
    ASSERT_TRUE(decoded) << decoded.error().why;
    const auto& first = decoded->responses[0].partitions[0];
    EXPECT_EQ(first.high_watermark, Offset(77));
    EXPECT_EQ(as_text(first.records->bytes), as_text(batch));
    EXPECT_FALSE(decoded->responses[0].partitions[1].records.has_value());
    EXPECT_EQ(decoded->responses[0].partitions[1].current_leader.leader_id, BrokerId(v >= 12 ? 2 : -1));
  }
}

TEST(Codec, AnUnknownVersionIsRefused) {
  Arena arena;
  EXPECT_EQ(decode<FetchRequest>({}, 3, arena).error().code, ErrorCode::kUnsupportedVersion);
  EXPECT_EQ(decode<FetchRequest>({}, 19, arena).error().code, ErrorCode::kUnsupportedVersion);
}

TEST(Codec, TheErrorNamesTheFieldThatFailed) {
  Arena arena;
  const BytesView bytes = encode(sample_request(arena), 12, arena).head();
  EXPECT_STREQ(decode<FetchRequest>(bytes.first(10), 12, arena).error().why, "min_bytes");
}

TEST(Codec, TextBeyondTheWiresLimitIsCutAtACharacter) {
  Arena arena;
  std::string text(32766, 'a');
  text += "\xe2\x82\xac";  // three bytes, of which one would fit
  const BytesView bytes = encode(HeartbeatRequest{.group_id = text}, 4, arena).head();
  const auto decoded = decode<HeartbeatRequest>(bytes, 4, arena);
  ASSERT_TRUE(decoded) << decoded.error().why;
  EXPECT_EQ(decoded->group_id, std::string(32766, 'a'));
}

TEST(Codec, NullIsWrittenAsEmptyWhereAVersionCannotSayNull) {
  Arena arena;
  const JoinGroupResponse response{.protocol_name = std::nullopt};
  for (const int version : {6, 7}) {
    const auto decoded = decode<JoinGroupResponse>(encode(response, version, arena).head(), version, arena);
    ASSERT_TRUE(decoded) << decoded.error().why;
    EXPECT_EQ(decoded->protocol_name.has_value(), version < 7);
  }
}

TEST(CodecDeathTest, ARecordDoesNotLoseAFieldSilently) {
  Arena arena;
  const Uuid directory = Uuid::from_halves(1, 2);
  PartitionRecord record{.directories = arena.array<Uuid>(1)};
  record.directories[0] = directory;
  EXPECT_EQ(decode<PartitionRecord>(encode(record, 1, arena).head(), 1, arena)->directories[0], directory);
  EXPECT_DEATH(encode(record, 0, arena), "directories");
}

}  // namespace
}  // namespace milena::protocol
