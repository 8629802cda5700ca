#include "controller/records/metadata_batch.h"

#include <algorithm>
#include <optional>

#include "protocol/control_record.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"
#include "protocol/record_batch_records.h"

namespace milena::controller {
namespace {

using protocol::ControlRecordType;
using protocol::RecordBatchView;
using protocol::RecordIterator;
using protocol::RecordView;

std::unexpected<Error> corrupt(const char* why) { return fail(ErrorCode::kCorruptMessage, why); }

// The message's own first field says which version it has; newer ones are read as the newest that is known.
template <class Message>
Result<ControlRecord> decode_control(BytesView value, Arena& arena) {
  if (value.size() < sizeof(std::int16_t)) return corrupt("control record is shorter than its version");
  const auto version = load_be<std::int16_t>(value.data());
  if (version < 0) return corrupt("control record has a negative version");
  const auto message = protocol::decode<Message>(value, std::min(version, Message::kInfo.max_version), arena);
  if (!message) return corrupt(message.error().why);
  return *message;
}

Result<ControlRecord> decode_control_record(const RecordView& record, Arena& arena) {
  const auto type = protocol::control_record_type(record);
  if (!type) return corrupt(type.error().why);
  if (!record.value) return corrupt("control record has no value");
  switch (*type) {
    case ControlRecordType::kLeaderChange:
      return decode_control<protocol::LeaderChangeMessage>(*record.value, arena);
    case ControlRecordType::kSnapshotHeader:
      return decode_control<protocol::SnapshotHeaderRecord>(*record.value, arena);
    case ControlRecordType::kSnapshotFooter:
      return decode_control<protocol::SnapshotFooterRecord>(*record.value, arena);
    case ControlRecordType::kKraftVersion:
      return decode_control<protocol::KRaftVersionRecord>(*record.value, arena);
    case ControlRecordType::kKraftVoters:
      return decode_control<protocol::VotersRecord>(*record.value, arena);
    case ControlRecordType::kAbort:
    case ControlRecordType::kCommit:
      return corrupt("the metadata log has no transaction markers");
    case ControlRecordType::kUnknown:
      break;
  }
  return ControlRecord{};
}

Result<MetadataRecord> decode_data_record(const RecordView& record, Arena& arena) {
  if (record.key || !record.value) return corrupt("metadata record has a key or no value");
  return decode_metadata_record(*record.value, arena);
}

template <class Record, class Decode>
Result<std::span<const Record>> decode_all(const RecordBatchView& batch, Arena& arena, Decode decode) {
  const std::span<Record> records = arena.array<Record>(static_cast<std::size_t>(batch.record_count()));
  RecordIterator each(batch.payload(), batch.record_count());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto next = each.next();
    if (!next) return corrupt(next.error().why);
    const std::optional<RecordView>& record = *next;
    if (!record) return corrupt("batch ends before its last record");
    if (record->offset_delta != static_cast<std::int32_t>(i))
      return corrupt("batch has a gap in its offsets");
    MILENA_TRY(records[i], decode(*record, arena));
  }
  return records;
}

struct ControlBytes {
  ControlRecordType type;
  BytesView value;
};

ControlBytes encode_control(const ControlRecord& record, Arena& arena) {
  const auto bytes = [&](const auto& message) {
    return protocol::encode(message,
                            std::clamp(message.version, message.kInfo.min_version, message.kInfo.max_version),
                            arena)
        .head();
  };
  struct Visitor {
    decltype(bytes)& encoded;
    ControlBytes operator()(std::monostate) const { return {ControlRecordType::kUnknown, {}}; }
    ControlBytes operator()(const protocol::LeaderChangeMessage& m) const {
      return {ControlRecordType::kLeaderChange, encoded(m)};
    }
    ControlBytes operator()(const protocol::SnapshotHeaderRecord& m) const {
      return {ControlRecordType::kSnapshotHeader, encoded(m)};
    }
    ControlBytes operator()(const protocol::SnapshotFooterRecord& m) const {
      return {ControlRecordType::kSnapshotFooter, encoded(m)};
    }
    ControlBytes operator()(const protocol::KRaftVersionRecord& m) const {
      return {ControlRecordType::kKraftVersion, encoded(m)};
    }
    ControlBytes operator()(const protocol::VotersRecord& m) const {
      return {ControlRecordType::kKraftVoters, encoded(m)};
    }
  };
  return std::visit(Visitor{bytes}, record);
}

}  // namespace

Result<MetadataBatch> decode_metadata_batch(const RecordBatchView& batch, Arena& arena) {
  if (!batch.crc_matches()) return corrupt("batch does not match its checksum");
  if (batch.compression() != protocol::CompressionType::kNone)
    return corrupt("a metadata batch is compressed");
  if (batch.is_transactional() || batch.has_producer_id()) return corrupt("a metadata batch has a producer");
  // A record takes at least 7 bytes, so the count is checked before anything is allocated for it.
  const std::int32_t count = batch.record_count();
  if (count <= 0 || static_cast<std::size_t>(count) > batch.payload().size() / 7) {
    return corrupt("batch has an impossible number of records");
  }
  if (batch.last_offset_delta() != count - 1 || batch.base_offset() < 0) {
    return corrupt("batch has a gap in its offsets");
  }
  MetadataBatch decoded{.position = {.base_offset = batch.base_offset(),
                                     .epoch = batch.partition_leader_epoch(),
                                     .timestamp_ms = batch.max_timestamp()},
                        .last_offset = batch.last_offset(),
                        .records = {},
                        .control = {}};
  if (batch.is_control()) {
    MILENA_TRY(decoded.control, decode_all<ControlRecord>(batch, arena, decode_control_record));
  } else {
    MILENA_TRY(decoded.records, decode_all<MetadataRecord>(batch, arena, decode_data_record));
  }
  return decoded;
}

Result<std::vector<std::byte>> encode_metadata_batch(std::span<const MetadataRecord> records,
                                                     const BatchPosition& position) {
  protocol::RecordBatchBuilder builder(
      {.base_offset = position.base_offset, .partition_leader_epoch = position.epoch});
  Arena arena;
  for (const MetadataRecord& record : records) {
    const BytesView value = encode_metadata_record(record, arena);
    if (builder.uncompressed_size() + builder.record_size_bound(std::nullopt, value) > kMaxBatchBytes) {
      return fail(ErrorCode::kRecordListTooLarge, "a change takes more than one metadata batch can hold");
    }
    builder.append(position.timestamp_ms, std::nullopt, value);
    arena.reset();
  }
  return builder.build();
}

std::vector<std::byte> encode_control_batch(std::span<const ControlRecord> records,
                                            const BatchPosition& position) {
  protocol::RecordBatchBuilder builder(
      {.base_offset = position.base_offset, .partition_leader_epoch = position.epoch, .control = true});
  Arena arena;
  for (const ControlRecord& record : records) {
    const ControlBytes bytes = encode_control(record, arena);
    builder.append(position.timestamp_ms, protocol::control_record_key(bytes.type), bytes.value);
  }
  return builder.build();
}

}  // namespace milena::controller
