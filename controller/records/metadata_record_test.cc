#include "controller/records/metadata_record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace milena::controller {
namespace {

std::string framed(const MetadataRecord& record) {
  Arena arena;
  return std::string(as_text(encode_metadata_record(record, arena)));
}

// The expected bytes were written by Apache Kafka.
TEST(MetadataRecord, FramesAreKafkas) {
  using namespace std::string_literals;
  EXPECT_EQ(framed({.body = protocol::NoOpRecord{}}), "\x01\x14\x00\x00"s);
  EXPECT_EQ(framed({.body = protocol::EndTransactionRecord{}}), "\x01\x18\x00\x00"s);
  EXPECT_EQ(framed({.body = protocol::BeginTransactionRecord{.name = "Bootstrap records"}}),
            "\x01\x17\x00\x01\x00\x12\x12"
            "Bootstrap records"s);
  EXPECT_EQ(framed({.body = protocol::FeatureLevelRecord{.name = "metadata.version", .feature_level = 30}}),
            "\x01\x0c\x00\x11"
            "metadata.version\x00\x1e\x00"s);
  EXPECT_EQ(
      framed({.body =
                  protocol::ConfigRecord{
                      .resource_type = 4, .resource_name = "", .name = "min.insync.replicas", .value = "1"}}),
      "\x01\x04\x00\x04\x01\x14"
      "min.insync.replicas\x02\x31\x00"s);
}

TEST(MetadataRecord, EveryTypeComesBackAsItself) {
  const auto round_trip = []<class Body>(const Body& body) {
    Arena arena;
    const MetadataRecord record{.body = body, .version = Body::kInfo.max_version};
    const auto decoded = decode_metadata_record(encode_metadata_record(record, arena), arena);
    ASSERT_TRUE(decoded) << Body::kInfo.name << ": " << decoded.error().why;
    EXPECT_EQ(record_type(*decoded), Body::kInfo.key);
    EXPECT_EQ(decoded->version, Body::kInfo.max_version);
    EXPECT_TRUE(std::holds_alternative<Body>(decoded->body));
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (round_trip(std::variant_alternative_t<I, MetadataRecordBody>{}), ...);
  }(std::make_index_sequence<std::variant_size_v<MetadataRecordBody>>());
}

TEST(MetadataRecord, TypesAreDistinct) {
  std::vector<std::int16_t> keys;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (keys.push_back(std::variant_alternative_t<I, MetadataRecordBody>::kInfo.key), ...);
  }(std::make_index_sequence<std::variant_size_v<MetadataRecordBody>>());
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
  EXPECT_EQ(keys.size(), 27u);
}

std::string refusal(std::string_view bytes) {
  Arena arena;
  const auto decoded = decode_metadata_record(as_bytes(bytes), arena);
  if (decoded) return "accepted";
  EXPECT_EQ(decoded.error().code, ErrorCode::kCorruptMessage);
  return decoded.error().why;
}

TEST(MetadataRecord, RefusesWhatItDoesNotKnow) {
  using namespace std::string_literals;
  EXPECT_EQ(refusal(""), "metadata record is shorter than its frame");
  EXPECT_EQ(refusal("\x01\x14"s), "metadata record is shorter than its frame");
  EXPECT_EQ(refusal("\x00\x14\x00\x00"s), "metadata record has an unknown frame version");
  EXPECT_EQ(refusal("\x02\x14\x00\x00"s), "metadata record has an unknown frame version");
  EXPECT_EQ(refusal("\x01\x06\x00\x00"s), "metadata record has an unknown type");
  EXPECT_EQ(refusal("\x01\xff\xff\x03\x00\x00"s), "metadata record has an unknown type");
  EXPECT_EQ(refusal("\x01\x14\x01\x00"s), "metadata record has a version that its type does not have");
  EXPECT_EQ(refusal("\x01\x14\x00\x00\x00"s), "metadata record is longer than its fields");
}

TEST(MetadataRecord, RefusesEveryTruncation) {
  Arena arena;
  const BytesView whole = encode_metadata_record(
      {.body = protocol::TopicRecord{.name = "orders", .topic_id = Uuid::from_halves(1, 2)}}, arena);
  ASSERT_TRUE(decode_metadata_record(whole, arena));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_metadata_record(whole.first(size), arena)) << size;
  }
}

}  // namespace
}  // namespace milena::controller
