#include "protocol/record_batch_skimmer.h"

#include <algorithm>
#include <cstring>

#include "protocol/error_code.h"
#include "protocol/record_batch_grammar.h"

namespace milena::protocol {

// The body of a record that is larger than the scratch buffer.
class RecordSkimmer::StreamSource {
 public:
  struct Slice {};
  struct Mark {};

  StreamSource(RecordSkimmer& skimmer, std::size_t body_bytes) : skimmer_(skimmer), left_(body_bytes) {}

  bool octet(std::uint8_t& value) {
    const BytesView bytes = peek(1);
    if (bytes.empty()) return false;
    value = static_cast<std::uint8_t>(bytes[0]);
    pass(1);
    return true;
  }
  bool varint(std::int32_t& value) { return integer(value, read_varint, kMaxVarint); }
  bool varlong(std::int64_t& value) { return integer(value, read_varlong, kMaxVarlong); }
  bool take(std::size_t size, Slice&) {
    if (size > left_) return false;
    while (size > 0) {
      const std::size_t n = std::min(size, peek(1).size());
      if (n == 0) return false;
      pass(n);
      size -= n;
    }
    return true;
  }
  Mark mark() const { return {}; }
  bool at_end() const { return left_ == 0; }
  // Why reading stopped, if it was not the record's fault.
  const Status& status() const { return status_; }

 private:
  // What can be seen of the rest of the body: at least `wanted` bytes, unless body or stream end before.
  BytesView peek(std::size_t wanted) {
    if (status_) status_ = skimmer_.fill(std::min(wanted, left_));
    if (!status_) return {};
    const BytesView seen = skimmer_.available();
    return seen.first(std::min(seen.size(), left_));
  }
  void pass(std::size_t n) {
    skimmer_.at_ += n;
    left_ -= n;
  }
  template <class T>
  bool integer(T& value, const std::byte* (*read)(const std::byte*, const std::byte*, T&), std::size_t most) {
    const BytesView bytes = peek(most);
    const std::byte* const next = read(bytes.data(), bytes.data() + bytes.size(), value);
    if (next == nullptr) return false;
    pass(static_cast<std::size_t>(next - bytes.data()));
    return true;
  }

  RecordSkimmer& skimmer_;
  std::size_t left_;
  Status status_;
};

Status RecordSkimmer::fill(std::size_t wanted) {
  if (end_ - at_ >= wanted || ended_) return {};
  std::memmove(scratch_.data(), scratch_.data() + at_, end_ - at_);
  end_ -= at_;
  at_ = 0;
  const MutableBytes room = scratch_.subspan(end_);
  MILENA_TRY(const std::size_t n, decompressor_.read(room));
  ended_ = n < room.size();
  end_ += n;
  return {};
}

Result<RecordFacts> RecordSkimmer::next() {
  MILENA_CHECK(fill(kMaxVarint));
  std::int32_t length = 0;
  const BytesView front = available();
  const std::byte* const body = read_varint(front.data(), front.data() + front.size(), length);
  if (body == nullptr || length < 0) {
    return fail(ErrorCode::kInvalidRecord, "record has an impossible length");
  }
  at_ += static_cast<std::size_t>(body - front.data());
  const auto size = static_cast<std::size_t>(length);

  if (size > scratch_.size()) {
    StreamSource source(*this, size);
    RecordFields<StreamSource> fields;
    const char* why = read_record_body(source, fields);
    MILENA_CHECK(source.status());
    if (why != nullptr) return fail(ErrorCode::kInvalidRecord, why);
    return RecordFacts{fields.timestamp_delta, fields.offset_delta, fields.key.has_value()};
  }
  MILENA_CHECK(fill(size));
  if (available().size() < size) return fail(ErrorCode::kInvalidRecord, "records end within a record");
  MemorySource source(available().first(size));
  RecordFields<MemorySource> fields;
  if (const char* why = read_record_body(source, fields)) return fail(ErrorCode::kInvalidRecord, why);
  at_ += size;
  return RecordFacts{fields.timestamp_delta, fields.offset_delta, fields.key.has_value()};
}

Result<bool> RecordSkimmer::at_end() {
  MILENA_CHECK(fill(1));
  return at_ == end_;
}

}  // namespace milena::protocol
