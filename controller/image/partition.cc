#include "controller/image/partition.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/bytes.h"
#include "protocol/error_code.h"

namespace milena::controller {

bool is_reserved_directory(const Uuid& id) {
  return load_be<std::uint64_t>(id.bytes.data()) == 0 && load_be<std::uint64_t>(id.bytes.data() + 8) < 100;
}

Result<Partition> Partition::make(const PartitionFields& fields) {
  if (fields.directories.size() != fields.replicas.size()) {
    return fail(ErrorCode::kCorruptMessage, "a partition has as many directories as replicas");
  }
  const std::span<const BrokerId> lists[kListCount] = {
      fields.replicas,        fields.isr, fields.removing_replicas,
      fields.adding_replicas, fields.elr, fields.last_known_elr};
  Partition made;
  std::size_t ids = 0;
  for (std::size_t i = 0; i < kListCount; ++i) {
    if (lists[i].size() > std::numeric_limits<std::uint16_t>::max()) {
      return fail(ErrorCode::kCorruptMessage, "a partition has too many replicas");
    }
    made.counts_[i] = static_cast<std::uint16_t>(lists[i].size());
    ids += lists[i].size();
  }
  made.block_ = std::make_unique_for_overwrite<std::byte[]>(ids * sizeof(BrokerId) +
                                                            fields.directories.size() * sizeof(Uuid));
  std::byte* to = made.block_.get();
  for (const auto& list : lists) {
    if (!list.empty()) std::memcpy(to, list.data(), list.size_bytes());
    to += list.size_bytes();
  }
  if (!fields.directories.empty())
    std::memcpy(to, fields.directories.data(), fields.directories.size_bytes());
  made.leader_ = fields.leader;
  made.leader_epoch_ = fields.leader_epoch;
  made.partition_epoch_ = fields.partition_epoch;
  made.recovery_state_ = fields.leader_recovery_state;
  return made;
}

std::size_t Partition::id_count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0});
}

std::span<const BrokerId> Partition::list(List which) const {
  const auto skipped = std::accumulate(counts_.begin(), counts_.begin() + which, std::size_t{0});
  return {reinterpret_cast<const BrokerId*>(block_.get()) + skipped, counts_[which]};
}

std::span<const Uuid> Partition::directories() const {
  return {reinterpret_cast<const Uuid*>(block_.get() + id_count() * sizeof(BrokerId)), counts_[kReplicas]};
}

bool Partition::is_replica(BrokerId broker) const {
  return std::ranges::find(replicas(), broker) != replicas().end();
}

bool Partition::in_isr(BrokerId broker) const { return std::ranges::find(isr(), broker) != isr().end(); }

Uuid Partition::directory_of(BrokerId broker) const {
  const auto at = std::ranges::find(replicas(), broker);
  if (at == replicas().end()) return kUnassignedDirectory;
  return directories()[static_cast<std::size_t>(at - replicas().begin())];
}

PartitionFields Partition::fields() const {
  return {.replicas = replicas(),
          .isr = isr(),
          .removing_replicas = removing_replicas(),
          .adding_replicas = adding_replicas(),
          .elr = elr(),
          .last_known_elr = last_known_elr(),
          .directories = directories(),
          .leader = leader_,
          .leader_recovery_state = recovery_state_,
          .leader_epoch = leader_epoch_,
          .partition_epoch = partition_epoch_};
}

bool operator==(const Partition& a, const Partition& b) {
  const std::size_t size = a.id_count() * sizeof(BrokerId) + a.directories().size_bytes();
  return a.leader_ == b.leader_ && a.leader_epoch_ == b.leader_epoch_ &&
         a.partition_epoch_ == b.partition_epoch_ && a.recovery_state_ == b.recovery_state_ &&
         a.counts_ == b.counts_ && std::memcmp(a.block_.get(), b.block_.get(), size) == 0;
}

}  // namespace milena::controller
