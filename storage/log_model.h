// LogModel: what a log should hold, kept as plain vectors. The random test applies every operation to a Log
// and to this, and compares.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "storage/log_fixture.h"
#include "storage/producer_state.h"

namespace milena::storage {

class LogModel {
 public:
  struct Batch {
    Offset base_offset;
    Offset last_offset;
    LeaderEpoch epoch;
    std::vector<ReadRecord> records;  // none for a control batch
    std::optional<ProducerBatch> producer;
  };

  // The whole history, including what retention has removed from the log since.
  const std::vector<Batch>& batches() const { return batches_; }
  Offset end() const { return end_; }
  void append(Batch batch);
  // Forgets everything at or above `offset`, a batch boundary.
  void truncate(Offset offset);
  void restart_at(Offset offset);
  // The batch boundary at or below `offset`.
  Offset boundary(Offset offset) const;

  // Records at or above `from`, below `bound`.
  std::vector<ReadRecord> records(Offset from, Offset bound) const;
  std::optional<ReadRecord> first_at(std::int64_t timestamp, Offset from) const;
  std::optional<ReadRecord> with_largest_timestamp() const;
  // Replays the batches from `from` on.
  ProducerState producers(Offset from, std::vector<AbortedTransaction>* aborted = nullptr) const;
  // By the records alone.
  std::optional<EpochEndOffset> end_of_epoch(LeaderEpoch epoch, Offset log_start) const;

 private:
  std::vector<Batch> batches_;
  Offset end_ = 0;
};

}  // namespace milena::storage
