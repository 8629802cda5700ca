// Server-side assignors of consumer groups (KIP-848): which member should own which partition.
//
// Pure functions of their input; the same input gives the same answer on every machine.
// Always: every partition of a subscribed topic has exactly one owner, who subscribes to its topic. Without
// members, or for topics that nobody subscribes to, none.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "coordinator/group/metadata_view.h"
#include "coordinator/group/partitions.h"

namespace milena::coordinator {

struct AssignorMember {
  std::string_view id;
  std::optional<std::string_view> instance_id;
  std::optional<std::string_view> rack_id;
  std::size_t subscription = 0;         // index into AssignorInput::subscriptions
  const Assignment* current = nullptr;  // what it should own so far; null for nothing
};

struct AssignorInput {
  const MetadataView* metadata = nullptr;
  std::vector<AssignorMember> members;
  // The different sets of topics that members subscribe to; ids ascending, all known to metadata.
  std::vector<std::vector<Uuid>> subscriptions;

  // How many partitions a subscribed topic has.
  std::int32_t partitions_of(const Uuid& topic_id) const {
    const auto topic = metadata->topic(topic_id);
    return topic ? topic->partitions : 0;
  }
};

// What a member should own from now on, if that differs from its `current`.
struct Reassignment {
  std::size_t member = 0;  // index into AssignorInput::members
  Assignment assignment;
};

class Assignor {
 public:
  virtual ~Assignor() = default;
  virtual std::string_view name() const = 0;
  // The members whose assignment changes, in the order of the members; one that had none so far always does.
  // Most joins of a large group change almost nothing, and so cost almost nothing beyond a look at each
  // member.
  virtual std::vector<Reassignment> assign(const AssignorInput& input) const = 0;
};

// Of assignments to all members, in their order: those that change.
std::vector<Reassignment> changes_among(std::vector<Assignment> assignments, const AssignorInput& input);

// "range": of each topic every member gets a range of neighbouring partitions, so that the same numbers of
// several topics meet in one member. Static members first, by instance id, then the others by member id: a
// static member's restart moves nothing.
class RangeAssignor final : public Assignor {
 public:
  std::string_view name() const override { return "range"; }
  std::vector<Reassignment> assign(const AssignorInput& input) const override;
};

// "uniform": the numbers of partitions differ by at most one where all members subscribe to the same topics;
// and as few partitions move as that allows. Where subscriptions differ it balances each topic among its
// subscribers. Of the partitions that have to move, those with a replica in the rack of a member that still
// lacks some go there.
class UniformAssignor final : public Assignor {
 public:
  std::string_view name() const override { return "uniform"; }
  std::vector<Reassignment> assign(const AssignorInput& input) const override;
};

// Null if there is no assignor of that name.
const Assignor* find_assignor(std::string_view name);

}  // namespace milena::coordinator
