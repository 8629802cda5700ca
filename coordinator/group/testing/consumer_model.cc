#include "coordinator/group/testing/consumer_model.h"

#include <algorithm>
#include <vector>

namespace milena::coordinator::testing_support {

using Answer = ConsumerModel::Answer;

// What the group sees of its topics: it has to rebalance when this changes.
std::string ConsumerModel::fingerprint() const {
  std::set<std::string> subscribed;
  for (const auto& [id, member] : members_) subscribed.insert(member.topics.begin(), member.topics.end());
  std::string out;
  for (const std::string& name : subscribed) {
    const auto topic = topics_.find(name);
    if (topic != topics_.end()) out += topic->second.first + "=" + std::to_string(topic->second.second) + ";";
  }
  return out;
}

bool ConsumerModel::is_owned(const Partition& partition) const {
  return std::ranges::any_of(members_before_, [&](const auto& each) {
    return each.second.assigned.contains(partition) || each.second.revoking.contains(partition);
  });
}

ErrorCode ConsumerModel::check_epoch(const Member& member, const Heartbeat& request) const {
  if (request.epoch == 0 || request.epoch == member.epoch) return ErrorCode::kNone;
  const bool answer_was_lost =
      request.epoch < member.epoch && request.epoch == member.previous_epoch && request.owned &&
      std::ranges::all_of(*request.owned, [&](const Partition& p) { return member.assigned.contains(p); });
  return answer_was_lost ? ErrorCode::kNone : ErrorCode::kFencedMemberEpoch;
}

Answer ConsumerModel::heartbeat(std::int64_t now, const Heartbeat& request,
                                const std::function<Targets()>& new_targets) {
  const auto refuse = [](ErrorCode error) { return Answer{.error = error}; };
  if (request.epoch < 0) return leave(request);
  if (!exists_ && request.epoch != 0) return refuse(ErrorCode::kGroupIdNotFound);
  const auto owner = std::ranges::find_if(members_, [&](const auto& each) {
    return request.instance_id && each.second.instance_id == request.instance_id;
  });
  const bool known = members_.contains(request.member_id);
  if (owner == members_.end() && !known && members_.size() >= max_size_) {
    return refuse(ErrorCode::kGroupMaxSizeReached);
  }
  Member before;
  std::string takes_place_of;
  if (!request.instance_id || (request.epoch == 0 && owner == members_.end())) {
    if (!known && request.epoch != 0) return refuse(ErrorCode::kUnknownMemberId);
    if (known) before = members_[request.member_id];
  } else if (request.epoch == 0) {
    if (owner->second.epoch != -2) return refuse(ErrorCode::kUnreleasedInstanceId);
    before = owner->second;
    before.epoch = before.previous_epoch = 0;
    takes_place_of = owner->first;
  } else {
    if (owner == members_.end()) return refuse(ErrorCode::kUnknownMemberId);
    if (owner->first != request.member_id) return refuse(ErrorCode::kFencedInstanceId);
    before = owner->second;
  }
  if (const ErrorCode error = check_epoch(before, request); error != ErrorCode::kNone) return refuse(error);

  exists_ = true;
  members_before_ = members_;
  Member after = before;
  if (request.instance_id) after.instance_id = request.instance_id;
  if (request.rebalance_timeout_ms != -1) after.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (request.topics) after.topics = *request.topics;
  if (!takes_place_of.empty()) {
    members_.erase(takes_place_of);
    targets_[request.member_id] = targets_[takes_place_of];
    if (takes_place_of != request.member_id) targets_.erase(takes_place_of);
    after.revocation_deadline = -1;
  }
  members_[request.member_id] = after;

  const bool topics_changed = after.topics != before.topics;
  if (topics_changed || fingerprint() != fingerprint_) {
    ++epoch_;
    fingerprint_ = fingerprint();
  }
  if (assignment_epoch_ < epoch_) {
    assignment_epoch_ = epoch_;
    targets_ = new_targets();
  }
  reconcile(now, request.member_id, request.owned, topics_changed);
  Member& member = members_[request.member_id];
  member.session_deadline = now + session_timeout_ms_;
  Answer answer{.epoch = member.epoch};
  const bool full = request.rebalance_timeout_ms != -1 && request.topics && request.owned;
  if (request.epoch == 0 || full || member.assigned != before.assigned) {
    answer.assignment.emplace();
    for (const auto& [partition, epoch] : member.assigned) answer.assignment->insert(partition);
  }
  return answer;
}

// What a member may have, from what it has and what it should have. Kafka's rules, as sets.
void ConsumerModel::reconcile(std::int64_t now, const std::string& id, const std::optional<Partitions>& owned,
                              bool topics_changed) {
  Member& m = members_[id];
  if (!topics_changed && m.state == "stable" && m.epoch == assignment_epoch_) return;
  const auto still_has = [&](const std::map<Partition, std::int32_t>& some) {
    return !owned || std::ranges::any_of(some, [&](const auto& each) { return owned->contains(each.first); });
  };
  const auto subscribed = [&](const Partition& p) {
    return std::ranges::any_of(m.topics, [&](const std::string& name) {
      const auto topic = topics_.find(name);
      return topic != topics_.end() && topic->second.first == p.first;
    });
  };
  const auto watch = [&] {
    m.revocation_deadline = m.state == "revoking" && m.epoch > 0 ? now + m.rebalance_timeout_ms : -1;
  };
  const bool may_move = (m.state == "stable" && m.epoch != assignment_epoch_) || m.state == "waiting" ||
                        (m.state == "revoking" && !still_has(m.revoking));
  std::map<Partition, std::int32_t> keep, give_up;
  if (!may_move) {
    if (!topics_changed) return;
    for (const auto& each : m.assigned) (subscribed(each.first) ? keep : give_up).insert(each);
    if (give_up.empty()) return;
    m.assigned = keep;
    m.previous_epoch = m.epoch;
    give_up.insert(m.revoking.begin(), m.revoking.end());
    if (still_has(give_up)) {
      m.revoking = give_up;
      m.state = "revoking";
    }
    return watch();
  }
  const Member before = m;
  Partitions wanted;
  for (const Partition& p : targets_[id]) {
    if (subscribed(p)) wanted.insert(p);
  }
  for (const auto& each : m.assigned) (wanted.contains(each.first) ? keep : give_up).insert(each);
  if (!give_up.empty() && still_has(give_up)) {
    m.previous_epoch = m.epoch;
    m.assigned = keep;
    m.revoking = give_up;
    m.state = "revoking";
    return watch();
  }
  bool waits = false;
  for (const Partition& p : wanted) {
    if (keep.contains(p)) continue;
    if (is_owned(p) && !m.revoking.contains(p)) {
      waits = true;
    } else {
      keep[p] = assignment_epoch_;
    }
  }
  m.previous_epoch = m.epoch;
  m.epoch = assignment_epoch_;
  m.assigned = keep;
  m.revoking.clear();
  m.state = waits ? "waiting" : "stable";
  watch();
}

Answer ConsumerModel::leave(const Heartbeat& request) {
  const auto refuse = [](ErrorCode error) { return Answer{.error = error}; };
  if (!exists_) return refuse(ErrorCode::kGroupIdNotFound);
  std::string id = request.member_id;
  if (request.instance_id) {
    const auto owner = std::ranges::find_if(
        members_, [&](const auto& each) { return each.second.instance_id == request.instance_id; });
    if (owner == members_.end()) return refuse(ErrorCode::kUnknownMemberId);
    if (owner->first != id) return refuse(ErrorCode::kFencedInstanceId);
  } else if (!members_.contains(id)) {
    return refuse(ErrorCode::kUnknownMemberId);
  }
  if (request.epoch == -2) {
    Member& away = members_[id];
    away.epoch = -2;
    away.revoking.clear();
    away.revocation_deadline = -1;
    for (auto& [partition, epoch] : away.assigned) epoch = 0;
  } else {
    fence(id);
  }
  return Answer{.epoch = request.epoch};
}

void ConsumerModel::fence(const std::string& id) {
  members_.erase(id);
  targets_.erase(id);
  ++epoch_;
  fingerprint_ = fingerprint();
}

void ConsumerModel::advance(std::int64_t to) {
  for (;;) {
    std::string next;
    std::int64_t at = to + 1;
    for (const auto& [id, member] : members_) {
      std::int64_t deadline = member.session_deadline;
      if (member.revocation_deadline >= 0) deadline = std::min(deadline, member.revocation_deadline);
      if (deadline < at) {
        at = deadline;
        next = id;
      }
    }
    if (next.empty()) return;
    fence(next);
  }
}

void ConsumerModel::restart(std::int64_t now) {
  for (auto& [id, member] : members_) {
    member.session_deadline = now + session_timeout_ms_;
    member.revocation_deadline =
        member.state == "revoking" && member.epoch > 0 ? now + member.rebalance_timeout_ms : -1;
  }
}

ErrorCode ConsumerModel::commit(const std::string& member_id, std::int32_t epoch,
                                const Partition& partition) const {
  if (!exists_) return epoch < 0 ? ErrorCode::kNone : ErrorCode::kGroupIdNotFound;
  if (epoch < 0 && members_.empty()) return ErrorCode::kNone;
  const auto at = members_.find(member_id);
  if (at == members_.end()) return ErrorCode::kUnknownMemberId;
  const Member& member = at->second;
  if (epoch == member.epoch) return ErrorCode::kNone;
  if (epoch > member.epoch) return ErrorCode::kStaleMemberEpoch;
  auto held = member.assigned.find(partition);
  if (held == member.assigned.end()) {
    held = member.revoking.find(partition);
    if (held == member.revoking.end()) return ErrorCode::kStaleMemberEpoch;
  }
  return epoch < held->second ? ErrorCode::kStaleMemberEpoch : ErrorCode::kNone;
}

}  // namespace milena::coordinator::testing_support
