#include "broker/handlers/txn_offset_commit.h"

#include <span>
#include <utility>
#include <variant>

#include "broker/coordinators/internal_topics.h"
#include "broker/handlers/group_call.h"
#include "broker/handlers/topic_answers.h"

namespace milena::broker {
namespace {

using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;
using Answers = TopicAnswers<TxnOffsetCommitResponse::TxnOffsetCommitResponseTopic>;

constexpr int kTopicIds = 6;  // topics come by id from here on
constexpr int kAddsPartition = 5;
constexpr int kKnowsAbortable = 4;

ErrorCode error_for_producer(ErrorCode error, int version) {
  switch (error) {
    case ErrorCode::kProducerFenced:
      return ErrorCode::kInvalidProducerEpoch;
    case ErrorCode::kTransactionAbortable:
      return version >= kKnowsAbortable ? error : ErrorCode::kInvalidTxnState;
    default:
      return error;
  }
}

void answer_with(Responder responder, TxnOffsetCommitResponse response, Answers& answers, int version) {
  name_as_asked(response.topics, version >= kTopicIds);
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions)
      partition.error_code = error_for_producer(partition.error_code, version);
  }
  response.topics = answers.with(response.topics, responder.request().arena());
  responder.send(response);
}

}  // namespace

void TxnOffsetCommitHandler::handle(Call& call, const TxnOffsetCommitRequest& request, Responder responder) {
  Answers answers;
  const auto kept =
      existing_part(request, call.version >= kTopicIds, *metadata_.image(), answers, call.arena);
  if (kept.topics.empty()) return answer_with(std::move(responder), {}, answers, call.version);
  const auto refuse = [version = call.version](Responder answerer, const TxnOffsetCommitRequest& what,
                                               Answers& others, ErrorCode error) {
    auto& arena = answerer.request().arena();
    auto refused = std::get<TxnOffsetCommitResponse>(coordinator::refusal(what, error, version, arena));
    answer_with(std::move(answerer), refused, others, version);
  };
  const auto shard = groups_.shards().find(kept.group_id);
  if (!shard) return refuse(std::move(responder), kept, answers, ErrorCode::kCoordinatorNotAvailable);
  auto commit = [refuse, kept, host = shard->host, context = group_context(call),
                 answers = std::move(answers), version = call.version, responder = std::move(responder)](
                    ErrorCode error, std::optional<storage::VerificationTicket> ticket) mutable {
    if (error != ErrorCode::kNone) return refuse(std::move(responder), kept, answers, error);
    context.consent = ticket;
    host->ask(context, kept,
              [answers = std::move(answers), version,
               responder = std::move(responder)](GroupCoordinator::Completion&& completion) mutable {
                answer_with(std::move(responder), std::get<TxnOffsetCommitResponse>(completion.reply),
                            answers, version);
              });
  };
  const bool adds = call.version >= kAddsPartition;
  if (!adds && !verify_) return commit(ErrorCode::kNone, std::nullopt);
  const auto ticket = shard->host->begin_verification(kept.producer_id, kept.producer_epoch);
  if (!ticket) return commit(ticket.error().code, std::nullopt);
  // What the connection sends next may end the transaction: the offsets have to be in the log before.
  call.request.hold_successors();
  constexpr storage::VerificationTicket kNotNeeded = 0;  // as long as the transaction stays open
  if (!*ticket) return commit(ErrorCode::kNone, kNotNeeded);
  using coordinator::AddOrVerifyPartitions;
  const auto partitions = call.arena.array<coordinator::TopicPartition>(1);
  partitions[0] = {kOffsetsTopic, shard->partition.value};
  transactions_.add_or_verify_partitions(
      {.transactional_id = kept.transactional_id,
       .producer = {kept.producer_id, kept.producer_epoch},
       .partitions = partitions,
       .mode = adds ? AddOrVerifyPartitions::Mode::kAddByVersion2 : AddOrVerifyPartitions::Mode::kVerify},
      [commit = std::move(commit), ticket = **ticket](std::span<const ErrorCode> errors) mutable {
        commit(errors[0], ticket);
      });
}

}  // namespace milena::broker
