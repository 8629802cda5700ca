// Keys and values of coordinator records as bytes: an int16, then a message.
//
// In a key the int16 is the type of the record; in a value it is the version of the message. (In Kafka's
// oldest records, types 0 to 2, it was both.) See docs/formats/consumer_offsets.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/result.h"
#include "coordinator/runtime/outcome.h"
#include "protocol/codec.h"
#include "protocol/error_code.h"

namespace milena::coordinator {

inline constexpr std::size_t kRecordPrefixBytes = 2;

template <class Message>
BytesView encode_prefixed(const Message& message, std::int16_t prefix, int version, Arena& arena) {
  const auto encoded = protocol::encode(message, version, arena, kRecordPrefixBytes);
  store_be<std::int16_t>(encoded.buffer.data(), prefix);
  return encoded.buffer;
}

template <class Key>
BytesView encode_record_key(const Key& key, Arena& arena) {
  return encode_prefixed(key, Key::kInfo.key, Key::kInfo.max_version, arena);
}

template <class Reply, class Errand, class Key, class Value>
void append_record(Outcome<Reply, Errand>& out, const Key& key, const Value& value, std::int16_t version) {
  out.append(
      {encode_record_key(key, out.scratch()), encode_prefixed(value, version, version, out.scratch())});
}

template <class Reply, class Errand, class Key>
void append_tombstone(Outcome<Reply, Errand>& out, const Key& key) {
  out.append({encode_record_key(key, out.scratch()), std::nullopt});
}

// The type of a record; nothing for a key that is no record's.
inline std::optional<std::int16_t> record_type(BytesView key) {
  if (key.size() < kRecordPrefixBytes) return std::nullopt;
  return load_be<std::int16_t>(key.data());
}

template <class Key>
Result<Key> decode_record_key(BytesView key, Arena& arena) {
  if (key.size() < kRecordPrefixBytes) return fail(ErrorCode::kInvalidRecord, "record key without a type");
  return protocol::decode<Key>(key.subspan(kRecordPrefixBytes), Key::kInfo.max_version, arena);
}

// Errors: kUnsupportedVersion for a version that Value lacks, kInvalidRecord and kInvalidRequest for other
// bytes.
template <class Value>
Result<Value> decode_record_value(BytesView value, Arena& arena) {
  if (value.size() < kRecordPrefixBytes)
    return fail(ErrorCode::kInvalidRecord, "record value without a version");
  return protocol::decode<Value>(value.subspan(kRecordPrefixBytes), load_be<std::int16_t>(value.data()),
                                 arena);
}

}  // namespace milena::coordinator
