// Partition: what the cluster knows about one partition. Immutable and small.
//
// Value type, shared by the images that contain it; any thread. All lists live in one block, so that a
// partition with three replicas costs about 180 bytes, the map entry included, and one with a single replica
// about 130. Always: as many directories as replicas.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "base/uuid.h"
#include "protocol/types.h"

namespace milena::controller {

using protocol::BrokerId;
using protocol::kNoBroker;
using protocol::LeaderEpoch;
using protocol::PartitionId;

// Whether the leader was elected from replicas that surely hold all committed records (KIP-704).
enum class LeaderRecoveryState : std::int8_t { kRecovered = 0, kRecovering = 1 };

// Directory ids with a meaning of their own (KIP-858). All ids with a zero high half and a low half below 100
// are reserved.
inline constexpr Uuid kMigratingDirectory = Uuid::from_halves(0, 0);
inline constexpr Uuid kUnassignedDirectory = Uuid::from_halves(0, 1);
inline constexpr Uuid kLostDirectory = Uuid::from_halves(0, 2);
bool is_reserved_directory(const Uuid& id);

// A partition while it is being made or changed: views of the lists, and the numbers.
struct PartitionFields {
  std::span<const BrokerId> replicas{};
  std::span<const BrokerId> isr{};
  std::span<const BrokerId> removing_replicas{};
  std::span<const BrokerId> adding_replicas{};
  std::span<const BrokerId> elr{};             // eligible leader replicas (KIP-966)
  std::span<const BrokerId> last_known_elr{};  // holds the last known leader while there is none
  std::span<const Uuid> directories{};         // parallel to replicas
  BrokerId leader = kNoBroker;
  LeaderRecoveryState leader_recovery_state = LeaderRecoveryState::kRecovered;
  LeaderEpoch leader_epoch = 0;
  std::int32_t partition_epoch = 0;
};

class Partition {
 public:
  // Copies the lists. Fails with kCorruptMessage when directories and replicas differ in number or a list has
  // more than 65,535 members.
  static Result<Partition> make(const PartitionFields& fields);

  std::span<const BrokerId> replicas() const { return list(kReplicas); }
  std::span<const BrokerId> isr() const { return list(kIsr); }
  std::span<const BrokerId> removing_replicas() const { return list(kRemoving); }
  std::span<const BrokerId> adding_replicas() const { return list(kAdding); }
  std::span<const BrokerId> elr() const { return list(kElr); }
  std::span<const BrokerId> last_known_elr() const { return list(kLastKnownElr); }
  std::span<const Uuid> directories() const;

  BrokerId leader() const { return leader_; }
  LeaderEpoch leader_epoch() const { return leader_epoch_; }
  std::int32_t partition_epoch() const { return partition_epoch_; }
  LeaderRecoveryState leader_recovery_state() const { return recovery_state_; }

  bool has_leader() const { return leader_ != kNoBroker; }
  bool is_reassigning() const { return !removing_replicas().empty() || !adding_replicas().empty(); }
  bool is_replica(BrokerId broker) const;
  bool in_isr(BrokerId broker) const;
  // Where the replica lives; kUnassignedDirectory when the broker holds none.
  Uuid directory_of(BrokerId broker) const;

  // Everything again, as views into this partition.
  PartitionFields fields() const;

  friend bool operator==(const Partition& a, const Partition& b);

 private:
  enum List : std::uint8_t { kReplicas, kIsr, kRemoving, kAdding, kElr, kLastKnownElr, kListCount };

  Partition() = default;
  std::size_t id_count() const;
  std::span<const BrokerId> list(List which) const;

  std::unique_ptr<std::byte[]> block_;  // the six lists in order, then the directories
  BrokerId leader_;
  LeaderEpoch leader_epoch_;
  std::int32_t partition_epoch_ = 0;
  std::array<std::uint16_t, kListCount> counts_{};
  LeaderRecoveryState recovery_state_ = LeaderRecoveryState::kRecovered;
};

}  // namespace milena::controller
