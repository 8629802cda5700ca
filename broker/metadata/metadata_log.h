// MetadataLog: the one thread that changes the cluster's metadata.
//
// Owned by the broker. Requests hand in operations from any thread; the metadata thread takes all that wait,
// lets the controller decide each on the newest state, appends and replays its records, syncs the log once
// for all of them, then publishes the new image, brings the partitions in line with it, and answers. So an
// answer tells of what is on stable storage and in force, and the event loops never wait for a disk. Fails:
// while the log cannot be written, every change is refused with KAFKA_STORAGE_ERROR, and reading goes on. A
// full disk passes; a failed one does not.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/async/worker_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/rng.h"
#include "broker/metadata/metadata_source.h"
#include "broker/metadata/metadata_store.h"
#include "controller/controller.h"
#include "controller/raft/raft_core.h"

namespace milena::broker {

class MetadataLog final : public MetadataSource {
 public:
  using Records = std::vector<controller::MetadataRecord>;
  // Told of every published change before the operations that made it are answered.
  using Subscriber = std::function<void(const controller::MetadataImagePtr& before,
                                        const controller::MetadataImagePtr& after,
                                        const controller::MetadataChanges& changes)>;

  struct Operation {
    // Decides; what the records point to lives until done() has run. Monotonic milliseconds.
    std::move_only_function<Records(controller::Controller&, std::int64_t now_ms)> decide;
    // With an error nothing has changed yet; what was appended but not synced may still come into force.
    std::move_only_function<void(Status)> done;
  };

  struct Options {
    controller::Voter self;
    controller::ControllerSettings controller;
    controller::FeatureLevels bootstrap;  // what a new cluster starts with, unless formatting chose that
    controller::SnapshotTrigger::Limits snapshots;
  };

  // Reads snapshot and log, becomes leader of a new epoch and writes what a leader writes first. Blocks.
  // Error: the sentence for the operator. Nothing is written if the log cannot be understood or its cluster
  // uses features that this node does not support.
  static std::expected<std::unique_ptr<MetadataLog>, std::string> open(Options options,
                                                                       std::unique_ptr<MetadataStore> store,
                                                                       const Clock& clock, Rng& rng,
                                                                       const Logger& log);
  ~MetadataLog() override;

  // Before start() and after stop(): carries the operation out on the calling thread.
  // In between: on the metadata thread, soon. Any thread.
  void submit(Operation operation);

  // From now on operations are carried out on `thread`, a pool of one thread with room for one job.
  void start(std::unique_ptr<WorkerPool> thread, Subscriber subscriber);
  // Carries out what waits, then ends the thread.
  void stop();

  controller::MetadataImagePtr image() const override;
  // Of the quorum, as it was formatted; nothing changes it yet. Any thread.
  controller::FeatureLevel kraft_version() const { return kraft_version_; }
  storage::Log& storage_log() { return store_->log(); }

  // As of the last commit. Any thread.
  controller::QuorumView quorum() const;

 private:
  MetadataLog(Options options, std::unique_ptr<MetadataStore> store, controller::RaftCore raft,
              controller::MetadataLoader loader, const Clock& clock, Rng& rng, const Logger& log);
  // Becomes leader and active controller.
  Status begin(const controller::Bootstrap& bootstrap);

  void work();
  void carry_out(std::vector<Operation> operations);
  // Appends what an operation decided and replays it; commit() makes it durable.
  Status append(const Records& records);
  Status append_batch(MutableBytes batch);
  Status replay(BytesView batch);
  Status unwritten(const Error& error);
  Status commit();
  Status obey(const controller::RaftReady& ready);
  void snapshot_if_due();

  const Options options_;
  controller::FeatureLevel kraft_version_ = 0;
  const std::unique_ptr<MetadataStore> store_;
  const Clock& clock_;
  const Logger& log_;

  // The metadata thread's, or the caller's while there is none.
  controller::Controller controller_;
  controller::QuorumConfig quorum_;
  controller::SnapshotTrigger snapshot_trigger_;
  std::vector<controller::MetadataUpdate> uncommitted_;
  bool unsynced_ = false;
  bool unwritable_ = false;  // the last append or sync failed
  bool broken_ = false;      // what was written cannot be replayed
  Subscriber subscriber_;

  mutable Mutex mutex_;
  controller::RaftCore raft_ MILENA_GUARDED_BY(mutex_);
  controller::MetadataImagePtr image_ MILENA_GUARDED_BY(mutex_);
  std::vector<Operation> waiting_ MILENA_GUARDED_BY(mutex_);
  bool working_ MILENA_GUARDED_BY(mutex_) = false;
  std::unique_ptr<WorkerPool> thread_
      MILENA_GUARDED_BY(mutex_);  // null: operations run on the caller's thread
};

}  // namespace milena::broker
