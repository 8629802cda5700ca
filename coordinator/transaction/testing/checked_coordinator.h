// CheckedCoordinator: a transaction machine and its model side by side. Every request goes to both, every
// answer and every state is compared, and what the machine does by itself has to be allowed and in time.
//
// The part of the model test that stands for the broker and its partitions: replication, producer ids,
// markers, crashes. Who sends requests is the test's.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "coordinator/transaction/testing/partition_world.h"
#include "coordinator/transaction/testing/transaction_harness.h"
#include "coordinator/transaction/testing/transaction_model.h"

namespace milena::coordinator::testing_support {

inline constexpr std::int64_t kAbortIntervalMs = 10'000;
inline constexpr std::int64_t kExpirationMs = 300'000;
inline constexpr std::int64_t kExpiryIntervalMs = 50'000;
inline constexpr std::int64_t kCommitTimeoutMs = 5'000;

inline TransactionConfig short_times(std::int16_t level) {
  TransactionConfig config;
  config.transaction_version = level;
  config.abort_timed_out_transaction_cleanup_interval_ms = kAbortIntervalMs;
  config.transactional_id_expiration_ms = kExpirationMs;
  config.remove_expired_transaction_cleanup_interval_ms = kExpiryIntervalMs;
  return config;
}

inline ProducerIdentity identity(TransactionModel::Producer p) {
  return {protocol::ProducerId{p.first}, static_cast<std::int16_t>(p.second)};
}
inline TransactionModel::Producer pair_of(ProducerIdentity p) { return {p.id.value, p.epoch}; }

inline TransactionModel::Entry entry_of(const Transaction& t) {
  TransactionModel::Entry entry;
  entry.state = state_name(t.state);
  entry.producer = pair_of(t.producer);
  entry.previous_id = t.previous_producer_id.value;
  entry.next_id = t.next_producer_id.value;
  entry.last_epoch = t.last_producer_epoch;
  entry.version = t.client_version;
  entry.timeout_ms = t.timeout_ms;
  for (const auto& [topic, partitions] : t.partitions) {
    for (const int p : partitions) entry.partitions.insert(topic + "-" + std::to_string(p));
  }
  entry.start_ms = t.start_ms;
  return entry;
}

class CheckedCoordinator {
 protected:
  using Model = TransactionModel;
  using Continue = std::function<std::optional<Model::Answer>(Model&, std::optional<std::int64_t> fresh)>;
  using React = std::function<void(const Model::Answer&)>;
  struct Outstanding {
    std::optional<Model::Answer> expected{};  // none: waits for a producer id
    protocol::Offset after = 0;               // may leave when this is committed
    std::int64_t due_ms = 0;                  // the earliest moment at which it may be given up
    Continue go_on{};
    React react{};
    std::function<std::optional<Model::Answer>()> read{};
  };

  explicit CheckedCoordinator(std::uint64_t seed)
      : rng_(seed),
        speaks_version_2_(rng_.one_in(2)),
        level_(speaks_version_2_ || rng_.one_in(2) ? 2 : 1),
        h_(short_times(level_)),
        model_(level_) {
    h_.gives_ids = false;
    if (rng_.one_in(2)) plant_old_producers();
    h_.log.commit_on_append(false);
    watch_appends();
    snapshots_.emplace_back(h_.log.end(), model_);
  }

  // Ids that have been in use for long: their epochs run out.
  void plant_old_producers() {
    for (const std::string id : {"id0", "id1"}) {
      Transaction old;
      old.state = TransactionState::kCompleteCommit;
      old.producer = {1'000'000 + ++last_id_, static_cast<std::int16_t>(32'740 + rng_.below(27))};
      old.previous_producer_id = old.producer.id;
      old.start_ms = old.last_update_ms = h_.now.wall_ms;
      h_.plant(id, old);
      model_.plant(id, entry_of(old));
    }
  }
  void watch_appends() {
    h_.log.watch([this](const protocol::RecordBatchView&, bool ok) { append_failed_ |= !ok; });
  }

  // Requests and answers.

  static Model::Answer read(const protocol::InitProducerIdResponse& r) {
    return {r.error_code, {r.producer_id.value, r.producer_epoch}};
  }
  static Model::Answer read(const protocol::EndTxnResponse& r) {
    return {r.error_code, {r.producer_id.value, r.producer_epoch}};
  }
  static Model::Answer read(const PartitionErrors& r) { return {r.errors[0]}; }

  template <class Response>
  void request(const std::function<ReplyToken()>& send, const Continue& ask_model, const React& react) {
    const Model before = model_;
    Outstanding outstanding;
    outstanding.expected = ask_model(model_, std::nullopt);
    const ReplyToken token = send();
    if (append_failed_) take_back(before, outstanding);
    if (!outstanding.expected) asks_.push_back(token);
    outstanding.after = h_.log.end();
    outstanding.due_ms = h_.now.instant.count() + kCommitTimeoutMs;
    outstanding.go_on = ask_model;
    outstanding.react = react;
    outstanding.read = [this, token]() -> std::optional<Model::Answer> {
      const auto response = h_.take<Response>(token);
      if (!response) return std::nullopt;
      return read(*response);
    };
    outstanding_.emplace(token, std::move(outstanding));
  }
  void take_back(const Model& before, Outstanding& outstanding) {
    model_ = before;
    outstanding.expected = Model::Answer{ErrorCode::kCoordinatorNotAvailable};
    append_failed_ = false;
    failed_at_ms_ = h_.now.wall_ms;
  }

  void give_id() {
    take_tickets();
    if (tickets_.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(rng_.below(tickets_.size()));
    const auto [ticket, token] = tickets_[static_cast<std::size_t>(at)];
    tickets_.erase(tickets_.begin() + at);
    const bool is_there = !rng_.one_in(5);
    const std::int64_t fresh = ++last_id_;
    if (token == 0) {  // of a timeout
      if (is_there) fresh_for_abort_ = fresh;
      h_.give_id(ticket, is_there ? std::optional(protocol::ProducerId{fresh}) : std::nullopt);
      note_aborts();
      fresh_for_abort_.reset();
      return;
    }
    Outstanding& outstanding = outstanding_.at(token);
    const Model before = model_;
    outstanding.expected =
        is_there ? outstanding.go_on(model_, fresh) : Model::Answer{ErrorCode::kCoordinatorLoadInProgress};
    h_.give_id(ticket, is_there ? std::optional(protocol::ProducerId{fresh}) : std::nullopt);
    if (append_failed_) take_back(before, outstanding);
    outstanding.after = h_.log.end();
    outstanding.due_ms = h_.now.instant.count() + kCommitTimeoutMs;
  }
  // Errands come in the order in which they were sent.
  void take_tickets() {
    for (const std::uint64_t ticket : h_.id_tickets) {
      ASSERT_FALSE(asks_.empty());
      tickets_.emplace_back(ticket, asks_.front());
      asks_.pop_front();
    }
    h_.id_tickets.clear();
  }

  void collect(bool crashed) {
    for (auto at = outstanding_.begin(); at != outstanding_.end();) {
      Outstanding& outstanding = at->second;
      const auto answer = outstanding.read();
      if (!answer) {
        ++at;
        continue;
      }
      const bool is_expected = outstanding.expected == answer && h_.log.high_watermark() >= outstanding.after;
      const bool is_gone = crashed && answer->error == ErrorCode::kNotCoordinator;
      const bool is_given_up = answer->error == ErrorCode::kCoordinatorNotAvailable &&
                               (h_.now.instant.count() >= outstanding.due_ms || is_refused(outstanding));
      ASSERT_TRUE(is_expected || is_gone || is_given_up)
          << "error " << static_cast<int>(answer->error) << " producer " << answer->producer.first << "/"
          << answer->producer.second << " expected "
          << (outstanding.expected ? static_cast<int>(outstanding.expected->error) : -2);
      const React react = std::move(outstanding.react);
      at = outstanding_.erase(at);
      react(*answer);
    }
  }
  static bool is_refused(const Outstanding& outstanding) {
    return outstanding.expected == Model::Answer{ErrorCode::kCoordinatorNotAvailable};
  }

  // What the coordinator does.

  void pass_time(std::int64_t ms) {
    while (ms > 0 && !testing::Test::HasFailure()) {
      const std::int64_t some = std::min<std::int64_t>(ms, 1'000);
      ms -= some;
      // A timeout may ask for a producer id; what others asked for before has to be known then.
      if (some_epoch_is_used_up()) commit_all();
      append_failed_ = false;
      h_.advance(some);
      if (append_failed_) failed_at_ms_ = h_.now.wall_ms;
      note_aborts();
      note_completions();
      note_expiry();
      after_event();
      if (some_epoch_is_used_up()) commit_all();
    }
  }
  bool some_epoch_is_used_up() const {
    return std::ranges::any_of(model_.entries(), [](const auto& each) {
      return each.second.state == "Ongoing" &&
             is_epoch_exhausted(static_cast<std::int16_t>(each.second.producer.second));
    });
  }
  void commit_all() {
    if (testing::Test::HasFailure()) return;
    h_.commit();
    after_event();
  }

  // Transactions that the coordinator aborted: none too early.
  void note_aborts() {
    for (const auto& [id, entry] : Model::Entries(model_.entries())) {
      if (entry.state != "Ongoing") continue;
      const Transaction* machine = h_.find(id);
      ASSERT_NE(machine, nullptr) << "T11";
      if (machine->state == TransactionState::kOngoing) continue;
      ASSERT_EQ(machine->state, TransactionState::kPrepareAbort);
      ASSERT_LT(std::max(entry.start_ms, loaded_at_ms_) + entry.timeout_ms, h_.now.wall_ms) << "T7";
      std::optional<std::int64_t> fresh;
      if (machine->next_producer_id != protocol::kNoProducerId) fresh = machine->next_producer_id.value;
      ASSERT_EQ(fresh, fresh_for_abort_);
      model_.abort_by_coordinator(id, fresh, h_.now.wall_ms);
    }
    expect_asks_of_timeouts();
  }
  // Who is out of epochs needs an id to be aborted.
  void expect_asks_of_timeouts() {
    while (asks_.size() < h_.id_tickets.size()) asks_.push_back(0);
  }
  void note_completions() {
    for (const auto& [id, entry] : Model::Entries(model_.entries())) {
      if (!entry.state.starts_with("Prepare") || !marked_.contains(id)) continue;
      const Transaction* machine = h_.find(id);
      if (machine != nullptr && machine->is_preparing()) {
        ASSERT_LE(h_.now.wall_ms - failed_at_ms_, 2'000) << "nobody completes " << id;
        continue;
      }
      model_.markers_are_written(id);
      marked_.erase(id);
      wanted_.erase(id);
    }
  }
  void note_expiry() {
    for (const auto& [id, entry] : Model::Entries(model_.entries())) {
      if (h_.find(id) != nullptr) continue;
      ASSERT_TRUE(entry.state == "Empty" || entry.state.starts_with("Complete")) << "T11 " << entry.state;
      ASSERT_GE(h_.now.wall_ms - updated_ms_[id], kExpirationMs - 1'000) << "T11";
      model_.expire(id);
    }
  }

  void write_a_marker() {
    take_markers();
    if (marking_.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(rng_.below(marking_.size()));
    Marking& marking = marking_[static_cast<std::size_t>(at)];
    if (!marking.left.empty()) {
      const std::string partition = *marking.left.begin();
      const auto& e = marking.errand;
      if (!world_.mark(partition, pair_of(e.producer), e.commit, e.coordinator_epoch)) {
        ASSERT_NE(e.coordinator_epoch, h_.coordinator_epoch) << "a marker of this coordinator was refused";
        marking_.erase(marking_.begin() + at);  // T4: there is a later coordinator
        return;
      }
      marking.left.erase(partition);
      return;
    }
    const WriteMarkers errand = marking.errand;
    const auto wanted = wanted_.find(errand.transactional_id);
    if (wanted != wanted_.end() && wanted->second == marking.number) marked_.insert(errand.transactional_id);
    if (!rng_.one_in(4)) marking_.erase(marking_.begin() + at);  // or it is reported once more
    h_.report_written(errand);
    if (append_failed_) failed_at_ms_ = h_.now.wall_ms;
    note_completions();
  }
  void take_markers() {
    for (WriteMarkers& errand : h_.markers) {
      Marking marking{.errand = std::move(errand), .number = ++last_marking_};
      wanted_[marking.errand.transactional_id] = marking.number;
      ASSERT_FALSE(marking.errand.partitions.empty());
      const auto& committed = snapshots_.front().second.entries();
      const auto entry = committed.find(marking.errand.transactional_id);
      ASSERT_TRUE(entry != committed.end() && entry->second.state.starts_with("Prepare") &&
                  entry->second.producer == pair_of(marking.errand.producer))
          << "T5: markers before the decision is committed";
      for (const auto& [topic, partitions] : marking.errand.partitions) {
        for (const int p : partitions) marking.left.insert(topic + "-" + std::to_string(p));
      }
      marking_.push_back(std::move(marking));
    }
    h_.markers.clear();
  }

  // A new leader: with the whole log, or with what was committed.
  void crash(bool loses_uncommitted) {
    take_markers();  // what was to be written may still be under way, and come late
    h_.log.watch({});
    if (loses_uncommitted) {
      h_.log.lose_uncommitted();
      while (snapshots_.back().first > h_.log.high_watermark()) snapshots_.pop_back();
      model_ = snapshots_.back().second;
    }
    model_.restart();
    failed_at_ms_ = h_.now.wall_ms;  // what had been aborted may be open again
    loaded_at_ms_ = h_.now.wall_ms;
    marked_.clear();
    wanted_.clear();
    asks_.clear();
    tickets_.clear();
    h_.load();
    watch_appends();
    collect(true);
    // Ends of nothing are completed while loading.
    for (const auto& [id, entry] : Model::Entries(model_.entries())) {
      if (entry.state.starts_with("Prepare") && entry.partitions.empty()) marked_.insert(id);
    }
    if (!testing::Test::HasFailure()) note_completions();
    if (!testing::Test::HasFailure()) after_event();
  }

  void after_event() {
    append_failed_ = false;
    collect(false);
    if (testing::Test::HasFailure()) return;
    expect_asks_of_timeouts();
    take_tickets();
    for (const auto& [id, transaction] : h_.machine().transactions()) {
      const auto entry = model_.entries().find(id);
      ASSERT_NE(entry, model_.entries().end()) << id;
      const auto now = entry_of(transaction);
      ASSERT_TRUE(now == entry->second)
          << id << " " << now.state << " " << now.producer.first << "/" << now.producer.second << " last "
          << now.last_epoch << " next " << now.next_id << " previous " << now.previous_id
          << ", the model: " << entry->second.state << " " << entry->second.producer.first << "/"
          << entry->second.producer.second << " last " << entry->second.last_epoch << " next "
          << entry->second.next_id << " previous " << entry->second.previous_id;
      updated_ms_[id] = transaction.last_update_ms;
    }
    ASSERT_EQ(h_.machine().transactions().size(), model_.entries().size());
    for (const auto& [id, entry] : model_.entries()) {
      const std::int64_t due_ms = std::max(entry.start_ms, loaded_at_ms_) + entry.timeout_ms;
      const bool is_late = entry.state == "Ongoing" && entry.producer.second < 32766 &&
                           h_.now.wall_ms > std::max(due_ms, failed_at_ms_) + 2 * kAbortIntervalMs;
      ASSERT_FALSE(is_late) << "T7 " << id;
    }
    if (snapshots_.back().first != h_.log.end() ||
        !(snapshots_.back().second.entries() == model_.entries())) {
      if (snapshots_.back().first == h_.log.end()) snapshots_.pop_back();
      snapshots_.emplace_back(h_.log.end(), model_);
    }
    while (snapshots_.size() > 1 && snapshots_[1].first <= h_.log.high_watermark()) snapshots_.pop_front();
    ASSERT_EQ(world_.broken(), "");
  }

  static React ignore() {
    return [](const Model::Answer&) {};
  }

  // Clients are gone, the network is whole: nothing stays open.
  void settle() {
    for (auto& [token, each] : outstanding_) each.react = ignore();
    const auto is_open = [](const auto& each) {
      return each.second.state == "Ongoing" || each.second.state.starts_with("Prepare");
    };
    const auto event = [this](const std::function<void()>& what) {
      if (testing::Test::HasFailure()) return;
      what();
      if (!testing::Test::HasFailure()) after_event();
      commit_all();
    };
    for (int round = 0; round < 400 && !testing::Test::HasFailure(); ++round) {
      event([this] { give_id(); });
      for (int i = 0; i < 20; ++i) event([this] { write_a_marker(); });
      if (std::ranges::none_of(model_.entries(), is_open) && marking_.empty()) break;
      pass_time(1'000);
    }
    if (testing::Test::HasFailure()) return;
    ASSERT_TRUE(std::ranges::none_of(model_.entries(), is_open)) << "T9";
    ASSERT_EQ(world_.open(), 0U) << "T9: a hanging transaction";
    ASSERT_EQ(world_.broken(), "");
    const auto live = h_.machine().transactions();
    h_.load();
    for (const auto& [id, transaction] : h_.machine().transactions()) {
      auto expected = live.at(id);
      expected.last_producer_epoch = -1;
      ASSERT_EQ(transaction, expected);
    }
  }

  struct Marking {
    WriteMarkers errand;
    std::uint64_t number = 0;
    std::set<std::string> left{};
  };

  SeededRng rng_;
  const bool speaks_version_2_;  // the clients
  const std::int16_t level_;
  TransactionHarness h_;
  Model model_;
  PartitionWorld world_;
  std::map<ReplyToken, Outstanding> outstanding_;
  std::deque<ReplyToken> asks_;  // whose errands for ids have not come yet; 0: a timeout's
  std::vector<std::pair<std::uint64_t, ReplyToken>> tickets_;
  std::optional<std::int64_t> fresh_for_abort_;
  std::int64_t last_id_ = 0;
  std::vector<Marking> marking_;
  std::uint64_t last_marking_ = 0;
  std::map<std::string, std::uint64_t> wanted_;  // the marking that the state of an id waits for
  std::set<std::string> marked_;                 // markers written; to be completed
  std::map<std::string, std::int64_t> updated_ms_;
  std::deque<std::pair<protocol::Offset, Model>> snapshots_;
  bool replication_stands_still_ = false;
  bool append_failed_ = false;
  std::int64_t failed_at_ms_ = 0;
  std::int64_t loaded_at_ms_ = 0;  // timeouts count from here, at the earliest
};

}  // namespace milena::coordinator::testing_support
