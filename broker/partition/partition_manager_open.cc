// PartitionManager at a start: what lies in the log directories is sorted out, and the logs of this node's
// partitions are opened.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/config/log_dir_paths.h"
#include "broker/partition/partition_manager.h"
#include "protocol/error_code.h"

namespace milena::broker {

using controller::MetadataImage;
using protocol::PartitionId;
using storage::LogDirectory;
using storage::PartitionName;
using storage::TopicPartition;
using Action = ReplicaPlacement::Action;

void PartitionManager::open(const MetadataImage& image) {
  cordon(image);
  const auto found = find_replicas(dirs_, runtime_, options_.recovery_threads);
  sort_out(found, image);
  open_all(found, image);
  report_strays();
  for (const auto& directory : dirs_.usable()) {
    if (const auto done = directory->recovery_done(); !done)
      log_.error("log directory {}: {}", directory->path(), why_of(done.error(), *directory));
  }
  if (!dirs_.is_metadata_shared()) (void)dirs_.metadata().recovery_done();
  report_directories();
}

// Directories that no partition is opened in.
void PartitionManager::sort_out(const FoundReplicas& found, const MetadataImage& image) {
  for (const auto& [partition, replica] : found) {
    const std::string path = join(replica.directory->path(), replica.name.name);
    switch (classify(replica, image, options_.self)) {
      case ReplicaOwner::kThisNode:
        warn_of_copies(found, partition, replica);
        break;
      case ReplicaOwner::kNoTopic:
        keep_stray(*replica.directory, replica.name);
        break;
      case ReplicaOwner::kDeletedTopic:
        log_.info("{} is removed: the metadata does not know its topic", path);
        run_blocking([&directory = *replica.directory, path] { (void)directory.remove_deleted(path); });
        break;
      case ReplicaOwner::kMisnamed:
        log_.warn("{} holds a partition of topic {}, which has none of that name: it is not touched", path,
                  image.topic(replica.metadata.topic_id)->name);
        break;
      case ReplicaOwner::kUnknown:
        if (replica.name.state == PartitionName::State::kDeleted &&
            replica.directory->is_empty(replica.name)) {
          run_blocking([&directory = *replica.directory, path] { (void)directory.remove_deleted(path); });
        } else if (replica.name.state == PartitionName::State::kStray) {
          note_stray(*replica.directory, replica.name.name);
        } else if (image.topic(partition.topic) == nullptr) {
          log_.info("{} is not a partition of this cluster: it is not touched", path);
        }
        break;
    }
  }
}

// Those that were taken back are none any more.
void PartitionManager::report_strays() {
  std::erase_if(strays_, [](const Stray& stray) { return !stray.directory->has(stray.name); });
  std::uint64_t bytes = 0;
  for (const Stray& stray : strays_) bytes += stray.bytes;
  if (strays_.empty()) return;
  log_.warn(
      "{} directories named *-stray hold {} bytes of partitions that this cluster does not know; they are "
      "kept until you remove them, kafka-log-dirs.sh lists them",
      strays_.size(), bytes);
}

// One replica in two directories: whoever copied it, or declared a directory lost that is back, should know.
void PartitionManager::warn_of_copies(const FoundReplicas& found, const TopicPartition& partition,
                                      const FoundReplica& replica) const {
  const auto [first, last] = found.equal_range(partition);
  for (auto at = first; at != last && &at->second != &replica; ++at) {
    if (at->second.name.state != PartitionName::State::kLive || at->second.metadata != replica.metadata)
      continue;
    log_.warn(
        "{} lies in {} and in {}: the directory that the metadata names is used, the other is not touched",
        replica.name.name, at->second.directory->path(), replica.directory->path());
  }
}

void PartitionManager::keep_stray(LogDirectory& directory, const PartitionName& name) {
  auto renamed = directory.mark_as_stray(name.partition, rng_);
  if (!renamed) {
    log_.error("{}: cannot be renamed: {}", join(directory.path(), name.name),
               why_of(renamed.error(), directory));
    return;
  }
  log_.warn("{} belongs to no topic of this cluster: kept as {}", join(directory.path(), name.name),
            *renamed);
  note_stray(directory, *renamed);
}

void PartitionManager::note_stray(LogDirectory& directory, const std::string& name) {
  const auto contents = directory.contents(name);
  strays_.push_back({&directory, name, contents ? contents->record_bytes : 0});
}

void PartitionManager::open_all(const FoundReplicas& found, const MetadataImage& image) {
  struct TopicWork {
    const controller::Topic* topic;
    std::shared_ptr<const TopicIdentity> identity;
    std::shared_ptr<const TopicSettings> settings;
    TopicPartitions partitions;
  };
  std::vector<TopicWork> topics;
  std::vector<std::pair<std::size_t, PartitionId>> work;
  for (const auto& [id, topic] : image.topics) {
    for (const auto& [index, state] : topic->partitions) {
      if (state->is_replica(options_.self)) work.emplace_back(topics.size(), index);
    }
    topics.push_back(
        {.topic = &*topic,
         .identity = std::make_shared<const TopicIdentity>(TopicIdentity{topic->name, topic->id}),
         .settings = settings_of(image, topic->name),
         .partitions = TopicPartitions(topic->partitions.size())});
  }

  const ReplicaPlacer placer(dirs_, found, image, options_.self);
  std::vector<OpenedReplica> opened(work.size());
  runtime_.in_parallel(options_.recovery_threads, work.size(), [&](std::size_t at) {
    const auto& [topic, identity, settings, partitions] = topics[work[at].first];
    const PartitionId index = work[at].second;
    const auto& state = *topic->partition(index);
    opened[at] = open_replica(*identity, *settings, index, state, placer.place(*topic, index, state));
  });
  if (options_.durability == Durability::kFsync) flush_recovered(opened);
  for (std::size_t at = 0; at < work.size(); ++at) {
    auto& [topic, identity, settings, partitions] = topics[work[at].first];
    const PartitionId index = work[at].second;
    partitions[static_cast<std::size_t>(index.value)] =
        make_partition(identity, settings, index, *topic->partition(index), std::move(opened[at]));
  }
  any_missing_ = !missing_.empty();
  for (auto& topic : topics) registry_.publish(topic.identity, std::move(topic.partitions));
}

// In fsync mode only what is on stable storage is shown. What recovery has found was acknowledged, or may
// have been: one sync of each directory brings it back before the first client asks.
void PartitionManager::flush_recovered(std::span<OpenedReplica> opened) {
  std::map<LogDirectory*, std::vector<storage::Log*>> logs;
  for (const OpenedReplica& replica : opened) {
    if (replica.log != nullptr && !replica.directory->was_clean()) logs.try_emplace(replica.directory);
    if (replica.log != nullptr && replica.log->recovery_point() < replica.log->log_end_offset())
      logs[replica.directory].push_back(replica.log.get());
  }
  for (const auto& [directory, recovered] : logs) {
    if (const auto done = directory->flush(recovered); !done)
      log_.error("{}: flush failed: {}", directory->path(), why_of(done.error(), *directory));
  }
}

PartitionManager::OpenedReplica PartitionManager::open_replica(const TopicIdentity& topic,
                                                               const TopicSettings& settings,
                                                               PartitionId index,
                                                               const controller::Partition& state,
                                                               const ReplicaPlacement& placement) {
  const TopicPartition name{topic.name, index};
  auto* const directory = placement.action == Action::kCreate && placement.directory == nullptr
                              ? least_loaded_directory()
                              : placement.directory;
  const bool is_missing = placement.action == Action::kCreate;
  const bool is_reported = missing_.contains({topic.id, index});  // at the attempt before
  if (placement.action == Action::kOffline || directory == nullptr) {
    if (!is_reported)
      log_.error("{} is offline: {}", storage::directory_name(name),
                 placement.why.empty() ? "no log directory can take it" : placement.why);
    note_directory(topic, index, state, nullptr);
    return {.is_missing = is_missing};
  }
  if (placement.action == Action::kCreate && !placement.why.empty()) {
    log_.warn("{} is made anew, empty, in {}: {}", storage::directory_name(name), directory->path(),
              placement.why);
  }
  auto opened = open_log(topic, settings, index, placement, *directory);
  if (!opened) {
    if (!is_reported) {
      log_.error("{} is offline: its log cannot be {}: {}", directory->partition_path(name),
                 is_missing ? "made" : "opened", why_of(opened.error(), *directory));
    }
    return {.is_missing = is_missing};
  }
  {
    const MutexLock lock(load_mutex_);
    ++load_[directory];
  }
  note_directory(topic, index, state, directory);
  return {.directory = directory, .log = *std::move(opened)};
}

std::shared_ptr<Partition> PartitionManager::make_partition(
    const std::shared_ptr<const TopicIdentity>& topic, const std::shared_ptr<const TopicSettings>& settings,
    PartitionId index, const controller::Partition& state, OpenedReplica opened) {
  if (opened.is_missing) missing_.emplace(topic->id, index);
  if (!opened.is_missing) missing_.erase({topic->id, index});
  if (opened.log == nullptr) return std::make_shared<Partition>(topic, index, settings, *this);
  auto partition = std::make_shared<Partition>(topic, index, *opened.directory, std::move(opened.log),
                                               settings, options_.durability, *this);
  if (state.leader() == options_.self) partition->become_leader(state.leader_epoch());
  return partition;
}

Result<std::unique_ptr<storage::Log>> PartitionManager::open_log(const TopicIdentity& topic,
                                                                 const TopicSettings& settings,
                                                                 PartitionId index,
                                                                 const ReplicaPlacement& placement,
                                                                 LogDirectory& directory) {
  const TopicPartition name{topic.name, index};
  const Action action = placement.action;
  if (action == Action::kCreate) MILENA_CHECK(directory.create_partition(name, topic.id));
  if (action == Action::kTakeBack) {
    MILENA_CHECK(directory.take_back(placement.stray, name));
    log_.warn("{} is taken back from {}: the metadata knows its topic again", directory.partition_path(name),
              placement.stray);
  }
  if (placement.moved_from != nullptr)
    return open_moved_log(name, settings, *placement.moved_from, directory);
  if (action == Action::kRepairAndOpen) {
    log_.warn("{}: its {} was missing or damaged, and is written anew", directory.partition_path(name),
              storage::kPartitionMetadataName);
    MILENA_CHECK(directory.write_partition_metadata(name, topic.id));
  }
  const bool is_durable = options_.durability == Durability::kFsync;
  if (is_durable && !directory.was_clean() && action != Action::kCreate)
    MILENA_CHECK(directory.write_metadata_again(name, topic.id));
  MILENA_TRY(auto log, directory.open_log(name, settings.log, clock_.wall_ms(), is_durable));
  report_recovery(directory.partition_path(name), *log);
  return log;
}

// What the directory that it comes from knows of it says whether this is the same log, or an old copy of it.
Result<std::unique_ptr<storage::Log>> PartitionManager::open_moved_log(const TopicPartition& name,
                                                                       const TopicSettings& settings,
                                                                       LogDirectory& from,
                                                                       LogDirectory& directory) {
  const auto former = from.noted(name).value_or(storage::LogCheckpoint{});
  MILENA_TRY(auto log, directory.open_moved_log(name, former, settings.log, clock_.wall_ms(),
                                                options_.durability == Durability::kFsync));
  report_recovery(directory.partition_path(name), *log);
  if (log->log_end_offset() < former.recovery_point) {
    log_.error(
        "{} ends at offset {}, though {} held it up to {}: this is an old copy; put the right one back",
        directory.partition_path(name), log->log_end_offset().value, from.path(),
        former.recovery_point.value);
    return fail(ErrorCode::kKafkaStorageError, "it is an old copy");
  }
  MILENA_CHECK(log->advance_log_start(std::min(former.log_start_offset, log->high_watermark())));
  MILENA_CHECK(directory.take_over(name, log->log_start_offset(), from));
  return log;
}

void PartitionManager::report_recovery(const std::string& path, const storage::Log& log) const {
  const auto& [cut_bytes, has_lost_its_tail] = log.recovery();
  if (cut_bytes > 0) {
    log_.warn(
        "{}: {} bytes behind offset {} were no whole batches, and are removed: what an append or a power cut "
        "has left",
        path, cut_bytes, log.log_end_offset().value);
  }
  if (has_lost_its_tail) {
    log_.warn("{}: all that was left of it lies below its log start, {}, and is removed", path,
              log.log_start_offset().value);
  }
}

// The controller is to know where each replica is: that is what the next start goes by. `directory` is null
// for one that is nowhere; if the controller does not know where it was, it is told that it is lost.
void PartitionManager::note_directory(const TopicIdentity& topic, PartitionId index,
                                      const controller::Partition& state, const LogDirectory* directory) {
  const Uuid known = state.directory_of(options_.self);
  if (directory == nullptr && known != controller::kUnassignedDirectory) return;
  const Uuid actual =
      directory == nullptr ? controller::kLostDirectory : directory->meta_properties()->directory_id;
  if (actual == known || known == controller::kMigratingDirectory) return;
  const MutexLock lock(load_mutex_);
  assignments_.push_back({.topic_id = topic.id, .partition = index, .directory_id = actual});
}

void PartitionManager::report_directories() {
  std::vector<DirectoryAssignment> assignments;
  {
    const MutexLock lock(load_mutex_);
    assignments.swap(assignments_);
  }
  if (!assignments.empty()) news_.assign(std::move(assignments));
}

void PartitionManager::cordon(const MetadataImage& image) {
  constexpr std::string_view kKey = "cordoned.log.dirs";
  const auto set_in = [kKey](const controller::ConfigMap* layer) -> const std::string* {
    if (layer == nullptr) return nullptr;
    const auto found = layer->find(kKey);
    return found == layer->end() ? nullptr : &found->second;
  };
  const auto* value =
      set_in(image.config(controller::ConfigResourceType::kBroker, std::to_string(options_.self.value)));
  if (value == nullptr) value = set_in(&options_.file_config);
  std::set<std::string> paths;
  for (const auto& path : split_config_list(value == nullptr ? "" : *value))
    paths.insert(path == "*" ? path : normal_path(path));
  auto unknown = paths;
  unknown.erase("*");
  std::set<const LogDirectory*> now;
  std::vector<Uuid> ids;
  for (const auto& directory : dirs_.usable()) {
    unknown.erase(directory->path());
    if (!paths.contains("*") && !paths.contains(directory->path())) continue;
    now.insert(directory.get());
    ids.push_back(directory->meta_properties()->directory_id);
  }
  for (const auto& path : unknown)
    log_.warn("cordoned.log.dirs names {}, which is none of the log directories in use", path);
  {
    const MutexLock lock(load_mutex_);
    if (now == cordoned_) return;
    cordoned_ = std::move(now);
  }
  news_.directories_cordoned(std::move(ids));
}

bool PartitionManager::is_cordoned(const LogDirectory& directory) const {
  const MutexLock lock(load_mutex_);
  return cordoned_.contains(&directory);
}

LogDirectory* PartitionManager::least_loaded_directory() {
  const MutexLock lock(load_mutex_);
  LogDirectory* best = nullptr;
  for (const auto& directory : dirs_.usable()) {
    if (directory->health().offline() || cordoned_.contains(directory.get())) continue;
    if (best == nullptr || load_[directory.get()] < load_[best]) best = directory.get();
  }
  return best;
}

}  // namespace milena::broker
