#include "coordinator/group/testing/classic_model.h"

#include <algorithm>
#include <set>

namespace milena::coordinator::testing_support {

using Answer = ClassicModel::Answer;

ClassicModel::Member* ClassicModel::find(const std::string& id) {
  for (Member& member : members_) {
    if (member.id == id) return &member;
  }
  return nullptr;
}

ClassicModel::Member* ClassicModel::find_static(const std::string& instance_id) {
  for (Member& member : members_) {
    if (member.instance_id == instance_id) return &member;
  }
  return nullptr;
}

std::vector<std::string> ClassicModel::member_ids() const {
  std::vector<std::string> ids;
  for (const Member& member : members_) ids.push_back(member.id);
  std::ranges::sort(ids);
  return ids;
}

ErrorCode ClassicModel::validate(const std::string& id, const std::optional<std::string>& instance_id) {
  if (instance_id) {
    const Member* owner = find_static(*instance_id);
    if (owner == nullptr) return ErrorCode::kUnknownMemberId;
    if (owner->id != id) return ErrorCode::kFencedInstanceId;
  }
  return find(id) == nullptr ? ErrorCode::kUnknownMemberId : ErrorCode::kNone;
}

std::size_t ClassicModel::joined_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(members_, [](const Member& m) { return m.join != 0; }));
}

bool ClassicModel::all_joined() const { return joined_count() == members_.size() && pending_.empty(); }

std::int32_t ClassicModel::longest_rebalance() const {
  std::int32_t longest = 0;
  for (const Member& member : members_) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

std::string ClassicModel::elect_protocol() const {
  std::set<std::string> common;
  for (const auto& [name, metadata] : members_.front().protocols) common.insert(name);
  for (const Member& member : members_) {
    std::set<std::string> both;
    for (const auto& [name, metadata] : member.protocols) {
      if (common.contains(name)) both.insert(name);
    }
    common = both;
  }
  std::map<std::string, int> votes;
  for (const Member& member : members_) {
    for (const auto& [name, metadata] : member.protocols) {
      if (common.contains(name)) {
        ++votes[name];
        break;
      }
    }
  }
  std::string best;
  for (const auto& [name, n] : votes) {
    if (best.empty() || n > votes[best]) best = name;
  }
  return best;
}

bool ClassicModel::supports(const Protocols& protocols) const {
  if (state_ == "Empty") return true;
  for (const auto& [name, metadata] : protocols) {
    const bool all = std::ranges::all_of(members_, [&](const Member& member) {
      return std::ranges::any_of(member.protocols, [&](const auto& known) { return known.first == name; });
    });
    if (all) return true;
  }
  return false;
}

Answer ClassicModel::joined(const Member& member, bool with_members) const {
  Answer answer;
  answer.member_id = member.id;
  answer.generation = generation_;
  answer.leader = leader_;
  answer.protocol = protocol_;
  answer.listed_members = with_members ? members_.size() : 0;
  return answer;
}

void ClassicModel::join(std::int64_t now, ReplyToken token, const Join& request,
                        const std::string& fresh_id) {
  const auto refuse = [&](ErrorCode error, const std::string& id) {
    answers_[token] = Answer{.error = error, .member_id = id};
  };
  if (!exists_) {
    if (!request.member_id.empty()) return refuse(ErrorCode::kUnknownMemberId, request.member_id);
    exists_ = true;
    store();
  }
  Member* member = find(request.member_id);
  if (state_ == "PreparingRebalance") {
    if (!(member != nullptr && member->join != 0) && joined_count() >= max_size_) {
      pending_.erase(request.member_id);
      if (member != nullptr) {
        remove(now, request.member_id, ErrorCode::kUnknownMemberId);
        maybe_complete(now);
      }
      return refuse(ErrorCode::kGroupMaxSizeReached, "");
    }
  } else if (state_ != "Empty" && member == nullptr && members_.size() >= max_size_) {
    pending_.erase(request.member_id);
    return refuse(ErrorCode::kGroupMaxSizeReached, "");
  }
  if (!supports(request.protocols)) return refuse(ErrorCode::kInconsistentGroupProtocol, request.member_id);
  if (request.member_id.empty()) {
    if (request.instance_id) {
      Member* owner = find_static(*request.instance_id);
      return owner == nullptr ? add(now, token, request, fresh_id)
                              : replace(now, token, request, *owner, fresh_id);
    }
    if (request.version < 4) return add(now, token, request, fresh_id);
    pending_[fresh_id] = now + request.session_timeout_ms;
    return refuse(ErrorCode::kMemberIdRequired, fresh_id);
  }
  if (pending_.contains(request.member_id) && !request.instance_id) {
    return add(now, token, request, request.member_id);
  }
  if (const ErrorCode error = validate(request.member_id, request.instance_id); error != ErrorCode::kNone) {
    return refuse(error, request.member_id);
  }
  const bool same = member->protocols == request.protocols;
  const bool leads = leader_ == member->id;
  if (state_ == "CompletingRebalance" && same) {
    answers_[token] = joined(*member, leads);
  } else if (state_ == "Stable" && same && !leads) {
    answers_[token] = joined(*member, false);
  } else {
    update(now, token, request, *member);
  }
}

void ClassicModel::add(std::int64_t now, ReplyToken token, const Join& request, const std::string& id) {
  pending_.erase(id);
  Member member;
  member.id = id;
  member.instance_id = request.instance_id;
  member.protocols = request.protocols;
  member.session_timeout_ms = request.session_timeout_ms;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_deadline = now + 300'000;
  member.is_new = true;
  member.join = token;
  members_.push_back(member);
  if (leader_.empty()) leader_ = id;
  if (initial_deadline_ >= 0) somebody_came_ = true;
  rebalance(now);
}

void ClassicModel::update(std::int64_t now, ReplyToken token, const Join& request, Member& member) {
  member.protocols = request.protocols;
  member.session_timeout_ms = request.session_timeout_ms;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (member.join != 0) {
    answers_[member.join] = Answer{.error = ErrorCode::kRebalanceInProgress, .member_id = member.id};
  }
  member.join = token;
  rebalance(now);
}

void ClassicModel::replace(std::int64_t now, ReplyToken token, const Join& request, Member& member,
                           const std::string& id) {
  if (member.join != 0) {
    answers_[member.join] = Answer{.error = ErrorCode::kFencedInstanceId, .member_id = member.id};
  }
  if (member.sync != 0) answers_[member.sync] = Answer{.error = ErrorCode::kFencedInstanceId};
  member.join = member.sync = 0;
  const std::string old_leader = leader_;
  if (leader_ == member.id) leader_ = id;
  member.id = id;
  member.protocols = request.protocols;
  member.session_timeout_ms = request.session_timeout_ms;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_deadline = now + member.session_timeout_ms;
  member.session_runs = true;
  if (state_ == "Stable" && elect_protocol() == protocol_) {
    store();
    Answer answer = joined(member, request.version >= 9 && leader_ == id);
    answer.skip_assignment = request.version >= 9 && leader_ == id;
    if (request.version < 9) answer.leader = old_leader;
    answers_[token] = answer;
    return;
  }
  member.join = token;
  rebalance(now);
}

void ClassicModel::remove(std::int64_t, const std::string& id, ErrorCode error) {
  Member* member = find(id);
  if (member->join != 0) answers_[member->join] = Answer{.error = error};
  if (member->sync != 0) answers_[member->sync] = Answer{.error = error};
  *member = members_.back();
  members_.pop_back();
  if (leader_ == id) leader_ = members_.empty() ? "" : members_.front().id;
}

void ClassicModel::rebalance(std::int64_t now) {
  if (state_ == "PreparingRebalance") {
    maybe_complete(now);
  } else {
    prepare(now);
  }
}

void ClassicModel::prepare(std::int64_t now) {
  for (Member& member : members_) {
    member.must_sync = false;
    if (state_ != "CompletingRebalance") continue;
    member.assignment = "";
    if (member.sync == 0) continue;
    answers_[member.sync] = Answer{.error = ErrorCode::kRebalanceInProgress};
    member.sync = 0;
    member.session_deadline = now + member.session_timeout_ms;
    member.session_runs = true;
  }
  sync_deadline_ = -1;
  const bool initial = state_ == "Empty";
  state_ = "PreparingRebalance";
  if (initial && initial_delay_ms_ > 0) {
    initial_deadline_ = now + initial_delay_ms_;
    initial_remaining_ms_ = std::max(longest_rebalance() - initial_delay_ms_, 0);
    somebody_came_ = false;
  } else if (initial || all_joined()) {
    complete(now);
  } else {
    join_deadline_ = now + longest_rebalance();
  }
}

void ClassicModel::maybe_complete(std::int64_t now) {
  if (state_ == "PreparingRebalance" && initial_deadline_ < 0 && all_joined()) complete(now);
}

void ClassicModel::complete(std::int64_t now) {
  join_deadline_ = initial_deadline_ = -1;
  std::vector<std::string> absent;
  std::string first_here;
  for (const Member& member : members_) {
    if (member.join == 0 && !member.instance_id) absent.push_back(member.id);
    if (member.join != 0 && first_here.empty()) first_here = member.id;
  }
  for (const std::string& id : absent) remove(now, id, ErrorCode::kUnknownMemberId);
  if (!members_.empty() && first_here.empty()) {
    join_deadline_ = now + longest_rebalance();
    return;
  }
  if (!members_.empty() && find(leader_)->join == 0) leader_ = first_here;
  ++generation_;
  if (members_.empty()) {
    state_ = "Empty";
    protocol_ = "";
    store();
    return;
  }
  protocol_ = elect_protocol();
  state_ = "CompletingRebalance";
  for (Member& member : members_) {
    if (member.join != 0) answers_[member.join] = joined(member, member.id == leader_);
    member.join = 0;
    member.is_new = false;
    member.must_sync = true;
    member.session_deadline = now + member.session_timeout_ms;
    member.session_runs = true;
  }
  sync_deadline_ = now + longest_rebalance();
}

void ClassicModel::sync(std::int64_t now, ReplyToken token, const std::string& member_id,
                        const std::optional<std::string>& instance_id, std::int32_t generation,
                        const std::map<std::string, std::string>& assignments) {
  const auto refuse = [&](ErrorCode error) { answers_[token] = Answer{.error = error}; };
  if (!exists_ || state_ == "Empty") return refuse(ErrorCode::kUnknownMemberId);
  if (const ErrorCode error = validate(member_id, instance_id); error != ErrorCode::kNone)
    return refuse(error);
  if (generation != generation_) return refuse(ErrorCode::kIllegalGeneration);
  if (state_ == "PreparingRebalance") return refuse(ErrorCode::kRebalanceInProgress);
  Member& member = *find(member_id);
  member.must_sync = false;
  if (std::ranges::none_of(members_, &Member::must_sync)) sync_deadline_ = -1;
  if (state_ == "Stable") {
    answers_[token] = Answer{.protocol = protocol_, .assignment = member.assignment};
    return;
  }
  if (member.sync != 0) answers_[member.sync] = Answer{.error = ErrorCode::kRebalanceInProgress};
  member.sync = token;
  if (leader_ != member_id) return;
  for (Member& each : members_) {
    const auto at = assignments.find(each.id);
    each.assignment = at == assignments.end() ? "" : at->second;
    if (each.sync == 0) continue;
    answers_[each.sync] = Answer{.protocol = protocol_, .assignment = each.assignment};
    each.sync = 0;
    each.session_deadline = now + each.session_timeout_ms;
    each.session_runs = true;
  }
  state_ = "Stable";
  store();
}

void ClassicModel::heartbeat(std::int64_t now, ReplyToken token, const std::string& member_id,
                             const std::optional<std::string>& instance_id, std::int32_t generation) {
  const auto answer = [&](ErrorCode error) { answers_[token] = Answer{.error = error}; };
  if (!exists_) return answer(ErrorCode::kUnknownMemberId);
  if (const ErrorCode error = validate(member_id, instance_id); error != ErrorCode::kNone)
    return answer(error);
  if (generation != generation_) return answer(ErrorCode::kIllegalGeneration);
  Member& member = *find(member_id);
  member.session_deadline = now + member.session_timeout_ms;
  member.session_runs = true;
  answer(state_ == "PreparingRebalance" ? ErrorCode::kRebalanceInProgress : ErrorCode::kNone);
}

void ClassicModel::leave(std::int64_t now, ReplyToken token, const std::string& member_id,
                         const std::optional<std::string>& instance_id) {
  Answer& answer = answers_[token];
  bool left = false;
  if (!exists_) {
    answer.error = ErrorCode::kUnknownMemberId;
  } else if (pending_.erase(member_id) > 0) {
    left = true;
  } else {
    answer.error = validate(member_id, instance_id);
    if (answer.error == ErrorCode::kNone) {
      remove(now, member_id, ErrorCode::kUnknownMemberId);
      left = true;
    }
  }
  if (left && state_ != "Empty") rebalance(now);
}

ErrorCode ClassicModel::commit(std::int64_t now, const std::string& member_id, std::int32_t generation) {
  if (!exists_) return generation < 0 ? ErrorCode::kNone : ErrorCode::kGroupIdNotFound;
  if (generation < 0 && state_ == "Empty") return ErrorCode::kNone;
  if (generation < 0 && member_id.empty()) return ErrorCode::kUnknownMemberId;
  if (find(member_id) == nullptr) return ErrorCode::kUnknownMemberId;
  if (generation != generation_) return ErrorCode::kIllegalGeneration;
  if (state_ == "CompletingRebalance") return ErrorCode::kRebalanceInProgress;
  find(member_id)->session_deadline = now + find(member_id)->session_timeout_ms;
  find(member_id)->session_runs = true;
  return ErrorCode::kNone;
}

std::vector<std::int64_t*> ClassicModel::deadlines() {
  std::vector<std::int64_t*> all;
  for (Member& member : members_) {
    if (member.session_runs) all.push_back(&member.session_deadline);
  }
  for (auto& [id, deadline] : pending_) all.push_back(&deadline);
  for (std::int64_t* deadline : {&join_deadline_, &initial_deadline_, &sync_deadline_}) {
    if (*deadline >= 0) all.push_back(deadline);
  }
  return all;
}

bool ClassicModel::advance(std::int64_t, std::int64_t to) {
  for (;;) {
    const auto all = deadlines();
    const auto next = std::ranges::min_element(all, {}, [](const std::int64_t* d) { return *d; });
    if (next == all.end() || **next > to) return true;
    if (std::ranges::count_if(all, [&](const std::int64_t* d) { return *d == **next; }) > 1) return false;
    ring(**next);
  }
}

// The one thing that is due at `now` happens.
bool ClassicModel::ring(std::int64_t now) {
  if (join_deadline_ == now) {
    complete(now);
    return true;
  }
  if (initial_deadline_ == now) {
    if (!somebody_came_ || initial_remaining_ms_ == 0) {
      complete(now);
      return true;
    }
    const std::int32_t delay = std::min(initial_delay_ms_, initial_remaining_ms_);
    somebody_came_ = false;
    initial_remaining_ms_ -= delay;
    initial_deadline_ = now + delay;
    return true;
  }
  if (sync_deadline_ == now) {
    sync_deadline_ = -1;
    std::vector<std::string> silent;
    for (const Member& member : members_) {
      if (member.must_sync) silent.push_back(member.id);
    }
    for (const std::string& id : silent) remove(now, id, ErrorCode::kUnknownMemberId);
    if (!silent.empty()) prepare(now);
    return true;
  }
  for (const auto& [id, deadline] : pending_) {
    if (deadline != now) continue;
    pending_.erase(id);
    if (state_ == "PreparingRebalance" && all_joined()) complete(now);
    return true;
  }
  for (Member& member : members_) {
    if (!member.session_runs || member.session_deadline != now) continue;
    member.session_runs = false;
    if (!member.is_new && (member.join != 0 || member.sync != 0)) return true;
    remove(now, std::string(member.id), ErrorCode::kUnknownMemberId);
    if (state_ != "PreparingRebalance") {
      prepare(now);
    } else if (all_joined()) {
      complete(now);
    }
    return true;
  }
  return false;
}

void ClassicModel::store() { stored_ = {generation_, protocol_, leader_, members_}; }

void ClassicModel::restart(std::int64_t now) {
  for (const Member& member : members_) {
    if (member.join != 0)
      answers_[member.join] = Answer{.error = ErrorCode::kNotCoordinator, .member_id = member.id};
    if (member.sync != 0) answers_[member.sync] = Answer{.error = ErrorCode::kNotCoordinator};
  }
  generation_ = stored_.generation;
  protocol_ = stored_.protocol;
  leader_ = stored_.leader;
  members_ = stored_.members;
  state_ = members_.empty() ? "Empty" : "Stable";
  for (Member& member : members_) {
    std::erase_if(member.protocols, [&](const auto& known) { return known.first != protocol_; });
    member.join = member.sync = 0;
    member.is_new = member.must_sync = false;
    member.session_deadline = now + member.session_timeout_ms;
    member.session_runs = true;
  }
  pending_.clear();
  join_deadline_ = initial_deadline_ = sync_deadline_ = -1;
}

}  // namespace milena::coordinator::testing_support
