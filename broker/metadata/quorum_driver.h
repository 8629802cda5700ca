// QuorumDriver: this node's replica of the metadata log: does on a MetadataStore what RaftCore asks for.
//
// Owned by ClusterMetadata. On the metadata thread, where it blocks; view() from any thread.
// Always: each Ready is carried out in this order: quorum-state is on stable storage, batches are appended,
// and they are synced before RaftCore hears that they are durable. commit() hands out the batches below the
// high watermark that RaftCore says, in the order of the log, each once.
// Fails: while the log cannot be written, with the error of the store, and the log is as it was. A full disk
// passes, a failed one does not. What was appended but could not be synced may be committed by a later call.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/metadata/metadata_store.h"
#include "controller/raft/raft_core.h"

namespace milena::broker {

class QuorumDriver {
 public:
  using Batch = std::vector<std::byte>;

  // `quorum`: what snapshot and log say of it, or the configuration. Errors: those of RaftCore::open(), and
  // then nothing has been written.
  static Result<std::unique_ptr<QuorumDriver>> open(controller::Voter self, controller::QuorumConfig quorum,
                                                    MetadataStore& store, const Clock& clock,
                                                    const Logger& log);

  // Becomes the leader of a new epoch. Returns what is committed by that; the batches that were in the log
  // before are committed, too, and not among them.
  Result<std::vector<Batch>> start();

  // Of the leader.
  protocol::LeaderEpoch epoch() const;
  // The voters and their protocol, as this replica knows them.
  controller::FeatureLevel kraft_version() const { return kraft_version_; }
  // Where the next batch stands.
  protocol::Offset end_offset() const { return store_.end_offset(); }
  // Whether the last append and the last sync have succeeded.
  bool is_writable() const { return is_writable_; }

  // Appends a batch of this epoch that stands at end_offset(). A view of the batch, until the next commit().
  Result<BytesView> append(Batch batch);
  // Makes durable what was appended, and returns what is committed since the last time.
  Result<std::vector<Batch>> commit();

  controller::QuorumView view() const;

 private:
  struct Pending {
    Batch batch;
    protocol::Offset end;  // behind its last record
  };

  QuorumDriver(controller::RaftCore raft, MetadataStore& store, const Clock& clock, const Logger& log);
  Status process(controller::RaftReady ready);
  Status sync();
  std::unexpected<Error> unwritten(const Error& error);

  MetadataStore& store_;
  const Clock& clock_;
  const Logger& log_;
  const controller::FeatureLevel kraft_version_;
  std::deque<Pending> pending_;  // appended, not handed out by commit()
  protocol::Offset high_watermark_ = 0;
  bool is_synced_ = true;
  bool is_writable_ = true;

  mutable Mutex mutex_;
  controller::RaftCore raft_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
