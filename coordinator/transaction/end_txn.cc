// EndTxn: a transaction's outcome is decided. Under version 2 (EndTxn 5 and up, KIP-890) the epoch tells a
// retry from the end of a later transaction; under version 1 only the state does.
#include <utility>

#include "coordinator/transaction/transaction_machine.h"

namespace milena::coordinator {

using protocol::EndTxnRequest;
using protocol::EndTxnResponse;
using protocol::kNoProducerId;
using protocol::ProducerId;

namespace {

enum class Verdict : std::uint8_t {
  kDecide,       // the transaction ends this way
  kAlreadyDone,  // a retry: it has
  kRefuse,
};

struct Judgement {
  Verdict verdict = Verdict::kRefuse;
  ErrorCode error = ErrorCode::kNone;
};

constexpr Judgement kDecide{Verdict::kDecide, ErrorCode::kNone};
constexpr Judgement kAlreadyDone{Verdict::kAlreadyDone, ErrorCode::kNone};
constexpr Judgement refuse_with(ErrorCode error) { return {Verdict::kRefuse, error}; }

bool is_outcome(TransactionState state, bool commit) {
  return state == (commit ? TransactionState::kCompleteCommit : TransactionState::kCompleteAbort);
}

Judgement judge_version_1(const Transaction& transaction, ProducerIdentity producer, bool commit) {
  if (transaction.producer.id != producer.id) return refuse_with(ErrorCode::kInvalidProducerIdMapping);
  if (transaction.producer.epoch != producer.epoch) return refuse_with(ErrorCode::kProducerFenced);
  if (transaction.is_preparing()) return refuse_with(ErrorCode::kConcurrentTransactions);
  if (transaction.state == TransactionState::kOngoing) return kDecide;
  return is_outcome(transaction.state, commit) ? kAlreadyDone : refuse_with(ErrorCode::kInvalidTxnState);
}

Judgement judge_version_2(const Transaction& transaction, ProducerIdentity producer, bool commit) {
  const ProducerIdentity current = transaction.producer;
  // Before the producer is looked at: it may already know of the id that it is going to have.
  if (transaction.is_preparing()) return refuse_with(ErrorCode::kConcurrentTransactions);
  const bool is_current = producer.epoch == current.epoch;
  // The end was decided and the epoch bumped, or a new id given, and the answer was lost.
  const bool is_retry_of_bump = current.epoch == producer.epoch + 1;
  const bool is_retry_of_new_id = transaction.previous_producer_id == producer.id &&
                                  producer.epoch == kLastProducerEpoch && current.epoch == 0;
  if (current.id != producer.id && !is_retry_of_new_id) {
    return refuse_with(ErrorCode::kInvalidProducerIdMapping);
  }
  if (transaction.state == TransactionState::kOngoing || transaction.state == TransactionState::kEmpty) {
    if (!is_current) return refuse_with(ErrorCode::kProducerFenced);
    // Clients of version 2 abort when they do not know whether anything was added.
    const bool may_end = transaction.state == TransactionState::kOngoing || !commit;
    return may_end ? kDecide : refuse_with(ErrorCode::kInvalidTxnState);
  }
  if (is_retry_of_bump || is_retry_of_new_id) {
    return is_outcome(transaction.state, commit) ? kAlreadyDone : refuse_with(ErrorCode::kInvalidTxnState);
  }
  if (!is_current) return refuse_with(ErrorCode::kProducerFenced);
  return commit ? refuse_with(ErrorCode::kInvalidTxnState) : kDecide;
}

// Clients learned PRODUCER_FENCED with version 2.
ErrorCode error_for(ErrorCode error, std::int16_t api_version) {
  const bool is_unknown = error == ErrorCode::kProducerFenced && api_version < 2;
  return is_unknown ? ErrorCode::kInvalidProducerEpoch : error;
}

}  // namespace

void TransactionMachine::handle(Now now, ReplyToken token, const TransactionContext& context,
                                const EndTxnRequest& request, TransactionOutcome& out) {
  if (request.transactional_id.empty()) {
    out.reply(token, EndTxnResponse{.error_code = ErrorCode::kInvalidRequest});
    return;
  }
  const End end_request{.id = std::string(request.transactional_id),
                        .producer = {request.producer_id, request.producer_epoch},
                        .commit = request.committed,
                        .api_version = context.api_version};
  end(now, token, end_request, kNoProducerId, out);
}

void TransactionMachine::end(Now now, ReplyToken token, const End& request, ProducerId fresh,
                             TransactionOutcome& out) {
  const Transaction* transaction = find(request.id);
  if (transaction == nullptr) {
    out.reply(token, EndTxnResponse{.error_code = ErrorCode::kInvalidProducerIdMapping});
    return;
  }
  const std::int16_t version = client_version(request.api_version >= 5);
  const Judgement judgement = bumps_epoch(version)
                                  ? judge_version_2(*transaction, request.producer, request.commit)
                                  : judge_version_1(*transaction, request.producer, request.commit);
  if (judgement.verdict == Verdict::kRefuse) {
    out.reply(token, EndTxnResponse{.error_code = error_for(judgement.error, request.api_version)});
    return;
  }
  EndTxnResponse response;
  if (judgement.verdict == Verdict::kDecide) {
    const bool needs_id = bumps_epoch(version) && is_epoch_exhausted(transaction->producer.epoch);
    if (needs_id && fresh == kNoProducerId) {
      ask_for_id({.token = token,
                  .if_failed = EndTxnResponse{},
                  .abort_of = {},
                  .go_on = [this, token, request](
                               Now later, ProducerId arrived,
                               TransactionOutcome& next) { end(later, token, request, arrived, next); }},
                 out);
      return;
    }
    const Transaction next = prepared(*transaction, request.commit, version, fresh, now.wall_ms);
    transit(now, request.id, next, out);
    if (bumps_epoch(version)) {
      response.producer_id = next.after_markers().id;
      response.producer_epoch = next.after_markers().epoch;
    }
  } else if (bumps_epoch(version)) {
    response.producer_id = transaction->producer.id;
    response.producer_epoch = transaction->producer.epoch;
  }
  out.reply(token, response);
}

}  // namespace milena::coordinator
