// Prints record batches as JSON: header, checksum, and the records, decoded where the log is one of the
// broker's own.
//
// Hostile bytes are printed as far as they make sense. A compressed batch is unfolded in memory, at most
// kMaxPieceBytes of it. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "broker/wire/json_writer.h"
#include "broker/wire/message_printer.h"
#include "protocol/compression.h"
#include "protocol/record_batch.h"

namespace milena::wire {

class BatchPrinter {
 public:
  BatchPrinter(JsonWriter& json, LogKind log) : json_(json), log_(log) {}

  // Prints one object; `position` is that of the batch in the input. False if something is wrong with the
  // batch, which the object then says.
  bool print(const protocol::RecordBatchView& batch, std::uint64_t position);

 private:
  void header(const protocol::RecordBatchView& batch);
  bool records(const protocol::RecordBatchView& batch, std::uint64_t position);

  JsonWriter& json_;
  LogKind log_;
  protocol::Decompressor decompressor_;
  std::vector<std::byte> unfolded_;
};

// Prints the batches of a `records` field as an array. A batch that is cut off at its end is one that the
// broker has cut there, and no damage. Returns how many are damaged; what follows one that has no sound
// header is not read.
std::size_t print_batches(JsonWriter& json, LogKind log, BytesView bytes, std::uint64_t position);

}  // namespace milena::wire
