#include "bench/load/classic_group.h"

#include <array>

#include "bench/load/time.h"
#include "protocol/consumer_protocol_subscription.gen.h"
#include "protocol/error_code.h"
#include "protocol/join_group.gen.h"
#include "protocol/sync_group.gen.h"

namespace milena::bench {
namespace {

using namespace milena::protocol;

constexpr int kJoinVersion = 7;
constexpr int kSyncVersion = 5;
constexpr std::int16_t kSubscriptionVersion = 1;
constexpr std::string_view kProtocolType = "consumer";
constexpr std::string_view kAssignor = "range";
constexpr std::int32_t kSessionTimeoutMs = 45'000;
constexpr std::int32_t kRebalanceTimeoutMs = 300'000;
// The leader's JoinGroup starts the rebalance; one of another member that came before it would start none.
constexpr double kHeadStartSeconds = 0.1;

std::vector<std::byte> subscription_to(std::string_view topic) {
  std::array<std::string_view, 1> topics{topic};
  ConsumerProtocolSubscription message;
  message.topics = topics;
  Arena arena;
  const BytesView body = flatten(encode(message, kSubscriptionVersion, arena), arena);
  std::vector<std::byte> blob(sizeof(kSubscriptionVersion));
  store_be(blob.data(), kSubscriptionVersion);
  blob.insert(blob.end(), body.begin(), body.end());
  return blob;
}

}  // namespace

ClassicGroup::ClassicGroup(const Options& options, std::string group)
    : group_(std::move(group)), subscription_(subscription_to(options.topic)) {
  for (int i = 0; i < options.connections; ++i)
    members_.push_back({std::make_unique<WireClient>(options.broker), {}});
  // The first answer to each gives it an id (KIP-394).
  for (Member& member : members_) send_join(member);
  for (Member& member : members_)
    member.id = member.client->receive<JoinGroupResponse>(kJoinVersion).member_id;
  // The first generation may be complete before the others come; the second waits for everybody.
  Member& first = members_.front();
  send_join(first);
  require_success("JoinGroup", first.client->receive<JoinGroupResponse>(kJoinVersion).error_code);
  for (Member& member : members_)
    if (&member != &first) send_join(member);
  send_join(first);
  take_joins();
  sync();
}

std::int64_t ClassicGroup::rebalance() {
  send_join(members_[leader_]);
  sleep_for(kHeadStartSeconds);
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (i != leader_) send_join(members_[i]);
  const std::int64_t joined = now_ns();
  take_joins();
  sync();
  return now_ns() - joined;
}

void ClassicGroup::send_join(Member& member) {
  std::array<JoinGroupRequest::JoinGroupRequestProtocol, 1> protocols{{{kAssignor, subscription_}}};
  JoinGroupRequest request;
  request.group_id = group_;
  request.session_timeout_ms = kSessionTimeoutMs;
  request.rebalance_timeout_ms = kRebalanceTimeoutMs;
  request.member_id = member.id;
  request.protocol_type = kProtocolType;
  request.protocols = protocols;
  member.client->send(request, kJoinVersion);
}

void ClassicGroup::take_joins() {
  const std::int32_t before = generation_;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto answer = members_[i].client->receive<JoinGroupResponse>(kJoinVersion);
    require_success("JoinGroup", answer.error_code);
    if (i == 0) generation_ = answer.generation_id;
    if (answer.generation_id != generation_ || generation_ == before)
      fail_run("JoinGroup: member {} is in generation {}, others in {}", i, answer.generation_id,
               generation_);
    if (answer.leader == answer.member_id) leader_ = i;
  }
}

void ClassicGroup::sync() {
  constexpr std::string_view kShare = "share";  // nobody reads it
  std::vector<SyncGroupRequest::SyncGroupRequestAssignment> shares;
  for (const Member& member : members_) shares.push_back({member.id, as_bytes(kShare)});
  for (std::size_t i = 0; i < members_.size(); ++i) {
    SyncGroupRequest request;
    request.group_id = group_;
    request.generation_id = generation_;
    request.member_id = members_[i].id;
    request.protocol_type = kProtocolType;
    request.protocol_name = kAssignor;
    if (i == leader_) request.assignments = shares;
    members_[i].client->send(request, kSyncVersion);
  }
  for (Member& member : members_)
    require_success("SyncGroup", member.client->receive<SyncGroupResponse>(kSyncVersion).error_code);
}

}  // namespace milena::bench
