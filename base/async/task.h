// Task: a coroutine on a loop, and the two things it can wait for that are not a socket.
//
// Coroutines here are glue: decisions are plain functions. A coroutine that is spawned takes its parameters
// by value, is never a capturing lambda, and runs in a TaskGroup. In an expression with co_await there are no
// temporaries of aggregate or closure type. Where this header is included, all of Asio is.
#pragma once

#include "base/async/asio.h"
#include "base/async/loop.h"
#include "base/clock.h"

namespace milena {

template <class T = void>
using Task = asio::awaitable<T>;

// For every wait: the error is the first of the results, not an exception. A cancelled wait answers
// operation_aborted; the coroutine returns then, for a further co_await would throw.
inline constexpr auto kTry = asio::as_tuple(asio::use_awaitable);

// Waits by the loop's clock. False: cancelled, return at once.
Task<bool> sleep_for(Loop& loop, Instant duration);

}  // namespace milena
