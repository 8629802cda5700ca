// Spares: objects of one kind that requests use one after the other, so that a steady stream of requests
// makes none.
//
// Belongs to one loop. What is given back may still be referred to elsewhere, but not used there any more.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace milena::broker {

template <class T>
class Spares {
 public:
  // A spare one, or what `make` makes.
  template <class Make>
  std::shared_ptr<T> take(Make make) {
    if (spares_.empty()) return make();
    auto spare = std::move(spares_.back());
    spares_.pop_back();
    return spare;
  }
  // Kept, unless there are enough.
  void give(std::shared_ptr<T> spare) {
    if (spares_.size() < kKeepMax) spares_.push_back(std::move(spare));
  }

 private:
  static constexpr std::size_t kKeepMax = 64;
  std::vector<std::shared_ptr<T>> spares_;
};

}  // namespace milena::broker
