// AllocationCount: how often some threads of this process call operator new while it lives.
//
// For tests that link milena_allocation_count, which replaces operator new of the whole binary. One at a
// time.
#pragma once

#include <cstddef>
#include <string_view>

namespace milena::testing {

class AllocationCount {
 public:
  // Counts threads whose name (what Loop was given) begins with `threads`, a literal.
  explicit AllocationCount(std::string_view threads);
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;
  ~AllocationCount();

  std::size_t value() const;
};

}  // namespace milena::testing
