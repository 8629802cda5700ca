#include "coordinator/group/assignor.h"

#include <utility>

namespace milena::coordinator {

std::vector<Reassignment> changes_among(std::vector<Assignment> assignments, const AssignorInput& input) {
  std::vector<Reassignment> changes;
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    const Assignment* current = input.members[i].current;
    if (current == nullptr || *current != assignments[i]) changes.push_back({i, std::move(assignments[i])});
  }
  return changes;
}

const Assignor* find_assignor(std::string_view name) {
  static constexpr UniformAssignor kUniform;
  static constexpr RangeAssignor kRange;
  if (name == kUniform.name()) return &kUniform;
  if (name == kRange.name()) return &kRange;
  return nullptr;
}

}  // namespace milena::coordinator
