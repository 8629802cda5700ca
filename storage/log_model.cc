#include "storage/log_model.h"

#include <algorithm>

namespace milena::storage {

void LogModel::append(Batch batch) {
  end_ = batch.last_offset + 1;
  batches_.push_back(std::move(batch));
}

void LogModel::truncate(Offset offset) {
  while (!batches_.empty() && batches_.back().base_offset >= offset) batches_.pop_back();
  end_ = offset;
}

void LogModel::restart_at(Offset offset) {
  batches_.clear();
  end_ = offset;
}

Offset LogModel::boundary(Offset offset) const {
  for (const Batch& batch : batches_)
    if (batch.last_offset >= offset) return std::min(batch.base_offset, offset);
  return end_;
}

std::vector<ReadRecord> LogModel::records(Offset from, Offset bound) const {
  std::vector<ReadRecord> out;
  const auto first = std::ranges::lower_bound(batches_, from, {}, &Batch::last_offset);
  for (auto batch = first; batch != batches_.end() && batch->base_offset < bound; ++batch)
    for (const ReadRecord& record : batch->records)
      if (record.offset >= from && record.offset < bound) out.push_back(record);
  return out;
}

std::optional<ReadRecord> LogModel::first_at(std::int64_t timestamp, Offset from) const {
  for (const Batch& batch : batches_)
    for (const ReadRecord& record : batch.records)
      if (record.offset >= from && record.timestamp >= timestamp) return record;
  return std::nullopt;
}

std::optional<ReadRecord> LogModel::with_largest_timestamp() const {
  std::optional<ReadRecord> best;
  for (const Batch& batch : batches_)
    for (const ReadRecord& record : batch.records)
      if (!best || record.timestamp > best->timestamp) best = record;
  return best;
}

ProducerState LogModel::producers(Offset from, std::vector<AbortedTransaction>* aborted) const {
  ProducerState state;
  std::vector<AbortedTransaction> all;
  for (const Batch& batch : batches_) {
    if (!batch.producer || batch.base_offset < from) continue;
    EXPECT_TRUE(state.stage(*batch.producer, AppendOrigin::kReplication, 0));
    state.commit(all);
  }
  state.on_high_watermark(end_);
  if (aborted != nullptr) *aborted = all;
  return state;
}

std::optional<EpochEndOffset> LogModel::end_of_epoch(LeaderEpoch epoch, Offset log_start) const {
  EpochEndOffset out;
  for (const Batch& batch : batches_) {
    if (batch.last_offset < log_start) continue;
    const Offset base = std::max(batch.base_offset, log_start);
    if (batch.epoch > epoch) {
      const bool known = out.leader_epoch >= 0;
      return EpochEndOffset{known ? out.leader_epoch : epoch, base};
    }
    out.leader_epoch = batch.epoch;
  }
  if (out.leader_epoch != epoch) return std::nullopt;
  return EpochEndOffset{epoch, end_};
}

}  // namespace milena::storage
