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

  // (id, member) of everyone, in the group's order; who joins comes last.
  template <class F>
  void for_each_member(F&& visit) const {
    bool seen = false;
    for (const ConsumerGroupMember& each : group.members()) {
      if (removed.contains(each.id)) continue;
      const bool changes = member != nullptr && each.id == member_id;
      seen = seen || changes;
      visit(std::string_view(each.id), changes ? *member : each.as_recorded());
    }
    if (member != nullptr && !seen) visit(member_id, *member);
  }
  std::size_t subscribers_of_regex(std::string_view regex) const;
};

// Names of all topics that members subscribe to, by name or by regular expression; whether they exist or not.
std::set<std::string_view> subscribed_topics(const GroupChange& change);

std::int64_t metadata_hash(const GroupChange& change, TopicHashes& hashes, const MetadataView& metadata);

// Does the member subscribe to this topic?
bool is_subscribed(const ConsumerMember& member, const ResolvedRegexes& regexes, std::string_view topic);

struct MemberTarget {
  std::string_view member_id;
  const Assignment* present = nullptr;  // null: none
  Assignment next;
};

// Who should own what from now on: every member's target, in the group's order.
// `inherited`: the id whose present target `member` takes over; its own, or that of the static member it
// replaces.
std::vector<MemberTarget> compute_target(const GroupChange& change, std::string_view inherited,
                                         const Assignor& assignor, const MetadataView& metadata);

}  // namespace milena::coordinator
