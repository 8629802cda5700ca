// Snapshots of the metadata log: an image written as records, and read back.
//
// docs/formats/metadata_snapshot.md. Pure functions; any thread, so that a blocking pool may do it. What a
// snapshot file says is not trusted: checksums, order, offsets and the footer are checked before anything is
// believed.
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/result.h"
#include "controller/image/metadata_image.h"
#include "controller/raft/quorum_config.h"
#include "controller/snapshot/snapshot_id.h"

namespace milena::controller {

// The snapshot that the image is: everything up to and including its offset.
SnapshotId snapshot_id(const MetadataImage& image);

// Hands the file's bytes to `sink`, batch by batch, until it fails. `now_ms` is the time of writing.
Status write_snapshot(const MetadataImage& image, const QuorumConfig& quorum, std::int64_t now_ms,
                      const std::function<Status(BytesView)>& sink);

struct LoadedSnapshot {
  MetadataImage image;
  QuorumConfig quorum;
};

// `file` is the whole content. kCorruptMessage for anything but a complete snapshot.
Result<LoadedSnapshot> read_snapshot(BytesView file, const SnapshotId& id);

// When to write the next snapshot: after enough bytes of log, or after enough time if there is anything new.
// Owned by whoever writes snapshots; not thread-safe.
class SnapshotTrigger {
 public:
  // metadata.log.max.record.bytes.between.snapshots, metadata.log.max.snapshot.interval.ms (0: never by
  // time).
  struct Limits {
    std::uint64_t max_bytes = std::uint64_t{20} * 1024 * 1024;
    std::int64_t max_interval_ms = 3'600'000;
  };

  // `now_ms` from here on: monotonic.
  SnapshotTrigger(const Limits& limits, std::int64_t now_ms) : limits_(limits), last_ms_(now_ms) {}

  void on_batch(std::size_t bytes) { bytes_ += bytes; }
  bool is_due(std::int64_t now_ms) const;
  // A snapshot was begun or loaded.
  void reset(std::int64_t now_ms);

 private:
  Limits limits_;
  std::uint64_t bytes_ = 0;
  std::int64_t last_ms_;
};

}  // namespace milena::controller
