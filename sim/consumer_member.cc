// A member of a consumer group (KIP-848): ConsumerGroupHeartbeat, and commits under a member epoch.
#include <fmt/format.h>

#include <set>

#include "protocol/consumer_group_heartbeat.gen.h"
#include "protocol/error_code.h"
#include "sim/client.h"
#include "sim/requests.h"
#include "sim/scripts.h"

namespace milena::sim {
namespace {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;

constexpr int kHeartbeatVersion = 1, kMemberCommitVersion = 9;
constexpr Instant kAfterLoss{50};
constexpr std::int32_t kRebalanceMs = 5000, kLeaves = -1;
constexpr std::string_view kGroup = "guild";

class ConsumerMember {
 public:
  ConsumerMember(World& world, std::string name) : world_(world), name_(std::move(name)) { be_new(); }

  // False: the member is to come again a little later.
  Co<bool> heartbeat();
  Co<> commit_all();
  Co<> leave();
  Co<> fall_asleep();
  Client& client() { return client_; }

 private:
  GroupClaims& claims() { return world_.history().members(); }
  void be_new();
  void drop_all();
  ConsumerGroupHeartbeatRequest request(Arena& arena) const;
  void take(const ConsumerGroupHeartbeatResponse::Assignment& assignment);
  Co<> commit_one(std::int32_t partition);

  World& world_;
  const std::string name_;
  Client client_{world_.network(), name_};
  int life_ = 0;
  std::string id_;
  std::int32_t epoch_ = 0;
  bool is_known_ = false;  // the last heartbeat was answered: the next one may leave out what is the same
  Uuid topic_;             // of "orders", once it is known
  std::set<std::int32_t> partitions_;
};

void ConsumerMember::be_new() {
  id_ = fmt::format("{}-{}", name_, ++life_);
  epoch_ = 0;
}

void ConsumerMember::drop_all() {
  for (const auto partition : partitions_) claims().released(std::string(kGroup), partition, id_);
  partitions_.clear();
  is_known_ = false;
}

ConsumerGroupHeartbeatRequest ConsumerMember::request(Arena& arena) const {
  ConsumerGroupHeartbeatRequest out{.group_id = kGroup, .member_id = id_, .member_epoch = epoch_};
  if (!is_known_) {
    out.rebalance_timeout_ms = kRebalanceMs;
    out.subscribed_topic_names = arena.array<std::string_view>(1);
    (*out.subscribed_topic_names)[0] = World::kOrders;
  }
  out.topic_partitions =
      arena.array<ConsumerGroupHeartbeatRequest::TopicPartitions>(partitions_.empty() ? 0 : 1);
  if (partitions_.empty()) return out;
  auto& owned = (*out.topic_partitions)[0];
  owned.topic_id = topic_;
  owned.partitions = arena.array<protocol::PartitionId>(partitions_.size());
  std::size_t i = 0;
  for (const auto partition : partitions_) owned.partitions[i++] = partition;
  return out;
}

// What it has to give up it gives up at once, and says so with the next heartbeat.
void ConsumerMember::take(const ConsumerGroupHeartbeatResponse::Assignment& assignment) {
  std::set<std::int32_t> assigned;
  for (const auto& topic : assignment.topic_partitions) {
    topic_ = topic.topic_id;
    for (const auto partition : topic.partitions) assigned.insert(partition.value);
  }
  for (const auto partition : partitions_) {
    if (!assigned.contains(partition)) claims().released(std::string(kGroup), partition, id_);
  }
  for (const auto partition : assigned) {
    if (!partitions_.contains(partition)) claims().holds(std::string(kGroup), partition, id_, world_.now());
  }
  partitions_ = assigned;
}

Co<bool> ConsumerMember::heartbeat() {
  Arena arena;
  const Instant sent = world_.now();
  const auto answer = co_await client_.ask<ConsumerGroupHeartbeatResponse>(request(arena), kHeartbeatVersion);
  if (!answer || answer->error_code != ErrorCode::kNone) {
    is_known_ = false;
    const bool is_out = answer && (answer->error_code == ErrorCode::kFencedMemberEpoch ||
                                   answer->error_code == ErrorCode::kUnknownMemberId);
    if (is_out) {
      drop_all();
      epoch_ = 0;
    }
    co_return false;
  }
  if (answer->member_epoch < epoch_)
    world_.history().fail(fmt::format("{}: member epoch {} after {}", id_, answer->member_epoch, epoch_));
  is_known_ = true;
  epoch_ = answer->member_epoch;
  claims().renewed(std::string(kGroup), id_, sent + Instant{World::kConsumerSessionMs});
  if (answer->assignment) take(*answer->assignment);
  co_return true;
}

Co<> ConsumerMember::commit_one(std::int32_t partition) {
  Arena arena;
  auto& history = world_.history();
  const History::Committed where{kGroup, partition};
  const auto offset = claims().next_offset();
  const auto owner = claims().owner(where.first, partition, world_.now());
  const int term = claims().term();
  auto request = commit(arena, kGroup, World::kOrders, partition, offset);
  request.generation_id_or_member_epoch = epoch_;
  request.member_id = id_;
  history.commits(where, offset);
  const auto answer = co_await client_.ask<protocol::OffsetCommitResponse>(request, kMemberCommitVersion);
  if (!answer || answer->topics[0].partitions[0].error_code != ErrorCode::kNone) co_return;
  claims().accepted(term, where.first, partition, id_, owner);
  history.has_committed(where, offset);
}

Co<> ConsumerMember::commit_all() {
  const auto partitions = partitions_;
  for (const auto partition : partitions) co_await commit_one(partition);
}

Co<> ConsumerMember::leave() {
  drop_all();
  Arena arena;
  ConsumerGroupHeartbeatRequest request{.group_id = kGroup, .member_id = id_, .member_epoch = kLeaves};
  co_await client_.ask<ConsumerGroupHeartbeatResponse>(request, kHeartbeatVersion);
  be_new();
}

// Past its session; it does not know that when it wakes up.
Co<> ConsumerMember::fall_asleep() {
  client_.disconnect();
  co_await client_.sleep(Instant{World::kConsumerSessionMs} + world_.up_to(1500));
}

}  // namespace

Co<> consumer_member(World& world, std::string name) {
  ConsumerMember self(world, name);
  while (!world.is_closing()) {
    const bool is_in = co_await self.heartbeat();
    if (is_in) co_await self.commit_all();
    const Instant pause = Instant{20} + world.up_to(150);
    co_await self.client().sleep(is_in ? pause : kAfterLoss);
    if (world.rng().one_in(20)) co_await self.leave();
    if (world.rng().one_in(20)) {
      co_await self.fall_asleep();
      co_await self.commit_all();
    }
  }
  co_await self.leave();
}

}  // namespace milena::sim
