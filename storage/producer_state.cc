#include "storage/producer_state.h"

#include <algorithm>
#include <limits>

#include "base/saturating.h"
#include "protocol/error_code.h"

namespace milena::storage {
namespace {

bool follows(std::int32_t last, std::int32_t next) {
  return last < 0 ? next == 0 : next == protocol::increment_sequence(last, 1);
}

Status check_epoch(const ProducerEntry& entry, const ProducerBatch& batch, std::int16_t transaction_version) {
  const bool bumped = batch.marker && transaction_version >= 2;
  const std::int16_t epoch = batch.producer_epoch;
  if (!bumped) {
    if (epoch < entry.producer_epoch)
      return fail(ErrorCode::kInvalidProducerEpoch, "a newer incarnation of the producer has written");
    return {};
  }
  if (epoch > entry.producer_epoch) return {};
  // A coordinator repeats a marker after it failed over; the transaction is over already (KAFKA-19999).
  const bool repeated = epoch == entry.producer_epoch &&
                        (!entry.has_open_transaction() || epoch == std::numeric_limits<std::int16_t>::max());
  if (!repeated) return fail(ErrorCode::kInvalidProducerEpoch, "the marker's epoch is not above the data's");
  return {};
}

Status check_sequence(const ProducerEntry& entry, const ProducerBatch& batch) {
  // Nothing is known, because the state expired or its records were deleted: any start is fine (KIP-360).
  if (entry.producer_epoch == -1) return {};
  const bool in_order = batch.producer_epoch != entry.producer_epoch
                            ? batch.base_sequence == 0
                            : follows(entry.last_sequence(), batch.base_sequence);
  if (!in_order) return fail(ErrorCode::kOutOfOrderSequenceNumber, "the sequence number does not follow");
  return {};
}

Status check(const ProducerEntry& entry, const ProducerBatch& batch, AppendOrigin origin,
             std::int16_t transaction_version) {
  MILENA_CHECK(check_epoch(entry, batch, transaction_version));
  if (batch.marker) {
    if (batch.marker->coordinator_epoch < entry.coordinator_epoch)
      return fail(ErrorCode::kTransactionCoordinatorFenced, "the marker is from an older coordinator");
    return {};
  }
  if (origin == AppendOrigin::kClient) MILENA_CHECK(check_sequence(entry, batch));
  if (entry.has_open_transaction() && !batch.transactional)
    return fail(ErrorCode::kInvalidTxnState, "a plain batch inside a transaction");
  return {};
}

}  // namespace

void ProducerEntry::remember(const RememberedBatch& batch) {
  if (batch_count == kBatchesRetained) {
    std::shift_left(batches.begin(), batches.end(), 1);
    --batch_count;
  }
  batches[batch_count++] = batch;
}

void ProducerEntry::set_epoch(std::int16_t epoch) {
  if (producer_epoch == epoch) return;
  producer_epoch = epoch;
  batch_count = 0;
  batches = {};
}

ProducerEntry& ProducerState::staged_entry(ProducerId id) {
  const auto staged = std::ranges::find(staged_, id, &ProducerEntry::producer_id);
  if (staged != staged_.end()) return *staged;
  const ProducerEntry* known = find(id);
  staged_.push_back(known != nullptr ? *known : ProducerEntry{.producer_id = id});
  return staged_.back();
}

std::optional<VerificationTicket> ProducerState::begin_verification(ProducerId id, std::int16_t epoch,
                                                                    std::int64_t now_ms) {
  const ProducerEntry* known = find(id);
  if (known != nullptr && known->has_open_transaction() && known->producer_epoch == epoch)
    return std::nullopt;
  Verification& verification = verifications_[id.value];
  if (verification.ticket == 0) verification = {.ticket = ++last_ticket_, .begun_ms = now_ms};
  return verification.ticket;
}

bool ProducerState::opens_unverified(const ProducerEntry& entry, const ProducerBatch& batch,
                                     std::optional<VerificationTicket> verification) const {
  if (!verification || !batch.transactional || batch.control) return false;
  if (entry.has_open_transaction() && entry.producer_epoch == batch.producer_epoch) return false;
  const auto known = verifications_.find(batch.producer_id.value);
  return known == verifications_.end() || known->second.ticket != *verification;
}

Result<std::optional<RememberedBatch>> ProducerState::stage(const ProducerBatch& batch, AppendOrigin origin,
                                                            std::int16_t transaction_version,
                                                            std::optional<VerificationTicket> verification) {
  if (batch.control && !batch.marker) return std::nullopt;
  ProducerEntry& entry = staged_entry(batch.producer_id);
  if (origin == AppendOrigin::kClient && batch.producer_epoch == entry.producer_epoch) {
    for (const RememberedBatch& known : entry.remembered()) {
      if (known.first_sequence() == batch.base_sequence && known.last_sequence == batch.last_sequence)
        return known;
    }
  }
  if (origin != AppendOrigin::kReplication) MILENA_CHECK(check(entry, batch, origin, transaction_version));
  if (origin != AppendOrigin::kReplication && opens_unverified(entry, batch, verification)) {
    return fail(ErrorCode::kInvalidTxnState, "the record does not belong to an ongoing transaction");
  }

  entry.set_epoch(batch.producer_epoch);
  entry.last_timestamp = batch.max_timestamp;
  if (batch.marker) {
    verifications_.erase(batch.producer_id.value);
    if (entry.has_open_transaction()) {
      staged_finished_.push_back(
          {batch.producer_id, entry.current_txn_first_offset, batch.last_offset, batch.marker->commit});
      entry.current_txn_first_offset = protocol::kNoOffset;
    }
    entry.coordinator_epoch = batch.marker->coordinator_epoch;
    return std::nullopt;
  }
  entry.remember({.last_sequence = batch.last_sequence,
                  .offset_delta = static_cast<std::int32_t>(batch.last_offset - batch.base_offset),
                  .last_offset = batch.last_offset,
                  .timestamp = batch.max_timestamp});
  if (batch.transactional && !entry.has_open_transaction())
    entry.current_txn_first_offset = batch.base_offset;
  return std::nullopt;
}

void ProducerState::discard() {
  staged_.clear();
  staged_finished_.clear();
}

void ProducerState::commit(std::vector<AbortedTransaction>& aborted) {
  const auto insert_open = [this](ProducerId id, Offset first_offset) {
    const auto at = std::ranges::lower_bound(open_, first_offset, {}, &OpenTransaction::first_offset);
    if (at == open_.end() || at->first_offset != first_offset) open_.insert(at, {first_offset, id});
  };
  for (const FinishedTransaction& txn : staged_finished_) insert_open(txn.producer_id, txn.first_offset);
  for (const ProducerEntry& entry : staged_) {
    entries_[entry.producer_id.value] = entry;
    if (entry.has_open_transaction()) verifications_.erase(entry.producer_id.value);
    if (entry.has_open_transaction()) insert_open(entry.producer_id, entry.current_txn_first_offset);
  }
  for (const FinishedTransaction& txn : staged_finished_) finish(txn, aborted);
  discard();
}

void ProducerState::finish(const FinishedTransaction& txn, std::vector<AbortedTransaction>& aborted) {
  std::erase(open_, OpenTransaction{txn.first_offset, txn.producer_id});
  // Up to here every transaction is decided once this one is.
  const Offset last_stable = open_.empty() ? txn.last_offset + 1 : open_.front().first_offset;
  if (!txn.commit) aborted.push_back({txn.producer_id, txn.first_offset, txn.last_offset, last_stable});
  unreplicated_.push_back({txn.first_offset, txn.last_offset});
}

std::optional<Offset> ProducerState::first_unstable_offset() const {
  std::optional<Offset> first;
  if (!open_.empty()) first = open_.front().first_offset;
  for (const UnreplicatedTransaction& txn : unreplicated_)
    if (!first || txn.first_offset < *first) first = txn.first_offset;
  return first;
}

void ProducerState::on_high_watermark(Offset high_watermark) {
  if (unreplicated_.empty()) return;
  std::erase_if(unreplicated_, [&](const auto& txn) { return txn.last_offset < high_watermark; });
}

const ProducerEntry* ProducerState::find(ProducerId id) const {
  const auto found = entries_.find(id.value);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<ProducerEntry> ProducerState::entries() const {
  std::vector<ProducerEntry> all;
  all.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) all.push_back(entry);
  std::ranges::sort(all, {}, &ProducerEntry::producer_id);
  return all;
}

std::vector<ActiveProducer> ProducerState::active() const {
  std::vector<ActiveProducer> all;
  for (const ProducerEntry& entry : entries()) {
    all.push_back({.producer_id = entry.producer_id,
                   .producer_epoch = entry.producer_epoch,
                   .last_sequence = entry.last_sequence(),
                   .last_timestamp = entry.last_timestamp,
                   .coordinator_epoch = entry.coordinator_epoch,
                   .current_txn_start_offset = entry.current_txn_first_offset});
  }
  return all;
}

void ProducerState::expire(std::int64_t now_ms, std::int64_t expiration_ms) {
  erase_if(entries_, [&](const auto& item) {
    const ProducerEntry& entry = item.second;
    return !entry.has_open_transaction() &&
           saturating_subtract(now_ms, entry.last_timestamp) >= expiration_ms;
  });
  erase_if(verifications_, [&](const auto& item) { return now_ms - item.second.begun_ms >= expiration_ms; });
}

void ProducerState::clear() {
  entries_.clear();
  verifications_.clear();
  open_.clear();
  unreplicated_.clear();
  discard();
}

void ProducerState::load(std::span<const ProducerEntry> entries,
                         std::span<const UnreplicatedTransaction> unreplicated) {
  clear();
  for (const ProducerEntry& entry : entries) {
    entries_[entry.producer_id.value] = entry;
    if (entry.has_open_transaction()) open_.push_back({entry.current_txn_first_offset, entry.producer_id});
  }
  std::ranges::sort(open_, {}, &OpenTransaction::first_offset);
  unreplicated_.assign(unreplicated.begin(), unreplicated.end());
}

bool ProducerState::operator==(const ProducerState& other) const {
  return open_ == other.open_ && unreplicated_ == other.unreplicated_ && entries_ == other.entries_;
}

}  // namespace milena::storage
