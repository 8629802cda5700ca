#include "broker/handlers/txn_offset_commit.h"

#include <algorithm>
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

constexpr int kAddsPartition = 5;
constexpr int kKnowsAbortable = 4;
constexpr int kKnowsLoading = 2;  // older producers break on COORDINATOR_LOAD_IN_PROGRESS (KAFKA-7296)

ErrorCode error_for_producer(ErrorCode error, int version) {
  switch (error) {
    case ErrorCode::kProducerFenced:
      return ErrorCode::kInvalidProducerEpoch;
    case ErrorCode::kTransactionAbortable:
      return version >= kKnowsAbortable ? error : ErrorCode::kInvalidTxnState;
    case ErrorCode::kCoordinatorLoadInProgress:
      return version >= kKnowsLoading ? error : ErrorCode::kCoordinatorNotAvailable;
    default:
      return error;
  }
}

// The partitions that exist; the others go to `answers`.
TxnOffsetCommitRequest checked(const TxnOffsetCommitRequest& request, const controller::MetadataImage& image,
                               Answers& answers, Arena& arena) {
  using Topic = TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic;
  TxnOffsetCommitRequest kept = request;
  kept.topics = arena.array<Topic>(request.topics.size());
  std::size_t topics = 0;
  for (const Topic& asked : request.topics) {
    const auto* topic = image.topic(asked.name);
    auto partitions = arena.array<Topic::TxnOffsetCommitRequestPartition>(asked.partitions.size());
    std::size_t count = 0;
    for (const auto& partition : asked.partitions) {
      if (topic != nullptr && topic->partition(partition.partition_index) != nullptr) {
        partitions[count++] = partition;
      } else {
        answers.refuse(asked.name, {}, partition.partition_index, ErrorCode::kUnknownTopicOrPartition);
      }
    }
    if (count > 0) kept.topics[topics++] = {.name = asked.name, .partitions = partitions.first(count)};
  }
  kept.topics = kept.topics.first(topics);
  return kept;
}

void answer_with(Responder responder, TxnOffsetCommitResponse response, Answers& answers, int version) {
  for (auto& topic : response.topics) {
    topic.topic_id = {};
    for (auto& partition : topic.partitions)
      partition.error_code = error_for_producer(partition.error_code, version);
  }
  response.topics = answers.with(response.topics, responder.request().arena());
  responder.send(response);
}

}  // namespace

void TxnOffsetCommitHandler::handle(Call& call, const TxnOffsetCommitRequest& request, Responder responder) {
  Answers answers;
  const auto kept = checked(request, *metadata_.image(), answers, call.arena);
  if (kept.topics.empty()) return answer_with(std::move(responder), {}, answers, call.version);
  const auto partition = groups_.partition_of(kept.group_id);
  if (!partition) {
    auto refused = std::get<TxnOffsetCommitResponse>(
        coordinator::refusal(kept, ErrorCode::kCoordinatorNotAvailable, call.version, call.arena));
    return answer_with(std::move(responder), refused, answers, call.version);
  }
  auto commit = [this, kept, context = group_context(call), answers = std::move(answers),
                 version = call.version,
                 responder = std::move(responder)](std::vector<ErrorCode> errors) mutable {
    if (errors[0] != ErrorCode::kNone) {
      auto refused = std::get<TxnOffsetCommitResponse>(
          coordinator::refusal(kept, errors[0], version, responder.request().arena()));
      return answer_with(std::move(responder), refused, answers, version);
    }
    groups_.ask(kept.group_id, context, kept,
                [answers = std::move(answers), version,
                 responder = std::move(responder)](GroupCoordinator::Completion&& completion) mutable {
                  answer_with(std::move(responder), std::get<TxnOffsetCommitResponse>(completion.reply),
                              answers, version);
                });
  };
  const bool adds = call.version >= kAddsPartition;
  if (!adds && !verify_) return commit({ErrorCode::kNone});
  transactions_.join(kept.transactional_id, {kept.producer_id, kept.producer_epoch},
                     {{std::string(kOffsetsTopic), partition->value}}, adds, std::move(commit));
}

}  // namespace milena::broker
