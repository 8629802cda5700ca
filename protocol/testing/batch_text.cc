#include "protocol/testing/batch_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <sstream>

#include "protocol/control_record.h"
#include "protocol/error_code.h"
#include "protocol/hex.h"
#include "protocol/record_batch_builder.h"
#include "protocol/record_batch_records.h"
#include "protocol/record_batch_validator.h"

namespace milena::protocol::testing {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::int64_t kNow = 1'700'000'000'000;

std::string nullable(const std::optional<BytesView>& bytes) { return bytes ? "=" + to_hex(*bytes) : "null"; }

Status write_records(const RecordBatchView& batch, std::ostream& out) {
  Decompressor decompressor;
  Bytes buffer;
  MILENA_TRY(auto records, read_records(batch, decompressor, buffer));
  for (;;) {
    MILENA_TRY(auto record, records.next());
    if (!record) return {};
    out << " | " << record->offset(batch).value << ' ' << record->timestamp(batch) << ' '
        << nullable(record->key) << ' ' << nullable(record->value);
    while (const auto header = record->headers.next()) {
      out << ' ' << to_hex(as_bytes(header->key)) << ':' << (header->value ? to_hex(*header->value) : "null");
    }
  }
}

std::optional<std::string> random_text(Rng& rng, std::uint64_t bound) {
  if (rng.one_in(5)) return std::nullopt;
  std::string text(rng.below(bound), 'x');
  if (rng.one_in(2)) {
    for (auto& c : text) c = static_cast<char>(rng.next());
  }
  return text;
}

std::optional<BytesView> view(const std::optional<std::string>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

BatchSettings random_settings(Rng& rng) {
  BatchSettings settings;
  settings.partition_leader_epoch = static_cast<std::int32_t>(rng.below(5)) - 1;
  settings.compression = static_cast<CompressionType>(rng.below(5));
  const auto levels = compression_levels(settings.compression);
  if (levels.highest > 0) {
    settings.compression_level = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(levels.highest)));
  }
  if (rng.one_in(3)) {
    constexpr auto kLast = std::numeric_limits<std::int32_t>::max();
    settings.producer_id = static_cast<std::int64_t>(rng.below(1 << 20));
    settings.producer_epoch = static_cast<std::int16_t>(rng.below(100));
    settings.base_sequence = rng.one_in(4) ? kLast - static_cast<std::int32_t>(rng.below(3))
                                           : static_cast<std::int32_t>(rng.below(1000));
    settings.transactional = rng.one_in(2);
  }
  return settings;
}

Bytes data_batch(Rng& rng, const BatchSettings& settings) {
  RecordBatchBuilder builder(settings);
  for (std::uint64_t n = 1 + rng.below(6); n > 0; --n) {
    const auto key = random_text(rng, 12), value = random_text(rng, 60), header_value = random_text(rng, 9);
    std::vector<RecordHeader> headers;
    if (rng.one_in(3)) headers.assign(rng.below(3), {"h\xc3\xa9", view(header_value)});
    const auto timestamp = kNow + static_cast<std::int64_t>(rng.below(2000)) - 1000;
    builder.append(rng.one_in(20) ? kNoTimestamp : timestamp, view(key), view(value), headers);
  }
  return builder.build();
}

// Compresses the payload of an uncompressed batch.
Bytes packed(const Bytes& plain, CompressionType type) {
  Bytes out(plain.begin(), plain.begin() + kBatchHeaderBytes);
  Compressor compressor;
  compressor.begin(type, compression_levels(type).standard, out);
  compressor.finish(BytesView(plain).subspan(kBatchHeaderBytes));
  const BatchAttributes attributes{load_be<std::uint16_t>(plain.data() + BatchLayout::kAttributes)};
  store_be(out.data() + BatchLayout::kAttributes,
           static_cast<std::uint16_t>(attributes.bits | static_cast<std::uint16_t>(type)));
  return out;
}

void make_whole(Bytes& bytes) {
  store_be(bytes.data() + BatchLayout::kLength, static_cast<std::int32_t>(bytes.size() - kBatchPrefixBytes));
  set_crc(bytes);
}

// A number as a hostile writer would choose it.
std::int64_t edge(Rng& rng) {
  constexpr std::array<std::int64_t, 12> kEdges = {0,
                                                   1,
                                                   -1,
                                                   -2,
                                                   5,
                                                   127,
                                                   128,
                                                   0x7fffffff,
                                                   -0x80000000LL,
                                                   std::numeric_limits<std::int64_t>::max(),
                                                   std::numeric_limits<std::int64_t>::min(),
                                                   kNow + 4'000'000};
  return kEdges[rng.below(kEdges.size())];
}

void spoil_header(Rng& rng, Bytes& bytes) {
  const std::int64_t value = edge(rng);
  std::byte* const at = bytes.data();
  switch (rng.below(10)) {
    case 0:
      return store_be(at + BatchLayout::kBaseOffset, value);
    case 1:
      return store_be(at + BatchLayout::kMagic, static_cast<std::int8_t>(value));
    case 2:
      return store_be(at + BatchLayout::kAttributes, static_cast<std::uint16_t>(1u << rng.below(9)));
    case 3:
      return store_be(at + BatchLayout::kLastOffsetDelta, static_cast<std::int32_t>(value));
    case 4:
      return store_be(at + BatchLayout::kBaseTimestamp, value);
    case 5:
      return store_be(at + BatchLayout::kMaxTimestamp, value);
    case 6:
      return store_be(at + BatchLayout::kProducerId, value);
    case 7:
      return store_be(at + BatchLayout::kProducerEpoch, static_cast<std::int16_t>(value));
    case 8:
      return store_be(at + BatchLayout::kBaseSequence, static_cast<std::int32_t>(value));
    default:
      return store_be(at + BatchLayout::kRecordCount, static_cast<std::int32_t>(value));
  }
}

void spoil_payload(Rng& rng, Bytes& bytes) {
  if (bytes.size() == kBatchHeaderBytes) return;
  const std::size_t at = kBatchHeaderBytes + rng.below(bytes.size() - kBatchHeaderBytes);
  switch (rng.below(4)) {
    case 0:
      bytes.resize(at);
      break;
    case 1:
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::byte>(rng.below(256)));
      break;
    default:
      bytes[at] = static_cast<std::byte>(rng.one_in(2) ? rng.below(4) : rng.below(256));
  }
}

std::string random_rules(Rng& rng) {
  constexpr std::array<std::string_view, 6> kTopicCodecs = {"none", "gzip", "snappy",
                                                            "lz4",  "zstd", "producer"};
  std::ostringstream out;
  out << (rng.one_in(8) ? 6 : 12) << ',' << rng.one_in(3) << ',' << rng.one_in(4) << ','
      << (rng.one_in(2) ? 500 : std::numeric_limits<std::int64_t>::max()) << ",3600000,"
      << (rng.one_in(10) ? 100 : 1'048'588) << ',' << kTopicCodecs[rng.one_in(2) ? 5 : rng.below(6)];
  return out.str();
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

template <class T>
T number(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

BatchRules parse_rules(std::string_view text) {
  const auto parts = split(text, ',');
  return {.produce_version = number<std::int16_t>(parts.at(0)),
          .compacted = parts.at(1) == "1",
          .timestamp_type = parts.at(2) == "1" ? TimestampType::kLogAppendTime : TimestampType::kCreateTime,
          .timestamp_before_max_ms = number<std::int64_t>(parts.at(3)),
          .timestamp_after_max_ms = number<std::int64_t>(parts.at(4)),
          .max_message_bytes = number<std::int32_t>(parts.at(5)),
          .compression = compression_by_name(parts.at(6))};
}

struct Ours {
  std::string verdict;  // as Kafka's would be written
  std::string why;
  bool offsets_refused = false;
};

Ours judge(const BatchRules& rules, Bytes bytes) {
  Codecs codecs;
  const auto result = validate_produced_batch(bytes, rules, kNow, codecs);
  BatchRejection rejection{Error{}};
  if (result) {
    if (!result->needs_recompression) return {"ok " + batch_text(result->batch), ""};
    Bytes out;
    const auto status = recompress_batch(result->batch, rules, std::nullopt, codecs, out);
    if (status) return {"ok " + batch_text(RecordBatchView::parse(out).value()), ""};
    rejection = status.error();
  } else {
    rejection = result.error();
  }
  Ours ours;
  std::string indexes;
  for (const auto& error : rejection.record_errors) {
    indexes += (indexes.empty() ? "" : ",") + std::to_string(error.batch_index);
    ours.offsets_refused |= error.message.starts_with("offset delta");
  }
  ours.verdict = "error " + std::to_string(static_cast<int>(rejection.error.code)) + " " +
                 (indexes.empty() ? "-" : indexes);
  ours.why = rejection.error.why;
  return ours;
}

// Reasons for which we refuse what Kafka stores.
bool is_stricter_on_purpose(const Ours& ours) {
  constexpr std::array<std::string_view, 13> kReasons = {
      "clients may not set a delete horizon",
      "producer id without sequence or epoch",
      "transactional batch without producer id",
      "record has an impossible length",
      "record is longer than its fields",
      "record is shorter than its fields",
      "record key has an impossible length",
      "record value has an impossible length",
      "record header has an impossible length",
      "record has an impossible number of headers",
      "records end within a record",
      "snappy stream ends early",
      "bytes after the lz4 frame",
  };
  return ours.offsets_refused || std::ranges::find(kReasons, ours.why) != kReasons.end();
}

}  // namespace

std::string batch_text(const RecordBatchView& batch) {
  std::ostringstream out;
  out << "offsets=" << batch.base_offset().value << ".." << batch.last_offset().value
      << " leader_epoch=" << batch.partition_leader_epoch().value
      << " codec=" << compression_name(batch.compression())
      << " time=" << (batch.timestamp_type() == TimestampType::kCreateTime ? "CreateTime" : "LogAppendTime")
      << " max_timestamp=" << batch.max_timestamp() << " producer=" << batch.producer_id().value << '/'
      << batch.producer_epoch() << '/' << (batch.base_sequence() < 0 ? kNoSequence : batch.base_sequence())
      << ".." << batch.last_sequence() << (batch.is_transactional() ? " transactional" : "")
      << (batch.is_control() ? " control" : "");
  if (const auto horizon = batch.delete_horizon_ms()) out << " delete_horizon=" << *horizon;
  out << (batch.crc_matches() ? " sound" : " broken");
  if (const auto status = write_records(batch, out); !status) {
    return std::string("unreadable: ") + status.error().why;
  }
  return out.str();
}

std::vector<std::byte> random_batch(Rng& rng) {
  BatchSettings settings = random_settings(rng);
  settings.base_offset = rng.one_in(3) ? 0 : static_cast<std::int64_t>(rng.below(1 << 30));
  if (rng.one_in(8)) {
    settings.compression_level.reset();
    settings.compression = CompressionType::kNone;
    const auto type = rng.one_in(2) ? ControlRecordType::kCommit : ControlRecordType::kAbort;
    return build_end_txn_marker(settings, kNow, type, static_cast<std::int32_t>(rng.below(50)));
  }
  if (rng.one_in(4)) settings.log_append_time_ms = kNow + 77;
  if (rng.one_in(8)) settings.delete_horizon_ms = kNow - 5000;
  return data_batch(rng, settings);
}

std::string random_case(Rng& rng) {
  BatchSettings settings = random_settings(rng);
  const auto type = settings.compression;
  settings.compression = CompressionType::kNone;
  settings.compression_level.reset();
  Bytes bytes = data_batch(rng, settings);
  for (std::uint64_t n = rng.below(3); n > 0; --n) {
    if (rng.one_in(2)) {
      spoil_header(rng, bytes);
    } else {
      spoil_payload(rng, bytes);
    }
  }
  if (type != CompressionType::kNone) bytes = packed(bytes, type);
  if (rng.one_in(10)) spoil_payload(rng, bytes);  // the compressed stream itself
  make_whole(bytes);
  if (rng.one_in(10)) bytes[rng.below(bytes.size())] ^= std::byte{1};
  if (rng.one_in(10)) bytes.resize(rng.below(bytes.size() + 20));
  if (rng.one_in(20)) bytes.insert(bytes.end(), bytes.begin(), bytes.end());
  return random_rules(rng) + " " + to_hex(bytes);
}

std::string disagreement(std::string_view line) {
  const auto first = line.find(' ');
  const auto second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return "not a case: " + std::string(line);
  const BatchRules rules = parse_rules(line.substr(0, first));
  const auto bytes = from_hex(line.substr(first + 1, second - first - 1));
  if (!bytes) return "bad hex";
  const std::string kafka(line.substr(second + 1));
  const Ours ours = judge(rules, *bytes);
  if (ours.verdict == kafka) return {};
  const bool we_refuse = ours.verdict.starts_with("error");
  // What Kafka answers to whatever it did not foresee; among that, writing anew what it stores unchanged.
  if (kafka == "error -1 -") return {};
  if (we_refuse && is_stricter_on_purpose(ours)) return {};
  // Compressed anew, Kafka's batch is of another size.
  const bool too_large = kafka == "error 10 -" || ours.verdict == "error 10 -";
  if (rules.compression && too_large) return {};
  // Kafka's text shows header keys as UTF-8, with this in place of what is not.
  if (kafka.find(to_hex(as_bytes("\xef\xbf\xbd"))) != std::string::npos) return {};
  // The bit is cleared in both; Kafka keeps the batch's maximum, we take that of the records.
  const auto batch = RecordBatchView::parse(*bytes);
  const bool stamped_by_client = batch && batch->timestamp_type() == TimestampType::kLogAppendTime;
  if (stamped_by_client && rules.timestamp_type == TimestampType::kCreateTime) return {};
  return "Kafka: " + kafka + "\nours:  " + ours.verdict + " (" + ours.why + ")\n" +
         std::string(line.substr(0, second));
}

}  // namespace milena::protocol::testing
