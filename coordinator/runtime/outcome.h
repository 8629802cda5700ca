// Outcome: what a machine wants to happen after it looked at one input: records to append, replies, and
// errands for the shell.
//
// A decision has steps. Each step reads the machine's state and fills an outcome; the shard appends the
// records as one batch, replays them, and only then runs the step that `then` names, with the outcome
// emptied. So a decision that needs to see its own records replayed says so, and no machine ever holds state
// that its log lacks.
//
// If the append fails, nothing is replayed, the following steps do not run, every reply of this step goes out
// as an error, and its errands are forgotten. A step must therefore be valid whether its records make it or
// not. One that changed state which no record describes (who waits, what was looked at when) names in
// if_append_fails() how that is put right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "protocol/types.h"

namespace milena::coordinator {

// Names one waiting request. The shell chooses tokens and remembers who waits; machines keep them while the
// answer depends on others (a JoinGroup waits for the group) and hand each back exactly once. 0 is nobody.
using ReplyToken = std::uint64_t;

// An answer that may go out now. What `reply` points at lives in `memory`, in the request that it answers,
// which the shell keeps until then, or is a constant of the program.
template <class Reply>
struct Completion {
  ReplyToken token = 0;
  Reply reply{};
  std::shared_ptr<Arena> memory;
};

// A record to append: encoded key and value; no value is a tombstone. The bytes live in the outcome's
// scratch.
struct EncodedRecord {
  BytesView key;
  std::optional<BytesView> value;
};

// The transaction that an outcome's records belong to (TxnOffsetCommit): they count once its marker says
// commit.
struct TransactionalProducer {
  protocol::ProducerId id = protocol::kNoProducerId;
  std::int16_t epoch = -1;
  // The ticket under which the log lets this append begin a transaction there, from the transaction's
  // coordinator (KIP-890); none: it does not ask for one.
  std::optional<std::uint64_t> consent{};
};

// The errands of a machine that has none.
struct NoErrand {};

// An errand is something that the shell does outside of the machine (write transaction markers, get a
// producer id), and whose result, if any, comes back as another input.
template <class ReplyT, class ErrandT = NoErrand>
class Outcome {
 public:
  using Reply = ReplyT;
  using Errand = ErrandT;
  using Step = std::function<void(Outcome&)>;

  void append(EncodedRecord record) { records_.push_back(record); }
  void discard_records() { records_.clear(); }
  // The records need not be appended all or none: each stands for itself. Expiry and mass deletions; they may
  // be larger than a batch.
  void records_are_independent() { atomic_ = false; }
  void in_transaction(TransactionalProducer producer) { producer_ = producer; }
  void reply(ReplyToken token, Reply reply) { replies_.push_back({token, std::move(reply), nullptr}); }
  // Leaves when everything that this decision could have seen is committed, like a reply, but waits for that
  // as long as it takes. Whoever leads the log next learns from loading it what is still to be done.
  void send(Errand errand) { errands_.push_back(std::move(errand)); }
  // The next step. It answers `token`; if it cannot run because this step's append failed, `if_failed` does,
  // in its error form.
  void then(ReplyToken token, Reply if_failed, Step step) {
    then_ = std::move(step);
    then_token_ = token;
    then_failed_ = std::move(if_failed);
  }

  // A step that runs instead of the next one if this step's append fails, after its replies went out as
  // errors; what it decides is appended and answered like any other step.
  void if_append_fails(Step step) {
    MILENA_ASSERT(!undo_, "a step says once how it is put right");
    undo_ = std::move(step);
  }

  // For what replies point at. Lives until the last reply of this step is gone.
  Arena& memory() {
    if (!memory_) memory_ = std::make_shared<Arena>();
    return *memory_;
  }
  // For records, and for whatever need not outlive the step.
  Arena& scratch() { return scratch_; }

  bool quiet() const { return records_.empty() && replies_.empty() && errands_.empty() && !then_; }
  const std::vector<EncodedRecord>& records() const { return records_; }
  bool atomic() const { return atomic_; }
  const std::optional<TransactionalProducer>& producer() const { return producer_; }
  std::vector<Errand>& errands() { return errands_; }

  // For the shard: takes the replies, each with its share of memory().
  template <class F>
  void take_replies(F&& deliver) {
    for (auto& completion : replies_) {
      completion.memory = memory_;
      deliver(std::move(completion));
    }
    replies_.clear();
  }
  // For the shard: the append failed. What the next step would have answered becomes a reply of this one.
  void give_up_next() {
    if (then_) reply(then_token_, std::move(then_failed_));
    then_ = nullptr;
  }
  // For the shard: the next step, after the outcome was emptied for it.
  Step take_next() {
    Step next = std::exchange(then_, nullptr);
    clear();
    return next;
  }
  // After a failed append, or a decision that was given up on the way: what if_append_fails() named, after
  // the outcome was emptied for it.
  Step take_undo() {
    Step undo = std::exchange(undo_, nullptr);
    clear();
    return undo;
  }
  void clear() {
    records_.clear();
    replies_.clear();
    errands_.clear();
    then_ = nullptr;
    undo_ = nullptr;
    memory_.reset();
    if (scratch_.footprint() > 0) scratch_.reset();
    atomic_ = true;
    producer_.reset();
  }

 private:
  std::vector<EncodedRecord> records_;
  std::vector<Completion<Reply>> replies_;
  std::vector<Errand> errands_;
  Step then_;
  Step undo_;
  ReplyToken then_token_ = 0;
  Reply then_failed_{};
  std::shared_ptr<Arena> memory_;
  Arena scratch_;
  std::optional<TransactionalProducer> producer_;
  bool atomic_ = true;
};

// The outcome that machine M fills: with its Errand, if it has one.
template <class M>
struct OutcomeOfMachine {
  using Type = Outcome<typename M::Reply>;
};
template <class M>
  requires requires { typename M::Errand; }
struct OutcomeOfMachine<M> {
  using Type = Outcome<typename M::Reply, typename M::Errand>;
};
template <class M>
using OutcomeOf = typename OutcomeOfMachine<M>::Type;

}  // namespace milena::coordinator
