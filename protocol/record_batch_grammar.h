// How one record is read, over any source of bytes. The only place that knows the order of a record's fields.
//
//   record = length varint, then `length` bytes: attributes i8, timestamp delta varlong, offset delta varint,
//            key length varint (-1 null) and key, value length varint (-1 null) and value,
//            header count varint, then per header: key length varint and key, value length varint (-1) and
//            value
//
// A Source stands at a record's body and ends where the body ends:
//   bool octet(uint8_t&), varint(int32_t&), varlong(int64_t&)   false: the body ends here
//   bool take(size_t, Slice&)                                   skips bytes; Slice may remember them
//   Mark mark()                                                 where it stands
//   bool at_end()
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "protocol/varint.h"

namespace milena::protocol {

// A record's body that lies in memory.
class MemorySource {
 public:
  using Slice = BytesView;
  using Mark = const std::byte*;

  explicit MemorySource(BytesView body) : at_(body.data()), end_(body.data() + body.size()) {}

  bool octet(std::uint8_t& value) {
    if (at_ == end_) return false;
    value = static_cast<std::uint8_t>(*at_++);
    return true;
  }
  bool varint(std::int32_t& value) {
    const std::byte* next = read_varint(at_, end_, value);
    if (next == nullptr) return false;
    at_ = next;
    return true;
  }
  bool varlong(std::int64_t& value) {
    const std::byte* next = read_varlong(at_, end_, value);
    if (next == nullptr) return false;
    at_ = next;
    return true;
  }
  bool take(std::size_t size, Slice& slice) {
    if (size > static_cast<std::size_t>(end_ - at_)) return false;
    slice = {at_, size};
    at_ += size;
    return true;
  }
  Mark mark() const { return at_; }
  bool at_end() const { return at_ == end_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
};

template <class Source>
struct RecordFields {
  std::uint8_t attributes = 0;  // unused by Kafka; any value is accepted
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  std::optional<typename Source::Slice> key;
  std::optional<typename Source::Slice> value;
  std::int32_t header_count = 0;
  typename Source::Mark headers{};  // where the first header starts
};

// Reads a length and the bytes it counts. Lengths below -1 are refused: Java reads them as null, others do
// not.
template <class Source>
bool read_nullable(Source& source, std::optional<typename Source::Slice>& out) {
  std::int32_t size = 0;
  if (!source.varint(size) || size < -1) return false;
  if (size == -1) {
    out.reset();
    return true;
  }
  return source.take(static_cast<std::size_t>(size), out.emplace());
}

template <class Source>
bool read_header(Source& source, typename Source::Slice& key, std::optional<typename Source::Slice>& value) {
  std::int32_t size = 0;
  if (!source.varint(size) || size < 0) return false;
  return source.take(static_cast<std::size_t>(size), key) && read_nullable(source, value);
}

// Reads the whole body. Returns nullptr, or what is wrong with it.
template <class Source>
[[gnu::always_inline]] inline const char* read_record_body(Source& source, RecordFields<Source>& fields) {
  if (!source.octet(fields.attributes) || !source.varlong(fields.timestamp_delta) ||
      !source.varint(fields.offset_delta)) {
    return "record is shorter than its fields";
  }
  if (!read_nullable(source, fields.key)) return "record key has an impossible length";
  if (!read_nullable(source, fields.value)) return "record value has an impossible length";
  if (!source.varint(fields.header_count) || fields.header_count < 0) {
    return "record has an impossible number of headers";
  }
  fields.headers = source.mark();
  // A header takes at least two bytes, so a hostile count ends with the body, not with the count.
  for (std::int32_t i = 0; i < fields.header_count; ++i) {
    typename Source::Slice key;
    std::optional<typename Source::Slice> value;
    if (!read_header(source, key, value)) return "record header has an impossible length";
  }
  if (!source.at_end()) return "record is longer than its fields";
  return nullptr;
}

}  // namespace milena::protocol
