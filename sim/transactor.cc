#include <fmt/format.h>

#include <optional>
#include <vector>

#include "protocol/add_offsets_to_txn.gen.h"
#include "protocol/add_partitions_to_txn.gen.h"
#include "protocol/end_txn.gen.h"
#include "protocol/error_code.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/txn_offset_commit.gen.h"
#include "sim/client.h"
#include "sim/requests.h"
#include "sim/scripts.h"

namespace milena::sim {
namespace {

constexpr int kInitVersion = 4, kAddPartitionsVersion = 3, kAddOffsetsVersion = 3, kOffsetsVersion = 3,
              kEndVersion = 3;
constexpr Instant kBetweenTries{20}, kAfterLoss{50};
constexpr int kTries = 500;

// A transactional producer and the transaction that it is in.
struct Transactor {
  World& world;
  const std::string name;
  Client client{world.network(), name};
  std::string id = name;
  ProducerIdentity identity{};
  bool is_identity_new = true;          // if not, an acknowledgement may be that of a predecessor's record
  std::optional<Instant> busy_since{};  // CONCURRENT_TRANSACTIONS since then
  std::map<std::int32_t, std::int32_t> sequences{};

  // Takes the transactional id over: what was under way is aborted, unless its end was asked for.
  Co<bool> take_over();
  void give_up_if_stuck();
  Co<bool> write(const std::string& transaction, std::int32_t partition, int n);
  Co<bool> commit_offset(std::int64_t offset);
  Co<bool> end(bool commits);
};

bool is_worth_another_try(ErrorCode code) {
  return code == ErrorCode::kConcurrentTransactions || code == ErrorCode::kCoordinatorLoadInProgress ||
         code == ErrorCode::kNotCoordinator || code == ErrorCode::kCoordinatorNotAvailable;
}

Co<bool> Transactor::take_over() {
  const auto answer = co_await client.ask<protocol::InitProducerIdResponse>(
      protocol::InitProducerIdRequest{.transactional_id = id, .transaction_timeout_ms = 20'000},
      kInitVersion);
  if (!answer) co_return false;
  if (answer->error_code != ErrorCode::kConcurrentTransactions) busy_since.reset();
  if (answer->error_code == ErrorCode::kConcurrentTransactions) give_up_if_stuck();
  if (answer->error_code != ErrorCode::kNone) co_return false;
  identity = {answer->producer_id, answer->producer_epoch};
  is_identity_new = world.history().gave(History::Giver::kCoordinator, identity);
  sequences.clear();
  co_return true;
}

// A coordinator that has lost the end of its log may abort a transaction under an epoch that is older than
// what a partition has seen of that producer. The partition refuses the marker, and the coordinator gives up:
// this transaction never ends, and the id is of no use any more. Kafka's does the same
// (TransactionMarkerRequestCompletionHandler on INVALID_PRODUCER_EPOCH), after each restart, too.
void Transactor::give_up_if_stuck() {
  constexpr Instant kLong{10'000};
  if (!busy_since) busy_since = world.now();
  if (!world.has_lost_power() || world.now() - *busy_since < kLong) return;
  id += "+";
  busy_since.reset();
}

Co<bool> Transactor::write(const std::string& transaction, std::int32_t partition, int n) {
  Arena arena;
  using Topic = protocol::AddPartitionsToTxnRequest::AddPartitionsToTxnTopic;
  protocol::AddPartitionsToTxnRequest adding{.v3_and_below_transactional_id = id,
                                             .v3_and_below_producer_id = identity.id,
                                             .v3_and_below_producer_epoch = identity.epoch};
  adding.v3_and_below_topics = arena.array<Topic>(1);
  adding.v3_and_below_topics[0].name = World::kPayments;
  adding.v3_and_below_topics[0].partitions = arena.array<protocol::PartitionId>(1);
  adding.v3_and_below_topics[0].partitions[0] = partition;
  for (int tries = 1;; ++tries) {
    const auto added =
        co_await client.ask<protocol::AddPartitionsToTxnResponse>(adding, kAddPartitionsVersion);
    if (!added) co_return false;
    const auto code = added->results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code;
    if (code == ErrorCode::kNone) break;
    if (!is_worth_another_try(code) || tries == kTries) co_return false;
    co_await client.sleep(kBetweenTries);
  }
  std::vector<std::string> values;
  for (int i = 0; i <= n % 2; ++i) values.push_back(fmt::format("{}:{}-{}-{}", transaction, partition, n, i));
  for (const auto& value : values) world.history().wrote_in(transaction, value);
  const auto answer = co_await client.ask<protocol::ProduceResponse>(
      produce(arena, World::kPayments, partition, values, world.wall_ms(), identity, sequences[partition],
              id),
      kProduceVersion);
  if (!answer) co_return false;
  const auto& told = answer->responses[0].partition_responses[0];
  if (told.error_code != ErrorCode::kNone) co_return false;
  sequences[partition] += static_cast<std::int32_t>(values.size());
  for (std::size_t i = 0; i < values.size() && is_identity_new; ++i) {
    world.history().acknowledged({std::string(World::kPayments), partition},
                                 told.base_offset + static_cast<std::int64_t>(i), values[i], world.now());
  }
  co_return true;
}

Co<bool> Transactor::commit_offset(std::int64_t offset) {
  const auto added = co_await client.ask<protocol::AddOffsetsToTxnResponse>(
      protocol::AddOffsetsToTxnRequest{.transactional_id = id,
                                       .producer_id = identity.id,
                                       .producer_epoch = identity.epoch,
                                       .group_id = name},
      kAddOffsetsVersion);
  if (!added || added->error_code != ErrorCode::kNone) co_return false;
  Arena arena;
  using Topic = protocol::TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic;
  protocol::TxnOffsetCommitRequest request{
      .transactional_id = id, .group_id = name, .producer_id = identity.id, .producer_epoch = identity.epoch};
  request.topics = arena.array<Topic>(1);
  request.topics[0].name = World::kOrders;
  request.topics[0].partitions = arena.array<Topic::TxnOffsetCommitRequestPartition>(1);
  request.topics[0].partitions[0].committed_offset = offset;
  world.history().commits(name, offset);
  const auto answer = co_await client.ask<protocol::TxnOffsetCommitResponse>(request, kOffsetsVersion);
  co_return answer && answer->topics[0].partitions[0].error_code == ErrorCode::kNone;
}

Co<bool> Transactor::end(bool commits) {
  for (int tries = 1;; ++tries) {
    const auto answer = co_await client.ask<protocol::EndTxnResponse>(
        protocol::EndTxnRequest{.transactional_id = id,
                                .producer_id = identity.id,
                                .producer_epoch = identity.epoch,
                                .committed = commits},
        kEndVersion);
    if (!answer) co_return false;
    if (answer->error_code == ErrorCode::kNone) co_return true;
    if (!is_worth_another_try(answer->error_code) || tries == kTries) co_return false;
    co_await client.sleep(kBetweenTries);
  }
}

}  // namespace

Co<> transactor(World& world, std::string name) {
  Transactor self{.world = world, .name = name};
  bool must_take_over = true;
  std::string unfinished;  // of which the end was not asked for
  for (int n = 1; !world.is_closing() || must_take_over; ++n) {
    if (must_take_over) {
      must_take_over = !co_await self.take_over();
      if (must_take_over) {
        co_await self.client.sleep(kAfterLoss);
        continue;
      }
      if (!unfinished.empty())
        world.history().decided(std::exchange(unfinished, ""), History::Outcome::kAborted);
      if (world.is_closing()) break;
    }
    const std::string transaction = fmt::format("{}.{}", name, n);
    unfinished = transaction;
    const bool commits = !world.rng().one_in(3), has_offset = world.rng().one_in(2);
    bool is_well = true;
    const auto writes = 1 + world.rng().below(3);
    for (std::uint64_t i = 0; i < writes && is_well; ++i) {
      const auto partition = static_cast<std::int32_t>(world.rng().below(World::kPaymentsPartitions));
      is_well = co_await self.write(transaction, partition, static_cast<int>(i));
    }
    if (is_well && has_offset) is_well = co_await self.commit_offset(n);
    if (is_well) {
      unfinished.clear();
      is_well = co_await self.end(commits);
      if (is_well) {
        world.history().decided(transaction,
                                commits ? History::Outcome::kCommitted : History::Outcome::kAborted);
        if (commits && has_offset) world.history().has_committed(name, n);
      }
    }
    if (!is_well) {
      must_take_over = true;
      co_await self.client.sleep(kAfterLoss);
    } else {
      co_await self.client.sleep(Instant{static_cast<std::int64_t>(world.rng().below(80))});
    }
  }
}

}  // namespace milena::sim
