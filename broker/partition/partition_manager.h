// PartitionManager: makes the partitions on disk what the metadata image says they are, and looks after their
// logs.
//
// Owned by the broker. open(), apply(), open_missing() and close() run on the metadata thread, one at a time;
// maintenance starts before its loop does and stops after loop and worker pool; the rest is thread-safe.
// Always:  the registry lists a partition only while its log is open. A directory that no topic of the image
//          owns any more is renamed to *-delete at once and removed by the worker pool.
// Fails:   a partition whose log cannot be opened is left out of the registry (clients see
//          UNKNOWN_TOPIC_OR_PARTITION), with a line in the log; the others go on. A new one is tried again,
//          as the disk may only be full; one that is refused at start is damaged, and stays as it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/async/loop.h"
#include "base/async/worker_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "broker/partition/partition_registry.h"
#include "broker/partition/topic_settings.h"
#include "controller/image/metadata_delta.h"
#include "controller/image/metadata_image.h"
#include "storage/log_directory.h"

namespace milena::broker {

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

  // All of these outlive the manager.
  PartitionManager(Options options, std::vector<std::unique_ptr<storage::LogDirectory>> directories,
                   PartitionRegistry& registry, WorkerPool& workers, const Clock& clock, Rng& rng,
                   const Logger& log);
  ~PartitionManager() override;

  // Opens the logs of every partition that the image gives to this node, in parallel, and drops what it does
  // not know. Returns when all are open.
  Status open(const controller::MetadataImage& image);
  // Follows one change of the image.
  void apply(const controller::MetadataImage& before, const controller::MetadataImage& after,
             const controller::MetadataChanges& changes);
  // Tries again to make the partitions of topics that apply() could not make.
  void open_missing(const controller::MetadataImage& image);
  // Retention, checkpoints, expiry of producers, idle files: every so often on the worker pool.
  // `call_open_missing` is to bring about a call of open_missing().
  void start_maintenance(Loop& loop, std::function<void()> call_open_missing);
  void stop_maintenance();
  // Closes the partitions, flushes their logs and the metadata log, and leaves the clean-shutdown marker.
  void close(std::int64_t broker_epoch, storage::Log& metadata_log);

  void schedule_flush(std::shared_ptr<Partition> partition) override;
  void expect_overdue_flush() override;

  // Makes durable what Partition::note_checkpoint() has noted. Blocks.
  Status write_noted_checkpoints();
  // Runs `job` on the worker pool; on the calling thread when the pool is full: back-pressure for whoever
  // asks.
  void run_blocking(std::move_only_function<void()> job);

  std::shared_ptr<const TopicSettings> settings_of(const controller::MetadataImage& image,
                                                   std::string_view topic) const;
  const std::vector<std::unique_ptr<storage::LogDirectory>>& directories() const { return directories_; }

 private:
  struct Found {  // a live partition directory at start
    storage::LogDirectory* home = nullptr;
    Uuid topic_id;
  };

  std::map<storage::TopicPartition, Found> survey();
  std::shared_ptr<Partition> open_partition(const std::shared_ptr<const TopicIdentity>& topic,
                                            const std::shared_ptr<const TopicSettings>& settings,
                                            protocol::PartitionId index, const controller::Partition& state,
                                            storage::LogDirectory* home);
  storage::LogDirectory& emptiest_directory();
  void update_topic(const controller::MetadataImage& image, const controller::Topic& topic);
  void delete_topic(const Uuid& id);
  void delete_directory(storage::LogDirectory& home, const storage::TopicPartition& partition);
  void ask_for_missing();
  void enforce_retention();
  void checkpoint();
  void expire_producers();
  void flush_overdue();
  void release_idle_files();

  const Options options_;
  const std::vector<std::unique_ptr<storage::LogDirectory>> directories_;
  PartitionRegistry& registry_;
  WorkerPool& workers_;
  const Clock& clock_;
  Rng& rng_;
  const Logger& log_;
  Mutex load_mutex_;
  std::map<const storage::LogDirectory*, std::size_t> load_
      MILENA_GUARDED_BY(load_mutex_);  // partitions by directory
  // The metadata thread's.
  std::set<std::pair<Uuid, protocol::PartitionId>> refused_;  // at start
  std::set<Uuid> missing_;                                    // topics that want for a partition
  std::atomic<bool> any_missing_ = false;
  std::atomic<bool> any_unflushed_ = false;  // see expect_overdue_flush()
  std::function<void()> call_open_missing_;
  struct Chores;
  std::unique_ptr<Chores> chores_;
};

}  // namespace milena::broker
