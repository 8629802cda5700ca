// for_each_error: the error codes that a message tells, however deep they lie in it.
//
// A pure function, made by the compiler from the struct: what holds no error code is not visited, and for a
// message without one there is no code at all.
#pragma once

#include <boost/pfr/core.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "protocol/error_code.h"

namespace milena::protocol {
namespace detail {

template <class T>
struct ElementOf {
  using Type = void;
};
template <class T>
struct ElementOf<std::span<T>> {
  using Type = std::remove_const_t<T>;
};
template <class T>
struct ElementOf<std::optional<T>> {
  using Type = T;
};

template <class T>
consteval bool tells_errors();

template <class T, std::size_t... I>
consteval bool any_field_tells_errors(std::index_sequence<I...>) {
  return (tells_errors<boost::pfr::tuple_element_t<I, T>>() || ...);
}

template <class T>
consteval bool tells_errors() {
  using Element = typename ElementOf<T>::Type;
  if constexpr (std::is_same_v<T, ErrorCode>) {
    return true;
  } else if constexpr (!std::is_void_v<Element>) {
    return tells_errors<Element>();
  } else if constexpr (std::is_class_v<T> && std::is_aggregate_v<T> &&
                       !requires(T value) { value.bytes; }) {  // an id, or the bytes of records
    return any_field_tells_errors<T>(std::make_index_sequence<boost::pfr::tuple_size_v<T>>());
  } else {
    return false;
  }
}

}  // namespace detail

// visit(ErrorCode), for each that is not kNone.
template <class T, class Visit>
void for_each_error(const T& part, Visit&& visit) {
  if constexpr (!detail::tells_errors<T>()) {
    return;
  } else if constexpr (std::is_same_v<T, ErrorCode>) {
    if (part != ErrorCode::kNone) [[unlikely]]
      visit(part);
  } else if constexpr (requires { part.has_value(); }) {
    if (part) for_each_error(*part, visit);
  } else if constexpr (requires { part.size(); }) {
    for (const auto& element : part) for_each_error(element, visit);
  } else {
    boost::pfr::for_each_field(part, [&](const auto& field) { for_each_error(field, visit); });
  }
}

}  // namespace milena::protocol
