#include "broker/handlers/transactions.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "broker/coordinators/gather.h"

namespace milena::broker {
namespace {

using coordinator::AddPartitions;
using coordinator::AddPartitionsReply;
using protocol::AddPartitionsToTxnRequest;
using protocol::AddPartitionsToTxnResponse;
using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;
using protocol::ListTransactionsRequest;
using protocol::ListTransactionsResponse;
using Completion = TransactionCoordinator::Completion;
using Completions = std::vector<Completion>;
using TopicResult = AddPartitionsToTxnResponse::AddPartitionsToTxnTopicResult;

constexpr int kManyTransactions = 4;  // of AddPartitionsToTxn: transactions in an array from here on

template <class Response, class Request>
void pass_on(TransactionCoordinator& transactions, const Call& call, std::string_view transactional_id,
             const Request& request, Responder responder) {
  transactions.ask(transactional_id, call.version, request,
                   [responder = std::move(responder)](Completion&& completion) mutable {
                     responder.send(std::get<Response>(completion.reply));
                   });
}

bool exists(const controller::MetadataImage& image, std::string_view topic, protocol::PartitionId partition) {
  const auto* found = image.topic(topic);
  return found != nullptr && found->partition(partition) != nullptr;
}

// The answer to a request that names partitions which do not exist; empty when all do.
std::span<TopicResult> refusals(const AddPartitionsToTxnRequest::AddPartitionsToTxnTransaction& asked,
                                const controller::MetadataImage& image, Arena& arena) {
  auto topics = arena.array<TopicResult>(asked.topics.size());
  bool is_refused = false;
  for (std::size_t t = 0; t < topics.size(); ++t) {
    const auto& topic = asked.topics[t];
    topics[t].name = topic.name;
    topics[t].results_by_partition =
        arena.array<AddPartitionsToTxnResponse::AddPartitionsToTxnPartitionResult>(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const bool is_there = exists(image, topic.name, topic.partitions[p]);
      is_refused = is_refused || !is_there;
      topics[t].results_by_partition[p] = {.partition_index = topic.partitions[p],
                                           .partition_error_code = is_there
                                                                       ? ErrorCode::kOperationNotAttempted
                                                                       : ErrorCode::kUnknownTopicOrPartition};
    }
  }
  return is_refused ? topics : std::span<TopicResult>{};
}

}  // namespace

void TransactionHandlers::init_producer_id(Call& call, const protocol::InitProducerIdRequest& request,
                                           Responder responder) {
  pass_on<protocol::InitProducerIdResponse>(transactions_, call, *request.transactional_id, request,
                                            std::move(responder));
}

void TransactionHandlers::add_partitions(Call& call, const AddPartitionsToTxnRequest& request,
                                         Responder responder) {
  Arena& arena = call.arena;
  const auto image = metadata_.image();
  std::vector<AddPartitions> asked;
  for (const auto& transaction : request.transactions) asked.push_back({transaction});
  if (call.version < kManyTransactions) {
    asked = {{.transaction = {.transactional_id = request.v3_and_below_transactional_id,
                              .producer_id = request.v3_and_below_producer_id,
                              .producer_epoch = request.v3_and_below_producer_epoch,
                              .topics = request.v3_and_below_topics}}};
  }
  gather<Completion>(
      asked.size(),
      [&](std::size_t i, TransactionCoordinator::Answer answer) {
        const auto& one = asked[i].transaction;
        if (const auto refused = refusals(one, *image, arena); !refused.empty()) {
          AddPartitionsReply reply{.transactional_id = one.transactional_id, .topic_results = refused};
          return answer({.token = 0, .reply = reply, .memory = nullptr});
        }
        transactions_.ask(one.transactional_id, call.version, asked[i], std::move(answer));
      },
      [responder = std::move(responder), version = call.version](Completions& answers) mutable {
        AddPartitionsToTxnResponse response;
        if (version < kManyTransactions) {
          response.results_by_topic_v3_and_below =
              std::get<AddPartitionsReply>(answers[0].reply).topic_results;
        } else {
          response.results_by_transaction =
              responder.request().arena().array<AddPartitionsReply>(answers.size());
          std::ranges::transform(
              answers, response.results_by_transaction.begin(),
              [](const Completion& answer) { return std::get<AddPartitionsReply>(answer.reply); });
        }
        responder.send(response);
      });
}

void TransactionHandlers::add_offsets(Call& call, const protocol::AddOffsetsToTxnRequest& request,
                                      Responder responder) {
  const coordinator::AddOffsets asked{.request = request,
                                      .offsets_partition = groups_.partition_of(request.group_id)};
  pass_on<protocol::AddOffsetsToTxnResponse>(transactions_, call, request.transactional_id, asked,
                                             std::move(responder));
}

void TransactionHandlers::end(Call& call, const protocol::EndTxnRequest& request, Responder responder) {
  pass_on<protocol::EndTxnResponse>(transactions_, call, request.transactional_id, request,
                                    std::move(responder));
}

void TransactionHandlers::describe(Call& call, const DescribeTransactionsRequest& request,
                                   Responder responder) {
  using State = DescribeTransactionsResponse::TransactionState;
  // One question for each id; each names one.
  const auto ids = request.transactional_ids;
  gather<Completion>(
      ids.size(),
      [&](std::size_t i, TransactionCoordinator::Answer answer) {
        const DescribeTransactionsRequest one{.transactional_ids = ids.subspan(i, 1)};
        transactions_.ask(ids[i], call.version, one, std::move(answer));
      },
      [responder = std::move(responder)](Completions& answers) mutable {
        DescribeTransactionsResponse response;
        response.transaction_states = responder.request().arena().array<State>(answers.size());
        std::ranges::transform(answers, response.transaction_states.begin(), [](const Completion& answer) {
          return std::get<DescribeTransactionsResponse>(answer.reply).transaction_states[0];
        });
        responder.send(response);
      });
}

void TransactionHandlers::list(Call& call, const ListTransactionsRequest& request, Responder responder) {
  using State = ListTransactionsResponse::TransactionState;
  const auto hosts = transactions_.shards().hosts();
  const coordinator::TransactionContext context{.api_version = call.version};
  gather<Completion>(
      hosts->size(),
      [&](std::size_t i, TransactionCoordinator::Answer answer) {
        (*hosts)[i]->ask(context, request, std::move(answer));
      },
      [responder = std::move(responder)](Completions& answers) mutable {
        ListTransactionsResponse response;
        std::vector<State> states;
        for (const Completion& answer : answers) {
          const auto& part = std::get<ListTransactionsResponse>(answer.reply);
          if (part.error_code == ErrorCode::kNotCoordinator) continue;  // another broker lists those
          if (part.error_code != ErrorCode::kNone) response.error_code = part.error_code;
          response.unknown_state_filters = part.unknown_state_filters;
          states.insert(states.end(), part.transaction_states.begin(), part.transaction_states.end());
        }
        if (response.error_code == ErrorCode::kNone) {
          response.transaction_states = responder.request().arena().array<State>(states.size());
          std::ranges::copy(states, response.transaction_states.begin());
        }
        responder.send(response);
      });
}

}  // namespace milena::broker
