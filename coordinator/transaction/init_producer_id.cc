// InitProducerId: a producer takes over a transactional id, and everyone who had it before is fenced.
#include <utility>

#include "coordinator/transaction/transaction_machine.h"

namespace milena::coordinator {

using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;
using protocol::kNoProducerId;
using protocol::ProducerId;

namespace {

// Clients learned PRODUCER_FENCED with version 4.
ErrorCode error_for(ErrorCode error, std::int16_t api_version) {
  const bool is_unknown = error == ErrorCode::kProducerFenced && api_version < 4;
  return is_unknown ? ErrorCode::kInvalidProducerEpoch : error;
}

ErrorCode check(const InitProducerIdRequest& request, const TransactionConfig& config) {
  if (!request.transactional_id || request.transactional_id->empty()) return ErrorCode::kInvalidRequest;
  if (request.enable2_pc && !config.two_phase_commit_enable) {
    return ErrorCode::kTransactionalIdAuthorizationFailed;
  }
  if (request.keep_prepared_txn) return ErrorCode::kUnsupportedVersion;  // nor does Kafka 4.3 have it
  const bool is_timeout_ok = request.transaction_timeout_ms > 0 &&
                             request.transaction_timeout_ms <= config.transaction_max_timeout_ms;
  if (!request.enable2_pc && !is_timeout_ok) return ErrorCode::kInvalidTransactionTimeout;
  return ErrorCode::kNone;
}

// Is the producer that names itself the one that has the id, or had it just before its epochs ran out and may
// have missed the answer with the new one?
bool may_continue(const Transaction& transaction, ProducerIdentity expected) {
  return expected.id == transaction.producer.id ||
         (expected.id == transaction.previous_producer_id && is_epoch_exhausted(expected.epoch));
}

}  // namespace

void TransactionMachine::handle(Now now, ReplyToken token, const TransactionContext& context,
                                const InitProducerIdRequest& request, TransactionOutcome& out) {
  if (const ErrorCode error = check(request, *config_); error != ErrorCode::kNone) {
    out.reply(token, init_producer_id_error(error));
    return;
  }
  Init init_request{.id = std::string(*request.transactional_id),
                    .timeout_ms = request.enable2_pc ? kNoTransactionTimeout : request.transaction_timeout_ms,
                    .expected = std::nullopt,
                    .api_version = context.api_version};
  if (request.producer_id != kNoProducerId) {
    init_request.expected = ProducerIdentity{request.producer_id, request.producer_epoch};
  }
  init(now, token, init_request, kNoProducerId, out);
}

void TransactionMachine::init(Now now, ReplyToken token, const Init& request, ProducerId fresh,
                              TransactionOutcome& out) {
  const auto refuse_with = [&](ErrorCode error) {
    out.reply(token, init_producer_id_error(error_for(error, request.api_version)));
  };
  const auto wait_for_id = [&] {
    ask_for_id({.token = token,
                .if_failed = InitProducerIdResponse{},
                .abort_of = {},
                .go_on = [this, token, request](
                             Now later, ProducerId arrived,
                             TransactionOutcome& next) { init(later, token, request, arrived, next); }},
               out);
  };
  const auto begin = [&](const Transaction& from, ProducerIdentity producer, std::int16_t last_epoch) {
    transit(now, request.id, initialised(from, producer, last_epoch, request.timeout_ms, now.wall_ms), out);
    out.reply(token, InitProducerIdResponse{.producer_id = producer.id, .producer_epoch = producer.epoch});
  };

  const Transaction* transaction = find(request.id);
  if (transaction == nullptr) {
    if (fresh == kNoProducerId) return wait_for_id();
    Transaction none;
    none.producer.id = fresh;
    return begin(none, {fresh, 0}, -1);
  }
  const auto& expected = request.expected;
  const ProducerIdentity current = transaction->producer;
  if (transaction->is_preparing()) return refuse_with(ErrorCode::kConcurrentTransactions);
  if (expected && !may_continue(*transaction, *expected)) return refuse_with(ErrorCode::kProducerFenced);

  if (transaction->state == TransactionState::kOngoing) {
    // Kafka would fence first and look at the epoch when the client comes again; so a late request of an
    // earlier epoch could abort a transaction of this one.
    if (expected && *expected != current) return refuse_with(ErrorCode::kProducerFenced);
    if (needs_id_to_fence(*transaction) && fresh == kNoProducerId) return wait_for_id();
    transit(now, request.id, fenced(*transaction, config_->transaction_version, fresh, now.wall_ms), out);
    return refuse_with(ErrorCode::kConcurrentTransactions);
  }
  if (is_epoch_exhausted(current.epoch) && (!expected || expected->epoch == current.epoch)) {
    if (fresh == kNoProducerId) return wait_for_id();
    return begin(*transaction, {fresh, 0}, expected ? current.epoch : std::int16_t{-1});
  }
  const auto next_epoch = static_cast<std::int16_t>(current.epoch + 1);
  if (!expected) return begin(*transaction, {current.id, next_epoch}, -1);
  if (expected->epoch == current.epoch) {
    return begin(*transaction, {current.id, next_epoch}, current.epoch);
  }
  if (expected->epoch >= 0 && expected->epoch == transaction->last_producer_epoch) {
    // The answer was lost: the same again.
    return begin(*transaction, current, transaction->last_producer_epoch);
  }
  refuse_with(ErrorCode::kProducerFenced);
}

bool TransactionMachine::needs_id_to_fence(const Transaction& transaction) const {
  return bumps_epoch(config_->transaction_version) && is_epoch_exhausted(transaction.producer.epoch);
}

}  // namespace milena::coordinator
