#include "coordinator/group/consumer_group.h"

#include <algorithm>

namespace milena::coordinator {

const ConsumerGroupMember* ConsumerGroup::find_static(std::string_view instance_id) const {
  const auto at = static_members_.find(instance_id);
  return at == static_members_.end() ? nullptr : members_.find(at->second);
}

const Assignment* ConsumerGroup::target(std::string_view member_id) const {
  const auto at = targets_.find(member_id);
  return at == targets_.end() ? nullptr : &at->second;
}

bool ConsumerGroup::is_owned(const Uuid& topic_id, std::int32_t partition) const {
  return owners_.contains({topic_id, partition});
}

bool ConsumerGroup::is_subscribed_to(std::string_view topic) const {
  for (const auto& [regex, resolved] : regexes_) {
    if (resolved.topics.contains(topic)) return true;
  }
  return subscribers_.topics().contains(topic);
}

std::string_view ConsumerGroup::state() const {
  if (members_.empty()) return "Empty";
  if (epoch > assignment_epoch) return "Assigning";
  for (const ConsumerGroupMember& member : members_) {
    if (!member.reconciled_to(assignment_epoch)) return "Reconciling";
  }
  return "Stable";
}

std::optional<std::string_view> ConsumerGroup::preferred_assignor(const ConsumerMember* ignored,
                                                                  const ConsumerMember* added) const {
  std::map<std::string_view, std::size_t> votes;
  const auto vote = [&](const ConsumerMember& member) {
    if (member.server_assignor) ++votes[*member.server_assignor];
  };
  for (const ConsumerGroupMember& member : members_) {
    if (&member.as_recorded() != ignored) vote(member);
  }
  if (added != nullptr) vote(*added);
  if (votes.empty()) return std::nullopt;
  return std::ranges::max_element(votes, [](auto& a, auto& b) { return a.second < b.second; })->first;
}

bool ConsumerGroup::waits_for_others(const ConsumerGroupMember& member) const {
  if (member.state != MemberState::kUnreleased || member.target == nullptr) return false;
  for (const auto& [topic_id, partitions] : *member.target) {
    for (const std::int32_t partition : partitions) {
      if (coordinator::find(member.assigned, topic_id, partition) == nullptr &&
          is_owned(topic_id, partition)) {
        return true;
      }
    }
  }
  return false;
}

void ConsumerGroup::count(const ConsumerGroupMember& member, int by) {
  for (const OwnedPartitions* owned : {&member.assigned, &member.pending_revocation}) {
    for (const auto& [topic_id, partitions] : *owned) {
      for (const OwnedPartition& each : partitions) {
        const auto at = owners_.try_emplace({topic_id, each.partition}, 0).first;
        at->second += by;
        if (at->second == 0) owners_.erase(at);
      }
    }
  }
  if (by > 0) {
    subscribers_.add(member.subscribed_topics, member.subscribed_regex);
  } else {
    subscribers_.remove(member.subscribed_topics, member.subscribed_regex);
  }
  if (member.classic) classic_member_count_ += static_cast<std::size_t>(by);
}

void ConsumerGroup::forget_static(const ConsumerGroupMember& member) {
  if (!member.instance_id) return;
  const auto at = static_members_.find(*member.instance_id);
  // Not if another member has taken the name over already.
  if (at != static_members_.end() && at->second == member.id) static_members_.erase(at);
}

ConsumerGroupMember& ConsumerGroup::update(std::string_view member_id,
                                           const std::function<void(ConsumerMember&)>& change) {
  ConsumerGroupMember* member = members_.find(member_id);
  if (member == nullptr) {
    member = &members_.add(std::make_unique<ConsumerGroupMember>(group_, timers_, std::string(member_id)));
    member->target = target(member_id);
  } else {
    count(*member, -1);
    forget_static(*member);
  }
  change(*member);
  count(*member, 1);
  if (member->instance_id) static_members_[*member->instance_id] = member->id;
  return *member;
}

void ConsumerGroup::remove(std::string_view member_id) {
  const ConsumerGroupMember* member = members_.find(member_id);
  if (member == nullptr) return;
  count(*member, -1);
  forget_static(*member);
  members_.remove(member_id);
}

void ConsumerGroup::set_target(std::string_view member_id, Assignment target) {
  auto at = targets_.find(member_id);
  if (at != targets_.end()) {
    at->second = std::move(target);
    return;
  }
  at = targets_.emplace(member_id, std::move(target)).first;
  if (ConsumerGroupMember* member = members_.find(member_id)) member->target = &at->second;
}

void ConsumerGroup::remove_target(std::string_view member_id) {
  const auto at = targets_.find(member_id);
  if (at == targets_.end()) return;
  if (ConsumerGroupMember* member = members_.find(member_id)) member->target = nullptr;
  targets_.erase(at);
}

void ConsumerGroup::set_regex(std::string_view regex, ResolvedRegex resolved) {
  regexes_.insert_or_assign(std::string(regex), std::move(resolved));
}

void ConsumerGroup::remove_regex(std::string_view regex) {
  if (const auto at = regexes_.find(regex); at != regexes_.end()) regexes_.erase(at);
}

}  // namespace milena::coordinator
