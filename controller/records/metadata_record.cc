#include "controller/records/metadata_record.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "protocol/error_code.h"
#include "protocol/varint.h"

namespace milena::controller {
namespace {

constexpr std::uint32_t kFrameVersion = 1;

template <class Body>
Result<MetadataRecord> decode_body(BytesView rest, std::uint32_t version, Arena& arena) {
  if (version > static_cast<std::uint32_t>(Body::kInfo.max_version)) {
    return fail(ErrorCode::kCorruptMessage, "metadata record has a version that its type does not have");
  }
  auto body = protocol::decode_front<Body>(rest, static_cast<int>(version), arena);
  if (!body) return fail(ErrorCode::kCorruptMessage, body.error().why);
  if (!rest.empty()) return fail(ErrorCode::kCorruptMessage, "metadata record is longer than its fields");
  return MetadataRecord{.body = *body, .version = static_cast<std::int16_t>(version)};
}

template <std::size_t... I>
Result<MetadataRecord> decode_type(std::uint32_t type, BytesView rest, std::uint32_t version, Arena& arena,
                                   std::index_sequence<I...>) {
  Result<MetadataRecord> decoded = fail(ErrorCode::kCorruptMessage, "metadata record has an unknown type");
  const auto matches = [&](auto index) {
    using Body = std::variant_alternative_t<index, MetadataRecordBody>;
    if (type != static_cast<std::uint32_t>(Body::kInfo.key)) return false;
    decoded = decode_body<Body>(rest, version, arena);
    return true;
  };
  (matches(std::integral_constant<std::size_t, I>()) || ...);
  return decoded;
}

}  // namespace

std::int16_t record_type(const MetadataRecord& record) {
  return std::visit([]<class Body>(const Body&) { return Body::kInfo.key; }, record.body);
}

Result<MetadataRecord> decode_metadata_record(BytesView value, Arena& arena) {
  std::uint32_t header[3];  // frame version, type, version
  const std::byte* at = value.data();
  const std::byte* const end = at + value.size();
  for (std::uint32_t& field : header) {
    at = protocol::read_unsigned_varint(at, end, field);
    if (at == nullptr) return fail(ErrorCode::kCorruptMessage, "metadata record is shorter than its frame");
  }
  if (header[0] != kFrameVersion) {
    return fail(ErrorCode::kCorruptMessage, "metadata record has an unknown frame version");
  }
  return decode_type(header[1], {at, end}, header[2], arena,
                     std::make_index_sequence<std::variant_size_v<MetadataRecordBody>>());
}

BytesView encode_metadata_record(const MetadataRecord& record, Arena& arena) {
  return std::visit(
      [&]<class Body>(const Body& body) -> BytesView {
        const std::uint32_t header[3] = {kFrameVersion, static_cast<std::uint32_t>(Body::kInfo.key),
                                         static_cast<std::uint32_t>(record.version)};
        std::size_t size = 0;
        for (const std::uint32_t field : header) size += protocol::unsigned_varint_size(field);
        const protocol::Encoded encoded = protocol::encode(body, record.version, arena, size);
        std::byte* to = encoded.buffer.data();
        for (const std::uint32_t field : header) to = protocol::write_unsigned_varint(to, field);
        return encoded.buffer;
      },
      record.body);
}

}  // namespace milena::controller
