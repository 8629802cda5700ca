// Co: a coroutine of the simulator, so that what a client does reads as a script. No threads, no scheduler:
// whoever completes what it waits for resumes it.
//
// A Co starts when it is awaited or start()ed, and is destroyed with whatever it waits for. An exception that
// leaves it is a bug and ends the program.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace milena::sim {

template <class T>
class Co;

namespace internal {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) noexcept {
      return ended.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Co<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
  T take() { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
  Co<void> get_return_object();
  void return_void() {}
  void take() {}
};

}  // namespace internal

template <class T = void>
class [[nodiscard]] Co {
 public:
  using promise_type = internal::Promise<T>;

  explicit Co(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Co(Co&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Co& operator=(Co&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Co() {
    if (handle_) handle_.destroy();
  }

  // Runs it up to where it waits for the first time. For one that nobody awaits.
  void start() { handle_.resume(); }
  bool is_done() const { return handle_.done(); }

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace internal {

template <class T>
Co<T> Promise<T>::get_return_object() {
  return Co<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Co<void> Promise<void>::get_return_object() {
  return Co<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace internal
}  // namespace milena::sim
