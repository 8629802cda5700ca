// RaftCore: one replica of the metadata log, as a pure state machine in the manner of etcd's raft.
//
// Owned by its driver; not thread-safe. Never waits and does no I/O: an event goes in, a Ready
// comes out, and its fields are carried out in the order in which they are declared. docs: KIP-595, KIP-853.
// Always: the epoch only grows, one leader per epoch, the high watermark only grows, and no epoch is led
// twice: a replica that was leader when it stopped leads the next epoch, so that an (epoch, offset) pair
// names one record.
//
// The quorum has exactly one voter, this replica; open() refuses others. Roles, persistent state, the commit
// rule and the records are those of a quorum of any size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "controller/raft/quorum_config.h"
#include "controller/raft/quorum_state.h"
#include "controller/raft/quorum_view.h"
#include "protocol/types.h"

namespace milena::controller {

enum class RaftRole : std::uint8_t { kUnattached, kResigned, kLeader };

// Where the log ends.
struct LogEnd {
  protocol::Offset offset = 0;           // of the next record
  protocol::LeaderEpoch last_epoch = 0;  // of the last batch, or of the snapshot when the log is empty
};

// What an event asks for, in this order.
struct RaftReady {
  // Content of the quorum-state file: written, synced and renamed into place before anything below happens.
  std::optional<std::string> quorum_state;
  // A batch to append at the end of the log and to sync; on_durable() follows.
  std::vector<std::byte> append;
  // Records below this offset are committed now.
  std::optional<protocol::Offset> high_watermark;
};

class RaftCore {
 public:
  // `config` is what snapshot and log say; when they say nothing, what configuration says. `stored` is the
  // file's content, empty for a new replica. Errors: kInconsistentVoterSet when this
  // replica is not the only one by the records, by the file, or by the log's newest leader; kCorruptMessage
  // when epochs are used up.
  static Result<RaftCore> open(Voter self, QuorumConfig config, const std::optional<QuorumState>& stored,
                               const LogEnd& end);

  // Takes part. The only voter needs nobody's vote: it becomes leader of the next epoch. The batch to append
  // is the first of the epoch.
  RaftReady start(std::int64_t now_ms);

  // The log is durable up to `end` (exclusive).
  RaftReady on_durable(protocol::Offset end);

  RaftRole role() const { return role_; }
  bool is_leader() const { return role_ == RaftRole::kLeader; }
  protocol::LeaderEpoch epoch() const { return state_.leader_epoch; }
  // Empty until the first record of this replica's epoch is committed.
  std::optional<protocol::Offset> high_watermark() const { return high_watermark_; }
  const QuorumConfig& config() const { return config_; }

  // Wall time.
  QuorumView view(std::int64_t now_ms) const;

 private:
  RaftCore(Voter self, QuorumConfig config, QuorumState state, const LogEnd& end, RaftRole role);

  std::vector<std::byte> first_batch(std::int64_t now_ms);

  Voter self_;
  QuorumConfig config_;
  QuorumState state_;
  RaftRole role_;
  protocol::Offset end_offset_;       // next offset to be written
  protocol::Offset durable_end_ = 0;  // this replica has acknowledged everything below
  protocol::Offset epoch_start_ = 0;  // where the first batch of this epoch begins
  std::optional<protocol::Offset> high_watermark_;
};

// The offset that a majority has acknowledged, given what each voter has. `acknowledged` is not empty.
protocol::Offset majority_offset(std::vector<protocol::Offset> acknowledged);

}  // namespace milena::controller
