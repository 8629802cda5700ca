// in_parallel: the same work on several threads, for starts.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace milena {

// work(0) ... work(count - 1), each once, on the calling thread and as many others as make `threads`. Returns
// when all are done.
template <class Work>
void in_parallel(std::size_t threads, std::size_t count, const Work& work) {
  std::atomic<std::size_t> next = 0;
  const auto some = [&] {
    for (std::size_t at = next++; at < count; at = next++) work(at);
  };
  std::vector<std::thread> others;
  try {
    for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(some);
  } catch (const std::system_error&) {
    // The system has no more threads to give: those that there are do it.
  }
  some();
  for (auto& thread : others) thread.join();
}

}  // namespace milena
