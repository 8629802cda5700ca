// The verbs that generated walk() functions are written in, and the three that run them: Reader decodes,
// Emit<Sizer> measures, Emit<Writer> writes. Included by generated code and by tests only.
//
// A walk visits the fields of one struct in wire order: c.field, c.text, c.blob, c.records, c.array,
// c.object, and at the end c.tags. It asks c.since(v) and c.until(v) where a field is not in every version.
// The same walk reads and writes, so the two cannot disagree.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/assert.h"
#include "base/strong_int.h"
#include "base/uuid.h"
#include "protocol/codec.h"
#include "protocol/error_code.h"
#include "protocol/varint.h"

namespace milena::protocol {

inline std::string_view cut_to_wire_size(std::string_view text) {
  if (text.size() <= kMaxTextSize) [[likely]]
    return text;
  std::size_t end = kMaxTextSize;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

class Versioned {
 public:
  Versioned(int version, bool flexible) : version_(version), flexible_(flexible) {}
  bool since(int version) const { return version_ >= version; }
  bool until(int version) const { return version_ <= version; }

 protected:
  int version_;
  bool flexible_;
};

// Reads views out of a frame. The first failure sticks: it is remembered by the field's name, and from then
// on nothing is left to read. One check at the end of the message is enough.
class Reader : public Versioned {
 public:
  template <class T>
  using Ref = T&;

  Reader(BytesView bytes, int version, bool flexible, Arena& arena)
      : Versioned(version, flexible), at_(bytes.data()), end_(at_ + bytes.size()), arena_(&arena) {}

  bool ok() const { return why_ == nullptr; }
  const char* why() const { return why_; }
  BytesView rest() const { return {at_, left()}; }

  void field(bool& v, const char* name) { v = fixed<std::int8_t>(name) != 0; }
  template <std::integral T>
  void field(T& v, const char* name) {
    v = fixed<T>(name);
  }
  void field(double& v, const char* name) { v = std::bit_cast<double>(fixed<std::uint64_t>(name)); }
  void field(ErrorCode& v, const char* name) { v = static_cast<ErrorCode>(fixed<std::int16_t>(name)); }
  template <class Tag, class T>
  void field(StrongInt<Tag, T>& v, const char* name) {
    v.value = fixed<T>(name);
  }
  void field(Uuid& v, const char* name) {
    if (const BytesView raw = take(sizeof v.bytes, name); !raw.empty())
      std::memcpy(v.bytes.data(), raw.data(), sizeof v.bytes);
  }

  void text(std::string_view& v, const char* name) {
    v = as_text(take(checked_text(length<std::int16_t>(name), name), name));
  }
  void text(std::optional<std::string_view>& v, const char* name, bool nullable = true) {
    const auto n = length<std::int16_t>(name);
    if (is_null(n, nullable)) return v.reset();
    v = as_text(take(checked_text(n, name), name));
  }
  void blob(BytesView& v, const char* name) { v = take(length<std::int32_t>(name), name); }
  void blob(std::optional<BytesView>& v, const char* name, bool nullable = true) {
    const auto n = length<std::int32_t>(name);
    if (is_null(n, nullable)) return v.reset();
    v = take(n, name);
  }
  void records(RecordsRef& v, const char* name) { blob(v.bytes, name); }
  void records(std::optional<RecordsRef>& v, const char* name, bool nullable = true) {
    const auto n = length<std::int32_t>(name);
    if (is_null(n, nullable)) return v.reset();
    v = RecordsRef{.bytes = take(n, name)};
  }

  template <class T, class Each>
  void array(std::span<T>& v, std::size_t min_wire, const char* name, Each&& each) {
    v = elements<T>(length<std::int32_t>(name), min_wire, name, each);
  }
  template <class T, class Each>
  void array(std::optional<std::span<T>>& v, std::size_t min_wire, const char* name, Each&& each,
             bool nullable = true) {
    const auto n = length<std::int32_t>(name);
    if (is_null(n, nullable)) return v.reset();
    v = elements<T>(n, min_wire, name, each);
  }

  // A nullable struct: a byte that is negative for null goes in front of it; in a tagged field a varint, 0
  // for null.
  template <class T, class Each>
  void object(std::optional<T>& v, const char* name, Each&& each, bool nullable = true) {
    if (nullable && fixed<std::int8_t>(name) < 0) return v.reset();
    each(v.emplace());
  }
  template <class T, class Each>
  void tagged_object(std::optional<T>& v, const char* name, Each&& each, bool nullable = true) {
    if (nullable && uvarint(name) == 0) return v.reset();
    each(v.emplace());
  }

  // A field that keeps its old encoding in flexible versions.
  template <class Body>
  void classic(Body&& body) {
    const bool flexible = std::exchange(flexible_, false);
    body(*this);
    flexible_ = flexible;
  }

  void absent(bool, const char*) {}

  // Unknown tags are skipped: a broker must tolerate them and never forwards them. As in Kafka the order of
  // tags does not matter and the last of two equal ones wins. A tag whose size is not that of its field is
  // malformed.
  template <class Known>
  [[gnu::always_inline]] void tags(Known&& known) {
    if (!flexible_) return;
    if (const std::uint32_t count = uvarint("tagged fields"); count > 0) [[unlikely]]
      read_tags(count, known);
  }

 private:
  [[gnu::cold]] void fail(const char* name) {
    if (ok()) why_ = name;
    at_ = end_;
    reserved_ = 0;
  }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::size_t unreserved() const { return left() > reserved_ ? left() - reserved_ : 0; }

  template <class T>
  T fixed(const char* name) {
    if (left() < sizeof(T)) [[unlikely]] {
      fail(name);
      return T{};
    }
    const T v = load_be<T>(at_);
    at_ += sizeof(T);
    return v;
  }
  std::uint32_t uvarint(const char* name) {
    std::uint32_t v = 0;
    if (const std::byte* next = read_unsigned_varint(at_, end_, v)) [[likely]] {
      at_ = next;
      return v;
    }
    fail(name);
    return 0;
  }
  template <class Classic>
  std::int64_t length(const char* name) {
    return flexible_ ? static_cast<std::int64_t>(uvarint(name)) - 1 : fixed<Classic>(name);
  }
  static bool is_null(std::int64_t n, bool nullable) { return n < 0 && nullable; }
  std::int64_t checked_text(std::int64_t n, const char* name) {
    if (n <= static_cast<std::int64_t>(kMaxTextSize)) [[likely]]
      return n;
    fail(name);
    return 0;
  }
  BytesView take(std::int64_t n, const char* name) {
    if (n < 0 || static_cast<std::uint64_t>(n) > left()) [[unlikely]] {
      fail(name);
      return {};
    }
    const BytesView taken(at_, static_cast<std::size_t>(n));
    at_ += n;
    return taken;
  }

  // What the elements still to come need at least is set aside, so that an array inside an element cannot
  // count on the same bytes: memory stays proportional to the frame however arrays nest.
  template <class T, class Each>
  std::span<T> elements(std::int64_t n, std::size_t min_wire, const char* name, Each& each) {
    if (n < 0 || n > kMaxArrayElements || static_cast<std::size_t>(n) * min_wire > unreserved())
        [[unlikely]] {
      fail(name);
      return {};
    }
    const std::span<T> out = arena_->array<T>(static_cast<std::size_t>(n));
    reserved_ += out.size() * min_wire;
    for (T& element : out) {
      if (!ok()) break;
      reserved_ -= min_wire;
      each(element);
    }
    return out;
  }

  template <class Known>
  [[gnu::noinline]] void read_tags(std::uint32_t count, Known& known) {
    if (count > kMaxTaggedFields) return fail("tagged fields");
    for (; count > 0 && ok(); --count) {
      const std::uint32_t number = uvarint("tag number");
      const std::uint32_t size = uvarint("tag size");
      if (size > unreserved()) return fail("tag size");
      Reader sub(take(size, "tag size"), version_, true, *arena_);
      bool found = false;
      auto match = [&](std::uint32_t tag, bool in_version, auto&&, auto&& body) {
        if (tag != number) return;
        found = true;
        if (in_version)
          body(sub);
        else
          sub.fail("tag of another version");
      };
      known(match);
      if (!sub.ok()) return fail(sub.why_);
      if (found && sub.left() != 0) return fail("tag size");
    }
  }

  const std::byte* at_;
  const std::byte* end_;
  Arena* arena_;
  std::size_t reserved_ = 0;
  const char* why_ = nullptr;
};

// Measures the head exactly, so that Writer needs no checks.
struct Sizer {
  std::size_t head = 0;
  std::size_t spliced = 0;
  std::size_t splices = 0;
  const char* lost = nullptr;  // a set field that the version cannot carry

  template <class T>
  void fixed(T) {
    head += sizeof(T);
  }
  void uvarint(std::uint32_t v) { head += unsigned_varint_size(v); }
  void raw(const void*, std::size_t n) { head += n; }
  void splice(const RecordsRef& records) {
    spliced += records.size();
    splices += records.size() > 0;
  }
  void lose(const char* name) { lost = name; }
};

struct Writer {
  std::byte* begin;
  std::byte* at;
  Encoded::Splice* next_splice;

  template <class T>
  void fixed(T v) {
    store_be(at, v);
    at += sizeof(T);
  }
  void uvarint(std::uint32_t v) { at = write_unsigned_varint(at, v); }
  void raw(const void* from, std::size_t n) {
    if (n > 0) std::memcpy(at, from, n);
    at += n;
  }
  void splice(const RecordsRef& records) {
    if (records.size() > 0) *next_splice++ = {static_cast<std::size_t>(at - begin), records};
  }
  void lose(const char*) {}
};

// Turns a Sizer or a Writer into the verbs.
template <class Sink>
class Emit : public Versioned {
 public:
  template <class T>
  using Ref = const T&;

  Emit(Sink& sink, int version, bool flexible) : Versioned(version, flexible), sink_(sink) {}

  void field(bool v, const char*) { sink_.fixed(static_cast<std::int8_t>(v)); }
  template <std::integral T>
  void field(T v, const char*) {
    sink_.fixed(v);
  }
  void field(double v, const char*) { sink_.fixed(std::bit_cast<std::uint64_t>(v)); }
  void field(ErrorCode v, const char*) { sink_.fixed(static_cast<std::int16_t>(v)); }
  template <class Tag, class T>
  void field(StrongInt<Tag, T> v, const char*) {
    sink_.fixed(v.value);
  }
  void field(const Uuid& v, const char*) { sink_.raw(v.bytes.data(), v.bytes.size()); }

  void text(std::string_view v, const char*) {
    v = cut_to_wire_size(v);
    length<std::int16_t>(v.size());
    sink_.raw(v.data(), v.size());
  }
  void text(const std::optional<std::string_view>& v, const char* name, bool nullable = true) {
    if (!v && nullable) return null<std::int16_t>();
    text(v.value_or(std::string_view()), name);
  }
  void blob(BytesView v, const char*) {
    length<std::int32_t>(v.size());
    sink_.raw(v.data(), v.size());
  }
  void blob(const std::optional<BytesView>& v, const char* name, bool nullable = true) {
    if (!v && nullable) return null<std::int32_t>();
    blob(v.value_or(BytesView()), name);
  }
  void records(const RecordsRef& v, const char*) {
    length<std::int32_t>(v.size());
    sink_.splice(v);
  }
  void records(const std::optional<RecordsRef>& v, const char* name, bool nullable = true) {
    if (!v && nullable) return null<std::int32_t>();
    records(v.value_or(RecordsRef()), name);
  }

  template <class T, class Each>
  void array(std::span<T> v, std::size_t, const char*, Each&& each) {
    length<std::int32_t>(v.size());
    for (const T& element : v) each(element);
  }
  template <class T, class Each>
  void array(const std::optional<std::span<T>>& v, std::size_t min_wire, const char* name, Each&& each,
             bool nullable = true) {
    if (!v && nullable) return null<std::int32_t>();
    array(v.value_or(std::span<T>()), min_wire, name, each);
  }

  template <class T, class Each>
  void object(const std::optional<T>& v, const char*, Each&& each, bool nullable = true) {
    if (nullable) sink_.fixed(static_cast<std::int8_t>(v ? 1 : -1));
    emit_object(v, each, nullable);
  }
  template <class T, class Each>
  void tagged_object(const std::optional<T>& v, const char*, Each&& each, bool nullable = true) {
    if (nullable) sink_.uvarint(v ? 1 : 0);
    emit_object(v, each, nullable);
  }

  template <class Body>
  void classic(Body&& body) {
    const bool flexible = std::exchange(flexible_, false);
    body(*this);
    flexible_ = flexible;
  }

  // Called by walks of records for a field that is neither in the version nor ignorable.
  void absent(bool set, const char* name) {
    if (set) sink_.lose(name);
  }

  template <class Known>
  [[gnu::always_inline]] void tags(Known&& known) {
    if (!flexible_) return;
    std::uint32_t count = 0;
    auto counter = [&](std::uint32_t, bool in_version, auto&& set, auto&&) { count += in_version && set(); };
    known(counter);
    sink_.uvarint(count);
    if (count > 0) [[unlikely]]
      write_tags(known);
  }

 private:
  template <class Classic>
  void length(std::size_t n) {
    if (flexible_)
      sink_.uvarint(static_cast<std::uint32_t>(n) + 1);
    else
      sink_.fixed(static_cast<Classic>(n));
  }
  template <class T, class Each>
  void emit_object(const std::optional<T>& v, Each& each, bool nullable) {
    if (v) return each(*v);
    if (nullable) return;
    const T empty{};
    each(empty);
  }
  template <class Known>
  void write_tags(Known& known) {
    auto write = [&](std::uint32_t number, bool in_version, auto&& set, auto&& body) {
      if (!in_version || !set()) return;
      Sizer sizer;
      Emit<Sizer> measure(sizer, version_, true);
      body(measure);
      sink_.uvarint(number);
      sink_.uvarint(static_cast<std::uint32_t>(sizer.head));
      body(*this);
    };
    known(write);
  }
  template <class Classic>
  void null() {
    if (flexible_)
      sink_.uvarint(0);
    else
      sink_.fixed(static_cast<Classic>(-1));
  }

  Sink& sink_;
};

// Generated code instantiates these two for every message.
template <class M>
Result<M> decode_front(BytesView& input, int version, Arena& arena) {
  static_assert(std::is_trivially_destructible_v<M>);
  if (!M::kInfo.has_version(version))
    return milena::fail(ErrorCode::kUnsupportedVersion, M::kInfo.name.data());
  Reader reader(input, version, M::kInfo.flexible(version), arena);
  Result<M> message(std::in_place);
  walk(reader, *message);
  if (!reader.ok()) return milena::fail(ErrorCode::kInvalidRequest, reader.why());
  input = reader.rest();
  return message;
}

template <class M>
Encoded encode(const M& message, int version, Arena& arena, std::size_t headroom) {
  MILENA_ASSERT(M::kInfo.has_version(version), "no such version of this message");
  const bool flexible = M::kInfo.flexible(version);
  Sizer sizer;
  Emit<Sizer> measure(sizer, version, flexible);
  walk(measure, message);
  MILENA_ASSERT(sizer.lost == nullptr, sizer.lost);
  Encoded out;
  out.buffer = arena.bytes(headroom + sizer.head);
  out.headroom = headroom;
  out.splices = arena.array<Encoded::Splice>(sizer.splices);
  out.spliced_size = sizer.spliced;
  std::byte* const begin = out.buffer.data() + headroom;
  Writer writer{begin, begin, out.splices.data()};
  Emit<Writer> emit(writer, version, flexible);
  walk(emit, message);
  MILENA_ASSERT(writer.at == begin + sizer.head, "measured and written sizes differ");
  return out;
}

}  // namespace milena::protocol
