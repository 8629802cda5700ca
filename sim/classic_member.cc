// A member of a classic group: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, and commits under a generation.
#include <fmt/format.h>

#include <set>
#include <vector>

#include "protocol/error_code.h"
#include "protocol/heartbeat.gen.h"
#include "protocol/join_group.gen.h"
#include "protocol/leave_group.gen.h"
#include "protocol/sync_group.gen.h"
#include "sim/client.h"
#include "sim/requests.h"
#include "sim/scripts.h"

namespace milena::sim {
namespace {

constexpr int kJoinVersion = 5, kSyncVersion = 3, kHeartbeatVersion = 3, kLeaveVersion = 3;
constexpr Instant kBetweenTries{20}, kAfterLoss{50};
constexpr std::int32_t kSessionMs = 1000, kRebalanceMs = 1500;
constexpr std::string_view kGroup = "club";

class ClassicMember {
 public:
  ClassicMember(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  // False: to be tried again.
  Co<bool> join();
  // Works with its partitions until the group wants something else.
  Co<> live();
  Co<> leave();
  Client& client() { return client_; }

 private:
  std::vector<std::string> share_out(const protocol::JoinGroupResponse& joined) const;
  Co<bool> sync(const protocol::JoinGroupResponse& joined);
  Co<bool> heartbeat();
  Co<bool> commit_one(std::int32_t partition);
  Co<> look_at(std::int32_t partition);
  Co<> fall_asleep();
  bool goes_on(ErrorCode code);

  World& world_;
  const std::string name_;
  Client client_{world_.network(), name_};
  std::string id_;
  std::int32_t generation_ = -1;
  std::set<std::int32_t> partitions_;
  int term_ = 0;
};

// Whether the member is still one of its generation. If not, it joins again, maybe as somebody new.
bool ClassicMember::goes_on(ErrorCode code) {
  if (code == ErrorCode::kUnknownMemberId) id_.clear();
  return code != ErrorCode::kUnknownMemberId && code != ErrorCode::kIllegalGeneration &&
         code != ErrorCode::kRebalanceInProgress;
}

Co<bool> ClassicMember::join() {
  Arena arena;
  protocol::JoinGroupRequest request{.group_id = kGroup,
                                     .session_timeout_ms = kSessionMs,
                                     .rebalance_timeout_ms = kRebalanceMs,
                                     .member_id = id_,
                                     .protocol_type = "consumer"};
  request.protocols = arena.array<protocol::JoinGroupRequest::JoinGroupRequestProtocol>(1);
  // A ConsumerProtocolSubscription of version 0: one topic, no user data.
  using namespace std::string_view_literals;
  request.protocols[0] = {"range", as_bytes("\0\0\0\0\0\1\0\6orders\xff\xff\xff\xff"sv)};
  const auto answer = co_await client_.ask<protocol::JoinGroupResponse>(request, kJoinVersion);
  if (!answer) co_return false;
  if (answer->error_code == ErrorCode::kMemberIdRequired) id_ = std::string(answer->member_id);
  if (answer->error_code != ErrorCode::kNone) {
    goes_on(answer->error_code);
    co_return false;
  }
  id_ = std::string(answer->member_id);
  generation_ = answer->generation_id;
  co_return co_await sync(*answer);
}

// One assignment per member, if this one leads: a digit per partition.
std::vector<std::string> ClassicMember::share_out(const protocol::JoinGroupResponse& joined) const {
  std::vector<std::string> out(joined.members.size());
  for (std::int32_t partition = 0; partition < World::kOrdersPartitions && !out.empty(); ++partition)
    out[static_cast<std::size_t>(partition) % out.size()] += static_cast<char>('0' + partition);
  return out;
}

Co<bool> ClassicMember::sync(const protocol::JoinGroupResponse& joined) {
  Arena arena;
  term_ = world_.history().members().term();
  protocol::SyncGroupRequest request{.group_id = kGroup, .generation_id = generation_, .member_id = id_};
  const auto shares = share_out(joined);
  if (joined.leader == id_) {
    request.assignments = arena.array<protocol::SyncGroupRequest::SyncGroupRequestAssignment>(shares.size());
    for (std::size_t i = 0; i < shares.size(); ++i)
      request.assignments[i] = {joined.members[i].member_id, as_bytes(shares[i])};
  }
  const auto answer = co_await client_.ask<protocol::SyncGroupResponse>(request, kSyncVersion);
  if (!answer) co_return false;
  if (answer->error_code != ErrorCode::kNone) {
    goes_on(answer->error_code);
    co_return false;
  }
  partitions_.clear();
  for (const char digit : as_text(answer->assignment)) partitions_.insert(digit - '0');
  world_.history().members().synced(term_, std::string(kGroup), generation_, id_, partitions_);
  co_return true;
}

Co<bool> ClassicMember::heartbeat() {
  const auto answer = co_await client_.ask<protocol::HeartbeatResponse>(
      protocol::HeartbeatRequest{.group_id = kGroup, .generation_id = generation_, .member_id = id_},
      kHeartbeatVersion);
  co_return !answer || goes_on(answer->error_code);
}

Co<bool> ClassicMember::commit_one(std::int32_t partition) {
  Arena arena;
  auto& history = world_.history();
  const History::Committed where{kGroup, partition};
  const auto offset = history.members().next_offset();
  const auto newest = history.members().newest(where.first);
  auto request = commit(arena, kGroup, World::kOrders, partition, offset);
  request.generation_id_or_member_epoch = generation_;
  request.member_id = id_;
  history.commits(where, offset);
  const auto answer = co_await client_.ask<protocol::OffsetCommitResponse>(request, kCommitVersion);
  if (!answer) co_return true;
  const auto code = answer->topics[0].partitions[0].error_code;
  if (code == ErrorCode::kNone) {
    history.members().accepted(term_, where.first, generation_, newest);
    history.has_committed(where, offset);
  }
  co_return goes_on(code);
}

Co<> ClassicMember::look_at(std::int32_t partition) {
  Arena arena;
  const auto answer = co_await client_.ask<protocol::OffsetFetchResponse>(
      committed(arena, kGroup, World::kOrders, partition), kOffsetFetchVersion);
  if (answer && answer->error_code == ErrorCode::kNone && !answer->topics.empty() &&
      answer->topics[0].partitions[0].error_code == ErrorCode::kNone)
    world_.history().saw_committed({std::string(kGroup), partition},
                                   answer->topics[0].partitions[0].committed_offset.value);
}

Co<> ClassicMember::leave() {
  Arena arena;
  protocol::LeaveGroupRequest request{.group_id = kGroup};
  request.members = arena.array<protocol::LeaveGroupRequest::MemberIdentity>(1);
  request.members[0].member_id = id_;
  id_.clear();
  co_await client_.ask<protocol::LeaveGroupResponse>(request, kLeaveVersion);
}

// Past its session: whoever joined meanwhile has fenced it, and what it does when it wakes up is refused.
Co<> ClassicMember::fall_asleep() {
  client_.disconnect();
  co_await client_.sleep(Instant{kSessionMs} + world_.up_to(1500));
}

Co<> ClassicMember::live() {
  for (const auto partition : partitions_) co_await look_at(partition);
  for (bool goes_on = true; goes_on && !world_.is_closing();) {
    co_await client_.sleep(Instant{20} + world_.up_to(150));
    if (world_.rng().one_in(20)) co_return co_await leave();
    if (world_.rng().one_in(20)) co_await fall_asleep();
    for (const auto partition : partitions_) {
      if (goes_on) goes_on = co_await commit_one(partition);
    }
    if (goes_on) goes_on = co_await heartbeat();
  }
}

}  // namespace

Co<> classic_member(World& world, std::string name) {
  ClassicMember self(world, name);
  while (!world.is_closing()) {
    const bool is_in = co_await self.join();
    if (is_in) co_await self.live();
    co_await self.client().sleep(is_in ? kBetweenTries : kAfterLoss);
  }
  co_await self.leave();
}

}  // namespace milena::sim
