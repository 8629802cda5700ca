// GroupChange: a consumer group as it will be when the decision at hand has been replayed.
//
// A decision emits records in several parts, and later parts depend on earlier ones: the target assignment on
// the new subscription, for instance. Rather than replaying halfway, a decision looks at the group through
// this overlay. Views: valid while the decision runs.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/group/assignor.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/metadata_hash.h"
#include "coordinator/group/metadata_view.h"

namespace milena::coordinator {

struct GroupChange {
  const ConsumerGroup& group;
  const ResolvedRegexes& regexes;      // as they will be
  std::set<std::string_view> removed;  // member ids
  std::string_view member_id;          // joins or changes; empty: nobody does
  const ConsumerMember* member = nullptr;
  const Assignment* target = nullptr;  // its present target, or that of the static member it replaces

  // (id, member, present target) of everyone, in the group's order; who joins comes last.
  template <class F>
  void for_each_member(F&& visit) const {
    const bool is_here = member != nullptr && !removed.contains(member_id);
    const ConsumerGroupMember* changes = is_here ? group.find(member_id) : nullptr;
    for (const ConsumerGroupMember& each : group.members()) {
      if (!removed.empty() && removed.contains(each.id)) continue;
      if (&each == changes) {
        visit(member_id, *member, target);
      } else {
        visit(std::string_view(each.id), each.as_recorded(), each.target);
      }
    }
    if (member != nullptr && changes == nullptr) visit(member_id, *member, target);
  }
  bool has_subscribers_of_regex(std::string_view regex) const;
};

// Names of all topics that members subscribe to, by name or by regular expression; whether they exist or not.
std::set<std::string_view> subscribed_topics(const GroupChange& change);

std::int64_t metadata_hash(const GroupChange& change, TopicHashes& hashes, const MetadataView& metadata);

// Does the member subscribe to this topic?
bool is_subscribed(const ConsumerMember& member, const ResolvedRegexes& regexes, std::string_view topic);

struct MemberTarget {
  std::string_view member_id;
  Assignment next;
};

// Who should own what from now on: the targets that change, in the group's order.
std::vector<MemberTarget> changed_targets(const GroupChange& change, const Assignor& assignor,
                                          const MetadataView& metadata);

}  // namespace milena::coordinator
