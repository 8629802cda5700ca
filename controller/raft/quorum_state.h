// QuorumState: what a replica of the metadata log must remember across restarts, and its file.
//
// `quorum-state` in the metadata partition's directory, one line of JSON (docs/formats/quorum_state.md). It
// is written and made durable before the replica acts on it: a vote that is forgotten could be cast twice, an
// epoch that is forgotten could be led twice. The high watermark is never in it. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "protocol/types.h"

namespace milena::controller {

inline constexpr std::string_view kQuorumStateFile = "quorum-state";

struct QuorumState {
  protocol::BrokerId leader_id = protocol::kNoBroker;  // of leader_epoch; -1 unknown
  protocol::LeaderEpoch leader_epoch = 0;
  protocol::BrokerId voted_id =
      protocol::kNoBroker;    // whom this replica voted for in leader_epoch; -1 nobody
  Uuid voted_directory_id{};  // kraft.version 1 only; zero none
  // kraft.version 0 only: the voters that configuration named. Kept because Kafka compares them at start.
  std::vector<protocol::BrokerId> current_voters{};

  bool operator==(const QuorumState&) const = default;
};

// The file's content. data_version is the kraft.version: 0 or 1.
std::string encode_quorum_state(const QuorumState& state, std::int16_t kraft_version);

// Accepts data_version 0 and 1, ignores fields it does not know. kCorruptMessage for anything else: a replica
// must not start with a vote it cannot read.
Result<QuorumState> decode_quorum_state(BytesView content);

}  // namespace milena::controller
