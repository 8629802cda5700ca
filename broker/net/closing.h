// Closing: the end of what a server has on one loop: closes it, and looks every millisecond whether the
// handlers have let go of the last request.
//
// start() on the loop, once. Outlives the latch's wait.
#pragma once

#include <functional>
#include <utility>

#include "base/async/latch.h"
#include "base/async/loop.h"

namespace milena::broker {

class Closing {
 public:
  // `close` closes what is open and answers whether nothing is left.
  Closing(Loop& loop, std::function<bool()> close, Latch& done)
      : loop_(loop), close_(std::move(close)), done_(done), again_([this] { start(); }) {}

  void start() {
    if (close_()) return done_.open();
    loop_.arm(again_, loop_.now() + Instant{1});
  }

 private:
  Loop& loop_;
  const std::function<bool()> close_;
  Latch& done_;
  Timer again_;
};

}  // namespace milena::broker
