// gather: asks several shards, and goes on when all have answered.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace milena::broker {

// Calls ask(i, answer) for each i below `count`; `done` gets the answers in that order, on the thread of the
// last one. Each `answer` is to be called once, on any thread.
template <class Completion, class Ask>
void gather(std::size_t count, Ask ask, std::move_only_function<void(std::vector<Completion>&)> done) {
  struct Gathering {
    std::vector<Completion> answers;
    std::atomic<std::size_t> missing;
    std::move_only_function<void(std::vector<Completion>&)> done;
  };
  std::vector<Completion> answers(count);
  if (count == 0) return done(answers);
  auto gathering = std::make_shared<Gathering>(std::move(answers), count, std::move(done));
  for (std::size_t i = 0; i < count; ++i) {
    ask(i, [gathering, i](Completion&& answer) {
      gathering->answers[i] = std::move(answer);
      if (gathering->missing.fetch_sub(1, std::memory_order_acq_rel) == 1)
        gathering->done(gathering->answers);
    });
  }
}

}  // namespace milena::broker
