#include "controller/decisions/new_partitions.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "controller/decisions/placement.h"
#include "controller/image/image_records.h"

namespace milena::controller {
namespace {

// Where a broker with one directory puts a replica is known; one with several, cordoned ones included,
// reports its choice later. A broker that has not registered again since the cluster was older than 3.7 lists
// none.
Uuid default_directory(const MetadataImage& image, BrokerId id) {
  if (image.metadata_version() < kMetadataVersion37Iv2) return kMigratingDirectory;
  const BrokerRegistration* broker = image.broker(id);
  if (broker == nullptr) return kUnassignedDirectory;
  if (broker->log_dirs.empty()) return kMigratingDirectory;
  return broker->log_dirs.size() == 1 ? broker->log_dirs[0] : kUnassignedDirectory;
}

std::unexpected<ApiError> bad_assignment(std::string why) {
  return refuse(ErrorCode::kInvalidReplicaAssignment,
                "The manual partition assignment includes " + std::move(why));
}

}  // namespace

Decided<Assignments> place_partitions(const DecisionContext& context, std::int64_t count,
                                      std::int32_t replication_factor) {
  ReplicaPlacer placer(context.image, context.rng);
  if (context.settings.cap_replication_factor) replication_factor = placer.capped(replication_factor);
  MILENA_CHECK(placer.check(replication_factor));
  Assignments assignments;
  assignments.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) assignments.push_back(placer.place(replication_factor));
  return assignments;
}

Decided<void> check_assignment(const MetadataImage& image, std::span<const BrokerId> replicas,
                               std::optional<std::size_t> replication_factor) {
  if (replicas.empty()) return bad_assignment("an empty replica list.");
  std::vector<BrokerId> sorted(replicas.begin(), replicas.end());
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const BrokerRegistration* broker = image.broker(sorted[i]);
    if (broker == nullptr) {
      return bad_assignment(fmt::format("broker {}, but no such broker is registered.", sorted[i].value));
    }
    if (!broker->has_uncordoned_dirs()) {
      return bad_assignment(
          fmt::format("broker {}, but all its log directories are cordoned.", sorted[i].value));
    }
    if (i > 0 && sorted[i] == sorted[i - 1]) {
      return bad_assignment(fmt::format("the broker {} more than once.", sorted[i].value));
    }
  }
  if (replication_factor && *replication_factor != replicas.size()) {
    return bad_assignment(fmt::format(
        "a partition with {} replica(s), but this is not consistent with previous partitions, which have "
        "{} replica(s).",
        replicas.size(), *replication_factor));
  }
  return {};
}

std::vector<BrokerId> active_replicas(const MetadataImage& image, std::span<const BrokerId> replicas) {
  std::vector<BrokerId> active;
  std::ranges::copy_if(replicas, std::back_inserter(active), [&](BrokerId id) {
    const BrokerRegistration* broker = image.broker(id);
    return broker != nullptr && broker->is_active();
  });
  return active;
}

MetadataRecord new_partition(const DecisionContext& context, const Uuid& topic, PartitionId index,
                             std::span<const BrokerId> replicas, std::span<const BrokerId> isr) {
  std::vector<Uuid> directories;
  for (const BrokerId replica : replicas) directories.push_back(default_directory(context.image, replica));
  return to_record(topic, index,
                   {.replicas = replicas, .isr = isr, .directories = directories, .leader = isr.front()},
                   context.image.metadata_version(), context.arena);
}

}  // namespace milena::controller
