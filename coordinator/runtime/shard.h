// Shard: one partition of an internal log and the state machine that the log describes.
//
// Owned by the broker, one per partition of __consumer_offsets and the like. Not thread-safe: the shell holds
// the shard's lock around every call, the append to the log included, and delivers the replies after
// unlocking. No call blocks or reads a clock.
//
//   handle / apply / tick  ->  the machine decides  ->  records are appended as one batch  ->  and replayed
//   -> replies and errands wait until everything applied so far is committed  ->  take_replies, take_errands
//
// Always: the machine's state is what replaying the log up to applied_end() gives, plus state that may be
// lost (who waits, timers). A reply leaves only when the high watermark has reached everything its decision
// could have seen, its own records included; so what a client was told is never undone by a change of
// leader, reads included.
// Can fail: an append. Nothing was replayed then, the replies become errors, and the shard goes on. A log
// that was truncated under the shard (a change of leader) is no longer its log: the shell unloads it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/saturating.h"
#include "coordinator/runtime/log_batch.h"
#include "coordinator/runtime/now.h"
#include "coordinator/runtime/outcome.h"
#include "coordinator/runtime/partition_writer.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"
#include "protocol/types.h"

namespace milena::coordinator {

// What a machine must offer. Requests are answered by overloads of handle(now, token, context, request,
// outcome).
template <class M>
concept Machine = requires(M& machine, const M& constant, const LogRecord& record, Now now,
                           OutcomeOf<M>& outcome, typename M::Reply& reply) {
  // The only function that changes what the log describes; live and on loading alike. Bytes it does not know
  // or cannot read are skipped.
  machine.replay(record);
  // The transaction of this producer ended.
  machine.replay_marker(protocol::ProducerId{}, true);
  // Loading is over: from here on time passes.
  machine.loaded(now, outcome);
  // Hands back every token it holds, with this error. Nothing else will be asked of the machine.
  machine.release(ErrorCode::kNotCoordinator, outcome);
  // When fire() should be called next.
  { constant.next_deadline() } -> std::same_as<std::optional<Instant>>;
  // Decides about one timer that is due; false if none is.
  { machine.fire(now, outcome) } -> std::same_as<bool>;
  // Turns a reply into its error form.
  M::fail(reply, ErrorCode::kNotCoordinator);
};

enum class ShardState : std::uint8_t {
  kUnloaded,  // some other broker coordinates: requests get kNotCoordinator
  kLoading,   // reading the log: requests get kCoordinatorLoadInProgress
  kActive,
};

template <Machine M>
class Shard {
 public:
  using Reply = typename M::Reply;
  using Outcome = OutcomeOf<M>;
  using Errand = typename Outcome::Errand;
  using MachineFactory = std::function<std::unique_ptr<M>()>;

  // commit_timeout: how long a reply may wait for the high watermark (offsets.commit.timeout.ms).
  Shard(MachineFactory make_machine, PartitionWriter& writer, Instant commit_timeout = Instant{5000})
      : make_machine_(std::move(make_machine)), writer_(writer), commit_timeout_(commit_timeout) {}

  ShardState state() const { return state_; }
  // The offset after the last record applied.
  protocol::Offset applied_end() const { return applied_end_; }
  const M* machine() const { return machine_.get(); }

  // This broker leads the partition now: feed load() the whole log, oldest batch first, then call
  // finish_load().
  void begin_load() {
    unload(ErrorCode::kNotCoordinator);
    machine_ = make_machine_();
    state_ = ShardState::kLoading;
    applied_end_ = high_watermark_ = 0;
  }
  // Whole batches, as read from the log; compressed ones too. Errors: kCorruptMessage, and what decompression
  // says; the shell should unload then.
  Status load(BytesView batches) {
    MILENA_ASSERT(state_ == ShardState::kLoading, "load() belongs between begin_load() and finish_load()");
    return read_log_batches(
        batches,
        {.record = [&](const LogRecord& record) { machine_->replay(record); },
         .marker = [&](protocol::ProducerId id, bool committed) { machine_->replay_marker(id, committed); }},
        applied_end_);
  }
  void finish_load(Now now, protocol::Offset high_watermark) {
    MILENA_ASSERT(state_ == ShardState::kLoading, "finish_load() without begin_load()");
    state_ = ShardState::kActive;
    high_watermark_ = high_watermark;
    machine_->loaded(now, outcome_);
    settle(now);
  }
  // This broker leads no more, or the log failed. Everyone who waits hears `error`.
  void unload(ErrorCode error) {
    if (machine_) {
      outcome_.clear();
      machine_->release(error, outcome_);
      outcome_.take_replies([&](Completion<Reply>&& completion) {
        if (completion.token != 0) ready_.push_back(std::move(completion));
      });
      outcome_.clear();
      for (Parked& parked : parked_) refuse(std::move(parked.completion), error);
      parked_.clear();
      machine_.reset();
    }
    parked_errands_.clear();
    ready_errands_.clear();
    state_ = ShardState::kUnloaded;
  }

  // One request. Its reply, and those of others that it completes, come out of take_replies(), now or later.
  // The request may be forgotten as soon as this returns.
  template <class Context, class Request>
  void handle(Now now, ReplyToken token, const Context& context, const Request& request) {
    if (state_ != ShardState::kActive) {
      const auto error =
          state_ == ShardState::kLoading ? ErrorCode::kCoordinatorLoadInProgress : ErrorCode::kNotCoordinator;
      auto memory = std::make_shared<Arena>();
      ready_.push_back({token, M::refuse(context, request, error, *memory), memory});
      return;
    }
    machine_->handle(now, token, context, request, outcome_);
    settle(now);
  }

  // Something else happened that the machine decides about (topics were deleted, metadata changed):
  // decide(machine, outcome). Ignored unless active; the machine learns the present state when it is loaded.
  template <class F>
  void apply(Now now, F&& decide) {
    if (state_ != ShardState::kActive) return;
    decide(*machine_, outcome_);
    settle(now);
  }

  // The marker of a transaction was appended to the partition at `end - 1`, by way of WriteTxnMarkers.
  void transaction_ended(protocol::ProducerId producer, bool committed, protocol::Offset end) {
    if (state_ != ShardState::kActive) return;
    machine_->replay_marker(producer, committed);
    applied_end_ = end;
  }

  // The high watermark moved.
  void committed(protocol::Offset high_watermark) {
    if (high_watermark > high_watermark_) high_watermark_ = high_watermark;
    while (!parked_.empty() && parked_.front().after <= high_watermark_) {
      ready_.push_back(std::move(parked_.front().completion));
      parked_.pop_front();
    }
    while (!parked_errands_.empty() && parked_errands_.front().after <= high_watermark_) {
      ready_errands_.push_back(std::move(parked_errands_.front().errand));
      parked_errands_.pop_front();
    }
  }

  // The lowest high watermark that lets a reply or an errand leave; none while none waits for one.
  std::optional<protocol::Offset> awaited_commit() const {
    std::optional<protocol::Offset> awaited;
    if (!parked_.empty()) awaited = parked_.front().after;
    if (!parked_errands_.empty() && (!awaited || parked_errands_.front().after < *awaited)) {
      awaited = parked_errands_.front().after;
    }
    return awaited;
  }

  // When to call tick(): nothing happens before. May be early.
  std::optional<Instant> next_deadline() const {
    std::optional<Instant> next;
    if (state_ == ShardState::kActive) next = machine_->next_deadline();
    if (!parked_.empty() && (!next || parked_.front().deadline < *next)) next = parked_.front().deadline;
    return next;
  }
  void tick(Now now) {
    while (!parked_.empty() && parked_.front().deadline <= now.instant) {
      refuse(std::move(parked_.front().completion), ErrorCode::kCoordinatorNotAvailable);
      parked_.pop_front();
    }
    while (state_ == ShardState::kActive && machine_->fire(now, outcome_)) settle(now);
  }

  // Moves the replies that may leave to the end of `out`.
  void take_replies(std::vector<Completion<Reply>>& out) {
    for (auto& completion : ready_) out.push_back(std::move(completion));
    ready_.clear();
  }
  bool has_replies() const { return !ready_.empty(); }

  // Moves the errands that may be run to the end of `out`. Those that nobody took when the shard is unloaded
  // are for its next leader.
  void take_errands(std::vector<Errand>& out) {
    for (Errand& errand : ready_errands_) out.push_back(std::move(errand));
    ready_errands_.clear();
  }

 private:
  struct Parked {
    protocol::Offset after;  // leaves when the high watermark gets here
    Instant deadline;
    Completion<Reply> completion;
  };
  struct ParkedErrand {
    protocol::Offset after;
    Errand errand;
  };

  void settle(Now now) {
    for (;;) {
      if (const Status appended = append_and_replay(now); !appended) {
        const ErrorCode error = client_error_of_append(appended.error().code);
        outcome_.give_up_next();
        outcome_.take_replies([&](Completion<Reply>&& completion) { refuse(std::move(completion), error); });
        auto undo = outcome_.take_undo();
        if (!undo) return;
        undo(outcome_);
        continue;
      }
      outcome_.take_replies([&](Completion<Reply>&& completion) { park(now, std::move(completion)); });
      for (Errand& errand : outcome_.errands()) park(std::move(errand));
      auto next = outcome_.take_next();
      if (!next) return;
      next(outcome_);
    }
  }

  Status append_and_replay(Now now) {
    std::span<const EncodedRecord> rest = outcome_.records();
    const auto consent = outcome_.producer() ? outcome_.producer()->consent : std::nullopt;
    while (!rest.empty()) {
      MILENA_TRY(const std::size_t count,
                 records_that_fit(rest, writer_.max_batch_bytes(), outcome_.atomic()));
      const auto records = rest.first(count);
      auto batch = build_log_batch(builder_, records, now.wall_ms, outcome_.producer());
      MILENA_TRY(const PartitionWriter::Appended appended, writer_.append(batch, consent));
      if (appended.high_watermark > high_watermark_) high_watermark_ = appended.high_watermark;
      const auto& transaction = outcome_.producer();
      const auto producer = transaction ? transaction->id : protocol::kNoProducerId;
      for (std::size_t i = 0; i < count; ++i) {
        machine_->replay(
            {appended.first + static_cast<std::int64_t>(i), producer, records[i].key, records[i].value});
      }
      applied_end_ = appended.first + static_cast<std::int64_t>(count);
      rest = rest.subspan(count);
    }
    committed(high_watermark_);
    return {};
  }

  void park(Now now, Completion<Reply>&& completion) {
    if (completion.token == 0) return;
    if (applied_end_ <= high_watermark_) {
      ready_.push_back(std::move(completion));
    } else {
      parked_.push_back({applied_end_, after(now.instant, commit_timeout_), std::move(completion)});
    }
  }

  void park(Errand&& errand) {
    if (applied_end_ <= high_watermark_) {
      ready_errands_.push_back(std::move(errand));
    } else {
      parked_errands_.push_back({applied_end_, std::move(errand)});
    }
  }

  void refuse(Completion<Reply>&& completion, ErrorCode error) {
    if (completion.token == 0) return;
    M::fail(completion.reply, error);
    ready_.push_back(std::move(completion));
  }

  MachineFactory make_machine_;
  PartitionWriter& writer_;
  const Instant commit_timeout_;
  ShardState state_ = ShardState::kUnloaded;
  std::unique_ptr<M> machine_;
  protocol::Offset applied_end_ = 0;
  protocol::Offset high_watermark_ = 0;
  Outcome outcome_;  // kept for its capacity; empty between calls
  protocol::RecordBatchBuilder builder_;
  std::deque<Parked> parked_;  // ascending in `after` and in `deadline`
  std::vector<Completion<Reply>> ready_;
  std::deque<ParkedErrand> parked_errands_;  // ascending in `after`
  std::vector<Errand> ready_errands_;
};

}  // namespace milena::coordinator
