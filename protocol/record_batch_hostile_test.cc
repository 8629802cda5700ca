// What a hostile client can put into a produce request. F14 to F19 are groups of a catalogue: header,
// attributes and producer, record, timestamps, compression, sizes.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "protocol/testing/batch_samples.h"

namespace milena::protocol::testing {
namespace {

TEST(HostileBatch, EveryByteFlipBehindTheLeadersFieldsIsRefused) {
  for (const auto type : kAll) {
    const Bytes bytes = sound(type);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      Bytes flipped = bytes;
      flipped[at] ^= std::byte{0x10};
      const bool leader_epoch = at >= BatchLayout::kLeaderEpoch && at < BatchLayout::kMagic;
      const auto expected = leader_epoch                      ? ErrorCode::kNone
                            : at < BatchLayout::kLength       ? ErrorCode::kInvalidRecord
                            : at >= BatchLayout::kLeaderEpoch ? ErrorCode::kCorruptMessage
                                                              : code_of(flipped);
      EXPECT_EQ(code_of(flipped), expected) << at;
      if (!leader_epoch) {
        EXPECT_NE(code_of(flipped), ErrorCode::kNone) << at;
      }
    }
  }
}

TEST(HostileBatch, EveryTruncationIsRefused) {
  for (const auto type : kAll) {
    const Bytes bytes = sound(type);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(code_of(cut), ErrorCode::kInvalidRecord) << n;
    }
  }
}

TEST(HostileBatch, RandomBytesBehindASoundHeaderAreRefused) {
  SeededRng rng(5);
  for (int round = 0; round < 2000; ++round) {
    Payload payload;
    for (std::uint64_t n = rng.below(60); n > 0; --n)
      payload.octet(static_cast<int>(rng.below(rng.one_in(2) ? 256 : 20)));
    Bytes bytes = batch_around(payload, 3, kAll[rng.below(5)]);
    EXPECT_EQ(code_of(bytes), ErrorCode::kInvalidRecord);
  }
}

TEST(HostileBatch, F14HeaderTable) {
  EXPECT_EQ(code_of({}), ErrorCode::kInvalidRecord);
  for (const std::int32_t length : {-1, kMinInt, 0, 13, 48}) {
    Bytes bytes = sound();
    store_be(bytes.data() + BatchLayout::kLength, length);
    EXPECT_EQ(code_of(bytes), ErrorCode::kCorruptMessage) << length;
  }
  for (const std::int32_t length : {kMaxInt, 1000}) {  // the rest "has not arrived"
    Bytes bytes = sound();
    store_be(bytes.data() + BatchLayout::kLength, length);
    EXPECT_EQ(code_of(bytes), ErrorCode::kInvalidRecord) << length;
  }
  for (const int magic : {0, 1}) {
    EXPECT_EQ(code_of(with(BatchLayout::kMagic, static_cast<std::int8_t>(magic))), ErrorCode::kInvalidRecord);
  }
  for (const int magic : {3, 127, -1}) {
    EXPECT_EQ(code_of(with(BatchLayout::kMagic, static_cast<std::int8_t>(magic))),
              ErrorCode::kCorruptMessage);
  }
  for (const std::int64_t offset : {std::int64_t{1}, std::int64_t{-1}, kMaxLong, kMinLong}) {
    EXPECT_EQ(code_of(with(BatchLayout::kBaseOffset, offset)), ErrorCode::kInvalidRecord);
  }
  for (const std::int32_t delta : {-1, kMinInt, 0, 1, 3, kMaxInt}) {
    EXPECT_EQ(code_of(with(BatchLayout::kLastOffsetDelta, delta)), ErrorCode::kInvalidRecord) << delta;
  }
  for (const std::int32_t count : {-1, 0, 2, 4, kMaxInt, kMinInt}) {
    EXPECT_EQ(code_of(with(BatchLayout::kRecordCount, count)), ErrorCode::kInvalidRecord) << count;
    // The offset range agrees with the lie.
    EXPECT_EQ(code_of(with(BatchLayout::kLastOffsetDelta, static_cast<std::int32_t>(std::int64_t{count} - 1),
                           with(BatchLayout::kRecordCount, count))),
              ErrorCode::kInvalidRecord)
        << count;
  }
  Bytes wrong_crc = sound();
  wrong_crc[BatchLayout::kCrc] ^= std::byte{1};
  EXPECT_EQ(code_of(wrong_crc), ErrorCode::kCorruptMessage);
}

Bytes flagged(std::uint16_t bits, ProducerId producer = kNoProducerId, std::int16_t epoch = -1,
              std::int32_t sequence = -1) {
  Bytes bytes = with(BatchLayout::kAttributes, bits);
  bytes = with(BatchLayout::kProducerId, producer.value, bytes);
  bytes = with(BatchLayout::kProducerEpoch, epoch, bytes);
  return with(BatchLayout::kBaseSequence, sequence, bytes);
}

TEST(HostileBatch, F15AttributesAndProducerTable) {
  for (const int codec : {5, 6, 7}) {
    EXPECT_EQ(code_of(flagged(static_cast<std::uint16_t>(codec))), ErrorCode::kUnsupportedCompressionType);
  }
  for (const int codec : {1, 2, 3, 4}) {  // says compressed, is not
    EXPECT_EQ(code_of(flagged(static_cast<std::uint16_t>(codec))), ErrorCode::kInvalidRecord) << codec;
  }
  EXPECT_EQ(code_of(flagged(BatchAttributes::kControl)), ErrorCode::kInvalidRecord);
  EXPECT_EQ(code_of(flagged(BatchAttributes::kDeleteHorizon)), ErrorCode::kInvalidRecord);
  EXPECT_EQ(code_of(flagged(0xff80)), ErrorCode::kNone) << "unused bits pass, as in Kafka";

  EXPECT_EQ(code_of(flagged(BatchAttributes::kTransactional)), ErrorCode::kInvalidRecord);
  EXPECT_EQ(code_of(flagged(BatchAttributes::kTransactional, 5, 0, 0)), ErrorCode::kNone);
  EXPECT_EQ(code_of(flagged(0, 5, 0, 0)), ErrorCode::kNone);
  EXPECT_EQ(code_of(flagged(0, 5, 0, kMaxInt)), ErrorCode::kNone) << "the sequence wraps within the batch";
  EXPECT_EQ(code_of(flagged(0, 5, -1, 0)), ErrorCode::kInvalidRecord);
  for (const std::int32_t sequence : {-1, -2, kMinInt}) {
    EXPECT_EQ(code_of(flagged(0, 5, 0, sequence)), ErrorCode::kInvalidRecord);
  }
  EXPECT_EQ(code_of(flagged(0, kMinLong, -7, -7)), ErrorCode::kNone) << "no producer id: the rest is ignored";
}

TEST(HostileBatch, F16RecordTable) {
  struct Case {
    const char* what;
    Payload payload;
    ErrorCode code = ErrorCode::kInvalidRecord;
    std::int32_t count = 1;
  };
  const auto tail = [](Payload p) {
    return p.varint(-1).varint(-1).varint(0);
  };  // null key and value, no headers
  const std::string long_key(1 << 20, 'k');
  std::vector<Case> cases;
  cases.push_back({"sound", Payload().record(tail(body())), ErrorCode::kNone});
  cases.push_back(
      {"record attributes are unused",
       Payload().record(Payload().octet(0xff).varlong(0).varint(0).varint(-1).varint(-1).varint(0)),
       ErrorCode::kNone});
  cases.push_back(
      {"empty key and value", Payload().record(body().varint(0).varint(0).varint(0)), ErrorCode::kNone});
  cases.push_back({"padded length varint",
                   Payload().octet(0x8e).octet(0x00).raw(tail(body()).octet(0).bytes()),
                   ErrorCode::kInvalidRecord});
  cases.push_back({"no records at all", Payload()});
  cases.push_back({"length negative", Payload().varint(-1).raw(tail(body()).bytes())});
  cases.push_back({"length smallest", Payload().varint(kMinInt).raw(tail(body()).bytes())});
  cases.push_back({"length zero", Payload().varint(0)});
  cases.push_back({"length beyond the batch", Payload().varint(100).raw(tail(body()).bytes())});
  cases.push_back({"length largest", Payload().varint(kMaxInt).raw(tail(body()).bytes())});
  cases.push_back(
      {"length too long a varint",
       Payload().octet(0xff).octet(0xff).octet(0xff).octet(0xff).octet(0xff).octet(0xff).octet(0)});
  cases.push_back({"bytes after the fields", Payload().record(tail(body()).octet(0))});
  cases.push_back({"bytes after the last record", Payload().record(tail(body())).octet(0)});
  cases.push_back({"offset delta not dense", Payload().record(tail(body(1)))});
  cases.push_back({"offset delta negative", Payload().record(tail(body(-1)))});
  cases.push_back({"offset delta repeated", Payload().record(tail(body(0))).record(tail(body(0))),
                   ErrorCode::kInvalidRecord, 2});
  cases.push_back({"offset deltas swapped", Payload().record(tail(body(1))).record(tail(body(0))),
                   ErrorCode::kInvalidRecord, 2});
  cases.push_back({"timestamp delta wraps into the far past", Payload().record(tail(body(0, kMaxLong))),
                   ErrorCode::kInvalidTimestamp});
  cases.push_back(
      {"timestamp delta smallest", Payload().record(tail(body(0, kMinLong))), ErrorCode::kInvalidTimestamp});
  cases.push_back({"timestamp delta too long a varlong",
                   Payload().record(Payload()
                                        .octet(0)
                                        .text("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
                                        .varint(0)
                                        .varint(-1)
                                        .varint(-1)
                                        .varint(0))});
  cases.push_back({"key length -2", Payload().record(body().varint(-2).varint(-1).varint(0))});
  cases.push_back({"key length beyond the record", Payload().record(body().varint(50).varint(-1).varint(0))});
  cases.push_back({"key length largest", Payload().record(body().varint(kMaxInt).varint(-1).varint(0))});
  cases.push_back({"value length -2", Payload().record(body().varint(-1).varint(-2).varint(0))});
  cases.push_back(
      {"value length beyond the record", Payload().record(body().varint(-1).varint(9).varint(0))});
  cases.push_back({"header count missing", Payload().record(body().varint(-1).varint(-1))});
  cases.push_back({"header count negative", Payload().record(body().varint(-1).varint(-1).varint(-1))});
  cases.push_back({"header count 10^7", Payload().record(body().varint(-1).varint(-1).varint(10'000'000))});
  cases.push_back(
      {"header key null", Payload().record(body().varint(-1).varint(-1).varint(1).varint(-1).varint(-1))});
  cases.push_back({"header key beyond the record",
                   Payload().record(body().varint(-1).varint(-1).varint(1).varint(9).varint(-1))});
  cases.push_back({"header value null",
                   Payload().record(body().varint(-1).varint(-1).varint(1).varint(1).text("h").varint(-1)),
                   ErrorCode::kNone});
  cases.push_back({"header value length -2",
                   Payload().record(body().varint(-1).varint(-1).varint(1).varint(1).text("h").varint(-2))});
  cases.push_back({"key of a MiB",
                   Payload().record(body().varint(1 << 20).text(long_key).varint(-1).varint(0)),
                   ErrorCode::kNone});
  cases.push_back(
      {"key of a MiB, cut", Payload().varint(1 << 20).raw(body().varint(1 << 20).text(long_key).bytes())});
  cases.push_back({"large record, bytes after the fields",
                   Payload().record(body().varint(1 << 20).text(long_key).varint(-1).varint(0).octet(0))});
  cases.push_back({"large record, value beyond it",
                   Payload().record(body().varint(1 << 20).text(long_key).varint(7).varint(0))});
  cases.push_back(
      {"large record, header",
       Payload().record(
           body().varint(-1).varint(1 << 20).text(long_key).varint(1).varint(1).text("h").varint(1).text(
               "v")),
       ErrorCode::kNone});
  cases.push_back({"large record, varint cut",
                   Payload().record(body().varint(1 << 20).text(long_key).varint(-1).octet(0x80))});
  BatchRules roomy = kRules;
  roomy.max_message_bytes = 4 << 20;
  for (const auto type : kAll) {
    for (const auto& c : cases) {
      Bytes bytes = batch_around(c.payload, c.count, type);
      const auto outcome = validate(bytes, roomy);
      EXPECT_EQ(outcome.code, c.code) << c.what << ", " << compression_name(type) << ": " << outcome.why;
    }
  }
}

TEST(HostileBatch, F17TimestampTable) {
  struct Case {
    std::int64_t timestamp;
    ErrorCode by_default;  // no bound into the past, an hour into the future
    ErrorCode within_a_day;
  };
  constexpr std::int64_t kHour = 3'600'000;
  constexpr std::int64_t kDay = 24 * kHour;
  constexpr auto kOk = ErrorCode::kNone;
  constexpr auto kBad = ErrorCode::kInvalidTimestamp;
  const Case cases[] = {
      {kNoTimestamp, kOk, kOk},
      {0, kOk, kBad},
      {-2, kOk, kBad},
      {kMinLong, kBad, kBad},
      {kMaxLong, kBad, kBad},
      {kNow, kOk, kOk},
      {kNow + kHour, kOk, kOk},
      {kNow + kHour + 1, kBad, kBad},
      {kNow - kDay, kOk, kOk},
      {kNow - kDay - 1, kOk, kBad},
      {kNow + 10 * 365 * kDay, kBad, kBad},
  };
  BatchRules within_a_day = kRules;
  within_a_day.timestamp_before_max_ms = kDay;
  for (const auto& c : cases) {
    for (const auto type : kAll) {
      RecordBatchBuilder builder({.compression = type});
      builder.append(c.timestamp, std::nullopt, as_bytes("v"));
      const Bytes bytes = builder.build();
      EXPECT_EQ(code_of(bytes), c.by_default) << c.timestamp;
      EXPECT_EQ(code_of(bytes, within_a_day), c.within_a_day) << c.timestamp;
      BatchRules stamping = within_a_day;
      stamping.timestamp_type = TimestampType::kLogAppendTime;
      EXPECT_EQ(code_of(bytes, stamping), ErrorCode::kNone) << "the client's time does not matter";
    }
  }
}

TEST(HostileBatch, F19SizeIsThatOfTheWholeBatch) {
  const Bytes bytes = sound();
  BatchRules rules = kRules;
  rules.max_message_bytes = static_cast<std::int32_t>(bytes.size());
  EXPECT_EQ(code_of(bytes, rules), ErrorCode::kNone);
  --rules.max_message_bytes;
  EXPECT_EQ(code_of(bytes, rules), ErrorCode::kMessageTooLarge);
  EXPECT_EQ(BatchRules{}.max_message_bytes, 1024 * 1024 + 12);
}

TEST(HostileBatch, F19AHundredThousandTinyRecordsPass) {
  BatchRules rules = kRules;
  rules.max_message_bytes = 8 << 20;
  for (const auto type : kAll) {
    RecordBatchBuilder builder({.compression = type});
    for (int i = 0; i < 100'000; ++i) builder.append(kNow, std::nullopt, std::nullopt);
    EXPECT_EQ(code_of(builder.build(), rules), ErrorCode::kNone);
  }
}

TEST(HostileBatch, F18CompressedBodiesThatAreNotOneSoundStream) {
  for (const auto type : kAll) {
    if (type == CompressionType::kNone) continue;
    const Bytes good = sound(type, 20);
    for (std::size_t cut = 1; cut < good.size() - kBatchHeaderBytes; ++cut) {
      Bytes bytes(good.begin(), good.end() - static_cast<std::ptrdiff_t>(cut));
      bytes = with(BatchLayout::kLength, static_cast<std::int32_t>(bytes.size() - kBatchPrefixBytes), bytes);
      EXPECT_EQ(code_of(bytes), ErrorCode::kInvalidRecord) << compression_name(type) << cut;
    }
    Bytes trailing = good;
    trailing.resize(good.size() + 5);
    trailing =
        with(BatchLayout::kLength, static_cast<std::int32_t>(trailing.size() - kBatchPrefixBytes), trailing);
    EXPECT_EQ(code_of(trailing), ErrorCode::kInvalidRecord) << compression_name(type);
  }
}

TEST(HostileBatch, F18AValueThatIsItselfABatchIsOpaque) {
  for (const auto type : kAll) {
    RecordBatchBuilder builder({.compression = type});
    const Bytes inner = sound(CompressionType::kGzip);
    builder.append(kNow, std::nullopt, BytesView(inner));
    EXPECT_EQ(code_of(builder.build()), ErrorCode::kNone);
  }
}

TEST(HostileBatch, F18ABombIsTooLargeAndAMegabyteOfEqualRecordsIsNot) {
  for (const auto type : {CompressionType::kGzip, CompressionType::kZstd}) {
    const Bytes zeros(16 << 20);
    RecordBatchBuilder builder({.compression = type});
    builder.append(kNow, std::nullopt, BytesView(zeros));
    EXPECT_EQ(code_of(builder.build()), ErrorCode::kNone) << "16 MiB in one batch";
    builder.reset({.compression = type});
    for (int i = 0; i < 5; ++i) builder.append(kNow, std::nullopt, BytesView(zeros));
    EXPECT_EQ(code_of(builder.build()), ErrorCode::kMessageTooLarge) << "80 MiB in one small batch";
  }
}

}  // namespace
}  // namespace milena::protocol::testing
