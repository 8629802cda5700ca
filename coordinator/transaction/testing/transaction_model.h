// TransactionModel: the transactional ids of a coordinator the plain way, after the words of KIP-98 and
// KIP-890. No records, no errands, no timers: the test tells it what happened, and it says what the answer
// is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "protocol/error_code.h"

namespace milena::coordinator::testing_support {

class TransactionModel {
 public:
  using Producer = std::pair<std::int64_t, int>;  // id and epoch
  static constexpr Producer kNobody{-1, -1};

  struct Answer {
    ErrorCode error = ErrorCode::kNone;
    Producer producer = kNobody;

    bool operator==(const Answer&) const = default;
  };
  struct Entry {
    std::string state = "Empty";
    Producer producer = kNobody;
    std::int64_t previous_id = -1;
    std::int64_t next_id = -1;
    int last_epoch = -1;
    int version = 0;
    std::int64_t timeout_ms = 0;
    std::set<std::string> partitions{};
    std::int64_t start_ms = -1;

    bool operator==(const Entry&) const = default;
  };
  using Entries = std::map<std::string, Entry>;

  explicit TransactionModel(int level) : level_(level) {}

  void plant(const std::string& id, const Entry& entry) { entries_[id] = entry; }
  // Nothing: it takes a producer id, and `fresh_id` has none.
  std::optional<Answer> init(const std::string& id, std::int64_t timeout_ms, std::optional<Producer> expected,
                             std::optional<std::int64_t> fresh_id, std::int64_t now_ms);
  Answer add(const std::string& id, Producer producer, const std::set<std::string>& partitions, int version,
             std::int64_t now_ms);
  ErrorCode verify(const std::string& id, Producer producer, const std::string& partition) const;
  std::optional<Answer> end(const std::string& id, Producer producer, bool commit, int version,
                            std::optional<std::int64_t> fresh_id, std::int64_t now_ms);

  // The coordinator did something by itself.
  void abort_by_coordinator(const std::string& id, std::optional<std::int64_t> fresh_id, std::int64_t now_ms);
  void markers_are_written(const std::string& id);
  void expire(const std::string& id) { entries_.erase(id); }
  void restart();

  const Entries& entries() const { return entries_; }

 private:
  void decide(Entry& entry, bool commit, int version, std::optional<std::int64_t> fresh_id,
              std::int64_t now_ms);
  void finish_if_nothing_to_mark(const std::string& id);

  int level_;  // transaction.version
  Entries entries_;
};

}  // namespace milena::coordinator::testing_support
