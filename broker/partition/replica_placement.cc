#include "broker/partition/replica_placement.h"

#include <fmt/format.h>

#include <utility>

namespace milena::broker {

using controller::MetadataImage;
using storage::LogDirectory;
using storage::PartitionMetadata;
using storage::PartitionName;
using storage::TopicPartition;
using Action = ReplicaPlacement::Action;
using Replicas = std::multimap<TopicPartition, FoundReplica>;

namespace {

ReplicaPlacement offline(std::string why) {
  return {.action = Action::kOffline, .directory = nullptr, .why = std::move(why)};
}

ReplicaPlacement in(LogDirectory* directory, Action action) {
  return {.action = action, .directory = directory, .why = {}};
}

ReplicaPlacement created(LogDirectory* directory, std::string why) {
  return {.action = Action::kCreate, .directory = directory, .why = std::move(why)};
}

bool is_live(const FoundReplica& replica) { return replica.name.state == PartitionName::State::kLive; }

}  // namespace

Replicas find_replicas(const LogDirs& dirs, Runtime& runtime, std::size_t threads) {
  Replicas found;
  for (const auto& directory : dirs.usable()) {
    const auto names = directory->partitions();
    if (!names) continue;  // its health tells why, and its partitions are offline
    for (const auto& name : *names) {
      if (name.partition == storage::cluster_metadata_partition()) continue;
      found.emplace(name.partition, FoundReplica{.directory = directory.get(), .name = name});
    }
  }
  std::vector<FoundReplica*> replicas;
  for (auto& [name, replica] : found) replicas.push_back(&replica);
  runtime.in_parallel(threads, replicas.size(), [&](std::size_t at) {
    const auto metadata = replicas[at]->directory->partition_metadata(replicas[at]->name.name);
    if (metadata) replicas[at]->metadata = *metadata;
    if (!metadata) replicas[at]->unreadable = metadata.error().why;
  });
  return found;
}

ReplicaPlacer::ReplicaPlacer(const LogDirs& dirs, const Replicas& found, const MetadataImage& image,
                             protocol::BrokerId self)
    : dirs_(dirs), found_(found), image_(image), self_(self), dirs_complete_(dirs.complete(image)) {
  for (const auto& [name, replica] : found_) {
    if (classify(replica, image_, self_) == ReplicaOwner::kMisnamed)
      misnamed_.try_emplace(replica.metadata.topic_id, &replica);
  }
}

ReplicaPlacement ReplicaPlacer::place(const controller::Topic& topic, protocol::PartitionId index,
                                      const controller::Partition& state) const {
  auto placement = place_by_name(topic, index, state);
  if (placement.action != Action::kCreate) return placement;
  // A directory that was renamed may be the one that is missing.
  const auto misnamed = misnamed_.find(topic.id);
  if (misnamed == misnamed_.end()) return placement;
  const FoundReplica& replica = *misnamed->second;
  return offline(fmt::format(
      "its directory is not there, and {}/{} holds a partition of topic {}: if that is it, rename it to {}, "
      "otherwise move it away; then restart",
      replica.directory->path(), replica.name.name, topic.name,
      storage::directory_name(TopicPartition{topic.name, index})));
}

ReplicaPlacement ReplicaPlacer::place_by_name(const controller::Topic& topic, protocol::PartitionId index,
                                              const controller::Partition& state) const {
  const TopicPartition name{topic.name, index};
  const Uuid assigned = state.directory_of(self_);
  LogDirectory* const assigned_dir = dirs_.find(assigned);
  const bool is_reserved = controller::is_reserved_directory(assigned);
  const FoundReplica* elsewhere = nullptr;
  const FoundReplica* broken = nullptr;
  const FoundReplica* foreign = nullptr;  // of another topic
  std::vector<const FoundReplica*> strays;
  const auto [first, last] = found_.equal_range(name);
  for (auto at = first; at != last; ++at) {
    const FoundReplica& replica = at->second;
    const bool is_here = replica.directory == assigned_dir;
    const auto& metadata = replica.metadata;
    const bool is_it = metadata.is_valid() && metadata.topic_id == topic.id;
    if (replica.name.state == PartitionName::State::kStray && is_it) strays.push_back(&replica);
    if (!is_live(replica)) continue;
    if (is_it && is_here) return in(assigned_dir, Action::kOpen);
    if (is_it) {
      elsewhere = &replica;
    } else if (!metadata.is_valid() && (is_here || is_reserved)) {
      broken = &replica;
    } else if (is_here) {
      foreign = &replica;
    }
  }
  if (assigned_dir != nullptr && assigned_dir->health().offline())
    return offline(fmt::format("log directory {} has failed: {}", assigned_dir->path(),
                               assigned_dir->health().reason()));
  // Where the directory that the metadata names is missing, another one may hold an old copy.
  const bool is_missed = assigned_dir == nullptr && !is_reserved && !dirs_.is_lost(assigned);
  if (elsewhere != nullptr && !is_missed) {
    auto moved = in(elsewhere->directory, Action::kOpen);
    if (assigned_dir != nullptr && assigned_dir->noted(name)) moved.moved_from = assigned_dir;
    return moved;
  }
  if (broken != nullptr && !strays.empty()) {
    return offline(fmt::format("{}/{} is it, and {}/{}, which is not, has its name: move that one away",
                               strays[0]->directory->path(), strays[0]->name.name, broken->directory->path(),
                               broken->name.name));
  }
  if (broken != nullptr) return place_broken(*broken);
  if (!strays.empty() && !is_missed) return place_stray(strays);
  if (foreign == nullptr) return place_missing(name, assigned);
  const auto* other = image_.topic(foreign->metadata.topic_id);
  if (other == nullptr) return created(assigned_dir, "what lay there under its name belongs to no topic");
  return offline(fmt::format("{} holds a partition of topic {}, not of {}: put it back under its own name",
                             assigned_dir->partition_path(name), other->name, topic.name));
}

// An earlier start, with another metadata log, did not know the partition and set it aside.
ReplicaPlacement ReplicaPlacer::place_stray(const std::vector<const FoundReplica*>& strays) const {
  const FoundReplica& stray = *strays.front();
  if (strays.size() > 1) {
    return offline(fmt::format("{}/{} and {}/{} are both of it: remove the one that is not current",
                               stray.directory->path(), stray.name.name, strays[1]->directory->path(),
                               strays[1]->name.name));
  }
  auto taken = in(stray.directory, Action::kTakeBack);
  taken.stray = stray.name.name;
  return taken;
}

// The metadata places the partition here, and its partition.metadata does not say so.
ReplicaPlacement ReplicaPlacer::place_broken(const FoundReplica& replica) const {
  const std::string path = join(replica.directory->path(), replica.name.name);
  if (replica.metadata.state == PartitionMetadata::State::kNewerVersion) {
    return offline(fmt::format("{}/{} was written by a newer version: start that one", path,
                               storage::kPartitionMetadataName));
  }
  if (replica.unreadable != nullptr) {
    return offline(fmt::format("{}/{} cannot be read: {}", path, storage::kPartitionMetadataName,
                               why_of(replica.unreadable, *replica.directory)));
  }
  const auto contents = replica.directory->contents(replica.name.name);
  if (!contents) return offline(fmt::format("{}: {}", path, why_of(contents.error(), *replica.directory)));
  if (!contents->foreign.empty()) {
    return offline(fmt::format("{} is not a partition's: it holds {}. Move it out of the way, and restart",
                               path, contents->foreign));
  }
  if (contents->record_bytes == 0) return in(replica.directory, Action::kRepairAndOpen);
  return offline(fmt::format(
      "{}/{} is {}, and there are records beside it. If they are this topic's, stop the broker and run: "
      "milena verify {} --adopt {}",
      path, storage::kPartitionMetadataName,
      replica.metadata.state == PartitionMetadata::State::kMissing ? "missing" : "damaged",
      replica.directory->path(), replica.name.name));
}

// Nowhere in the usable directories is anything of this partition.
ReplicaPlacement ReplicaPlacer::place_missing(const TopicPartition& name, const Uuid& assigned) const {
  LogDirectory* const assigned_dir = dirs_.find(assigned);
  if (assigned_dir != nullptr) {
    const auto checkpoint = assigned_dir->noted(name);
    if (!checkpoint || checkpoint->recovery_point == 0)
      return created(assigned_dir, "its directory was not there");
    return offline(
        fmt::format("{} is gone, though it held records up to offset {}. Put it back; or, to go on with an "
                    "empty partition, stop "
                    "the broker and run: milena verify {} --adopt {}",
                    assigned_dir->partition_path(name), checkpoint->recovery_point.value,
                    assigned_dir->path(), storage::directory_name(name)));
  }
  if (dirs_.is_lost(assigned)) return created(nullptr, "its log directory is declared lost");
  if (!controller::is_reserved_directory(assigned))
    return offline(fmt::format("it lies in log directory {}, which is missing", dirs_.name_of(assigned)));
  if (assigned != controller::kLostDirectory && dirs_complete_) return in(nullptr, Action::kCreate);
  return offline("it may lie in a log directory that is missing");
}

ReplicaOwner classify(const FoundReplica& replica, const MetadataImage& image, protocol::BrokerId self) {
  if (!replica.metadata.is_valid()) return ReplicaOwner::kUnknown;
  const auto* topic = image.topic(replica.metadata.topic_id);
  const auto& name = replica.name.partition;
  switch (replica.name.state) {
    case PartitionName::State::kLive: {
      if (topic == nullptr) return ReplicaOwner::kNoTopic;
      const auto* partition = topic->name == name.topic ? topic->partition(name.partition) : nullptr;
      if (partition == nullptr) return ReplicaOwner::kMisnamed;
      return partition->is_replica(self) ? ReplicaOwner::kThisNode : ReplicaOwner::kNoTopic;
    }
    case PartitionName::State::kDeleted:
      return topic == nullptr ? ReplicaOwner::kDeletedTopic : ReplicaOwner::kUnknown;
    case PartitionName::State::kStray:
    case PartitionName::State::kFuture:
      return ReplicaOwner::kUnknown;
  }
  return ReplicaOwner::kUnknown;
}

}  // namespace milena::broker
