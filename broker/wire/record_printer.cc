#include "broker/wire/record_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "protocol/schema_table.h"

namespace milena::wire {

using protocol::kSchemaTable;
using protocol::MessageKind;
using protocol::RecordLog;
using protocol::SchemaMessage;

namespace {

constexpr std::uint32_t kMetadataFrameVersion = 1;

// REGISTER_BROKER_RECORD for RegisterBrokerRecord, as Kafka's tools write it.
std::string upper_snake_case(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper && !out.empty()) out += '_';
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

struct ControlType {
  std::string_view name;
  std::string_view message;
};

// Indexed by the number that the key of a control record holds (protocol/control_record.h).
constexpr ControlType kControlTypes[] = {{"ABORT", "EndTxnMarker"},
                                         {"COMMIT", "EndTxnMarker"},
                                         {"LEADER_CHANGE", "LeaderChangeMessage"},
                                         {"SNAPSHOT_HEADER", "SnapshotHeaderRecord"},
                                         {"SNAPSHOT_FOOTER", "SnapshotFooterRecord"},
                                         {"KRAFT_VERSION", "KRaftVersionRecord"},
                                         {"KRAFT_VOTERS", "VotersRecord"}};

}  // namespace

RecordMeaning meaning_of(LogKind log) {
  switch (log) {
    case LogKind::kMetadata:
      return RecordMeaning::kMetadata;
    case LogKind::kOffsets:
      return RecordMeaning::kGroupRecord;
    case LogKind::kTransactions:
      return RecordMeaning::kTransactionRecord;
    case LogKind::kShareState:
      return RecordMeaning::kShareRecord;
    case LogKind::kPlain:
      break;
  }
  return RecordMeaning::kBytes;
}

bool RecordPrinter::print(const protocol::RecordView& record) {
  bool is_fine = true;
  switch (meaning_) {
    case RecordMeaning::kControl:
      is_fine = control(record.key, record.value);
      break;
    case RecordMeaning::kGroupRecord:
      is_fine = coordinator(record.key, record.value, RecordLog::kGroup);
      break;
    case RecordMeaning::kTransactionRecord:
      is_fine = coordinator(record.key, record.value, RecordLog::kTransaction);
      break;
    case RecordMeaning::kShareRecord:
      is_fine = coordinator(record.key, record.value, RecordLog::kShare);
      break;
    case RecordMeaning::kMetadata:
      json_.key("key");
      plain(record.key);
      json_.key("value");
      if (record.value) {
        is_fine = print_metadata(*record.value);
      } else {
        json_.null();
      }
      break;
    case RecordMeaning::kBytes:
      json_.key("key");
      plain(record.key);
      json_.key("value");
      plain(record.value);
  }
  headers(record.headers);
  return is_fine;
}

void RecordPrinter::plain(const OptionalBytes& bytes) {
  if (bytes) {
    json_.bytes(*bytes);
  } else {
    json_.null();
  }
}

void RecordPrinter::headers(protocol::RecordHeaders headers) {
  json_.key("headers");
  json_.begin_array();
  while (const auto header = headers.next()) {
    json_.begin_object();
    json_.field("key", header->key);
    json_.key("value");
    plain(header->value);
    json_.end_object();
  }
  json_.end_array();
}

bool RecordPrinter::failed(const PrintError& error, BytesView bytes) {
  print_error(json_, error);
  json_.key("bytes");
  json_.bytes(bytes);
  json_.end_object();
  return false;
}

bool RecordPrinter::data(const SchemaMessage& message, int version, ByteReader in, BytesView all) {
  json_.key("data");
  if (const auto error = MessagePrinter(json_, {}).print(message, version, in)) return failed(*error, all);
  if (in.left() > 0 && message.kind == MessageKind::kMetadataRecord)
    return failed({.at = in.position(), .why = fmt::format("{} bytes follow the record", in.left())}, all);
  json_.end_object();
  return true;
}

bool RecordPrinter::print_metadata(BytesView value) {
  json_.begin_object();
  ByteReader in(value);
  const auto frame_version = in.uvarint();
  const auto type = frame_version ? in.uvarint() : std::nullopt;
  const auto version = type ? in.uvarint() : std::nullopt;
  if (!version || *frame_version != kMetadataFrameVersion)
    return failed({.at = 0, .why = "this is not frame version 1, a type and a version"}, value);
  const auto* message =
      *type <= INT16_MAX ? kSchemaTable.find(MessageKind::kMetadataRecord, static_cast<std::int16_t>(*type))
                         : nullptr;
  if (message == nullptr)
    return failed({.at = 1, .why = fmt::format("{} is no type of a metadata record", *type)}, value);
  json_.field("type", upper_snake_case(kSchemaTable.name_of(*message)));
  json_.field("version", *version);
  return data(*message, static_cast<int>(std::min<std::uint32_t>(*version, INT16_MAX)), in, value);
}

bool RecordPrinter::coordinator(const OptionalBytes& key, const OptionalBytes& value, RecordLog log) {
  ByteReader key_in(key.value_or(BytesView()));
  const auto type = key_in.fixed<std::int16_t>();
  const auto* key_message = type ? kSchemaTable.find(MessageKind::kCoordinatorKey, *type, log) : nullptr;
  const auto* value_message = type ? kSchemaTable.find(MessageKind::kCoordinatorValue, *type, log) : nullptr;
  if (key_message == nullptr || value_message == nullptr) {
    const std::string why =
        type ? fmt::format("{} is no type of a record of this log", *type) : "there is no type";
    json_.key("key");
    json_.begin_object();
    failed({.at = 0, .why = why}, key.value_or(BytesView()));
    json_.key("value");
    plain(value);
    return false;
  }
  json_.key("key");
  json_.begin_object();
  json_.field("type", *type);
  json_.field("typeName", kSchemaTable.name_of(*key_message));
  const bool is_key_fine = data(*key_message, key_message->max_version, key_in, *key);
  json_.key("value");
  if (!value) return json_.null(), is_key_fine;
  json_.begin_object();
  ByteReader value_in(*value);
  const auto version = value_in.fixed<std::int16_t>();
  if (!version) return failed({.at = 0, .why = "there is no version"}, *value);
  json_.field("version", *version);
  return data(*value_message, *version, value_in, *value) && is_key_fine;
}

bool RecordPrinter::control(const OptionalBytes& key, const OptionalBytes& value) {
  ByteReader in(key.value_or(BytesView()));
  const auto version = in.fixed<std::int16_t>();
  const auto type = in.fixed<std::int16_t>();
  json_.key("key");
  json_.begin_object();
  if (!type) {
    failed({.at = 0, .why = "this is not a version and a type"}, key.value_or(BytesView()));
    json_.key("value");
    plain(value);
    return false;
  }
  const bool is_known = *type >= 0 && std::cmp_less(*type, std::size(kControlTypes));
  json_.field("version", *version);
  json_.field("type", *type);
  if (is_known) json_.field("typeName", kControlTypes[*type].name);
  json_.end_object();
  json_.key("value");
  if (is_known && value) return control_value(*type, *value);
  plain(value);  // of a newer version: readers ignore it
  return true;
}

bool RecordPrinter::control_value(std::int16_t type, BytesView value) {
  const ControlType& known = kControlTypes[type];
  const SchemaMessage& message = *kSchemaTable.find(known.message);
  json_.begin_object();
  ByteReader in(value);
  ByteReader behind_version = in;
  const auto version = behind_version.fixed<std::int16_t>();
  if (!version || *version < 0) return failed({.at = 0, .why = "there is no version"}, value);
  json_.field("version", *version);
  // A marker's version stands in front of the message, that of the quorum's records in it.
  const bool is_marker = known.message == "EndTxnMarker";
  return data(message, std::min<int>(*version, message.max_version), is_marker ? behind_version : in, value);
}

}  // namespace milena::wire
