#include "broker/wire/batch_printer.h"

#include "broker/wire/input.h"
#include "broker/wire/record_printer.h"
#include "protocol/record_batch_records.h"

namespace milena::wire {

using protocol::RecordBatchView;

namespace {

std::string_view compression_text(protocol::CompressionType type) {
  const bool is_known = static_cast<std::size_t>(type) < protocol::kCompressionTypes;
  return is_known ? protocol::compression_name(type) : "unknown";
}

}  // namespace

bool BatchPrinter::print(const RecordBatchView& batch, std::uint64_t position) {
  json_.begin_object();
  json_.field("position", static_cast<std::int64_t>(position));
  header(batch);
  const bool is_sound = batch.crc_matches();
  json_.flag("crcIsValid", is_sound);
  const bool is_readable = records(batch, position);
  json_.end_object();
  return is_sound && is_readable;
}

void BatchPrinter::header(const RecordBatchView& batch) {
  json_.field("size", static_cast<std::int64_t>(batch.size_in_bytes()));
  json_.field("baseOffset", batch.base_offset().value);
  json_.field("lastOffset", batch.last_offset().value);
  json_.field("partitionLeaderEpoch", batch.partition_leader_epoch().value);
  json_.field("magic", protocol::kBatchMagic);
  json_.field("attributes", batch.attributes().bits);
  json_.field("compression", compression_text(batch.compression()));
  const bool is_create_time = batch.timestamp_type() == protocol::TimestampType::kCreateTime;
  json_.field("timestampType", is_create_time ? "CreateTime" : "LogAppendTime");
  json_.flag("isTransactional", batch.is_transactional());
  json_.flag("isControl", batch.is_control());
  if (const auto horizon = batch.delete_horizon_ms()) json_.field("deleteHorizonMs", *horizon);
  json_.field("lastOffsetDelta", batch.last_offset_delta());
  json_.field("baseTimestamp", batch.base_timestamp());
  json_.field("maxTimestamp", batch.max_timestamp());
  json_.field("producerId", batch.producer_id().value);
  json_.field("producerEpoch", batch.producer_epoch());
  json_.field("baseSequence", batch.base_sequence());
  json_.field("recordCount", batch.record_count());
  json_.field("crc", batch.crc());
}

bool BatchPrinter::records(const RecordBatchView& batch, std::uint64_t position) {
  const auto fail = [&](const char* why) {
    print_error(json_, {.at = position + protocol::kBatchHeaderBytes, .field = "records", .why = why});
    return false;
  };
  auto each = protocol::read_records(batch, decompressor_, unfolded_, {.max_output_bytes = kMaxPieceBytes});
  if (!each) return fail(each.error().why);
  RecordPrinter printer(json_, batch.is_control() ? RecordMeaning::kControl : meaning_of(log_));
  json_.key("records");
  json_.begin_array();
  bool is_fine = true;
  for (;;) {
    const auto record = each->next();
    if (!record || !*record) {
      json_.end_array();
      return record ? is_fine : fail(record.error().why);
    }
    json_.begin_object();
    json_.field("offset", (*record)->offset(batch).value);
    json_.field("timestamp", (*record)->timestamp(batch));
    is_fine &= printer.print(**record);
    json_.end_object();
  }
}

std::size_t print_batches(JsonWriter& json, LogKind log, BytesView bytes, std::uint64_t position) {
  BatchPrinter printer(json, log);
  protocol::BatchIterator batches(bytes);
  std::size_t damaged = 0;
  json.begin_array();
  for (;;) {
    const std::uint64_t at = position + bytes.size() - batches.rest().size();
    const auto batch = batches.next();
    if (batch && *batch) {
      damaged += !printer.print(**batch, at);
      continue;
    }
    if (batches.rest().empty()) break;
    json.begin_object();
    json.field("position", static_cast<std::int64_t>(at));
    if (batch) {
      json.field("cutOffBytes", static_cast<std::int64_t>(batches.rest().size()));
    } else {
      ++damaged;
      print_error(json, {.at = at, .why = batch.error().why});
    }
    json.end_object();
    break;
  }
  json.end_array();
  return damaged;
}

}  // namespace milena::wire
