// Result<T>: a value or an Error. The error vocabulary is Kafka's; protocol/error_code.h lists the codes.
//
// Error is trivially destructible: `why` is a literal, for logs and tests, never for the wire.
#pragma once

#include <cstdint>
#include <expected>
#include <utility>

namespace milena {

enum class ErrorCode : std::int16_t;  // enumerators: protocol/error_code.h

struct Error {
  ErrorCode code{};
  const char* why = "";
};

template <class T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorCode code, const char* why) {
  return std::unexpected(Error{code, why});
}

}  // namespace milena

#define MILENA_CONCAT_INNER(a, b) a##b
#define MILENA_CONCAT(a, b) MILENA_CONCAT_INNER(a, b)

// MILENA_TRY(auto x, expression): x = value, or return the error to the caller. Works for any std::expected.
#define MILENA_TRY(declaration, ...) \
  MILENA_TRY_INNER(MILENA_CONCAT(result_, __LINE__), declaration, __VA_ARGS__)
#define MILENA_TRY_INNER(name, declaration, ...)     \
  auto name = (__VA_ARGS__);                         \
  if (!name) [[unlikely]]                            \
    return std::unexpected(std::move(name).error()); \
  declaration = *std::move(name)

// MILENA_CHECK(expression): return the error to the caller, or go on.
#define MILENA_CHECK(...)                                    \
  do {                                                       \
    if (auto checked = (__VA_ARGS__); !checked) [[unlikely]] \
      return std::unexpected(std::move(checked).error());    \
  } while (false)
