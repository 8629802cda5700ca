// The records inside a batch, read in place.
//
// RecordIterator walks uncompressed records; read_records() unfolds a compressed batch first. Views point
// into the batch or into the caller's buffer. Hostile bytes yield kInvalidRecord, never more.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/compression.h"
#include "protocol/record_batch.h"

namespace milena::protocol {

// A header of a record (KIP-82). Keys are UTF-8 by convention; neither Kafka nor we check that.
struct RecordHeader {
  std::string_view key;
  std::optional<BytesView> value = {};
};

// The headers of one record; what RecordIterator hands out has been checked, so reading them cannot fail.
class RecordHeaders {
 public:
  RecordHeaders() = default;
  RecordHeaders(std::int32_t count, BytesView bytes) : count_(count), rest_(bytes) {}

  std::int32_t remaining() const { return count_; }
  std::optional<RecordHeader> next();

 private:
  std::int32_t count_ = 0;
  BytesView rest_;
};

struct RecordView {
  std::uint8_t attributes = 0;  // unused by Kafka
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  std::optional<BytesView> key = {};
  std::optional<BytesView> value = {};
  RecordHeaders headers;

  Offset offset(const RecordBatchHeader& batch) const { return batch.base_offset() + offset_delta; }
  // The batch's own time where the broker set it (LogAppendTime).
  std::int64_t timestamp(const RecordBatchHeader& batch) const;
};

class RecordIterator {
 public:
  // `payload`: uncompressed records; `count`: how many the batch declares.
  RecordIterator(BytesView payload, std::int32_t count) : rest_(payload), left_(count) {}

  // Empty after the last record. kInvalidRecord: the bytes are not exactly `count` records.
  Result<std::optional<RecordView>> next();

 private:
  BytesView rest_;
  std::int32_t left_;
};

// An iterator over the records of any batch. A compressed one is unfolded into `buffer`, within `limits`.
// Errors: those of Decompressor.
Result<RecordIterator> read_records(const RecordBatchView& batch, Decompressor& decompressor,
                                    std::vector<std::byte>& buffer, const DecompressionLimits& limits = {});

}  // namespace milena::protocol
