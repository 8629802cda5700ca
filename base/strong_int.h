// StrongInt: an integer that cannot be mistaken for another kind of integer (an offset for an epoch, say).
// Built implicitly from its representation, read explicitly through `value`.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace milena {

template <class Tag, class T>
struct StrongInt {
  using Rep = T;
  T value{};

  constexpr StrongInt() = default;
  constexpr StrongInt(T v) : value(v) {}  // NOLINT(google-explicit-constructor)

  friend constexpr auto operator<=>(const StrongInt&, const StrongInt&) = default;
  friend constexpr StrongInt operator+(StrongInt a, T n) { return StrongInt(static_cast<T>(a.value + n)); }
  friend constexpr StrongInt operator-(StrongInt a, T n) { return StrongInt(static_cast<T>(a.value - n)); }
  friend constexpr T operator-(StrongInt a, StrongInt b) { return static_cast<T>(a.value - b.value); }
  constexpr StrongInt& operator+=(T n) { return *this = *this + n; }
  constexpr StrongInt& operator++() { return *this += 1; }
};

}  // namespace milena

template <class Tag, class T>
struct std::hash<milena::StrongInt<Tag, T>> {
  std::size_t operator()(milena::StrongInt<Tag, T> v) const noexcept { return std::hash<T>{}(v.value); }
};
