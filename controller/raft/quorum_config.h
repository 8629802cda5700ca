// The quorum as the log itself describes it: its protocol version and its voters.
//
// kraft.version 0: the voters are whom the configuration names, and the log says nothing. kraft.version 1
// (KIP-853): control records in the log or at the head of a snapshot name them, with directory ids and
// endpoints. Such records take effect when they are appended, not when they are committed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "controller/records/metadata_batch.h"
#include "protocol/types.h"

namespace milena::controller {

// A disk that is replaced is a new replica, even under the old id.
struct ReplicaKey {
  protocol::BrokerId id = protocol::kNoBroker;
  Uuid directory_id{};  // zero with kraft.version 0
  auto operator<=>(const ReplicaKey&) const = default;
};

struct VoterEndpoint {
  std::string name;  // of the listener
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const VoterEndpoint&) const = default;
};

struct Voter {
  ReplicaKey key{};
  std::vector<VoterEndpoint> endpoints{};
  std::int16_t min_kraft_version = 0;
  std::int16_t max_kraft_version = 1;
  bool operator==(const Voter&) const = default;
};

struct QuorumConfig {
  std::int16_t kraft_version = 0;
  std::vector<Voter> voters{};
  bool in_log = false;  // the voters come from a record of the log or of a snapshot
  // Whom the newest leader called voters, as long as no such record is there: with kraft.version 0 the only
  // trace of them in the log.
  std::vector<protocol::BrokerId> announced{};

  // Takes in the control records of a batch. Call it for every batch of snapshot and log, in order.
  void observe(const MetadataBatch& batch);

  // The records that write this configuration down; views into it and the arena.
  std::vector<ControlRecord> to_records(Arena& arena) const;

  bool operator==(const QuorumConfig&) const = default;
};

}  // namespace milena::controller
