#include "coordinator/transaction/testing/transaction_model.h"

#include <algorithm>

namespace milena::coordinator::testing_support {

using Answer = TransactionModel::Answer;

namespace {

constexpr int kLastForClients = 32766;

bool is_busy(const TransactionModel::Entry& entry) { return entry.state.starts_with("Prepare"); }

}  // namespace

std::optional<Answer> TransactionModel::init(const std::string& id, std::int64_t timeout_ms,
                                             std::optional<Producer> expected,
                                             std::optional<std::int64_t> fresh_id, std::int64_t now_ms) {
  const auto found = entries_.find(id);
  const auto start_over = [&](Producer producer, int last_epoch) {
    Entry& entry = entries_[id];
    entry.previous_id = entry.producer.first == -1 ? producer.first : entry.producer.first;
    entry.state = "Empty";
    entry.producer = producer;
    entry.last_epoch = last_epoch;
    entry.timeout_ms = timeout_ms;
    entry.partitions.clear();
    entry.start_ms = -1;
    return Answer{ErrorCode::kNone, producer};
  };
  if (found == entries_.end()) {
    if (!fresh_id) return std::nullopt;
    return start_over({*fresh_id, 0}, -1);
  }
  Entry& entry = found->second;
  const auto [current_id, current_epoch] = entry.producer;
  if (is_busy(entry)) return Answer{ErrorCode::kConcurrentTransactions};
  const bool is_used_up = current_epoch >= kLastForClients;
  if (expected) {
    const bool is_current_id = expected->first == current_id;
    const bool had_used_up_the_previous =
        expected->first == entry.previous_id && expected->second >= kLastForClients;
    if (!is_current_id && !had_used_up_the_previous) return Answer{ErrorCode::kProducerFenced};
  }
  if (entry.state == "Ongoing") {
    if (expected && *expected != entry.producer) return Answer{ErrorCode::kProducerFenced};
    if (level_ >= 2 && is_used_up && !fresh_id) return std::nullopt;
    abort_by_coordinator(id, fresh_id, now_ms);
    return Answer{ErrorCode::kConcurrentTransactions};
  }
  const bool is_current = !expected || expected->second == current_epoch;
  if (is_current && is_used_up) {
    if (!fresh_id) return std::nullopt;
    return start_over({*fresh_id, 0}, expected ? current_epoch : -1);
  }
  if (is_current) return start_over({current_id, current_epoch + 1}, expected ? current_epoch : -1);
  if (expected->second == entry.last_epoch) return start_over(entry.producer, entry.last_epoch);
  return Answer{ErrorCode::kProducerFenced};
}

Answer TransactionModel::add(const std::string& id, Producer producer,
                             const std::set<std::string>& partitions, int version, std::int64_t now_ms) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return {ErrorCode::kInvalidProducerIdMapping};
  Entry& entry = found->second;
  if (is_busy(entry)) return {ErrorCode::kConcurrentTransactions};
  if (entry.producer.first != producer.first) return {ErrorCode::kInvalidProducerIdMapping};
  if (entry.producer.second != producer.second) return {ErrorCode::kProducerFenced};
  if (entry.state == "Ongoing" && std::ranges::includes(entry.partitions, partitions)) return {};
  if (entry.state != "Ongoing") entry.start_ms = now_ms;
  entry.state = "Ongoing";
  entry.partitions.insert(partitions.begin(), partitions.end());
  entry.version = version;
  entry.previous_id = entry.producer.first;
  return {};
}

ErrorCode TransactionModel::verify(const std::string& id, Producer producer,
                                   const std::string& partition) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return ErrorCode::kInvalidProducerIdMapping;
  const Entry& entry = found->second;
  if (entry.producer.first != producer.first) return ErrorCode::kInvalidProducerIdMapping;
  if (entry.producer.second != producer.second) return ErrorCode::kProducerFenced;
  if (is_busy(entry)) return ErrorCode::kConcurrentTransactions;
  return entry.partitions.contains(partition) ? ErrorCode::kNone : ErrorCode::kTransactionAbortable;
}

std::optional<Answer> TransactionModel::end(const std::string& id, Producer producer, bool commit,
                                            int version, std::optional<std::int64_t> fresh_id,
                                            std::int64_t now_ms) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return Answer{ErrorCode::kInvalidProducerIdMapping};
  Entry& entry = found->second;
  const std::string done = commit ? "CompleteCommit" : "CompleteAbort";
  if (version < 2) {
    if (entry.producer.first != producer.first) return Answer{ErrorCode::kInvalidProducerIdMapping};
    if (entry.producer.second != producer.second) return Answer{ErrorCode::kProducerFenced};
    if (is_busy(entry)) return Answer{ErrorCode::kConcurrentTransactions};
    if (entry.state == done) return Answer{};
    if (entry.state != "Ongoing") return Answer{ErrorCode::kInvalidTxnState};
    decide(entry, commit, 0, std::nullopt, now_ms);
    return Answer{};
  }
  if (is_busy(entry)) return Answer{ErrorCode::kConcurrentTransactions};
  const bool missed_new_id =
      producer == Producer{entry.previous_id, kLastForClients} && entry.producer.second == 0;
  if (entry.producer.first != producer.first && !missed_new_id) {
    return Answer{ErrorCode::kInvalidProducerIdMapping};
  }
  const bool is_current = entry.producer.second == producer.second;
  const bool is_retry = missed_new_id || entry.producer.second == producer.second + 1;
  if (entry.state.starts_with("Complete") && is_retry) {
    if (entry.state != done) return Answer{ErrorCode::kInvalidTxnState};
    return Answer{ErrorCode::kNone, entry.producer};
  }
  if (!is_current) return Answer{ErrorCode::kProducerFenced};
  if (commit && entry.state != "Ongoing") return Answer{ErrorCode::kInvalidTxnState};
  if (producer.second >= kLastForClients && !fresh_id) return std::nullopt;
  decide(entry, commit, 2, fresh_id, now_ms);
  Answer answer;
  answer.producer = entry.next_id != -1 ? Producer{entry.next_id, 0} : entry.producer;
  finish_if_nothing_to_mark(id);
  return answer;
}

void TransactionModel::decide(Entry& entry, bool commit, int version, std::optional<std::int64_t> fresh_id,
                              std::int64_t now_ms) {
  if (entry.state != "Ongoing") entry.start_ms = now_ms;
  entry.state = commit ? "PrepareCommit" : "PrepareAbort";
  entry.version = version;
  entry.next_id = -1;
  entry.previous_id = entry.producer.first;
  if (version < 2) return;
  entry.last_epoch = entry.producer.second;
  if (entry.producer.second >= kLastForClients) entry.next_id = fresh_id.value();
  ++entry.producer.second;
}

void TransactionModel::abort_by_coordinator(const std::string& id, std::optional<std::int64_t> fresh_id,
                                            std::int64_t now_ms) {
  Entry& entry = entries_.at(id);
  decide(entry, false, level_ >= 2 ? 2 : 0, fresh_id, now_ms);
  if (level_ < 2) {
    ++entry.producer.second;
    entry.last_epoch = -1;
  }
}

void TransactionModel::finish_if_nothing_to_mark(const std::string& id) {
  if (entries_.at(id).partitions.empty()) markers_are_written(id);
}

void TransactionModel::markers_are_written(const std::string& id) {
  Entry& entry = entries_.at(id);
  entry.state = entry.state == "PrepareCommit" ? "CompleteCommit" : "CompleteAbort";
  entry.partitions.clear();
  entry.previous_id = entry.producer.first;
  if (entry.version >= 2 && entry.next_id != -1) entry.producer = {entry.next_id, 0};
  entry.next_id = -1;
}

void TransactionModel::restart() {
  for (auto& [id, entry] : entries_) entry.last_epoch = -1;
}

}  // namespace milena::coordinator::testing_support
