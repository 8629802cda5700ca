// Segments: those that Kafka wrote, the broker's own records, damage, and what a live log looks like.
#include "broker/wire/segment_printer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "protocol/compression.h"
#include "protocol/control_record.h"
#include "protocol/hex.h"
#include "protocol/record_batch_builder.h"

namespace milena::wire {
namespace {

using Bytes = std::vector<std::byte>;

struct Printed {
  std::size_t problems = 0;
  std::vector<boost::json::value> lines = {};
};

Printed print(Bytes bytes, LogKind log) {
  std::string text;
  JsonWriter json(JsonStyle::kOneLine, [&](std::string_view piece) { text += piece; });
  Input input = Input::of(std::move(bytes));
  Printed out{.problems = print_segment(input, json, log)};
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    out.lines.push_back(boost::json::parse(text.substr(at, end - at)));
  return out;
}

Bytes kafka_file(const std::string& name) {
  std::ifstream in("controller/testdata/kafka-4.3.1/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const BytesView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes batch(std::int64_t offset, std::string_view value,
            protocol::CompressionType compression = protocol::CompressionType::kNone) {
  protocol::RecordBatchBuilder builder({.base_offset = offset, .compression = compression});
  builder.append(1'700'000'000'000, std::nullopt, as_bytes(value));
  return builder.build();
}

std::int64_t number(const boost::json::value& line, std::string_view pointer) {
  return line.at_pointer({pointer.data(), pointer.size()}).to_number<std::int64_t>();
}
std::string text(const boost::json::value& line, std::string_view pointer) {
  return boost::json::serialize(line.at_pointer({pointer.data(), pointer.size()}));
}
bool has(const boost::json::value& line, std::string_view name) {
  return line.as_object().contains({name.data(), name.size()});
}

TEST(SegmentPrinter, DecodesAMetadataLogThatKafkaWrote) {
  const Printed log = print(kafka_file("00000000000000000000.log"), LogKind::kMetadata);
  EXPECT_EQ(log.problems, 0u);
  ASSERT_FALSE(log.lines.empty());
  EXPECT_EQ(text(log.lines[0], "/records/2/value/data/voters/0/endpoints/0/host"), "\"127.0.0.1\"");
  EXPECT_EQ(
      text(log.lines[1], "/records/1/value"),
      R"({"type":"FEATURE_LEVEL_RECORD","version":0,"data":{"name":"metadata.version","featureLevel":30}})");
  std::int64_t records = 0;
  for (const auto& line : log.lines) {
    records += number(line, "/recordCount");
    EXPECT_EQ(line.at("records").as_array().size(), static_cast<std::size_t>(number(line, "/recordCount")));
    EXPECT_EQ(text(line, "/crcIsValid"), "true");
  }
  EXPECT_EQ(number(log.lines.back(), "/lastOffset"), 62);
  EXPECT_EQ(records, 63);
}

TEST(SegmentPrinter, DecodesSnapshotsThatKafkaWrote) {
  for (const char* name : {"00000000000000000000-0000000000.checkpoint",
                           "00000000000000000055-0000000002.checkpoint", "bootstrap.checkpoint"}) {
    const Printed snapshot = print(kafka_file(name), log_kind_of(name));
    EXPECT_EQ(snapshot.problems, 0u) << name;
    EXPECT_EQ(text(snapshot.lines.front(), "/records/0/key/typeName"), "\"SNAPSHOT_HEADER\"");
  }
}

TEST(SegmentPrinter, PrintsRecordsOfAnyCompression) {
  using protocol::CompressionType;
  for (const auto type : {CompressionType::kNone, CompressionType::kGzip, CompressionType::kSnappy,
                          CompressionType::kLz4, CompressionType::kZstd}) {
    protocol::RecordBatchBuilder builder({.base_offset = 7,
                                          .compression = type,
                                          .producer_id = 4,
                                          .producer_epoch = 1,
                                          .base_sequence = 2,
                                          .transactional = true});
    const protocol::RecordHeader headers[] = {{"h", as_bytes("1")}, {"null", std::nullopt}};
    builder.append(1'700'000'000'000, as_bytes("k"), as_bytes("v"), headers);
    builder.append(1'700'000'000'005, as_bytes(std::string_view("\0", 1)), std::nullopt);
    const Printed printed = print(builder.build(), LogKind::kPlain);
    EXPECT_EQ(printed.problems, 0u);
    ASSERT_EQ(printed.lines.size(), 1u);
    EXPECT_EQ(text(printed.lines[0], "/compression"),
              '"' + std::string(protocol::compression_name(type)) + '"');
    EXPECT_EQ(number(printed.lines[0], "/lastOffset"), 8);
    EXPECT_EQ(text(printed.lines[0], "/isTransactional"), "true");
    EXPECT_EQ(
        text(printed.lines[0], "/records"),
        R"([{"offset":7,"timestamp":1700000000000,"key":"k","value":"v","headers":[{"key":"h","value":"1"},)"
        R"({"key":"null","value":null}]},)"
        R"({"offset":8,"timestamp":1700000000005,"key":{"base64":"AA=="},"value":null,"headers":[]}])");
  }
}

Bytes hex(std::string_view digits) { return *protocol::from_hex(digits); }

Printed print_record(LogKind log, std::string_view key, std::optional<std::string_view> value) {
  protocol::RecordBatchBuilder builder;
  const Bytes key_bytes = hex(key);
  const Bytes value_bytes = hex(value.value_or(""));
  builder.append(0, key_bytes, value ? std::optional<BytesView>(value_bytes) : std::nullopt);
  return print(builder.build(), log);
}

TEST(SegmentPrinter, DecodesTheLogsOfCoordinators) {
  // A committed offset: type 1, group g, topic t, partition 3; version 3, offset 42, epoch 5, metadata "m".
  Printed one = print_record(LogKind::kOffsets, "0001 0001 67 0001 74 00000003",
                             "0003 000000000000002a 00000005 0001 6d 0000000000000009");
  EXPECT_EQ(one.problems, 0u);
  EXPECT_EQ(text(one.lines[0], "/records/0/key"),
            R"({"type":1,"typeName":"OffsetCommitKey","data":{"group":"g","topic":"t","partition":3}})");
  EXPECT_EQ(text(one.lines[0], "/records/0/value"),
            R"({"version":3,"data":{"offset":42,"leaderEpoch":5,"metadata":"m","commitTimestamp":9}})");
  one = print_record(LogKind::kOffsets, "0001 0001 67 0001 74 00000003", std::nullopt);
  EXPECT_EQ(one.problems, 0u);
  EXPECT_EQ(text(one.lines[0], "/records/0/value"), "null");
  // Type 0 means another record in the log of transactions.
  one = print_record(LogKind::kTransactions, "0000 0001 78", std::nullopt);
  EXPECT_EQ(text(one.lines[0], "/records/0/key"),
            R"({"type":0,"typeName":"TransactionLogKey","data":{"transactionalId":"x"}})");
}

TEST(SegmentPrinter, SaysWhichRecordsDoNotDecode) {
  Printed one = print_record(LogKind::kOffsets, "0063 00", "0000");
  EXPECT_EQ(one.problems, 1u);
  EXPECT_EQ(text(one.lines[0], "/records/0/key"),
            R"({"error":{"at":0,"why":"99 is no type of a record of this log"},"bytes":{"base64":"AGMA"}})");
  one = print_record(LogKind::kOffsets, "0001 0001 67 0001 74 00000003", "0003 0000");
  EXPECT_EQ(one.problems, 1u);
  EXPECT_EQ(text(one.lines[0], "/records/0/value"),
            R"({"version":3,"data":{},"error":{"at":2,"field":"offset","why":"8 bytes are needed, 2 are )"
            R"(left"},"bytes":{"base64":"AAMAAA=="}})");
  one = print_record(LogKind::kMetadata, "", "01 0c 00 02 61 0001 00 ff");
  EXPECT_EQ(one.problems, 1u);
  EXPECT_EQ(text(one.lines[0], "/records/0/value/error"), R"({"at":8,"why":"1 bytes follow the record"})");
  EXPECT_EQ(print_record(LogKind::kMetadata, "", "01 63 00").problems, 1u);
  EXPECT_EQ(print_record(LogKind::kMetadata, "", "02 0c 00").problems, 1u);
}

TEST(SegmentPrinter, DecodesMarkersInAnyLog) {
  const Printed marker = print(protocol::build_end_txn_marker({.producer_id = 1, .producer_epoch = 0}, 5,
                                                              protocol::ControlRecordType::kCommit, 3),
                               LogKind::kOffsets);
  EXPECT_EQ(marker.problems, 0u);
  EXPECT_EQ(text(marker.lines[0], "/records/0/key"), R"({"version":0,"type":1,"typeName":"COMMIT"})");
  EXPECT_EQ(text(marker.lines[0], "/records/0/value"), R"({"version":0,"data":{"coordinatorEpoch":3}})");
}

TEST(SegmentPrinter, DecodesTheValueOfAMetadataRecord) {
  const Printed value = print(hex("01 0c 00 02 61 0001 00"), LogKind::kMetadata);
  EXPECT_EQ(value.problems, 0u);
  ASSERT_EQ(value.lines.size(), 1u);
  EXPECT_EQ(boost::json::serialize(value.lines[0]),
            R"({"type":"FEATURE_LEVEL_RECORD","version":0,"data":{"name":"a","featureLevel":1}})");
}

TEST(SegmentPrinter, TakesZerosAtTheEndForReservedSpace) {
  const Bytes one = batch(0, "a");
  for (const std::size_t zeros : {1u, 60u, 61u, 3'000'000u}) {
    const Printed live = print(one + Bytes(zeros), LogKind::kPlain);
    EXPECT_EQ(live.problems, 0u) << zeros;
    ASSERT_EQ(live.lines.size(), 2u);
    EXPECT_EQ(number(live.lines[1], "/reservedBytes"), static_cast<std::int64_t>(zeros));
  }
}

TEST(SegmentPrinter, SaysWhereTheFileEndsWithinABatch) {
  const Bytes one = batch(0, "first");
  const Bytes two = batch(1, "second");
  for (const std::size_t size : {std::size_t{1}, std::size_t{60}, two.size() - 1}) {
    Bytes cut(two.begin(), two.begin() + static_cast<std::ptrdiff_t>(size));
    cut[0] = std::byte{1};  // or it would be a zero
    const Printed torn = print(one + cut, LogKind::kPlain);
    EXPECT_EQ(torn.problems, 1u);
    ASSERT_EQ(torn.lines.size(), 2u);
    EXPECT_EQ(number(torn.lines[1], "/error/at"), static_cast<std::int64_t>(one.size()));
    EXPECT_EQ(number(torn.lines[1], "/skippedBytes"), static_cast<std::int64_t>(size));
  }
}

TEST(SegmentPrinter, GoesOnBehindDamage) {
  const Bytes one = batch(0, "first"), two = batch(1, "second"), three = batch(2, "third");
  const auto damaged_at = [&](std::size_t where, std::byte to) {
    Bytes all = one + two + three;
    all[one.size() + where] = to;
    return print(std::move(all), LogKind::kPlain);
  };
  // Its length, its format, and zeros in its place: the third is found.
  Bytes zeros = one + Bytes(two.size()) + three;
  for (const Printed& printed : {damaged_at(8, std::byte{0x7f}), damaged_at(16, std::byte{9}),
                                 print(std::move(zeros), LogKind::kPlain)}) {
    EXPECT_EQ(printed.problems, 1u);
    ASSERT_EQ(printed.lines.size(), 3u);
    EXPECT_EQ(number(printed.lines[1], "/skippedBytes"), static_cast<std::int64_t>(two.size()));
    EXPECT_EQ(text(printed.lines[2], "/records/0/value"), "\"third\"");
  }
  // A byte of its value: it is printed, and the checksum said to be wrong.
  const Printed value = damaged_at(two.size() - 2, std::byte{'X'});
  EXPECT_EQ(value.problems, 1u);
  ASSERT_EQ(value.lines.size(), 3u);
  EXPECT_EQ(text(value.lines[1], "/crcIsValid"), "false");
  EXPECT_EQ(text(value.lines[1], "/records/0/value"), "\"seconX\"");
}

TEST(SegmentPrinter, SaysThatCompressedRecordsCannotBeRead) {
  Bytes bytes = batch(0, std::string(1000, 'a'), protocol::CompressionType::kZstd);
  bytes.back() ^= std::byte{0x55};
  bytes[70] ^= std::byte{0x55};
  const Printed printed = print(std::move(bytes), LogKind::kPlain);
  EXPECT_EQ(printed.problems, 1u);
  ASSERT_EQ(printed.lines.size(), 1u);
  EXPECT_TRUE(has(printed.lines[0], "error"));
}

TEST(SegmentPrinter, SurvivesDamageAtEveryByte) {
  const Bytes whole = kafka_file("00000000000000000000.log");
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    Bytes damaged = whole;
    damaged[at] ^= std::byte{0xff};
    EXPECT_GT(print(std::move(damaged), LogKind::kMetadata).lines.size(), 1u) << at;
  }
}

TEST(SegmentPrinter, KnowsTheLogByItsDirectory) {
  EXPECT_EQ(log_kind_of("/d/__cluster_metadata-0/00000000000000000000.log"), LogKind::kMetadata);
  EXPECT_EQ(log_kind_of("/d/00000000000000000055-0000000002.checkpoint"), LogKind::kMetadata);
  EXPECT_EQ(log_kind_of("__consumer_offsets-12/00000000000000000000.log"), LogKind::kOffsets);
  EXPECT_EQ(log_kind_of("/d/__transaction_state-3/0.log"), LogKind::kTransactions);
  EXPECT_EQ(log_kind_of("/d/__share_group_state-3/0.log"), LogKind::kShareState);
  EXPECT_EQ(log_kind_of("/d/orders-0/0.log"), LogKind::kPlain);
  EXPECT_EQ(log_kind_of("0.log"), LogKind::kPlain);
}

}  // namespace
}  // namespace milena::wire
