#include "controller/raft/raft_core.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "base/arena.h"
#include "base/assert.h"
#include "protocol/error_code.h"

namespace milena::controller {
namespace {

using protocol::LeaderEpoch;
using protocol::Offset;

std::unexpected<Error> refuse_voters(const char* why) { return fail(ErrorCode::kInconsistentVoterSet, why); }

bool is_only(protocol::BrokerId self, const std::vector<protocol::BrokerId>& voters) {
  return voters.size() == 1 && voters.front() == self;
}

}  // namespace

Offset majority_offset(std::vector<Offset> acknowledged) {
  std::ranges::sort(acknowledged, std::greater<>());
  return acknowledged[acknowledged.size() / 2];
}

Result<RaftCore> RaftCore::open(Voter self, QuorumConfig config, const std::optional<QuorumState>& stored,
                                const LogEnd& end) {
  if (config.voters.size() != 1 || config.voters[0].key.id != self.key.id) {
    return refuse_voters(
        "its records name other voters than this node, and this version runs a quorum of one node only");
  }
  if (!config.in_log && !config.announced.empty() && !is_only(self.key.id, config.announced)) {
    return refuse_voters(
        "its last leader had other voters than this node, and this version runs a quorum of one node only");
  }
  if (!config.in_log && stored && !stored->current_voters.empty() &&
      !is_only(self.key.id, stored->current_voters)) {
    return refuse_voters(
        "its quorum-state names other voters than this node, and this version runs a quorum of one node "
        "only");
  }
  if (config.kraft_version > 0 && config.voters[0].key != self.key) {
    return fail(ErrorCode::kInconsistentVoterSet,
                "the voter of the metadata quorum has another directory id");
  }
  QuorumState state = stored.value_or(QuorumState{});
  RaftRole role = RaftRole::kUnattached;
  if (state.leader_epoch < end.last_epoch) {
    // The log knows better than the file: what the file says about an older epoch is void.
    state = {.leader_epoch = end.last_epoch};
  } else if (state.leader_id == self.key.id) {
    role = RaftRole::kResigned;
  }
  if (state.leader_epoch == std::numeric_limits<std::int32_t>::max()) {
    return fail(ErrorCode::kCorruptMessage, "the metadata quorum has used up its epochs");
  }
  return RaftCore(std::move(self), std::move(config), std::move(state), end, role);
}

RaftCore::RaftCore(Voter self, QuorumConfig config, QuorumState state, const LogEnd& end, RaftRole role)
    : self_(std::move(self)),
      config_(std::move(config)),
      state_(std::move(state)),
      role_(role),
      end_offset_(end.offset) {}

RaftReady RaftCore::start(std::int64_t now_ms) {
  MILENA_ASSERT(!is_leader(), "a replica is started once");
  state_ = {.leader_id = self_.key.id, .leader_epoch = state_.leader_epoch + 1};
  if (config_.kraft_version == 0) state_.current_voters = {self_.key.id};
  role_ = RaftRole::kLeader;
  epoch_start_ = end_offset_;
  return {.quorum_state = encode_quorum_state(state_, config_.kraft_version),
          .append = first_batch(now_ms),
          .high_watermark = std::nullopt};
}

// The leader introduces itself, and writes down the voters if the log does not have them as they are now.
std::vector<std::byte> RaftCore::first_batch(std::int64_t now_ms) {
  Arena arena;
  protocol::LeaderChangeMessage::Voter me[] = {{.voter_id = self_.key.id}};
  std::vector<ControlRecord> records{protocol::LeaderChangeMessage{
      .version = 0, .leader_id = self_.key.id, .voters = me, .granting_voters = me}};
  if (config_.kraft_version > 0 && (!config_.in_log || config_.voters[0] != self_)) {
    config_.voters = {self_};
    config_.in_log = true;
    const std::vector<ControlRecord> configuration = config_.to_records(arena);
    records.insert(records.end(), configuration.begin(), configuration.end());
  }
  std::vector<std::byte> batch = encode_control_batch(
      records, {.base_offset = end_offset_, .epoch = state_.leader_epoch, .timestamp_ms = now_ms});
  end_offset_ += static_cast<std::int64_t>(records.size());
  return batch;
}

RaftReady RaftCore::on_durable(Offset end) {
  end_offset_ = std::max(end_offset_, end);
  durable_end_ = std::max(durable_end_, end);
  if (!is_leader()) return {};
  // Records of earlier epochs are committed only together with one of this epoch (Raft, figure 8).
  const Offset candidate = majority_offset({durable_end_});
  if (candidate <= epoch_start_ || (high_watermark_ && candidate <= *high_watermark_)) return {};
  high_watermark_ = candidate;
  return {.quorum_state = std::nullopt, .append = {}, .high_watermark = candidate};
}

QuorumView RaftCore::view(std::int64_t now_ms) const {
  QuorumView view{.is_leader = is_leader(), .nodes = {self_}};
  if (!view.is_leader) return view;
  view.leader = self_.key.id;
  view.epoch = epoch();
  view.high_watermark = high_watermark_.value_or(protocol::kNoOffset);
  view.voters = {{.key = {self_.key.id, config_.voters[0].key.directory_id},
                  .log_end_offset = end_offset_,
                  .last_fetch_ms = now_ms,
                  .last_caught_up_ms = now_ms}};
  return view;
}

}  // namespace milena::controller
