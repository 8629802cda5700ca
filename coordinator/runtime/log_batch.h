// The record batches of an internal log: how a shard's records become one, and how they are read back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "coordinator/runtime/outcome.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"
#include "protocol/types.h"

namespace milena::coordinator {

// One record as replay sees it. Views: valid during the call.
struct LogRecord {
  protocol::Offset offset = protocol::kNoOffset;
  protocol::ProducerId producer =
      protocol::kNoProducerId;  // set: counts once the producer's marker says commit
  BytesView key;
  std::optional<BytesView> value;  // none: a tombstone
};

// How many of `records`, from the first on, go into one batch of at most max_bytes.
// Error: kMessageTooLarge if `all` were asked for and do not fit, or the first alone does not.
Result<std::size_t> records_that_fit(std::span<const EncodedRecord> records, std::size_t max_bytes, bool all);

// One batch, with base offset 0 and no leader epoch. `builder` is reset.
std::vector<std::byte> build_log_batch(protocol::RecordBatchBuilder& builder,
                                       std::span<const EncodedRecord> records, std::int64_t timestamp_ms,
                                       const std::optional<TransactionalProducer>& producer);

struct LogReadHandlers {
  std::function<void(const LogRecord&)> record;
  // A transaction's end. No other control record concerns a machine.
  std::function<void(protocol::ProducerId, bool committed)> marker;
};

// Hands over whole batches, compressed or not, record by record; records without a key are skipped, for no
// machine could have written them. Sets `end` to the offset after each batch that was read. Errors:
// kCorruptMessage, kInvalidRecord and those of decompression; what came before has been handed over.
Status read_log_batches(BytesView batches, const LogReadHandlers& handlers, protocol::Offset& end);

// The error a client sees when the append behind its request failed. Partition errors make no sense to one
// that talks to a coordinator: it is told to look for the coordinator again, or to retry.
ErrorCode client_error_of_append(ErrorCode append_error);

}  // namespace milena::coordinator
