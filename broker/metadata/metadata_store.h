// MetadataStore: the metadata log on disk: `__cluster_metadata-0` with its segments, snapshots and
// quorum-state.
//
// Owned by ClusterMetadata and used on the metadata thread only; everything blocks. Knows bytes and files,
// not what they mean. What sync() has returned for survives power loss, and a snapshot file that has its
// final name is whole. An I/O error takes the log directory offline, as one of any other log there does.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/result.h"
#include "controller/raft/quorum_state.h"
#include "controller/snapshot/metadata_snapshot.h"
#include "protocol/record_batch.h"
#include "storage/log_directory.h"

namespace milena::broker {

class MetadataStore {
 public:
  // Opens the log in `home`, where LogDirs has made it at the first start. The error is a sentence: what
  // cannot be read, and why.
  static std::expected<std::unique_ptr<MetadataStore>, std::string> open(
      Fs& fs, storage::LogDirectory& home, std::shared_ptr<const storage::LogConfig> config,
      std::int64_t now_ms);

  // Neither records nor a snapshot: nothing has ever been written, or everything is gone.
  bool is_empty() const { return log_->log_end_offset() == 0 && !snapshot_; }
  const std::optional<controller::QuorumState>& quorum_state() const { return quorum_state_; }
  // The newest snapshot, to be read before the log; empty when there is none.
  std::optional<controller::LoadedSnapshot> take_snapshot() { return std::exchange(snapshot_, std::nullopt); }
  // What formatting the directory wrote down for a cluster that has not begun: no state of the log, but what
  // its first leader puts into it. The voters of a dynamic quorum are in `0-0.checkpoint`; features and
  // credentials are there too (Kafka 4.4), or in the log directory's `bootstrap.checkpoint` (up to 4.3). None
  // when there is no such file. CORRUPT_MESSAGE: one cannot be read.
  Result<std::optional<controller::LoadedSnapshot>> read_bootstrap();
  // Visits every batch from `offset` on; stops at the first error.
  Status for_each_batch(protocol::Offset offset,
                        const std::function<Status(const protocol::RecordBatchView&)>& visit);

  // What is known of the record at `offset`; none when it is not there, or not any more.
  std::optional<storage::FollowedMetadata> record_at(protocol::Offset offset);
  // Whether there are registrations of this broker behind `offset`; none when nobody can tell any more.
  std::optional<bool> was_registered_after(protocol::Offset offset, protocol::BrokerId broker);

  protocol::Offset start_offset() const { return log_->log_start_offset(); }
  protocol::Offset end_offset() const { return log_->log_end_offset(); }
  protocol::LeaderEpoch last_epoch() const { return log_->latest_epoch(); }

  Status write_quorum_state(const std::string& content);
  // Appends one batch whose base offset is end_offset(); not durable until sync().
  Status append(MutableBytes batch, protocol::LeaderEpoch epoch, std::int64_t now_ms);
  Status sync();
  // The quorum has committed what is below.
  void advance_high_watermark(protocol::Offset offset) { log_->advance_high_watermark(offset); }

  // Writes a snapshot of the image, then drops older snapshots and the log segments that it makes
  // superfluous.
  Status write_snapshot(const controller::MetadataImage& image, const controller::QuorumConfig& quorum,
                        std::int64_t now_ms);

  storage::Log& log() { return *log_; }

 private:
  MetadataStore(Fs& fs, storage::LogDirectory& home, std::string directory)
      : fs_(fs), home_(home), directory_(std::move(directory)) {}
  Status load_quorum_state();
  Status load_snapshot(const controller::SnapshotId& id);
  std::unexpected<Error> failed(const IoError& error, std::string_view name);
  Result<std::optional<controller::LoadedSnapshot>> read_formatted(const std::string& path);
  std::vector<controller::SnapshotId> list_snapshots();
  void remove_unfinished_snapshots();

  Fs& fs_;
  storage::LogDirectory& home_;
  const std::string directory_;  // of the metadata partition, in home_
  std::unique_ptr<storage::Log> log_;
  std::optional<controller::QuorumState> quorum_state_;
  std::optional<controller::LoadedSnapshot> snapshot_;
};

}  // namespace milena::broker
