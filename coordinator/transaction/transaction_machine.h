// TransactionMachine: the transactional ids of one partition of __transaction_state, as a state machine
// without I/O.
//
// Runs in a Shard (coordinator/runtime/shard.h), under its lock. Requests are answered by handle(); see
// reply.h for what comes back. The handlers in the broker split requests that name several transactional ids
// by partition, check authorisation and that topics exist, answer InitProducerId without a transactional id,
// and refuse one that names a producer id without an epoch or the reverse; everything else is decided here.
//
// What has to happen outside leaves as an errand: TakeProducerId, WriteMarkers. The shell runs it however
// long it takes, and comes back with producer_id_arrived() or markers_written(), through Shard::apply().
// Errands of a shard that was unloaded are void; the next load makes those that are still needed.
//
// Always: an outcome is in the log before the first marker is written (a WriteMarkers errand leaves when its
//   Prepare* record is committed), Complete* follows only when every partition has its marker, and a decided
//   outcome never changes, whoever loads the log. An id that was fenced stays fenced.
// Can fail: the append of a Complete* record; it is tried again until it is in the log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "coordinator/runtime/log_batch.h"
#include "coordinator/runtime/now.h"
#include "coordinator/runtime/timer_queue.h"
#include "coordinator/transaction/config.h"
#include "coordinator/transaction/reply.h"
#include "coordinator/transaction/transaction.h"
#include "protocol/error_code.h"

namespace milena::coordinator {

class TransactionMachine {
 public:
  using Reply = TransactionReply;
  using Errand = TransactionErrand;
  using Transactions = std::map<std::string, Transaction, std::less<>>;

  // coordinator_epoch: the leader epoch in which this broker leads the partition; markers carry it, and
  // partitions refuse those of an older one.
  TransactionMachine(std::shared_ptr<const TransactionConfig> config, std::int32_t coordinator_epoch);

  void handle(Now now, ReplyToken token, const TransactionContext& context,
              const protocol::InitProducerIdRequest& request, TransactionOutcome& out);
  void handle(Now now, ReplyToken token, const TransactionContext& context,
              const AddOrVerifyPartitions& request, TransactionOutcome& out);
  void handle(Now now, ReplyToken token, const TransactionContext& context, const AddOffsets& request,
              TransactionOutcome& out);
  void handle(Now now, ReplyToken token, const TransactionContext& context,
              const protocol::EndTxnRequest& request, TransactionOutcome& out);
  // The ids of this request are those of this partition; which topics may be seen is the handler's.
  void handle(Now now, ReplyToken token, const TransactionContext& context,
              const protocol::DescribeTransactionsRequest& request, TransactionOutcome& out);
  void handle(Now now, ReplyToken token, const TransactionContext& context,
              const protocol::ListTransactionsRequest& request, TransactionOutcome& out);

  // For Shard::apply(). A ticket is used up by its first answer; no id: whoever waits for it hears
  // COORDINATOR_LOAD_IN_PROGRESS and tries again.
  void producer_id_arrived(Now now, std::uint64_t ticket, std::optional<protocol::ProducerId> id,
                           TransactionOutcome& out);
  // Every partition of the errand has its marker. Ignored if the transaction is not the errand's any more.
  void markers_written(Now now, const WriteMarkers& errand, TransactionOutcome& out);
  void configure(std::shared_ptr<const TransactionConfig> config) { config_ = std::move(config); }

  // What Shard asks of a machine; see the Machine concept there.
  void replay(const LogRecord& record);
  void replay_marker(protocol::ProducerId, bool) {}  // this log holds no transactions itself
  void loaded(Now now, TransactionOutcome& out);
  void release(ErrorCode error, TransactionOutcome& out);
  std::optional<Instant> next_deadline() const { return timers_.next_deadline(); }
  bool fire(Now now, TransactionOutcome& out);
  static void fail(TransactionReply& reply, ErrorCode error) { set_error(reply, error); }
  template <class Request>
  static TransactionReply refuse(const TransactionContext&, const Request& request, ErrorCode error,
                                 Arena& memory) {
    return refusal(request, error, memory);
  }

  const Transactions& transactions() const { return transactions_; }
  // Transactions that have begun and are neither committed nor aborted in full.
  std::size_t open() const { return open_; }
  // Those that have ended since the log was loaded.
  std::uint64_t committed() const { return committed_; }
  std::uint64_t aborted() const { return aborted_; }
  // Records that could not be read, or are of kinds that this version does not know.
  std::uint64_t skipped_records() const { return skipped_records_; }

 private:
  enum class TimerKind : std::uint8_t { kTimeouts, kExpiry, kCompletion };
  using Timers = TimerQueue<TimerKind>;

  // InitProducerId and EndTxn as they are kept while a producer id is on its way.
  struct Init {
    std::string id;
    std::int32_t timeout_ms = 0;
    std::optional<ProducerIdentity> expected;
    std::int16_t api_version = 0;
  };
  struct End {
    std::string id;
    ProducerIdentity producer;
    bool commit = false;
    std::int16_t api_version = 0;
  };
  struct WaitsForId {
    ReplyToken token = 0;
    TransactionReply if_failed;
    std::string abort_of;  // the transaction that is to be aborted then; nobody waits for an answer
    std::function<void(Now, protocol::ProducerId, TransactionOutcome&)> go_on;
  };

  Transaction* find(std::string_view id);
  // As clients of `api_version` 4 and up, or 5 and up, follow the rules of version 2. Records of level 0
  // cannot say so.
  std::int16_t client_version(bool is_new_client) const {
    return is_new_client && config_->transaction_version >= 1 ? 2 : 0;
  }

  void init(Now now, ReplyToken token, const Init& request, protocol::ProducerId fresh,
            TransactionOutcome& out);
  void end(Now now, ReplyToken token, const End& request, protocol::ProducerId fresh,
           TransactionOutcome& out);
  // kNone: the partitions are added, once the outcome's records are in the log.
  ErrorCode add(Now now, std::string_view id, ProducerIdentity producer, const TopicPartitions& added,
                std::int16_t client_version, TransactionOutcome& out);
  PartitionErrors verify(const AddOrVerifyPartitions& request, Arena& memory) const;
  bool needs_id_to_fence(const Transaction& transaction) const;
  void abort_timed_out(Now now, const std::string& id, protocol::ProducerId fresh, TransactionOutcome& out);

  // go_on is called with a producer id, later: it has to look at everything again.
  void ask_for_id(WaitsForId waiting, TransactionOutcome& out);
  // Puts `next` into the log, and sees to what follows from it.
  void transit(Now now, std::string_view id, const Transaction& next, TransactionOutcome& out);
  void drive(Now now, const std::string& id, const Transaction& transaction, TransactionOutcome& out);
  void complete(Now now, const std::string& id, const Transaction& transaction, TransactionOutcome& out);
  void watch_timeouts(Now now);

  void fire_timeouts(Now now, TransactionOutcome& out);
  void fire_expiry(Now now, TransactionOutcome& out);
  void fire_completion(Now now, TransactionOutcome& out);

  std::shared_ptr<const TransactionConfig> config_;
  const std::int32_t coordinator_epoch_;
  Transactions transactions_;
  std::uint64_t skipped_records_ = 0;
  std::size_t open_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t aborted_ = 0;
  Arena replay_arena_;

  // May be lost: the shell forgets what it was doing when the shard is unloaded, too.
  std::map<std::uint64_t, WaitsForId> waiting_for_id_;
  std::uint64_t last_ticket_ = 0;
  std::set<std::string, std::less<>> completing_;  // markers written, Complete* not in the log yet

  Timers timers_;
  Timers::Timer timeouts_timer_;
  Timers::Timer expiry_timer_;
  Timers::Timer completion_timer_;
  std::string timeouts_seen_to_;  // where the round that is under way goes on; empty: none is
};

}  // namespace milena::coordinator
