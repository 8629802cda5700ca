// RandomFiller: the verbs of protocol/codec_impl.h, run to invent a message. Included by generated code only.
#pragma once

#include <array>
#include <limits>

#include "protocol/codec_impl.h"
#include "protocol/testing/random_message.h"

namespace milena::protocol {

class RandomFiller : public Versioned {
 public:
  template <class T>
  using Ref = T&;

  RandomFiller(Rng& rng, int version, bool flexible, Tags tags, Arena& arena)
      : Versioned(version, flexible), rng_(rng), tags_(tags), arena_(arena) {}

  void field(bool& v, const char*) { v = rng_.one_in(2); }
  template <std::integral T>
  void field(T& v, const char*) {
    v = number<T>();
  }
  void field(double& v, const char*) { v = static_cast<double>(number<std::int32_t>()) / 7; }
  void field(ErrorCode& v, const char*) { v = static_cast<ErrorCode>(number<std::int16_t>()); }
  template <class Tag, class T>
  void field(StrongInt<Tag, T>& v, const char*) {
    v.value = number<T>();
  }
  void field(Uuid& v, const char*) {
    v = rng_.one_in(4) ? Uuid{} : Uuid::from_halves(rng_.next(), rng_.next());
  }

  void text(std::string_view& v, const char*) {
    static constexpr std::array<std::string_view, 5> kLetters = {"a", "Z", "-", "\xc3\xa9", "\xe2\x82\xac"};
    const MutableBytes out = arena_.bytes(length() * 3);
    std::size_t size = 0;
    for (std::size_t left = out.size() / 3; left > 0; --left) {
      for (const char c : kLetters[rng_.below(kLetters.size())]) out[size++] = static_cast<std::byte>(c);
    }
    v = as_text(out.first(size));
  }
  void blob(BytesView& v, const char*) {
    const MutableBytes out = arena_.bytes(length());
    for (std::byte& b : out) b = static_cast<std::byte>(rng_.next());
    v = out;
  }
  void records(RecordsRef& v, const char* name) { blob(v.bytes, name); }

  template <class T>
  void text(std::optional<T>& v, const char* name, bool nullable = true) {
    if (!null(v, nullable)) text(*v, name);
  }
  template <class T>
  void blob(std::optional<T>& v, const char* name, bool nullable = true) {
    if (!null(v, nullable)) blob(*v, name);
  }
  template <class T>
  void records(std::optional<T>& v, const char* name, bool nullable = true) {
    if (!null(v, nullable)) records(*v, name);
  }

  template <class T, class Each>
  void array(std::span<T>& v, std::size_t, const char*, Each&& each) {
    v = arena_.array<T>(rng_.below(4));
    for (T& element : v) each(element);
  }
  template <class T, class Each>
  void array(std::optional<std::span<T>>& v, std::size_t min_wire, const char* name, Each&& each,
             bool nullable = true) {
    if (!null(v, nullable)) array(*v, min_wire, name, each);
  }
  template <class T, class Each>
  void object(std::optional<T>& v, const char*, Each&& each, bool nullable = true) {
    if (!null(v, nullable)) each(*v);
  }
  template <class T, class Each>
  void tagged_object(std::optional<T>& v, const char* name, Each&& each, bool nullable = true) {
    object(v, name, each, nullable);
  }
  template <class Body>
  void classic(Body&& body) {
    body(*this);
  }
  void absent(bool, const char*) {}

  template <class Known>
  void tags(Known&& known) {
    if (!flexible_ || tags_ == Tags::kPlain) return;
    auto fill = [&](std::uint32_t, bool in_version, auto&&, auto&& body) {
      if (in_version && rng_.one_in(2)) body(*this);
    };
    known(fill);
  }

 private:
  template <class T>
  T number() {
    switch (rng_.below(6)) {
      case 0:
        return 0;
      case 1:
        return static_cast<T>(-1);
      case 2:
        return std::numeric_limits<T>::max();
      case 3:
        return std::numeric_limits<T>::min();
      case 4:
        return static_cast<T>(rng_.below(100));
      default:
        return static_cast<T>(rng_.next());
    }
  }
  // Mostly short; sometimes long enough for a length of two bytes.
  std::size_t length() { return static_cast<std::size_t>(rng_.one_in(20) ? 200 : rng_.below(8)); }
  template <class T>
  bool null(std::optional<T>& v, bool nullable) {
    if (nullable && rng_.one_in(4)) {
      v.reset();
      return true;
    }
    v.emplace();
    return false;
  }

  Rng& rng_;
  Tags tags_;
  Arena& arena_;
};

template <class M>
BytesView random_message(Rng& rng, int version, Tags tags, Arena& arena) {
  M message;
  RandomFiller filler(rng, version, M::kInfo.flexible(version), tags, arena);
  walk(filler, message);
  return flatten(encode(message, version, arena), arena);
}

}  // namespace milena::protocol
