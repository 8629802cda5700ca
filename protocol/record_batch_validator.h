// What a leader checks before it appends a batch that a client produced, and the fields it sets in it.
//
// Runs on the connection's thread, before the partition's lock; `now` is an argument. The rules and error
// codes are Kafka 4.x's (ProduceRequest.validateRecords, UnifiedLog.analyzeAndValidateRecords, LogValidator),
// so that clients see what they know. Where a batch would pass Kafka's checks and then break its consumers,
// it is refused here; docs/formats/record_batch.md lists those cases. A batch from another replica needs only
// its checksum.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/compression.h"
#include "protocol/record_batch.h"

namespace milena::protocol {

// The topic's configuration and the request, as far as they concern a batch. Defaults are Kafka's.
struct BatchRules {
  // Of the request; zstd needs 7 (KIP-110).
  std::int16_t produce_version = 0;
  // cleanup.policy contains "compact": every record needs a key.
  bool compacted = false;
  // message.timestamp.type, and how far a client's time may lie from now.
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::int64_t timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t timestamp_after_max_ms = 3'600'000;
  // max.message.bytes: of the whole batch, as it was sent and as it is stored.
  std::int32_t max_message_bytes = 1'048'588;
  // compression.type; empty means "producer": the client's choice is kept.
  std::optional<CompressionType> compression = {};
  // How far a compressed batch may unfold.
  DecompressionLimits decompression = {};
};

struct ValidatedBatch {
  MutableBytes bytes;     // the batch, patched: what to append once offset and leader epoch are set
  RecordBatchView batch;  // the same bytes, to read
  std::int64_t max_timestamp_ms = kNoTimestamp;
  std::int64_t log_append_time_ms = kNoTimestamp;  // for the response; kNoTimestamp with CreateTime
  bool needs_recompression = false;  // compression.type differs: append recompress_batch()'s result
};

// One bad record, as ProduceResponse reports it (KIP-467).
struct RecordError {
  std::int32_t batch_index = 0;
  std::string message;
};

// Errors of single records beyond this many are counted, not described.
inline constexpr std::size_t kMaxRecordErrors = 1000;

struct BatchRejection {
  BatchRejection(Error because) : error(because) {}  // NOLINT(google-explicit-constructor)
  Error error;
  std::vector<RecordError> record_errors;
  // The records field as such is wrong; Kafka refuses that with the request, before it looks at the
  // partition.
  bool is_of_request = false;
};

// Checks the records field of one partition of a produce request and sets timestamp type, maximum timestamp
// and checksum where they must change. A batch that is cut off behind the first is dropped, as Kafka does.
//   kInvalidRecord                 structure, offsets, counts, keys, control or stray flags, format before v2
//   kCorruptMessage                checksum, impossible length, unknown magic byte
//   kInvalidTimestamp              at least one record outside the window, or LogAppendTime set by the client
//   kMessageTooLarge               max.message.bytes, or beyond DecompressionLimits
//   kUnsupportedCompressionType    zstd in an old request, codecs 5-7
std::expected<ValidatedBatch, BatchRejection> validate_produced_batch(MutableBytes records,
                                                                      const BatchRules& rules,
                                                                      std::int64_t now_ms, Codecs& codecs);

// Writes `batch`, which was validated under `rules`, into `out` with its records compressed by
// rules.compression, which is set. `level`: empty for the codec's standard. kMessageTooLarge: the result
// exceeds max.message.bytes; Kafka checks the size again, too.
Status recompress_batch(const RecordBatchView& batch, const BatchRules& rules, std::optional<int> level,
                        Codecs& codecs, std::vector<std::byte>& out);

}  // namespace milena::protocol
