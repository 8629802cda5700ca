// TruncationPermit: proof that a log may be cut back to an offset, because no checkpoint on disk claims that
// records beyond it are flushed.
//
// LogDirectory::permit_truncation makes one: it lowers the partition's recovery point, durably, and keeps it
// there until the permit is gone. Without that, a crash after the cut would find a recovery point above
// records that were appended since, and recovery would trust what was never flushed (R5).
#pragma once

#include <string>
#include <utility>

#include "storage/log_types.h"

namespace milena::storage {

class LogDirectory;

class TruncationPermit {
 public:
  ~TruncationPermit();
  TruncationPermit(TruncationPermit&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        partition_(std::move(other.partition_)),
        offset_(other.offset_) {}
  TruncationPermit(const TruncationPermit&) = delete;
  TruncationPermit& operator=(const TruncationPermit&) = delete;
  TruncationPermit& operator=(TruncationPermit&&) = delete;

  // Cuts to this offset or above are permitted.
  Offset offset() const { return offset_; }

 private:
  friend class LogDirectory;
  TruncationPermit(LogDirectory* owner, std::string partition, Offset offset)
      : owner_(owner), partition_(std::move(partition)), offset_(offset) {}

  LogDirectory* owner_;
  std::string partition_;
  Offset offset_;
};

}  // namespace milena::storage
