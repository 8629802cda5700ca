#include "coordinator/group/classic_group.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "coordinator/group/consumer_protocol.h"

namespace milena::coordinator {

std::string_view to_string(ClassicState state) {
  switch (state) {
    case ClassicState::kEmpty:
      return "Empty";
    case ClassicState::kPreparingRebalance:
      return "PreparingRebalance";
    case ClassicState::kCompletingRebalance:
      return "CompletingRebalance";
    case ClassicState::kStable:
      return "Stable";
  }
  return "";
}

const std::string* ClassicMember::metadata(std::string_view protocol) const {
  const auto at = std::ranges::find(protocols, protocol, &ClassicProtocol::name);
  return at == protocols.end() ? nullptr : &at->metadata;
}

ClassicMember* ClassicGroup::find_static(std::string_view instance_id) {
  const auto at = static_members_.find(instance_id);
  return at == static_members_.end() ? nullptr : members_.find(at->second);
}

ClassicMember& ClassicGroup::add(std::string member_id, std::optional<std::string> instance_id,
                                 std::vector<ClassicProtocol> protocols) {
  remove_pending(member_id);
  ClassicMember& member =
      members_.add(std::make_unique<ClassicMember>(group_, timers_, std::move(member_id)));
  if (instance_id) static_members_[*instance_id] = member.id;
  member.instance_id = std::move(instance_id);
  set_protocols(member, std::move(protocols));
  if (!leader) leader = member.id;
  return member;
}

void ClassicGroup::remove(std::string_view member_id) {
  ClassicMember* member = members_.find(member_id);
  MILENA_ASSERT(member != nullptr, "only members are removed");
  MILENA_ASSERT(member->awaiting_join == 0 && member->awaiting_sync == 0,
                "a removed member's request was answered");
  set_protocols(*member, {});
  expect_sync(*member, false);
  if (member->instance_id) static_members_.erase(*member->instance_id);
  const bool led = is_leader(member->id);
  members_.remove(member_id);
  if (!led) return;
  leader.reset();
  if (!members_.empty()) leader = (*members_.begin()).id;
}

void ClassicGroup::rename(ClassicMember& member, std::string new_id) {
  MILENA_ASSERT(member.awaiting_join == 0 && member.awaiting_sync == 0,
                "a replaced member's request was answered");
  const bool leads = is_leader(member.id);
  members_.rename(member, std::move(new_id));
  if (leads) leader = member.id;
  if (member.instance_id) static_members_[*member.instance_id] = member.id;
}

void ClassicGroup::set_protocols(ClassicMember& member, std::vector<ClassicProtocol> protocols) {
  for (const ClassicProtocol& old : member.protocols) {
    const auto at = support_.find(old.name);
    if (--at->second == 0) support_.erase(at);
  }
  member.protocols = std::move(protocols);
  for (const ClassicProtocol& now : member.protocols) ++support_[now.name];
}

void ClassicGroup::add_pending(std::string_view member_id, Instant deadline) {
  auto pending = std::make_unique<Pending>(group_, timers_, std::string(member_id));
  pending->timer.arm(deadline);
  const std::string_view key = pending->id;
  pending_.emplace(key, std::move(pending));
}

void ClassicGroup::remove_pending(std::string_view member_id) {
  if (const auto at = pending_.find(member_id); at != pending_.end()) pending_.erase(at);
}

ReplyToken ClassicGroup::await_join(ClassicMember& member, ReplyToken token) {
  if (token != 0 && member.awaiting_join == 0) ++awaiting_join_count_;
  if (token == 0 && member.awaiting_join != 0) --awaiting_join_count_;
  return std::exchange(member.awaiting_join, token);
}

void ClassicGroup::expect_sync(ClassicMember& member, bool expected) {
  if (expected != member.must_sync) must_sync_count_ += expected ? std::size_t{1} : std::size_t{0} - 1;
  member.must_sync = expected;
}

std::int32_t ClassicGroup::rebalance_timeout_ms() const {
  std::int32_t longest = 0;
  for (const ClassicMember& member : members_) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

bool ClassicGroup::supports(std::string_view type, Protocols protocols) const {
  if (state == ClassicState::kEmpty) return !type.empty() && !protocols.empty();
  if (!protocol_type || *protocol_type != type) return false;
  return std::ranges::any_of(protocols, [&](const ClassicProtocol& offered) {
    const auto known = support_.find(offered.name);
    return (known == support_.end() ? 0 : known->second) == members_.size();
  });
}

std::optional<std::string_view> ClassicGroup::vote(const ClassicMember* changed, Protocols protocols) const {
  const auto offers_of = [&](const ClassicMember& member) {
    return &member == changed ? protocols : Protocols(member.protocols);
  };
  std::map<std::string_view, std::size_t> support;
  for (const ClassicMember& member : members_) {
    for (const ClassicProtocol& offered : offers_of(member)) ++support[offered.name];
  }
  std::map<std::string_view, std::size_t> votes;
  for (const ClassicMember& member : members_) {
    for (const ClassicProtocol& offered : offers_of(member)) {
      if (support[offered.name] != members_.size()) continue;
      ++votes[offered.name];
      break;
    }
  }
  if (votes.empty()) return std::nullopt;
  return std::ranges::max_element(votes, [](auto& a, auto& b) { return a.second < b.second; })->first;
}

bool ClassicGroup::is_subscribed_to(std::string_view topic) const {
  if (!uses_consumer_protocol()) return false;
  if (members_.empty()) return false;
  for (const ClassicMember& member : members_) {
    const std::string* metadata = protocol ? member.metadata(*protocol) : nullptr;
    if (metadata == nullptr) return true;
    const auto subscribed = subscribes(*metadata, topic);
    if (!subscribed || *subscribed) return true;
  }
  return false;
}

}  // namespace milena::coordinator
