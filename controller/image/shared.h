// Shared: an immutable value that many images point to. Compared by what it holds, not by where.
#pragma once

#include <memory>
#include <utility>

namespace milena::controller {

template <class T>
class Shared {
 public:
  explicit Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

  friend bool operator==(const Shared& a, const Shared& b) {
    return a.value_ == b.value_ || *a.value_ == *b.value_;
  }

 private:
  std::shared_ptr<const T> value_;  // never null, except after a move
};

}  // namespace milena::controller
