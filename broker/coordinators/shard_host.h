// ShardHost: a coordinator shard on this node: the machine, the partition that is its log, its lock, its
// timer and the requests that wait for it.
//
// Shared by the coordinator that owns it and by jobs under way; thread-safe. Requests run on their
// connection's loop under the shard's mutex; timers and news of the high watermark come on `loop`; the log is
// read by whoever `Runner` lends a thread. Answers are delivered after the mutex is released. Lock order: the
// shard's mutex first, then one of the leaves below it (the partition's for an append, the
//   metadata's for a look). This is the one place where two locks are held, because an append and its replay
//   are one step; nothing under those leaves ever takes a shard's.
// Always:  every answer is called exactly once, on any thread; until the log has been read, requests hear
//          COORDINATOR_LOAD_IN_PROGRESS, and while this node does not lead the partition, NOT_COORDINATOR.
// Fails:   a log that cannot be read leaves the shard unloaded until the partition has its next leader epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/async/loop.h"
#include "base/log.h"
#include "base/mutex.h"
#include "broker/coordinators/shard_log.h"
#include "broker/partition/watch.h"
#include "coordinator/runtime/shard.h"
#include "protocol/error_code.h"
#include "storage/partition_name.h"

namespace milena::broker {

// Runs a job that may block, soon.
using Runner = std::function<void(std::move_only_function<void()>)>;

struct ShardHostOptions {
  Instant commit_timeout{5000};               // how long a reply may wait for the high watermark
  std::size_t load_buffer_bytes = 5'242'880;  // read at a time when the log is loaded
};

template <class M>
class ShardHost final : public Wakeable,
                        public std::enable_shared_from_this<ShardHost<M>>,
                        private Loop::Job {
 public:
  using Reply = typename M::Reply;
  using Completion = coordinator::Completion<Reply>;
  using Outcome = coordinator::OutcomeOf<M>;
  using Errand = typename Outcome::Errand;
  using Answer = std::move_only_function<void(Completion&&)>;
  // Runs in the machine's time under the shard's lock; see Shard::apply.
  using Change = std::function<void(coordinator::Now, M&, Outcome&)>;

  // Called under the shard's lock, whenever the partition is to be loaded.
  using MachineFactory = std::function<std::unique_ptr<M>(Partition&)>;
  // Runs what the machine wants done outside; called with no lock held, on any thread.
  using ErrandRunner = std::function<void(const std::shared_ptr<ShardHost>&, Errand&&)>;

  // `run_errand` may be empty for a machine that has no errands.
  ShardHost(MachineFactory make_machine, ErrandRunner run_errand, Loop& loop, const Clock& clock,
            const Logger& log, ShardHostOptions options)
      : loop_(loop),
        clock_(clock),
        logger_(log),
        options_(options),
        make_machine_(std::move(make_machine)),
        run_errand_(std::move(run_errand)),
        log_(clock),
        shard_([this] { return make_machine_(*log_.partition()); }, log_, options.commit_timeout),
        timer_([this] { visit(); }) {}

  // This node leads the partition: loads its log, on a thread of `runner` unless there is nothing in it.
  void lead(std::shared_ptr<Partition> partition, const Runner& runner) {
    std::uint64_t term = 0;
    {
      Deliveries deliveries(*this);
      const MutexLock lock(mutex_);
      stop_leading(ErrorCode::kNotCoordinator, deliveries);
      term = term_;
      log_.open(std::move(partition), this->weak_from_this());
      shard_.begin_load();
      if (!log_.has_more(0)) return finish_load(deliveries);
    }
    runner([self = this->shared_from_this(), term] { self->load(term); });
  }
  // It does not any more. Everyone who waits hears `error`.
  void unload(ErrorCode error) {
    Deliveries deliveries(*this);
    const MutexLock lock(mutex_);
    stop_leading(error, deliveries);
  }

  // One request; `request` may be forgotten when this returns.
  template <class Context, class Request>
  void ask(const Context& context, const Request& request, Answer answer) {
    Deliveries deliveries(*this);
    const MutexLock lock(mutex_);
    const coordinator::ReplyToken token = ++last_token_;
    waiting_.emplace(token, std::move(answer));
    shard_.handle(now(), token, context, request);
    settle(deliveries);
  }

  // Something happened that the machine decides about. A shard that is being loaded hears of it afterwards.
  void apply(const std::shared_ptr<const Change>& change) {
    Deliveries deliveries(*this);
    const MutexLock lock(mutex_);
    if (shard_.state() == coordinator::ShardState::kLoading) {
      missed_.push_back(change);
      return;
    }
    apply_now(*change);
    settle(deliveries);
  }

  // read(const M&), under the shard's lock: requests wait meanwhile. Not called while the shard is not
  // loaded.
  template <class Read>
  void inspect(Read&& read) const {
    const MutexLock lock(mutex_);
    if (shard_.state() == coordinator::ShardState::kActive) read(*shard_.machine());
  }

  // See Partition::begin_verification. NOT_COORDINATOR when this node does not lead the partition.
  Result<std::optional<storage::VerificationTicket>> begin_verification(protocol::ProducerId producer,
                                                                        std::int16_t epoch) {
    const MutexLock lock(mutex_);
    if (log_.partition() == nullptr)
      return fail(ErrorCode::kNotCoordinator, "this node does not lead the partition");
    return log_.partition()->begin_verification(producer, epoch, clock_.wall_ms());
  }

  // Appends the marker that ends a producer's transaction, and lets the machine know. Errors: those of
  // Partition::append, and NOT_LEADER_OR_FOLLOWER when this node does not lead the partition.
  Result<Partition::Appended> end_transaction(MutableBytes marker, protocol::ProducerId producer,
                                              bool committed, std::int16_t transaction_version) {
    Deliveries deliveries(*this);
    const MutexLock lock(mutex_);
    if (log_.partition() == nullptr) {
      return fail(ErrorCode::kNotLeaderOrFollower, "this node does not lead the partition");
    }
    MILENA_TRY(const Partition::Appended appended,
               log_.partition()->append(marker, {.origin = storage::AppendOrigin::kCoordinator,
                                                 .transaction_version = transaction_version,
                                                 .now_ms = clock_.wall_ms()}));
    shard_.transaction_ended(producer, committed, appended.info.last_offset + 1);
    settle(deliveries);
    return appended;
  }

  void woken() override { loop_.post(*this); }

 private:
  // Answers and errands that are due: handed over when the lock is gone, which it is because this is declared
  // before it.
  class Deliveries {
   public:
    explicit Deliveries(ShardHost& host) : host_(host) {}
    Deliveries(const Deliveries&) = delete;
    Deliveries& operator=(const Deliveries&) = delete;
    ~Deliveries() {
      for (auto& [answer, completion] : answers_) answer(std::move(completion));
      for (Errand& errand : errands_) host_.run_errand_(host_.shared_from_this(), std::move(errand));
    }
    std::vector<Errand>& errands() { return errands_; }
    void add(Answer answer, Completion&& completion) {
      answers_.emplace_back(std::move(answer), std::move(completion));
    }

   private:
    ShardHost& host_;
    std::vector<std::pair<Answer, Completion>> answers_;
    std::vector<Errand> errands_;
  };

  coordinator::Now now() const {
    const Instant instant = clock_.now();
    const std::int64_t wall_ms = clock_.wall_ms();
    return {instant, wall_ms, clock_.doubted_ms(instant, wall_ms)};
  }

  void apply_now(const Change& change) MILENA_REQUIRES(mutex_) {
    const auto time = now();
    shard_.apply(time, [&](M& machine, Outcome& out) { change(time, machine, out); });
  }

  void stop_leading(ErrorCode error, Deliveries& deliveries) MILENA_REQUIRES(mutex_) {
    ++term_;
    missed_.clear();
    shard_.unload(error);
    log_.close();
    settle(deliveries);
  }

  // On a thread that may block.
  void load(std::uint64_t term) {
    std::vector<std::byte> bytes;
    const auto partition = [&] {
      const MutexLock lock(mutex_);
      return log_.partition();
    }();
    if (partition == nullptr) return;
    Offset next = 0;
    for (;;) {
      const auto read = read_log(*partition, next, options_.load_buffer_bytes, bytes);
      Deliveries deliveries(*this);
      const MutexLock lock(mutex_);
      if (term != term_) return;
      if (read && !*read) {
        if (log_.has_more(next)) continue;  // a marker has come meanwhile
        return finish_load(deliveries);
      }
      if (const Status replayed = read ? replay(bytes, next) : std::unexpected(read.error()); !replayed) {
        logger_.error("{}: the coordinator cannot read its log: {}",
                      storage::directory_name(partition->name()), replayed.error().why);
        return stop_leading(ErrorCode::kNotCoordinator, deliveries);
      }
      next = shard_.applied_end();
    }
  }

  Status replay(BytesView batches, Offset from) MILENA_REQUIRES(mutex_) {
    MILENA_CHECK(shard_.load(batches));
    if (shard_.applied_end() <= from) return fail(ErrorCode::kCorruptMessage, "no whole record batch");
    return {};
  }

  void finish_load(Deliveries& deliveries) MILENA_REQUIRES(mutex_) {
    shard_.finish_load(now(), log_.high_watermark());
    for (const auto& change : std::exchange(missed_, {})) apply_now(*change);
    settle(deliveries);
  }

  // After every input: collects the answers that may leave, and sees to it that somebody comes back in time.
  void settle(Deliveries& deliveries) MILENA_REQUIRES(mutex_) {
    collect(deliveries);
    const auto deadline = shard_.next_deadline();
    if (!deadline || (alarm_ && *alarm_ <= *deadline)) return;
    alarm_ = deadline;
    if (log_.ask_for_visit()) loop_.post(*this);
  }

  void collect(Deliveries& deliveries) MILENA_REQUIRES(mutex_) {
    while (log_.await(shard_.awaited_commit())) shard_.committed(log_.high_watermark());
    shard_.take_replies(ready_);
    for (auto& completion : ready_) {
      const auto at = waiting_.find(completion.token);
      MILENA_ASSERT(at != waiting_.end(), "an answer that nobody waits for");
      deliveries.add(std::move(at->second), std::move(completion));
      waiting_.erase(at);
    }
    ready_.clear();
    shard_.take_errands(deliveries.errands());
  }

  // On the loop: time has passed, or the high watermark has moved, or somebody wants an earlier alarm.
  void visit() {
    std::optional<Instant> alarm;
    {
      Deliveries deliveries(*this);
      const MutexLock lock(mutex_);
      shard_.committed(log_.high_watermark());
      shard_.tick(now());
      collect(deliveries);
      alarm = alarm_ = shard_.next_deadline();
    }
    if (alarm) {
      loop_.arm(timer_, *alarm);
    } else {
      timer_.cancel();
    }
  }

  void run() override {
    log_.visited();
    visit();
  }

  Loop& loop_;
  const Clock& clock_;
  const Logger& logger_;
  const ShardHostOptions options_;
  const MachineFactory make_machine_;
  const ErrandRunner run_errand_;

  mutable Mutex mutex_;
  ShardLog log_;  // visited() and ask_for_visit() need no lock
  coordinator::Shard<M> shard_ MILENA_GUARDED_BY(mutex_);
  std::unordered_map<coordinator::ReplyToken, Answer> waiting_ MILENA_GUARDED_BY(mutex_);
  coordinator::ReplyToken last_token_ MILENA_GUARDED_BY(mutex_) = 0;
  std::vector<Completion> ready_ MILENA_GUARDED_BY(mutex_);  // kept for its capacity
  std::vector<std::shared_ptr<const Change>> missed_ MILENA_GUARDED_BY(mutex_);
  std::uint64_t term_ MILENA_GUARDED_BY(mutex_) = 0;        // grows with every lead() and unload()
  std::optional<Instant> alarm_ MILENA_GUARDED_BY(mutex_);  // when the loop comes by itself

  Timer timer_;  // of the loop
};

}  // namespace milena::broker
