#include "broker/wire/nested_message.h"

#include <algorithm>
#include <cstdint>

#include "broker/wire/byte_reader.h"
#include "broker/wire/frame_printer.h"
#include "broker/wire/message_printer.h"
#include "protocol/api.gen.h"
#include "protocol/schema_table.h"

namespace milena::wire {

using protocol::kSchemaTable;

namespace {

struct Nested {
  std::string_view message;
  std::string_view field;
  std::string_view type;
};

constexpr std::string_view kSubscription = "ConsumerProtocolSubscription";
constexpr std::string_view kAssignment = "ConsumerProtocolAssignment";
constexpr Nested kNested[] = {
    {"JoinGroupRequest", "metadata", kSubscription},
    {"JoinGroupResponse", "metadata", kSubscription},
    {"SyncGroupRequest", "assignment", kAssignment},
    {"SyncGroupResponse", "assignment", kAssignment},
    {"DescribeGroupsResponse", "memberMetadata", kSubscription},
    {"DescribeGroupsResponse", "memberAssignment", kAssignment},
    {"GroupMetadataValue", "subscription", kSubscription},
    {"GroupMetadataValue", "assignment", kAssignment},
    {"ConsumerGroupMemberMetadataValue", "metadata", kSubscription},
    {"EnvelopeRequest", "requestPrincipal", "DefaultPrincipalData"},
};

bool is_whole(const protocol::SchemaMessage& type, int version, ByteReader in) {
  JsonWriter nowhere = JsonWriter::nowhere();
  return !MessagePrinter(nowhere, {}).print(type, version, in) && in.left() == 0;
}

// A request within a request: the frame that a broker forwards, without its size.
bool print_forwarded(JsonWriter& json, BytesView frame) {
  constexpr auto kEnvelopeKey = static_cast<std::int16_t>(protocol::ApiKey::kEnvelope);
  const auto key = ByteReader(frame).fixed<std::int16_t>();
  if (!key || *key == kEnvelopeKey) return false;  // none is forwarded twice
  JsonWriter nowhere = JsonWriter::nowhere();
  std::size_t damaged_batches = 0;
  if (print_request(nowhere, {}, ByteReader(frame), damaged_batches)) return false;
  json.begin_object();
  (void)print_request(json, {}, ByteReader(frame), damaged_batches);  // cannot fail, having been tried
  json.end_object();
  return true;
}

}  // namespace

bool print_nested(JsonWriter& json, std::string_view message, std::string_view field, BytesView bytes) {
  if (message == "EnvelopeRequest" && field == "requestData") return print_forwarded(json, bytes);
  const auto at = std::ranges::find_if(
      kNested, [&](const Nested& each) { return each.message == message && each.field == field; });
  if (at == std::end(kNested)) return false;
  const protocol::SchemaMessage& type = *kSchemaTable.find(at->type);
  ByteReader in(bytes);
  const auto version = in.fixed<std::int16_t>();
  if (!version || !is_whole(type, *version, in)) return false;
  json.begin_object();
  json.field("type", at->type);
  json.field("version", *version);
  json.key("data");
  (void)MessagePrinter(json, {}).print(type, *version, in);  // cannot fail, having been tried
  json.end_object();
  return true;
}

}  // namespace milena::wire
