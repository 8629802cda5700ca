// PerLoop: one T for each event loop, for what is costly to make and not thread-safe.
//
// Owned by a handler; each T is touched on its own loop only.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/async/loop.h"

namespace milena::broker {

template <class T>
class PerLoop {
 public:
  explicit PerLoop(std::span<Loop* const> loops) {
    for (const Loop* loop : loops) all_.push_back({loop, std::make_unique<T>()});
  }
  // `loop` is one of those that the constructor was given.
  T& of(const Loop& loop) { return *std::ranges::find(all_, &loop, &Place::loop)->value; }
  // visit(const T&), on any thread: of each loop, while it may be changing it.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Place& place : all_) visit(std::as_const(*place.value));
  }

 private:
  struct Place {
    const Loop* loop;
    std::unique_ptr<T> value;
  };
  std::vector<Place> all_;
};

}  // namespace milena::broker
