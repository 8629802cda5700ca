// PartitionManager: makes the partitions on disk what the metadata image says they are, and looks after their
// logs.
//
// Owned by the broker. open(), apply(), open_missing() and close() run on the metadata thread, one at a time;
// maintenance starts before its loop does and stops after loop and worker pool; the rest is thread-safe.
//
// Nothing is deleted at a start but *-delete directories of topics that a committed record removed. What the
// metadata does not know is renamed to *-stray and kept; what is not ours is not touched. A partition is made
// anew only where nothing says that it held records, or where its log directory is declared lost. The
// directory of a topic that is deleted is renamed to *-delete at once and removed by the worker pool.
//
// A partition whose directory is missing or whose log cannot be opened is offline: clients see
// KAFKA_STORAGE_ERROR, and a line in the log says why; the others go on. One that could not be made is
// offline, too, and is tried again, as the disk may only be full.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/async/loop.h"
#include "base/async/runtime.h"
#include "base/async/worker_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "broker/metrics/durations.h"
#include "broker/partition/log_dirs.h"
#include "broker/partition/partition_registry.h"
#include "broker/partition/replica_placement.h"
#include "broker/partition/topic_settings.h"
#include "controller/image/metadata_delta.h"
#include "controller/image/metadata_image.h"
#include "storage/log_directory.h"

namespace milena::broker {

// The log directory that a replica of this node lies in.
struct DirectoryAssignment {
  Uuid topic_id{};
  protocol::PartitionId partition{};
  Uuid directory_id{};
};

class PartitionManager final : public FlushScheduler {
 public:
  struct Options {
    protocol::BrokerId self;
    Durability durability = Durability::kPageCache;
    controller::ConfigMap file_config;                 // what server.properties and its like set
    std::int64_t producer_expiration_ms = 86'400'000;  // producer.id.expiration.ms
    Instant retention_check{300'000};                  // log.retention.check.interval.ms
    Instant checkpoint_interval{60'000};               // log.flush.offset.checkpoint.interval.ms
    Instant producer_check{600'000};                   // producer.id.expiration.check.interval.ms
    std::size_t recovery_threads = 2;                  // num.recovery.threads.per.data.dir
  };

  // What the broker and its controller are told (KIP-858). Called on the metadata thread or a worker; must
  // not wait.
  struct ControllerNews {
    // Replicas lie in other directories than the metadata says.
    std::function<void(std::vector<DirectoryAssignment>)> assign;
    std::function<void(std::vector<Uuid>)> directories_failed;
    std::function<void(std::vector<Uuid>)> directories_cordoned;
    std::function<void()> all_directories_failed;  // nothing can be served any more
    std::function<void()> open_missing;            // to bring about a call of open_missing()
  };

  // All of these outlive the manager.
  PartitionManager(Options options, LogDirs& dirs, PartitionRegistry& registry, Runtime& runtime,
                   WorkerPool& workers, const Clock& clock, Rng& rng, const Logger& log, ControllerNews news);
  ~PartitionManager() override;

  // Opens the logs of every partition that the image gives to this node, in parallel, and sets aside what the
  // image does not know. Returns when all are open.
  void open(const controller::MetadataImage& image);
  // Follows one change of the image.
  void apply(const controller::MetadataImage& before, const controller::MetadataImage& after,
             const controller::MetadataChanges& changes);
  // Tries again to make the partitions of topics that apply() could not make.
  void open_missing(const controller::MetadataImage& image);
  // Retention, checkpoints, expiry of producers, idle files: every so often on the worker pool.
  void start_maintenance(Loop& loop);
  void stop_maintenance();
  // From now on; producer.id.expiration.ms. Any thread.
  void set_producer_expiration(std::int64_t ms) { producer_expiration_ms_ = ms; }
  // Closes the partitions, flushes their logs and the metadata log, and leaves the clean-shutdown marker.
  void close(std::int64_t broker_epoch, storage::Log& metadata_log);

  void schedule_flush(std::shared_ptr<Partition> partition) override;
  void expect_overdue_flush() override;

  // What time it was when one of the directories was last used; none when nobody knows.
  std::optional<std::int64_t> last_seen_ms() const;
  // Leaves that for the next start. Before maintenance starts; it goes on with it.
  void note_time();

  // Makes durable what Partition::note_checkpoint() has noted. Blocks.
  Status write_noted_checkpoints();
  // Runs `job` on the worker pool; on the calling thread when the pool is full: back-pressure for whoever
  // asks.
  void run_blocking(std::move_only_function<void()> job);

  std::shared_ptr<const TopicSettings> settings_of(const controller::MetadataImage& image,
                                                   std::string_view topic) const;
  const LogDirs& dirs() const { return dirs_; }
  PartitionRegistry& registry() const { return registry_; }
  // Whether the directory takes no new partitions (cordoned.log.dirs, KIP-1066).
  bool is_cordoned(const storage::LogDirectory& directory) const;
  // The *-stray directories found or made at the start.
  struct Stray {
    storage::LogDirectory* directory;
    std::string name;
    std::uint64_t bytes;
  };
  const std::vector<Stray>& strays() const { return strays_; }
  bool all_directories_offline() const;
  // Of the flushes so far: how long each took. Any thread.
  const SharedDurations& flush_times() const { return flush_times_; }

 private:
  using FoundReplicas = std::multimap<storage::TopicPartition, FoundReplica>;

  void sort_out(const FoundReplicas& found, const controller::MetadataImage& image);
  void warn_of_copies(const FoundReplicas& found, const storage::TopicPartition& partition,
                      const FoundReplica& replica) const;
  bool stands_in_place(const FoundReplicas& found, const FoundReplica& replica,
                       const controller::MetadataImage& image) const;
  void keep_stray(storage::LogDirectory& directory, const storage::PartitionName& name);
  void report_strays();
  void note_stray(storage::LogDirectory& directory, const std::string& name);
  void open_all(const FoundReplicas& found, const controller::MetadataImage& image);
  struct OpenedReplica {  // without a log when it could not be opened or made
    storage::LogDirectory* directory = nullptr;
    std::unique_ptr<storage::Log> log{};
    bool is_missing = false;  // was to be made
  };
  OpenedReplica open_replica(const TopicIdentity& topic, const TopicSettings& settings,
                             protocol::PartitionId index, const controller::Partition& state,
                             const ReplicaPlacement& placement);
  void flush_recovered(std::span<OpenedReplica> opened);
  std::shared_ptr<Partition> make_partition(const std::shared_ptr<const TopicIdentity>& topic,
                                            const std::shared_ptr<const TopicSettings>& settings,
                                            protocol::PartitionId index, const controller::Partition& state,
                                            OpenedReplica opened);
  Result<std::unique_ptr<storage::Log>> open_log(const TopicIdentity& topic, const TopicSettings& settings,
                                                 protocol::PartitionId index,
                                                 const ReplicaPlacement& placement,
                                                 storage::LogDirectory& directory);
  Result<std::unique_ptr<storage::Log>> open_moved_log(const storage::TopicPartition& name,
                                                       const TopicSettings& settings,
                                                       storage::LogDirectory& from,
                                                       storage::LogDirectory& directory);
  void report_recovery(const std::string& path, const storage::Log& log) const;
  void note_directory(const TopicIdentity& topic, protocol::PartitionId index,
                      const controller::Partition& state, const storage::LogDirectory* directory);
  void report_directories();
  storage::LogDirectory* least_loaded_directory();
  // Takes cordoned.log.dirs from the image; tells the controller when it has changed.
  void cordon(const controller::MetadataImage& image);
  void update_topic(const controller::MetadataImage& image, const controller::Topic& topic);
  void delete_topic(const Uuid& id);
  void delete_directory(storage::LogDirectory& directory, const storage::TopicPartition& partition);
  void report_failed_directories();
  void report_full_disks();
  void ask_for_missing();
  void enforce_retention();
  void checkpoint();
  void expire_producers();
  void flush_overdue();
  Status flush(Partition& partition);
  void release_idle_files();

  const Options options_;
  LogDirs& dirs_;
  PartitionRegistry& registry_;
  Runtime& runtime_;
  WorkerPool& workers_;
  const Clock& clock_;
  Rng& rng_;
  const Logger& log_;
  const ControllerNews news_;
  mutable Mutex load_mutex_;
  std::map<const storage::LogDirectory*, std::size_t> load_
      MILENA_GUARDED_BY(load_mutex_);  // partitions by directory
  std::set<const storage::LogDirectory*> cordoned_ MILENA_GUARDED_BY(load_mutex_);
  std::vector<DirectoryAssignment> assignments_ MILENA_GUARDED_BY(load_mutex_);  // not told yet
  // The metadata thread's.
  std::set<std::pair<Uuid, protocol::PartitionId>> missing_;  // could not be made, and may be later
  std::vector<Stray> strays_;                                 // constant after open()
  std::set<const storage::LogDirectory*> reported_failed_;    // of report_failed_directories() only
  struct FullDisk {
    std::uint64_t times = 0;
    std::optional<Instant> reported_at;
  };
  std::map<const storage::LogDirectory*, FullDisk> full_disks_;  // of report_full_disks() only
  SharedDurations flush_times_;
  std::atomic<std::int64_t> producer_expiration_ms_;
  std::atomic<bool> any_missing_ = false;
  std::atomic<bool> any_unflushed_ = false;  // see expect_overdue_flush()
  Instant time_noted_at_{0};
  struct Chores;
  std::unique_ptr<Chores> chores_;
};

}  // namespace milena::broker
