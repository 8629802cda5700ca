// Prints keys, values and headers of records: as text or base64, or decoded where the broker itself wrote
// them.
//
// What does not decode is printed as bytes beside the error, whose `at` counts from the start of the key or
// value. Not thread-safe.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "broker/wire/json_writer.h"
#include "broker/wire/message_printer.h"
#include "protocol/record_batch_records.h"

namespace milena::wire {

enum class RecordMeaning {
  kBytes,
  kControl,            // the broker's marks between the records of any log
  kMetadata,           // of __cluster_metadata
  kGroupRecord,        // of __consumer_offsets
  kTransactionRecord,  // of __transaction_state
  kShareRecord,        // of __share_group_state
};

RecordMeaning meaning_of(LogKind log);

class RecordPrinter {
 public:
  RecordPrinter(JsonWriter& json, RecordMeaning meaning) : json_(json), meaning_(meaning) {}

  // Prints the fields "key", "value" and "headers" into an open object. False if something does not decode.
  bool print(const protocol::RecordView& record);
  // Prints the value of a record of __cluster_metadata.
  bool print_metadata(BytesView value);

 private:
  using OptionalBytes = std::optional<BytesView>;

  void plain(const OptionalBytes& bytes);
  void headers(protocol::RecordHeaders headers);
  bool coordinator(const OptionalBytes& key, const OptionalBytes& value, protocol::RecordLog log);
  bool control(const OptionalBytes& key, const OptionalBytes& value);
  bool control_value(std::int16_t type, BytesView value);
  // "data": the message, in an open object, which is closed then. Bytes behind it are an error where they
  // must not be.
  bool data(const protocol::SchemaMessage& message, int version, ByteReader in, BytesView all);
  bool failed(const PrintError& error, BytesView bytes);

  JsonWriter& json_;
  RecordMeaning meaning_;
};

}  // namespace milena::wire
