// DescribeTransactions and ListTransactions: how operators look at transactions.
#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "coordinator/runtime/regex.h"
#include "coordinator/transaction/transaction_machine.h"

namespace milena::coordinator {

using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;
using protocol::ListTransactionsRequest;
using protocol::ListTransactionsResponse;
using protocol::PartitionId;

namespace {

using Described = DescribeTransactionsResponse::TransactionState;
using Listed = ListTransactionsResponse::TransactionState;

void describe(const Transaction& transaction, Described& into, Arena& memory) {
  into.transaction_state = state_name(transaction.state);
  into.transaction_timeout_ms = transaction.timeout_ms;
  into.transaction_start_time_ms = transaction.start_ms;
  into.producer_id = transaction.producer.id;
  into.producer_epoch = transaction.producer.epoch;
  into.topics = memory.array<Described::TopicData>(transaction.partitions.size());
  std::size_t t = 0;
  for (const auto& [topic, partitions] : transaction.partitions) {
    auto& data = into.topics[t++];
    data.topic = memory.text(topic);
    data.partitions = memory.array<PartitionId>(partitions.size());
    std::ranges::copy(partitions, data.partitions.begin());
  }
}

// The filters of a ListTransactions; an empty one lets everything pass.
class Filter {
 public:
  explicit Filter(const ListTransactionsRequest& request)
      : duration_ms_(request.duration_filter),
        producers_(request.producer_id_filters.begin(), request.producer_id_filters.end()),
        any_state_(request.state_filters.empty()) {
    for (const std::string_view name : request.state_filters) {
      if (const auto state = state_of_name(name)) {
        states_.insert(*state);
      } else {
        unknown_states_.push_back(name);
      }
    }
    const auto pattern = request.transactional_id_pattern.value_or("");
    if (!pattern.empty()) pattern_.emplace(pattern);
  }

  bool is_usable() const { return !pattern_ || !pattern_->problem(); }
  const std::vector<std::string_view>& unknown_states() const { return unknown_states_; }
  bool passes(std::string_view id, const Transaction& transaction, std::int64_t now_ms) const {
    if (!producers_.empty() && !producers_.contains(transaction.producer.id)) return false;
    if (!any_state_ && !states_.contains(transaction.state)) return false;
    // One that has not begun counts as begun in 1970, as Kafka has it.
    const std::int64_t begun_ms = std::max<std::int64_t>(transaction.start_ms, -1);
    if (duration_ms_ >= 0 && now_ms - begun_ms <= duration_ms_) return false;
    return !pattern_ || pattern_->matches(id);
  }

 private:
  const std::int64_t duration_ms_;
  const std::set<protocol::ProducerId> producers_;
  const bool any_state_;
  std::set<TransactionState> states_;
  std::vector<std::string_view> unknown_states_;
  std::optional<Regex> pattern_;
};

}  // namespace

void TransactionMachine::handle(Now, ReplyToken token, const TransactionContext&,
                                const DescribeTransactionsRequest& request, TransactionOutcome& out) {
  Arena& memory = out.memory();
  DescribeTransactionsResponse response;
  response.transaction_states = memory.array<Described>(request.transactional_ids.size());
  for (std::size_t i = 0; i < request.transactional_ids.size(); ++i) {
    Described& described = response.transaction_states[i];
    described.transactional_id = request.transactional_ids[i];
    if (described.transactional_id.empty()) {
      described.error_code = ErrorCode::kInvalidRequest;
    } else if (const Transaction* transaction = find(described.transactional_id)) {
      describe(*transaction, described, memory);
    } else {
      described.error_code = ErrorCode::kTransactionalIdNotFound;
    }
  }
  out.reply(token, response);
}

void TransactionMachine::handle(Now now, ReplyToken token, const TransactionContext&,
                                const ListTransactionsRequest& request, TransactionOutcome& out) {
  const Filter filter(request);
  if (!filter.is_usable()) {
    out.reply(token, ListTransactionsResponse{.error_code = ErrorCode::kInvalidRegularExpression});
    return;
  }
  std::vector<Listed> found;
  Arena& memory = out.memory();
  for (const auto& [id, transaction] : transactions_) {
    if (!filter.passes(id, transaction, now.wall_ms)) continue;
    found.push_back({.transactional_id = memory.text(id),
                     .producer_id = transaction.producer.id,
                     .transaction_state = state_name(transaction.state)});
  }
  ListTransactionsResponse response;
  response.unknown_state_filters = memory.array<std::string_view>(filter.unknown_states().size());
  std::ranges::copy(filter.unknown_states(), response.unknown_state_filters.begin());
  response.transaction_states = memory.array<Listed>(found.size());
  std::ranges::copy(found, response.transaction_states.begin());
  out.reply(token, response);
}

}  // namespace milena::coordinator
