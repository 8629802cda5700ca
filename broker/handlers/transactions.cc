#include "broker/handlers/transactions.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "broker/coordinators/gather.h"

namespace milena::broker {
namespace {

using coordinator::AddOrVerifyPartitions;
using coordinator::PartitionErrors;
using coordinator::TopicPartition;
using protocol::AddPartitionsToTxnRequest;
using protocol::AddPartitionsToTxnResponse;
using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;
using protocol::ListTransactionsRequest;
using protocol::ListTransactionsResponse;
using Completion = TransactionCoordinator::Completion;
using Completions = std::vector<Completion>;
using Transaction = AddPartitionsToTxnRequest::AddPartitionsToTxnTransaction;
using TransactionResult = AddPartitionsToTxnResponse::AddPartitionsToTxnResult;

constexpr int kManyTransactions = 4;  // of AddPartitionsToTxn: transactions in an array from here on

template <class Response, class Request>
void pass_on(TransactionCoordinator& transactions, const Call& call, std::string_view transactional_id,
             const Request& request, Responder responder) {
  transactions.ask(transactional_id, call.version, request,
                   [responder = std::move(responder)](Completion&& completion) mutable {
                     responder.send(std::get<Response>(completion.reply));
                   });
}

// One transaction of AddPartitionsToTxn, as the coordinator is asked about it.
AddOrVerifyPartitions to_internal(const Transaction& asked, std::int16_t version, Arena& arena) {
  using Mode = AddOrVerifyPartitions::Mode;
  std::size_t count = 0;
  for (const auto& topic : asked.topics) count += topic.partitions.size();
  const auto partitions = arena.array<TopicPartition>(count);
  std::size_t at = 0;
  for (const auto& topic : asked.topics) {
    for (const auto partition : topic.partitions) partitions[at++] = {topic.name, partition.value};
  }
  const Mode adds = version >= kManyTransactions ? Mode::kAddByVersion2 : Mode::kAdd;
  return {.transactional_id = asked.transactional_id,
          .producer = {asked.producer_id, asked.producer_epoch},
          .partitions = partitions,
          .mode = asked.verify_only ? Mode::kVerify : adds};
}

// The errors of a transaction that names partitions which do not exist; none when all do.
std::optional<PartitionErrors> refused(const AddOrVerifyPartitions& asked,
                                       const controller::MetadataImage& image, Arena& arena) {
  PartitionErrors errors = coordinator::same_error(asked, ErrorCode::kOperationNotAttempted, arena);
  bool is_refused = false;
  for (std::size_t i = 0; i < asked.partitions.size(); ++i) {
    const auto& [name, partition] = asked.partitions[i];
    const auto* topic = image.topic(name);
    if (topic != nullptr && topic->partition(partition) != nullptr) continue;
    errors.errors[i] = ErrorCode::kUnknownTopicOrPartition;
    is_refused = true;
  }
  return is_refused ? std::optional(errors) : std::nullopt;
}

// Clients learned PRODUCER_FENCED with version 2.
ErrorCode error_for_client(ErrorCode error, std::int16_t version) {
  const bool is_unknown = error == ErrorCode::kProducerFenced && version < 2;
  return is_unknown ? ErrorCode::kInvalidProducerEpoch : error;
}

TransactionResult to_wire(const Transaction& asked, PartitionErrors errors, std::int16_t version,
                          Arena& arena) {
  using TopicResult = AddPartitionsToTxnResponse::AddPartitionsToTxnTopicResult;
  using PartitionResult = AddPartitionsToTxnResponse::AddPartitionsToTxnPartitionResult;
  TransactionResult result{.transactional_id = asked.transactional_id,
                           .topic_results = arena.array<TopicResult>(asked.topics.size())};
  auto error = errors.errors.begin();
  for (std::size_t t = 0; t < asked.topics.size(); ++t) {
    const auto& partitions = asked.topics[t].partitions;
    auto& topic = result.topic_results[t];
    topic.name = asked.topics[t].name;
    topic.results_by_partition = arena.array<PartitionResult>(partitions.size());
    for (std::size_t p = 0; p < partitions.size(); ++p) {
      topic.results_by_partition[p] = {.partition_index = partitions[p],
                                       .partition_error_code = error_for_client(*error++, version)};
    }
  }
  return result;
}

// Before version 4 a request is about one transaction.
std::span<const Transaction> transactions_of(const AddPartitionsToTxnRequest& request, std::int16_t version,
                                             Arena& arena) {
  if (version >= kManyTransactions) return request.transactions;
  const auto one = arena.array<Transaction>(1);
  one[0] = {.transactional_id = request.v3_and_below_transactional_id,
            .producer_id = request.v3_and_below_producer_id,
            .producer_epoch = request.v3_and_below_producer_epoch,
            .topics = request.v3_and_below_topics};
  return one;
}

}  // namespace

void TransactionHandlers::init_producer_id(Call& call, const protocol::InitProducerIdRequest& request,
                                           Responder responder) {
  pass_on<protocol::InitProducerIdResponse>(transactions_, call, *request.transactional_id, request,
                                            std::move(responder));
}

void TransactionHandlers::add_partitions(Call& call, const AddPartitionsToTxnRequest& request,
                                         Responder responder) {
  const std::int16_t version = call.version;
  const auto image = metadata_.image();
  const auto asked = transactions_of(request, version, call.arena);
  gather<Completion>(
      asked.size(),
      [&](std::size_t i, TransactionCoordinator::Answer answer) {
        const auto internal = to_internal(asked[i], version, call.arena);
        if (const auto errors = refused(internal, *image, call.arena)) {
          return answer({.token = 0, .reply = *errors, .memory = nullptr});
        }
        transactions_.ask(internal.transactional_id, version, internal, std::move(answer));
      },
      [responder = std::move(responder), version, asked](Completions& answers) mutable {
        Arena& arena = responder.request().arena();
        const auto results = arena.array<TransactionResult>(asked.size());
        for (std::size_t i = 0; i < asked.size(); ++i) {
          results[i] = to_wire(asked[i], std::get<PartitionErrors>(answers[i].reply), version, arena);
        }
        AddPartitionsToTxnResponse response;
        if (version < kManyTransactions) {
          response.results_by_topic_v3_and_below = results[0].topic_results;
        } else {
          response.results_by_transaction = results;
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
