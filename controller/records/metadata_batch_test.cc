#include "controller/records/metadata_batch.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"

namespace milena::controller {
namespace {

using protocol::RecordBatchView;

std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return bytes;
}

// The head of a snapshot that Apache Kafka 4.4 formatted: SnapshotHeader, KRaftVersion, Voters.
constexpr std::string_view kKafkasHead =
    "0000000000000000"
    "0000009a"
    "00000000"
    "02"
    "5d7211ba"
    "0020"
    "00000002"
    "000001a1f9c3c15a"
    "000001a1f9c3c15a"
    "ffffffffffffffff"
    "ffff"
    "ffffffff"
    "00000003"
    "2a000000080000000316"
    "0000000001a1f9c3c1230000"
    "1e00000208000000050a"
    "000000010000"
    "8201000004080000000"
    "66e0000020000000"
    "12445d8e9aab3418fb7d8fe534adcda16020b434f4e54524f4c4c45520a3132372e302e302e314a95000000000100000000";

Result<MetadataBatch> decode(BytesView bytes, Arena& arena) {
  MILENA_TRY(const RecordBatchView view, RecordBatchView::parse(bytes));
  return decode_metadata_batch(view, arena);
}

TEST(MetadataBatch, ReadsAControlBatchThatKafkaWrote) {
  const auto bytes = from_hex(kKafkasHead);
  Arena arena;
  const auto batch = decode(bytes, arena);
  ASSERT_TRUE(batch) << batch.error().why;
  ASSERT_EQ(batch->control.size(), 3u);
  EXPECT_TRUE(batch->records.empty());
  EXPECT_EQ(std::get<protocol::SnapshotHeaderRecord>(batch->control[0]).last_contained_log_timestamp,
            0x1a1f9c3c123);
  EXPECT_EQ(std::get<protocol::KRaftVersionRecord>(batch->control[1]).kraft_version, 1);
  const auto& voters = std::get<protocol::VotersRecord>(batch->control[2]);
  ASSERT_EQ(voters.voters.size(), 1u);
  EXPECT_EQ(voters.voters[0].voter_directory_id.to_string(), "JEXY6aqzQY-32P5TStzaFg");
  EXPECT_EQ(voters.voters[0].endpoints[0].port, 19093);
}

TEST(MetadataBatch, WritesTheControlBatchThatKafkaWrites) {
  const auto expected = from_hex(kKafkasHead);
  Arena arena;
  const auto batch = decode(expected, arena);
  ASSERT_TRUE(batch);
  EXPECT_EQ(encode_control_batch(batch->control, batch->position), expected);
}

TEST(MetadataBatch, RecordsComeBackInOrderAtTheirOffsets) {
  const MetadataRecord records[] = {
      {.body = protocol::TopicRecord{.name = "orders", .topic_id = Uuid::from_halves(1, 2)}},
      {.body = protocol::FeatureLevelRecord{.name = "group.version", .feature_level = 1}},
      {.body = protocol::NoOpRecord{}}};
  const auto bytes = encode_metadata_batch(records, {.base_offset = 70, .epoch = 3, .timestamp_ms = 1'000});
  ASSERT_TRUE(bytes);
  Arena arena;
  const auto batch = decode(*bytes, arena);
  ASSERT_TRUE(batch) << batch.error().why;
  EXPECT_EQ(batch->position.base_offset, protocol::Offset(70));
  EXPECT_EQ(batch->last_offset, protocol::Offset(72));
  EXPECT_EQ(batch->position.epoch, protocol::LeaderEpoch(3));
  EXPECT_EQ(batch->position.timestamp_ms, 1'000);
  ASSERT_EQ(batch->records.size(), 3u);
  EXPECT_EQ(std::get<protocol::TopicRecord>(batch->records[0].body).name, "orders");
  EXPECT_EQ(std::get<protocol::FeatureLevelRecord>(batch->records[1].body).feature_level, 1);
}

TEST(MetadataBatch, AChangeThatNoBatchCanHoldIsRefused) {
  const std::string value(30'000, 'x');
  const std::vector<MetadataRecord> records(
      300, {.body = protocol::ConfigRecord{.resource_type = 2, .name = "a", .value = value}});
  const auto bytes = encode_metadata_batch(records, {.base_offset = 0, .epoch = 1});
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, ErrorCode::kRecordListTooLarge);
}

TEST(MetadataBatch, AFlippedBitIsNoticed) {
  const auto bytes = from_hex(kKafkasHead);
  for (std::size_t at = 12; at < bytes.size(); ++at) {
    if (at < 16) continue;  // the leader epoch lies outside the checksum
    auto damaged = bytes;
    damaged[at] ^= std::byte{4};
    Arena arena;
    EXPECT_FALSE(decode(damaged, arena)) << at;
  }
}

std::string refusal(protocol::BatchSettings settings, std::optional<BytesView> key,
                    std::optional<BytesView> value) {
  protocol::RecordBatchBuilder builder(settings);
  builder.append(0, key, value);
  const auto bytes = builder.build();
  Arena arena;
  const auto batch = decode(bytes, arena);
  return batch ? "accepted" : batch.error().why;
}

TEST(MetadataBatch, RefusesBatchesThatDoNotBelongIntoThisLog) {
  using namespace std::string_view_literals;
  const BytesView noop = as_bytes("\x01\x14\x00\x00"sv);
  EXPECT_EQ(refusal({}, std::nullopt, noop), "accepted");
  EXPECT_EQ(refusal({}, noop, noop), "metadata record has a key or no value");
  EXPECT_EQ(refusal({}, std::nullopt, std::nullopt), "metadata record has a key or no value");
  EXPECT_EQ(refusal({.compression = protocol::CompressionType::kLz4}, std::nullopt, noop),
            "a metadata batch is compressed");
  EXPECT_EQ(refusal({.producer_id = 5, .producer_epoch = 0, .base_sequence = 0}, std::nullopt, noop),
            "a metadata batch has a producer");
  EXPECT_EQ(refusal({.control = true}, as_bytes("\x00\x00\x00\x01"sv), noop),
            "the metadata log has no transaction markers");
  EXPECT_EQ(refusal({.control = true}, as_bytes("\x00\x00\x00\x02"sv), as_bytes("\xff\xff"sv)),
            "control record has a negative version");
  EXPECT_EQ(refusal({.control = true}, as_bytes("\x00\x00\x00\x63"sv), noop), "accepted");
}

TEST(MetadataBatch, RefusesGapsInItsOffsets) {
  using namespace std::string_view_literals;
  const BytesView noop = as_bytes("\x01\x14\x00\x00"sv);
  protocol::RecordBatchBuilder builder(protocol::BatchSettings{});
  builder.append(0, std::nullopt, noop);
  builder.append_at(2, 0, std::nullopt, noop);
  const auto bytes = builder.build();
  Arena arena;
  EXPECT_EQ(decode(bytes, arena).error().why, "batch has a gap in its offsets"sv);
}

}  // namespace
}  // namespace milena::controller
