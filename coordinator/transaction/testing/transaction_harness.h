// TransactionHarness: a transaction machine in its shard over a log in memory, with a clock that a test
// moves. Producer ids are given at once unless the test wants to; markers are written when it says so.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coordinator/runtime/shard.h"
#include "coordinator/runtime/testing/fake_log.h"
#include "coordinator/transaction/records.h"
#include "coordinator/transaction/transaction_machine.h"

namespace milena::coordinator::testing_support {

class TransactionHarness {
 public:
  explicit TransactionHarness(TransactionConfig initial = {})
      : config(std::make_shared<TransactionConfig>(initial)),
        shard([this] { return std::make_unique<TransactionMachine>(config, coordinator_epoch); }, log) {
    log.commit_on_append(true);
    load();
  }

  // A coordinator starts from the log, in the next leader epoch.
  void load() { load(log.bytes()); }
  void load(const std::vector<std::byte>& bytes) {
    ++coordinator_epoch;
    shard.unload(ErrorCode::kNotCoordinator);
    collect();
    markers.clear();
    id_tickets.clear();
    shard.begin_load();
    const Status read = shard.load(bytes);
    if (!read) ADD_FAILURE() << read.error().why;
    shard.finish_load(now, log.high_watermark());
    collect();
  }

  template <class Request>
  ReplyToken send(const Request& request, int version) {
    const ReplyToken token = next_token_++;
    shard.handle(now, token, TransactionContext{static_cast<std::int16_t>(version)}, request);
    collect();
    return token;
  }
  template <class Response>
  std::optional<Response> take(ReplyToken token) {
    const auto at = replies_.find(token);
    if (at == replies_.end()) return std::nullopt;
    kept_.push_back(std::move(at->second));
    replies_.erase(at);
    const Response* response = std::get_if<Response>(&kept_.back().reply);
    if (response == nullptr) ADD_FAILURE() << "a reply of another kind";
    return response == nullptr ? std::nullopt : std::optional(*response);
  }
  template <class Response, class Request>
  Response ask(const Request& request, int version) {
    auto response = take<Response>(send(request, version));
    if (!response) ADD_FAILURE() << "no answer";
    return response.value_or(Response{});
  }
  bool waits(ReplyToken token) const { return !replies_.contains(token); }

  // Requests, written short. A partition is "topic-3".
  static protocol::InitProducerIdRequest init_request(std::string_view id, ProducerIdentity expected = {},
                                                      std::int32_t timeout_ms = 60'000) {
    return {.transactional_id = id,
            .transaction_timeout_ms = timeout_ms,
            .producer_id = expected.id,
            .producer_epoch = expected.epoch};
  }
  AddOrVerifyPartitions add_request(std::string_view id, ProducerIdentity producer,
                                    const std::vector<std::string>& partitions,
                                    AddOrVerifyPartitions::Mode mode = AddOrVerifyPartitions::Mode::kAdd) {
    const auto listed = arena_.array<TopicPartition>(partitions.size());
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      const std::size_t dash = partitions[i].rfind('-');
      listed[i] = {.topic = arena_.text(partitions[i].substr(0, dash)),
                   .partition = std::stoi(partitions[i].substr(dash + 1))};
    }
    return {.transactional_id = id, .producer = producer, .partitions = listed, .mode = mode};
  }
  static protocol::EndTxnRequest end_request(std::string_view id, ProducerIdentity producer, bool commit) {
    return {.transactional_id = id,
            .producer_id = producer.id,
            .producer_epoch = producer.epoch,
            .committed = commit};
  }

  protocol::InitProducerIdResponse init(std::string_view id, ProducerIdentity expected = {},
                                        std::int32_t timeout_ms = 60'000, int version = 5) {
    return ask<protocol::InitProducerIdResponse>(init_request(id, expected, timeout_ms), version);
  }
  // An InitProducerId that must succeed.
  ProducerIdentity producer(std::string_view id, std::int32_t timeout_ms = 60'000) {
    const auto response = init(id, {}, timeout_ms);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    return {response.producer_id, response.producer_epoch};
  }
  // As AddPartitionsToTxn of this version adds.
  static AddOrVerifyPartitions::Mode mode_of(int version) {
    return version >= 4 ? AddOrVerifyPartitions::Mode::kAddByVersion2 : AddOrVerifyPartitions::Mode::kAdd;
  }
  ErrorCode add(std::string_view id, ProducerIdentity producer, const std::vector<std::string>& partitions,
                int version = 3) {
    return ask<PartitionErrors>(add_request(id, producer, partitions, mode_of(version)), version).errors[0];
  }
  ErrorCode verify(std::string_view id, ProducerIdentity producer, const std::string& partition) {
    const auto request = add_request(id, producer, {partition}, AddOrVerifyPartitions::Mode::kVerify);
    return ask<PartitionErrors>(request, 5).errors[0];
  }
  protocol::EndTxnResponse end(std::string_view id, ProducerIdentity producer, bool commit, int version = 5) {
    return ask<protocol::EndTxnResponse>(end_request(id, producer, commit), version);
  }

  // The oldest markers are on every partition.
  WriteMarkers write_markers() {
    if (markers.empty()) {
      ADD_FAILURE() << "no markers to write";
      return {};
    }
    WriteMarkers errand = std::move(markers.front());
    markers.pop_front();
    report_written(errand);
    return errand;
  }
  void report_written(const WriteMarkers& errand) {
    shard.apply(now, [&](TransactionMachine& machine, TransactionOutcome& out) {
      machine.markers_written(now, errand, out);
    });
    collect();
  }
  void give_id(std::uint64_t ticket, std::optional<protocol::ProducerId> id) {
    shard.apply(now, [&](TransactionMachine& machine, TransactionOutcome& out) {
      machine.producer_id_arrived(now, ticket, id, out);
    });
    collect();
  }
  // The high watermark reaches the log's end.
  void commit() {
    log.commit_all();
    shard.committed(log.high_watermark());
    collect();
  }

  // Time passes; timers fire when they are due, not before and not later.
  void advance(std::int64_t ms) {
    const Instant until = now.instant + Instant{ms};
    while (true) {
      const auto next = shard.next_deadline();
      if (!next || *next > until) break;
      set_time(std::max(*next, now.instant));
      shard.tick(now);
      collect();
    }
    set_time(until);
  }
  void configure(const std::function<void(TransactionConfig&)>& edit) {
    config = std::make_shared<TransactionConfig>(*config);
    edit(*config);
    shard.apply(now, [&](TransactionMachine& machine, TransactionOutcome&) { machine.configure(config); });
  }
  // Puts a state into the log that would take long to get to, and starts from it.
  void plant(std::string_view id, const Transaction& transaction) {
    TransactionOutcome records;
    append_transaction(records, id, transaction, config->transaction_version);
    protocol::RecordBatchBuilder builder;
    auto batch = build_log_batch(builder, records.records(), now.wall_ms, std::nullopt);
    ASSERT_TRUE(log.append(batch, std::nullopt).has_value());
    load();
  }

  const TransactionMachine& machine() const { return *shard.machine(); }
  const Transaction* find(std::string_view id) const {
    const auto at = machine().transactions().find(id);
    return at == machine().transactions().end() ? nullptr : &at->second;
  }
  const Transaction& transaction(std::string_view id) const { return *find(id); }
  TransactionState state(std::string_view id) const { return transaction(id).state; }

  Now now{Instant{1'000'000}, 1'700'000'000'000};
  FakeLog log;
  std::shared_ptr<TransactionConfig> config;
  std::int32_t coordinator_epoch = 0;
  bool gives_ids = true;
  protocol::ProducerId next_id = 1000;
  std::deque<WriteMarkers> markers;       // to be written
  std::vector<std::uint64_t> id_tickets;  // waiting for a producer id
  Shard<TransactionMachine> shard;

 private:
  void set_time(Instant instant) {
    now.wall_ms += (instant - now.instant).count();
    now.instant = instant;
  }
  void collect() {
    std::vector<Completion<TransactionReply>> out;
    shard.take_replies(out);
    for (auto& completion : out) {
      const ReplyToken token = completion.token;
      EXPECT_NE(token, 0U) << "an answer for nobody";
      EXPECT_TRUE(answered_.insert(token).second) << "token " << token << " answered twice";
      replies_.emplace(token, std::move(completion));
    }
    std::vector<TransactionErrand> errands;
    shard.take_errands(errands);
    for (auto& errand : errands) {
      if (auto* wanted = std::get_if<WriteMarkers>(&errand)) {
        markers.push_back(std::move(*wanted));
      } else if (gives_ids) {
        const protocol::ProducerId id = next_id;
        ++next_id;
        give_id(std::get<TakeProducerId>(errand).ticket, id);
      } else {
        id_tickets.push_back(std::get<TakeProducerId>(errand).ticket);
      }
    }
  }

  Arena arena_;
  ReplyToken next_token_ = 1;
  std::map<ReplyToken, Completion<TransactionReply>> replies_;
  std::set<ReplyToken> answered_;
  std::vector<Completion<TransactionReply>> kept_;  // replies point into their memory
};

}  // namespace milena::coordinator::testing_support
