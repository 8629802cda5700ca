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
#include "sim/transactor.h"

namespace milena::sim {
namespace {

constexpr int kInitVersion = 4, kAddPartitionsVersion = 3, kAddOffsetsVersion = 3;
constexpr int kProduceVersions[]{kProduceVersion, 12}, kOffsetsVersions[]{3, 5}, kEndVersions[]{3, 5};
constexpr Instant kBetweenTries{20}, kAfterLoss{50};
constexpr Instant kTriesFor{10'000};

bool is_worth_another_try(ErrorCode code) {
  return code == ErrorCode::kConcurrentTransactions || code == ErrorCode::kCoordinatorLoadInProgress ||
         code == ErrorCode::kNotCoordinator || code == ErrorCode::kCoordinatorNotAvailable;
}

}  // namespace

Co<bool> Transactor::take_over() {
  const auto answer = co_await client_.ask<protocol::InitProducerIdResponse>(
      protocol::InitProducerIdRequest{.transactional_id = id_, .transaction_timeout_ms = 20'000},
      kInitVersion);
  if (!answer) co_return false;
  if (answer->error_code != ErrorCode::kConcurrentTransactions) busy_since_.reset();
  if (answer->error_code == ErrorCode::kConcurrentTransactions) give_up_if_stuck();
  if (answer->error_code != ErrorCode::kNone) co_return false;
  be({answer->producer_id, answer->producer_epoch});
  if (!unfinished_.empty())
    world_.history().decided(std::exchange(unfinished_, ""), History::Outcome::kAborted);
  co_return true;
}

void Transactor::be(ProducerIdentity identity) {
  identity_ = identity;
  is_identity_new_ = world_.history().gave(History::Giver::kCoordinator, identity_);
  sequences_.clear();
}

// Nobody else has the transactional id: unless something was lost, nobody fences this producer.
bool Transactor::is_well(ErrorCode code) {
  const bool is_fenced = code == ErrorCode::kInvalidProducerEpoch || code == ErrorCode::kProducerFenced ||
                         code == ErrorCode::kInvalidProducerIdMapping ||
                         code == ErrorCode::kInvalidTxnState || code == ErrorCode::kOutOfOrderSequenceNumber;
  if (is_fenced && !world_.has_lost_power())
    world_.history().fail(
        fmt::format("{} {}/{}: {}", name_, identity_.id.value, identity_.epoch, error_name(code)));
  return code == ErrorCode::kNone;
}

// A coordinator that has lost the end of its log may abort a transaction under an epoch that is older than
// what a partition has seen of that producer. The partition refuses the marker, and the coordinator gives up:
// this transaction never ends, and the id is of no use any more. Kafka's does the same
// (TransactionMarkerRequestCompletionHandler on INVALID_PRODUCER_EPOCH), after each restart, too.
void Transactor::give_up_if_stuck() {
  constexpr Instant kLong{10'000};
  if (!busy_since_) busy_since_ = world_.now();
  if (!world_.has_lost_power() || world_.now() - *busy_since_ < kLong) return;
  id_ += "+";
  busy_since_.reset();
}

Co<bool> Transactor::add(std::int32_t partition) {
  Arena arena;
  using Topic = protocol::AddPartitionsToTxnRequest::AddPartitionsToTxnTopic;
  protocol::AddPartitionsToTxnRequest adding{.v3_and_below_transactional_id = id_,
                                             .v3_and_below_producer_id = identity_.id,
                                             .v3_and_below_producer_epoch = identity_.epoch};
  adding.v3_and_below_topics = arena.array<Topic>(1);
  adding.v3_and_below_topics[0].name = World::kPayments;
  adding.v3_and_below_topics[0].partitions = arena.array<protocol::PartitionId>(1);
  adding.v3_and_below_topics[0].partitions[0] = partition;
  for (const Instant last_try = world_.now() + kTriesFor;;) {
    const auto added =
        co_await client_.ask<protocol::AddPartitionsToTxnResponse>(adding, kAddPartitionsVersion);
    if (!added) co_return false;
    const auto code = added->results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code;
    if (is_well(code)) co_return true;
    if (!is_worth_another_try(code) || world_.now() > last_try) co_return false;
    co_await client_.sleep(kBetweenTries);
  }
}

Co<bool> Transactor::write(const std::string& transaction, std::int32_t partition, int n) {
  if (!is_version_2_ && !co_await add(partition)) co_return false;
  Arena arena;
  std::vector<std::string> values;
  for (int i = 0; i <= n % 2; ++i) values.push_back(fmt::format("{}:{}-{}-{}", transaction, partition, n, i));
  for (const auto& value : values) world_.history().wrote_in(transaction, value);
  const auto request = produce(arena, World::kPayments, partition, values, world_.wall_ms(), identity_,
                               sequences_[partition], id_);
  const Instant last_try = world_.now() + kTriesFor;
  auto answer = co_await client_.ask<protocol::ProduceResponse>(request, kProduceVersions[is_version_2_]);
  while (answer && world_.now() < last_try &&
         is_worth_another_try(answer->responses[0].partition_responses[0].error_code)) {
    co_await client_.sleep(kBetweenTries);
    answer = co_await client_.ask<protocol::ProduceResponse>(request, kProduceVersions[is_version_2_]);
  }
  if (!answer) co_return false;
  const auto& told = answer->responses[0].partition_responses[0];
  if (!is_well(told.error_code)) co_return false;
  sequences_[partition] += static_cast<std::int32_t>(values.size());
  for (std::size_t i = 0; i < values.size() && is_identity_new_; ++i) {
    world_.history().acknowledged({std::string(World::kPayments), partition},
                                  told.base_offset + static_cast<std::int64_t>(i), values[i], world_.now());
  }
  co_return true;
}

Co<bool> Transactor::add_group() {
  const auto added = co_await client_.ask<protocol::AddOffsetsToTxnResponse>(
      protocol::AddOffsetsToTxnRequest{.transactional_id = id_,
                                       .producer_id = identity_.id,
                                       .producer_epoch = identity_.epoch,
                                       .group_id = name_},
      kAddOffsetsVersion);
  co_return added&& is_well(added->error_code);
}

Co<bool> Transactor::commit_offset(std::int64_t offset) {
  if (!is_version_2_ && !co_await add_group()) co_return false;
  Arena arena;
  using Topic = protocol::TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic;
  protocol::TxnOffsetCommitRequest request{.transactional_id = id_,
                                           .group_id = name_,
                                           .producer_id = identity_.id,
                                           .producer_epoch = identity_.epoch};
  request.topics = arena.array<Topic>(1);
  request.topics[0].name = World::kOrders;
  request.topics[0].partitions = arena.array<Topic::TxnOffsetCommitRequestPartition>(1);
  request.topics[0].partitions[0].committed_offset = offset;
  world_.history().commits({name_, 0}, offset);
  const auto answer =
      co_await client_.ask<protocol::TxnOffsetCommitResponse>(request, kOffsetsVersions[is_version_2_]);
  co_return answer&& is_well(answer->topics[0].partitions[0].error_code);
}

Co<bool> Transactor::end(bool commits) {
  for (const Instant last_try = world_.now() + kTriesFor;;) {
    const auto answer = co_await client_.ask<protocol::EndTxnResponse>(
        protocol::EndTxnRequest{.transactional_id = id_,
                                .producer_id = identity_.id,
                                .producer_epoch = identity_.epoch,
                                .committed = commits},
        kEndVersions[is_version_2_]);
    if (!answer) co_return false;
    if (answer->error_code == ErrorCode::kNone && is_version_2_)
      be({answer->producer_id, answer->producer_epoch});
    if (is_well(answer->error_code)) co_return true;
    if (!is_worth_another_try(answer->error_code) || world_.now() > last_try) co_return false;
    co_await client_.sleep(kBetweenTries);
  }
}

Co<bool> Transactor::run(std::string transaction, Plan plan) {
  unfinished_ = transaction;
  for (std::size_t i = 0; i < plan.partitions.size(); ++i) {
    if (!co_await write(transaction, plan.partitions[i], static_cast<int>(i))) co_return false;
  }
  if (plan.offset && !co_await commit_offset(*plan.offset)) co_return false;
  unfinished_.clear();
  if (!co_await end(plan.commits)) co_return false;
  world_.history().decided(transaction,
                           plan.commits ? History::Outcome::kCommitted : History::Outcome::kAborted);
  if (plan.commits && plan.offset) world_.history().has_committed({name_, 0}, *plan.offset);
  co_return true;
}

Co<> transactor(World& world, std::string name, Transactor::Rules rules) {
  Transactor self(world, name, rules);
  bool must_take_over = true;
  for (int n = 1; !world.is_closing() || must_take_over; ++n) {
    if (must_take_over) {
      must_take_over = !co_await self.take_over();
      if (must_take_over) {
        co_await self.client().sleep(kAfterLoss);
        continue;
      }
      if (world.is_closing()) break;
    }
    Transactor::Plan plan{.commits = !world.rng().one_in(3)};
    if (world.rng().one_in(2)) plan.offset = n;
    for (auto writes = 1 + world.rng().below(3); writes > 0; --writes)
      plan.partitions.push_back(static_cast<std::int32_t>(world.rng().below(World::kPaymentsPartitions)));
    must_take_over = !co_await self.run(fmt::format("{}.{}", name, n), std::move(plan));
    const Instant pause = world.up_to(80);
    co_await self.client().sleep(must_take_over ? kAfterLoss : pause);
  }
}

}  // namespace milena::sim
