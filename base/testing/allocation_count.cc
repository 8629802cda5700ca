#include "base/testing/allocation_count.h"

#include <sys/prctl.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

std::string_view counted_threads;              // written while `round` is even
std::atomic<std::uint32_t> round_of_count{0};  // odd: a count is under way
std::atomic<std::size_t> allocations{0};

// Asks for the name once in a round: it costs a system call.
bool is_counted(std::uint32_t round) {
  thread_local std::uint32_t asked_in = 0;
  thread_local bool counted = false;
  if (asked_in != round) {
    asked_in = round;
    char name[16] = {};
    ::prctl(PR_GET_NAME, name);
    counted = std::string_view(name).starts_with(counted_threads);
  }
  return counted;
}

void* allocate(std::size_t size) {
  const auto round = round_of_count.load(std::memory_order_acquire);
  if (round % 2 == 1 && is_counted(round)) allocations.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace milena::testing {

AllocationCount::AllocationCount(std::string_view threads) {
  counted_threads = threads;
  allocations = 0;
  round_of_count.fetch_add(1, std::memory_order_release);
}

AllocationCount::~AllocationCount() { round_of_count.fetch_add(1, std::memory_order_release); }

std::size_t AllocationCount::value() const { return allocations; }

}  // namespace milena::testing
