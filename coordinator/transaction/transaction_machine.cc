#include "coordinator/transaction/transaction_machine.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/saturating.h"
#include "coordinator/transaction/records.h"

namespace milena::coordinator {

using protocol::kNoProducerId;
using protocol::ProducerId;

namespace {

// Until the append of a Complete* record is tried again.
constexpr Instant kCompletionRetry{100};

}  // namespace

TransactionMachine::TransactionMachine(std::shared_ptr<const TransactionConfig> config,
                                       std::int32_t coordinator_epoch)
    : config_(std::move(config)),
      coordinator_epoch_(coordinator_epoch),
      timeouts_timer_(timers_, TimerKind::kTimeouts),
      expiry_timer_(timers_, TimerKind::kExpiry),
      completion_timer_(timers_, TimerKind::kCompletion) {}

Transaction* TransactionMachine::find(std::string_view id) {
  const auto at = transactions_.find(id);
  return at == transactions_.end() ? nullptr : &at->second;
}

void TransactionMachine::replay(const LogRecord& record) {
  replay_arena_.reset();
  const auto id = read_transactional_id(record.key, replay_arena_);
  if (!id) {
    ++skipped_records_;
    return;
  }
  std::optional<Transaction> next;
  if (record.value) {
    next = read_transaction(*record.value, replay_arena_);
    if (!next) {
      ++skipped_records_;
      return;
    }
    next->record_offset = record.offset;
  }
  const auto at = transactions_.find(*id);
  if (at != transactions_.end() && at->second.is_open()) --open_;
  if (next && next->is_open()) ++open_;
  if (const auto done = completing_.find(*id); done != completing_.end() && !(next && next->is_preparing())) {
    completing_.erase(done);
    if (completing_.empty()) completion_timer_.cancel();
  }
  if (!next) {
    if (at != transactions_.end()) transactions_.erase(at);
  } else if (at == transactions_.end()) {
    transactions_.emplace(*id, std::move(*next));
  } else {
    if (at->second.is_preparing()) {
      committed_ += next->state == TransactionState::kCompleteCommit ? 1 : 0;
      aborted_ += next->state == TransactionState::kCompleteAbort ? 1 : 0;
    }
    // Only a new epoch changes what the log does not know of; transit() says so.
    next->last_producer_epoch = at->second.last_producer_epoch;
    if (next->state == TransactionState::kOngoing) next->open_since = at->second.open_since;
    at->second = std::move(*next);
  }
}

void TransactionMachine::loaded(Now now, TransactionOutcome& out) {
  expiry_timer_.arm(after(now.instant, Instant{config_->remove_expired_transaction_cleanup_interval_ms}));
  out.records_are_independent();
  committed_ = aborted_ = 0;
  for (auto& [id, transaction] : transactions_) {
    if (transaction.is_preparing()) drive(now, id, transaction, out);
    if (transaction.state != TransactionState::kOngoing) continue;
    transaction.open_since = now.instant;
    watch_timeouts(now);
  }
  // The errands of the others do not depend on whether the transactions without partitions could be
  // completed; those are tried again by the timer.
  out.if_append_fails([this, now](TransactionOutcome& next) {
    for (const auto& [id, transaction] : transactions_) {
      if (transaction.is_preparing() && !transaction.partitions.empty()) drive(now, id, transaction, next);
    }
  });
}

void TransactionMachine::release(ErrorCode error, TransactionOutcome& out) {
  for (auto& [ticket, each] : waiting_for_id_) {
    set_error(each.if_failed, error);
    out.reply(each.token, each.if_failed);
  }
  waiting_for_id_.clear();
}

void TransactionMachine::ask_for_id(WaitsForId waiting, TransactionOutcome& out) {
  const std::uint64_t ticket = ++last_ticket_;
  waiting_for_id_.emplace(ticket, std::move(waiting));
  out.send(TakeProducerId{ticket});
}

void TransactionMachine::producer_id_arrived(Now now, std::uint64_t ticket, std::optional<ProducerId> id,
                                             TransactionOutcome& out) {
  const auto at = waiting_for_id_.find(ticket);
  if (at == waiting_for_id_.end()) return;
  WaitsForId waiting = std::move(at->second);
  waiting_for_id_.erase(at);
  if (id) return waiting.go_on(now, *id, out);
  set_error(waiting.if_failed, ErrorCode::kCoordinatorLoadInProgress);
  out.reply(waiting.token, waiting.if_failed);
}

void TransactionMachine::transit(Now now, std::string_view id, const Transaction& next,
                                 TransactionOutcome& out) {
  append_transaction(out, id, next, config_->transaction_version);
  out.then(0, {},
           [this, now, name = std::string(id), last = next.last_producer_epoch](TransactionOutcome& after) {
             Transaction* transaction = find(name);
             MILENA_ASSERT(transaction != nullptr, "a coordinator reads its own records");
             transaction->last_producer_epoch = last;
             if (transaction->state == TransactionState::kOngoing) {
               if (!transaction->open_since) transaction->open_since = now.instant;
               watch_timeouts(now);
             }
             if (transaction->is_preparing()) drive(now, name, *transaction, after);
           });
}

void TransactionMachine::drive(Now now, const std::string& id, const Transaction& transaction,
                               TransactionOutcome& out) {
  if (transaction.partitions.empty()) return complete(now, id, transaction, out);
  out.send(WriteMarkers{.transactional_id = id,
                        .decided_at = transaction.record_offset,
                        .producer = transaction.producer,
                        .commit = transaction.state == TransactionState::kPrepareCommit,
                        .coordinator_epoch = coordinator_epoch_,
                        .transaction_version = transaction.client_version,
                        .partitions = transaction.partitions});
}

void TransactionMachine::markers_written(Now now, const WriteMarkers& errand, TransactionOutcome& out) {
  const Transaction* transaction = find(errand.transactional_id);
  if (transaction == nullptr || !transaction->is_preparing()) return;
  if (errand.coordinator_epoch != coordinator_epoch_) return;
  if (errand.decided_at != transaction->record_offset) return;  // an earlier one, of the same epoch maybe
  complete(now, errand.transactional_id, *transaction, out);
}

void TransactionMachine::complete(Now now, const std::string& id, const Transaction& transaction,
                                  TransactionOutcome& out) {
  completing_.insert(id);
  if (!completion_timer_.armed()) completion_timer_.arm(now.instant + kCompletionRetry);
  append_transaction(out, id, completed(transaction, now.wall_ms), config_->transaction_version);
}

// While nothing is open nobody needs to look for timeouts.
void TransactionMachine::watch_timeouts(Now now) {
  if (timeouts_timer_.armed()) return;
  timeouts_timer_.arm(after(now.instant, Instant{config_->abort_timed_out_transaction_cleanup_interval_ms}));
}

bool TransactionMachine::fire(Now now, TransactionOutcome& out) {
  const auto timer = timers_.pop(now.instant);
  if (!timer) return false;
  switch (*timer) {
    case TimerKind::kTimeouts:
      fire_timeouts(now, out);
      break;
    case TimerKind::kExpiry:
      fire_expiry(now, out);
      break;
    case TimerKind::kCompletion:
      fire_completion(now, out);
      break;
  }
  return true;
}

// One transaction at a time: each is a decision with steps of its own. The timer stays due until the round is
// over.
void TransactionMachine::fire_timeouts(Now now, TransactionOutcome& out) {
  bool any_open = false;
  for (auto at = transactions_.upper_bound(timeouts_seen_to_); at != transactions_.end(); ++at) {
    any_open = any_open || at->second.state == TransactionState::kOngoing;
    if (!at->second.is_timed_out(now.instant)) continue;
    timeouts_seen_to_ = at->first;
    timeouts_timer_.arm(now.instant);
    return abort_timed_out(now, timeouts_seen_to_, kNoProducerId, out);
  }
  // A round that had something to abort may have passed over what is open.
  const bool was_long_round = !std::exchange(timeouts_seen_to_, {}).empty();
  if (any_open || was_long_round) watch_timeouts(now);
}

void TransactionMachine::abort_timed_out(Now now, const std::string& id, ProducerId fresh,
                                         TransactionOutcome& out) {
  const Transaction* transaction = find(id);
  if (transaction == nullptr || !transaction->is_timed_out(now.instant)) return;
  if (needs_id_to_fence(*transaction) && fresh == kNoProducerId) {
    const bool is_asked_for =
        std::ranges::any_of(waiting_for_id_, [&](const auto& each) { return each.second.abort_of == id; });
    if (is_asked_for) return;
    ask_for_id({.token = 0,
                .if_failed = {},
                .abort_of = id,
                .go_on = [this, id](Now later, ProducerId arrived,
                                    TransactionOutcome& next) { abort_timed_out(later, id, arrived, next); }},
               out);
    return;
  }
  transit(now, id, fenced(*transaction, config_->transaction_version, fresh, now.wall_ms), out);
}

void TransactionMachine::fire_expiry(Now now, TransactionOutcome& out) {
  expiry_timer_.arm(after(now.instant, Instant{config_->remove_expired_transaction_cleanup_interval_ms}));
  out.records_are_independent();
  for (const auto& [id, transaction] : transactions_) {
    if (transaction.is_expired(now.trusted_ms(), config_->transactional_id_expiration_ms)) {
      append_transaction_tombstone(out, id);
    }
  }
}

void TransactionMachine::fire_completion(Now now, TransactionOutcome& out) {
  out.records_are_independent();
  for (const std::string& id : completing_) complete(now, id, *find(id), out);
}

}  // namespace milena::coordinator
