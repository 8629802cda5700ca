// Feeds produce payloads to the validator. Byte 0 chooses the topic, byte 1 whether length and checksum are
// made right first (without that, nothing gets past the checksum); the rest is the payload.
//
// What was accepted must be what every reader can read: a batch that reads back whole, with dense offsets,
// and that the validator accepts again.
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "protocol/record_batch_records.h"
#include "protocol/record_batch_validator.h"

namespace {

using namespace milena;
using namespace milena::protocol;

constexpr std::int64_t kNow = 1'700'000'000'000;

BatchRules rules_of(std::uint8_t choice) {
  BatchRules rules;
  rules.produce_version = (choice & 1) != 0 ? 12 : 3;
  rules.compacted = (choice & 2) != 0;
  if ((choice & 4) != 0) rules.timestamp_type = TimestampType::kLogAppendTime;
  if ((choice & 8) != 0) rules.timestamp_before_max_ms = 1000;
  const int codec = choice >> 5;
  if (codec < 5) rules.compression = static_cast<CompressionType>(codec);
  // Small enough for a fuzzer's memory limit.
  rules.decompression.ratio_free_bytes = 8 << 20;
  rules.decompression.zstd_window_log = 25;
  return rules;
}

void make_plausible(MutableBytes bytes) {
  if (bytes.size() < kBatchHeaderBytes) return;
  store_be(bytes.data() + BatchLayout::kLength, static_cast<std::int32_t>(bytes.size() - kBatchPrefixBytes));
  set_crc(bytes);
}

void check_readable(const RecordBatchView& batch, const DecompressionLimits& limits, Codecs& codecs) {
  MILENA_ASSERT(batch.crc_matches(), "an accepted batch has the right checksum");
  std::vector<std::byte> buffer;
  auto records = read_records(batch, codecs.decompressor, buffer, limits);
  MILENA_ASSERT(records.has_value(), "an accepted batch can be unfolded");
  std::int32_t count = 0;
  for (;;) {
    const auto record = records->next();
    MILENA_ASSERT(record.has_value(), "every record of an accepted batch can be read");
    if (!*record) break;
    MILENA_ASSERT((*record)->offset_delta == count, "offsets are dense");
    auto headers = (*record)->headers;
    const std::int32_t declared = headers.remaining();
    std::int32_t seen = 0;
    while (headers.next()) ++seen;
    MILENA_ASSERT(seen == declared, "every header can be read");
    ++count;
  }
  MILENA_ASSERT(count == batch.record_count(), "as many records as declared");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const BatchRules rules = rules_of(data[0]);
  const auto* first = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> payload(first + 2, first + size);
  if ((data[1] & 1) != 0) make_plausible(payload);

  Codecs codecs;
  const auto accepted = validate_produced_batch(payload, rules, kNow, codecs);
  if (!accepted) return 0;
  check_readable(accepted->batch, rules.decompression, codecs);

  BatchRules plain;
  plain.produce_version = 12;
  plain.decompression = rules.decompression;
  std::vector<std::byte> again(accepted->bytes.begin(), accepted->bytes.end());
  if (rules.timestamp_type == TimestampType::kCreateTime) {
    const auto second = validate_produced_batch(again, plain, kNow, codecs);
    MILENA_ASSERT(second.has_value(), "accepted once, accepted again");
    MILENA_ASSERT(second->max_timestamp_ms == accepted->max_timestamp_ms, "nothing left to correct");
  }
  if (accepted->needs_recompression) {
    std::vector<std::byte> out;
    if (recompress_batch(accepted->batch, rules, std::nullopt, codecs, out)) {
      // Our own output may shrink better than the limits for foreign input allow; this input is at most 8
      // MiB.
      check_readable(RecordBatchView::parse(out).value(), {}, codecs);
    }
  }
  return 0;
}
