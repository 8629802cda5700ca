#include "coordinator/transaction/transaction.h"

#include <algorithm>
#include <array>
#include <limits>

namespace milena::coordinator {
namespace {

constexpr std::array<std::string_view, 8> kStateNames = {"Empty",        "Ongoing",          "PrepareCommit",
                                                         "PrepareAbort", "CompleteCommit",   "CompleteAbort",
                                                         "Dead",         "PrepareEpochFence"};

// A log may hold any number: the last epoch stays the last.
std::int16_t bumped(std::int16_t epoch) {
  return epoch == std::numeric_limits<std::int16_t>::max() ? epoch : static_cast<std::int16_t>(epoch + 1);
}

// Times before 1970 are only found in damaged logs.
std::int64_t elapsed_ms(std::int64_t since_ms, std::int64_t now_ms) {
  return now_ms - std::max<std::int64_t>(since_ms, 0);
}

Transaction follow(const Transaction& from, TransactionState state, std::int64_t now_ms) {
  Transaction next = from;
  next.state = state;
  next.previous_producer_id = from.producer.id;
  next.last_update_ms = now_ms;
  return next;
}

}  // namespace

std::string_view state_name(TransactionState state) { return kStateNames[static_cast<std::size_t>(state)]; }

std::optional<TransactionState> state_of_name(std::string_view name) {
  const auto at = std::ranges::find(kStateNames, name);
  if (at == kStateNames.end()) return std::nullopt;
  return static_cast<TransactionState>(at - kStateNames.begin());
}

void insert_partition(TopicPartitions& partitions, std::string_view topic, std::int32_t partition) {
  auto at = partitions.find(topic);
  if (at == partitions.end()) at = partitions.emplace(topic, std::set<std::int32_t>{}).first;
  at->second.insert(partition);
}

bool contains_partition(const TopicPartitions& partitions, std::string_view topic, std::int32_t partition) {
  const auto at = partitions.find(topic);
  return at != partitions.end() && at->second.contains(partition);
}

bool contains_all(const TopicPartitions& partitions, const TopicPartitions& others) {
  return std::ranges::all_of(others, [&](const auto& topic) {
    const auto at = partitions.find(topic.first);
    return at != partitions.end() && std::ranges::includes(at->second, topic.second);
  });
}

bool Transaction::is_timed_out(Instant now) const {
  return state == TransactionState::kOngoing && timeout_ms != kNoTransactionTimeout && open_since &&
         now - *open_since > Instant{timeout_ms};
}

bool Transaction::is_expired(std::int64_t now_ms, std::int64_t expiration_ms) const {
  const bool is_open = state == TransactionState::kOngoing || is_preparing();
  return !is_open && elapsed_ms(last_update_ms, now_ms) >= expiration_ms;
}

ProducerIdentity Transaction::after_markers() const {
  if (bumps_epoch(client_version) && next_producer_id != protocol::kNoProducerId) {
    return {next_producer_id, 0};
  }
  return producer;
}

Transaction initialised(const Transaction& from, ProducerIdentity producer, std::int16_t last_epoch,
                        std::int32_t timeout_ms, std::int64_t now_ms) {
  Transaction next = follow(from, TransactionState::kEmpty, now_ms);
  next.producer = producer;
  next.last_producer_epoch = last_epoch;
  next.timeout_ms = timeout_ms;
  next.partitions.clear();
  next.start_ms = -1;
  return next;
}

Transaction extended(const Transaction& from, const TopicPartitions& added, std::int16_t client_version,
                     std::int64_t now_ms) {
  Transaction next = follow(from, TransactionState::kOngoing, now_ms);
  for (const auto& [topic, partitions] : added) {
    for (const std::int32_t partition : partitions) insert_partition(next.partitions, topic, partition);
  }
  if (from.state != TransactionState::kOngoing) next.start_ms = now_ms;
  next.client_version = client_version;
  return next;
}

Transaction prepared(const Transaction& from, bool commit, std::int16_t client_version,
                     protocol::ProducerId next_id, std::int64_t now_ms) {
  const auto state = commit ? TransactionState::kPrepareCommit : TransactionState::kPrepareAbort;
  Transaction next = follow(from, state, now_ms);
  next.next_producer_id = protocol::kNoProducerId;
  if (bumps_epoch(client_version)) {
    next.producer.epoch = bumped(from.producer.epoch);
    next.last_producer_epoch = from.producer.epoch;
    if (is_epoch_exhausted(from.producer.epoch)) next.next_producer_id = next_id;
  }
  // Version 2 may abort what has no partitions yet; it begins and ends now.
  if (from.state != TransactionState::kOngoing) next.start_ms = now_ms;
  next.client_version = client_version;
  return next;
}

Transaction fenced(const Transaction& from, std::int16_t transaction_version, protocol::ProducerId next_id,
                   std::int64_t now_ms) {
  if (bumps_epoch(transaction_version)) return prepared(from, false, transaction_version, next_id, now_ms);
  Transaction next = prepared(from, false, 0, protocol::kNoProducerId, now_ms);
  next.producer.epoch = bumped(from.producer.epoch);
  next.last_producer_epoch = -1;
  return next;
}

Transaction completed(const Transaction& from, std::int64_t now_ms) {
  const auto state = from.state == TransactionState::kPrepareCommit ? TransactionState::kCompleteCommit
                                                                    : TransactionState::kCompleteAbort;
  Transaction next = follow(from, state, now_ms);
  next.producer = from.after_markers();
  next.next_producer_id = protocol::kNoProducerId;
  next.partitions.clear();
  return next;
}

}  // namespace milena::coordinator
