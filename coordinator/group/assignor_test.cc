// Assignors: fixed cases that Kafka's own assignors decide alike, and properties under random groups.
#include "coordinator/group/assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "coordinator/group/testing/fake_metadata.h"

namespace milena::coordinator {
namespace {

using testing_support::FakeMetadata;

const Uuid kT1 = FakeMetadata::id_of(1);
const Uuid kT2 = FakeMetadata::id_of(2);
const Uuid kT3 = FakeMetadata::id_of(3);

// A group whose assignments can be computed again and again.
struct AssignorGroup {
  struct Member {
    std::string id;
    std::vector<Uuid> topics;
    Assignment current{};
    std::optional<std::string> instance{};
    std::optional<std::string> rack{};
    bool has_target = true;
  };

  // Everyone's assignment: the present ones and what changes.
  std::vector<Assignment> assign(const Assignor& assignor) {
    std::vector<Assignment> result;
    for (const Member& member : members) result.push_back(member.current);
    for (auto& [member, assignment] : changes(assignor)) {
      EXPECT_NE(result[member], assignment) << "no change";
      result[member] = std::move(assignment);
    }
    return result;
  }
  std::vector<Reassignment> changes(const Assignor& assignor) {
    AssignorInput input;
    input.metadata = &metadata;
    for (const Member& member : members) {
      AssignorMember& out = input.members.emplace_back();
      out.id = member.id;
      if (member.instance) out.instance_id = *member.instance;
      if (member.rack) out.rack_id = *member.rack;
      const auto at = std::ranges::find(input.subscriptions, member.topics);
      out.subscription = static_cast<std::size_t>(at - input.subscriptions.begin());
      if (at == input.subscriptions.end()) input.subscriptions.push_back(member.topics);
      out.current = member.has_target ? &member.current : nullptr;
    }
    return assignor.assign(input);
  }
  void take(std::vector<Assignment> assignments) {
    for (std::size_t i = 0; i < members.size(); ++i) members[i].current = std::move(assignments[i]);
  }

  FakeMetadata metadata;
  std::vector<Member> members;
};

std::vector<std::size_t> sizes(const std::vector<Assignment>& assignments) {
  std::vector<std::size_t> out(assignments.size());
  std::ranges::transform(assignments, out.begin(), [](const Assignment& each) { return count(each); });
  return out;
}

TEST(RangeAssignor, GivesRangesAndMeetsTheSameNumbersInOneMember) {
  AssignorGroup group;
  group.metadata.add("t1", 3).add("t2", 3);
  group.members = {{"b", {kT1, kT2}}, {"a", {kT1, kT2}}};
  const auto assigned = group.assign(RangeAssignor{});
  EXPECT_EQ(assigned[1], (Assignment{{kT1, {0, 1}}, {kT2, {0, 1}}})) << "a comes first by its name";
  EXPECT_EQ(assigned[0], (Assignment{{kT1, {2}}, {kT2, {2}}}));
}

TEST(RangeAssignor, StaticMembersComeFirstByInstanceId) {
  AssignorGroup group;
  group.metadata.add("t1", 3);
  group.members = {{"a", {kT1}}, {"z", {kT1}, {}, "i2"}, {"y", {kT1}, {}, "i1"}};
  const auto assigned = group.assign(RangeAssignor{});
  EXPECT_EQ(assigned[2], (Assignment{{kT1, {0}}}));
  EXPECT_EQ(assigned[1], (Assignment{{kT1, {1}}}));
  EXPECT_EQ(assigned[0], (Assignment{{kT1, {2}}}));
}

TEST(RangeAssignor, MoreMembersThanPartitionsLeaveSomeWithout) {
  AssignorGroup group;
  group.metadata.add("t1", 2).add("t2", 1);
  group.members = {{"a", {kT1}}, {"b", {kT1, kT2}}, {"c", {kT1}}};
  const auto assigned = group.assign(RangeAssignor{});
  EXPECT_EQ(assigned[0], (Assignment{{kT1, {0}}}));
  EXPECT_EQ(assigned[1], (Assignment{{kT1, {1}}, {kT2, {0}}}));
  EXPECT_TRUE(assigned[2].empty());
}

TEST(UniformAssignor, MovesOnlyWhatBalanceNeeds) {
  AssignorGroup group;
  group.metadata.add("t1", 6);
  group.members = {{"a", {kT1}}};
  group.take(group.assign(UniformAssignor{}));
  EXPECT_EQ(sizes({group.members[0].current}), (std::vector<std::size_t>{6}));
  group.members.push_back({"b", {kT1}});
  const auto with_b = group.assign(UniformAssignor{});
  EXPECT_EQ(with_b[0], (Assignment{{kT1, {0, 1, 2}}}));
  EXPECT_EQ(with_b[1], (Assignment{{kT1, {3, 4, 5}}}));
  group.take(with_b);
  group.members.push_back({"c", {kT1}});
  const auto with_c = group.assign(UniformAssignor{});
  EXPECT_EQ(sizes(with_c), (std::vector<std::size_t>{2, 2, 2}));
  group.take(with_c);
  group.members.erase(group.members.begin());
  const auto without_a = group.assign(UniformAssignor{});
  EXPECT_EQ(sizes(without_a), (std::vector<std::size_t>{3, 3}));
}

TEST(UniformAssignor, LeavesABalancedGroupAlone) {
  AssignorGroup group;
  group.metadata.add("t1", 5);
  group.members = {{"a", {kT1}, {{kT1, {0, 3}}}}, {"b", {kT1}, {{kT1, {1, 2, 4}}}}};
  const auto again = group.assign(UniformAssignor{});
  EXPECT_EQ(again[0], group.members[0].current) << "b has the larger share, and keeps it";
  EXPECT_EQ(again[1], group.members[1].current);
}

TEST(Assignors, NameOnlyTheMembersWhoseAssignmentChanges) {
  for (const std::string_view name : {"uniform", "range"}) {
    AssignorGroup group;
    group.metadata.add("t1", 3).add("t2", 0);
    group.members = {{"a", {kT1}}, {"b", {kT1}}, {"c", {kT1}}};
    group.take(group.assign(*find_assignor(name)));
    for (const std::vector<Uuid>& topics : {std::vector{kT1}, std::vector{kT1, kT2}}) {
      group.members.resize(3);
      group.members.push_back({.id = "d", .topics = topics, .has_target = false});
      const auto changes = group.changes(*find_assignor(name));
      ASSERT_EQ(changes.size(), 1u) << name
                                    << ": the fourth of three partitions' members is told so, no other";
      EXPECT_EQ(changes[0].member, 3u);
      EXPECT_TRUE(changes[0].assignment.empty());
      group.members[3].has_target = true;
      EXPECT_TRUE(group.changes(*find_assignor(name)).empty());
    }
  }
}

TEST(UniformAssignor, GivesPartitionsToTheRacksOfTheirReplicas) {
  AssignorGroup group;
  group.metadata.add("t1", 6);
  for (int p = 0; p < 6; ++p) group.metadata.set_racks("t1", p, {"r" + std::to_string(p % 3)});
  group.members = {{"a", {kT1}, {}, {}, "r2"}, {"b", {kT1}, {}, {}, "r0"}, {"c", {kT1}, {}, {}, "r1"}};
  const auto assigned = group.assign(UniformAssignor{});
  EXPECT_EQ(assigned[0], (Assignment{{kT1, {2, 5}}}));
  EXPECT_EQ(assigned[1], (Assignment{{kT1, {0, 3}}}));
  EXPECT_EQ(assigned[2], (Assignment{{kT1, {1, 4}}}));
}

TEST(UniformAssignor, RacksDoNotMoveWhatIsAssigned) {
  AssignorGroup group;
  group.metadata.add("t1", 2).set_racks("t1", 0, {"r0"}).set_racks("t1", 1, {"r1"});
  group.members = {{"a", {kT1}, {{kT1, {1}}}, {}, "r0"}, {"b", {kT1}, {{kT1, {0}}}, {}, "r1"}};
  const auto assigned = group.assign(UniformAssignor{});
  EXPECT_EQ(assigned[0], group.members[0].current);
}

TEST(UniformAssignor, BalancesDifferentSubscriptions) {
  AssignorGroup group;
  group.metadata.add("t1", 6).add("t2", 6).add("t3", 6);
  group.members = {{"a", {kT1, kT2, kT3}}, {"b", {kT1}}, {"c", {kT2}}};
  const auto assigned = group.assign(UniformAssignor{});
  EXPECT_EQ(sizes(assigned), (std::vector<std::size_t>{6, 6, 6}));
  EXPECT_EQ(assigned[0], (Assignment{{kT3, {0, 1, 2, 3, 4, 5}}}));
}

TEST(UniformAssignor, MixedSubscriptionsMoveOnlyWhatBalanceNeeds) {
  AssignorGroup group;
  group.metadata.add("t1", 4).add("t2", 4);
  group.members = {{"a", {kT1, kT2}, {{kT1, {0, 1}}, {kT2, {0, 1}}}},
                   {"b", {kT1}, {{kT1, {2, 3}}}},
                   {"c", {kT2}, {{kT2, {2, 3}}}}};
  const auto assigned = group.assign(UniformAssignor{});
  // 8 partitions for 3: 3, 3, 2 with two moves at most.
  std::size_t moved = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (const auto& [topic, partitions] : group.members[i].current) {
      for (const std::int32_t p : partitions) {
        const auto at = assigned[i].find(topic);
        moved += at == assigned[i].end() || !contains(at->second, p) ? 1 : 0;
      }
    }
  }
  EXPECT_LE(moved, 2u);
}

TEST(Assignors, AreFoundByName) {
  EXPECT_EQ(find_assignor("uniform")->name(), "uniform");
  EXPECT_EQ(find_assignor("range")->name(), "range");
  EXPECT_EQ(find_assignor("sticky"), nullptr);
}

// Every partition of a subscribed topic has one owner, who subscribes to it.
void expect_complete(const AssignorGroup& group, const std::vector<Assignment>& assigned) {
  std::map<std::pair<Uuid, std::int32_t>, std::size_t> owners;
  for (std::size_t i = 0; i < assigned.size(); ++i) {
    for (const auto& [topic, partitions] : assigned[i]) {
      ASSERT_FALSE(partitions.empty());
      ASSERT_TRUE(std::ranges::is_sorted(partitions));
      ASSERT_TRUE(std::ranges::binary_search(group.members[i].topics, topic)) << "not subscribed";
      for (const std::int32_t p : partitions) {
        ASSERT_TRUE(owners.emplace(std::pair(topic, p), i).second) << "two owners";
      }
    }
  }
  std::size_t partitions = 0;
  std::set<Uuid> subscribed;
  for (const auto& member : group.members) subscribed.insert(member.topics.begin(), member.topics.end());
  for (const Uuid& topic : subscribed) {
    const auto known = group.metadata.topic(topic);
    if (known) partitions += static_cast<std::size_t>(known->partitions);
  }
  ASSERT_EQ(owners.size(), partitions) << "nobody's partitions";
}

std::size_t kept(const AssignorGroup& group, const std::vector<Assignment>& assigned) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < assigned.size(); ++i) {
    for (const auto& [topic, partitions] : group.members[i].current) {
      const auto at = assigned[i].find(topic);
      for (const std::int32_t p : partitions) n += at != assigned[i].end() && contains(at->second, p) ? 1 : 0;
    }
  }
  return n;
}

// Members come and go, topics grow, everybody subscribes to the same topics.
TEST(UniformAssignor, IsBalancedWithinOneAndAsStickyAsPossibleUnderRandomChange) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRng rng(seed);
    AssignorGroup group;
    group.metadata.add("t1", 1 + static_cast<std::int32_t>(rng.below(20))).add("t2", 1).add("t3", 7);
    int next_member = 0;
    for (int step = 0; step < 30; ++step) {
      if (group.members.empty() || rng.one_in(2)) {
        AssignorGroup::Member member{"m" + std::to_string(next_member++), {kT1, kT2, kT3}};
        if (rng.one_in(2)) member.rack = "r" + std::to_string(rng.below(3));
        group.members.push_back(member);
      } else if (rng.one_in(2)) {
        group.members.erase(group.members.begin() +
                            static_cast<std::ptrdiff_t>(rng.below(group.members.size())));
      } else {
        const std::string topic = "t" + std::to_string(1 + rng.below(3));
        group.metadata.grow(
            topic, group.metadata.topics().at(topic).partitions + static_cast<std::int32_t>(rng.below(5)));
      }
      if (group.members.empty()) continue;
      const auto assigned = group.assign(UniformAssignor{});
      expect_complete(group, assigned);
      const auto loads = sizes(assigned);
      const auto [least, most] = std::ranges::minmax(loads);
      ASSERT_LE(most - least, 1u) << "seed " << seed << " step " << step;
      // No balanced assignment keeps more: a member keeps up to its share, and as many as there are larger
      // shares keep one more.
      std::size_t total = 0;
      for (const std::size_t load : loads) total += load;
      const std::size_t share = total / loads.size();
      std::size_t larger = total % loads.size(), possible = 0;
      for (const auto& member : group.members) {
        const std::size_t had = count(member.current);
        possible += std::min(had, share);
        if (had > share && larger > 0) {
          ++possible;
          --larger;
        }
      }
      ASSERT_EQ(kept(group, assigned), possible) << "seed " << seed << " step " << step;
      ASSERT_EQ(group.assign(UniformAssignor{}), assigned) << "the same again";
      group.take(assigned);
      ASSERT_EQ(group.assign(UniformAssignor{}), assigned) << "nothing changed, nothing moves";
    }
  }
}

TEST(UniformAssignor, IsCompleteAndBalancedPerTopicWithRandomSubscriptions) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRng rng(seed);
    AssignorGroup group;
    std::vector<Uuid> topics;
    for (int t = 1; t <= 5; ++t) {
      group.metadata.add("t" + std::to_string(t), 1 + static_cast<std::int32_t>(rng.below(12)));
      topics.push_back(FakeMetadata::id_of(static_cast<std::uint64_t>(t)));
    }
    int next_member = 0;
    for (int step = 0; step < 20; ++step) {
      if (group.members.size() < 2 || rng.one_in(2)) {
        AssignorGroup::Member member{"m" + std::to_string(next_member++), {}};
        for (const Uuid& topic : topics) {
          if (rng.one_in(2)) member.topics.push_back(topic);
        }
        group.members.push_back(member);
      } else {
        group.members.erase(group.members.begin() +
                            static_cast<std::ptrdiff_t>(rng.below(group.members.size())));
      }
      const auto assigned = group.assign(UniformAssignor{});
      expect_complete(group, assigned);
      // Within a topic nobody has two partitions more than another who could take one: it would have been
      // moved.
      for (const Uuid& topic : topics) {
        std::size_t least = ~std::size_t{0}, most_with_some = 0;
        for (std::size_t i = 0; i < group.members.size(); ++i) {
          if (!std::ranges::binary_search(group.members[i].topics, topic)) continue;
          least = std::min(least, count(assigned[i]));
          if (assigned[i].contains(topic)) most_with_some = std::max(most_with_some, count(assigned[i]));
        }
        if (most_with_some > 0) {
          ASSERT_LE(most_with_some, least + 1) << "seed " << seed << " step " << step;
        }
      }
      group.take(assigned);
      ASSERT_EQ(group.assign(UniformAssignor{}), assigned) << "nothing changed, nothing moves";
    }
  }
}

TEST(RangeAssignor, IsCompleteAndBalancedWithinOnePerTopicUnderRandomSubscriptions) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRng rng(seed);
    AssignorGroup group;
    group.metadata.add("t1", 1 + static_cast<std::int32_t>(rng.below(12))).add("t2", 5).add("t3", 3);
    for (std::uint64_t m = 0; m < 1 + rng.below(8); ++m) {
      AssignorGroup::Member member{"m" + std::to_string(m), {}};
      for (const Uuid& topic : {kT1, kT2, kT3}) {
        if (!rng.one_in(3)) member.topics.push_back(topic);
      }
      group.members.push_back(member);
    }
    const auto assigned = group.assign(RangeAssignor{});
    expect_complete(group, assigned);
    for (const Uuid& topic : {kT1, kT2, kT3}) {
      std::vector<std::size_t> loads;
      for (std::size_t i = 0; i < group.members.size(); ++i) {
        if (!std::ranges::binary_search(group.members[i].topics, topic)) continue;
        const auto at = assigned[i].find(topic);
        loads.push_back(at == assigned[i].end() ? 0 : at->second.size());
        if (at != assigned[i].end()) {
          ASSERT_EQ(at->second.back() - at->second.front() + 1, static_cast<std::int32_t>(at->second.size()));
        }
      }
      if (loads.empty()) continue;
      const auto [least, most] = std::ranges::minmax(loads);
      ASSERT_LE(most - least, 1u);
    }
  }
}

}  // namespace
}  // namespace milena::coordinator
