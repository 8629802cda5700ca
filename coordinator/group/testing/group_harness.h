// GroupHarness: a group machine in its shard over a log in memory, with a clock that a test moves. Requests
// are written as the messages they are; replies are looked up by token.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/rng.h"
#include "coordinator/group/consumer_protocol.h"
#include "coordinator/group/group_machine.h"
#include "coordinator/group/testing/fake_metadata.h"
#include "coordinator/group/testing/group_text.h"
#include "coordinator/runtime/shard.h"
#include "coordinator/runtime/testing/fake_log.h"

namespace milena::coordinator::testing_support {

class GroupHarness {
 public:
  explicit GroupHarness(GroupConfig initial = {}, std::uint64_t seed = 1)
      : config(std::make_shared<GroupConfig>(std::move(initial))),
        metadata(std::make_shared<FakeMetadata>()),
        rng(seed),
        shard([this] { return std::make_unique<GroupMachine>(config, metadata, rng); }, log) {
    log.commit_on_append(true);
    load();
  }

  // The coordinator starts anew from its log, or from these bytes of it.
  void load() { load(log.bytes()); }
  void load(const std::vector<std::byte>& bytes) {
    shard.begin_load();
    const Status read = shard.load(bytes);
    if (!read) ADD_FAILURE() << read.error().why;
    shard.finish_load(now, log.high_watermark());
    collect();
  }

  template <class Request>
  ReplyToken send(const Request& request, int version = Request::kInfo.max_version) {
    return send_as(request, static_cast<std::int16_t>(version));
  }
  ReplyToken send_as(const auto& request, std::int16_t version) {
    const ReplyToken token = next_token_++;
    const RequestContext context{version, client_id, "/127.0.0.1", topic_filter};
    shard.handle(now, token, context, request);
    collect();
    return token;
  }
  // What the request was told; nothing if it still waits. Once per token.
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
  // The same, of what must have been answered.
  template <class Response>
  Response answer(ReplyToken token) {
    auto response = take<Response>(token);
    if (!response) ADD_FAILURE() << "no answer";
    return response.value_or(Response{});
  }
  // Sends what must be answered at once.
  template <class Response, class Request>
  Response ask(const Request& request, int version = Request::kInfo.max_version) {
    return answer<Response>(send(request, version));
  }
  bool waits(ReplyToken token) const { return !replies_.contains(token); }
  // Sends what is answered some time, and nobody listens.
  template <class Request>
  void ask_late(const Request& request, int version = Request::kInfo.max_version) {
    send(request, version);
  }
  void collect_now() { collect(); }

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

  void change_metadata(const MetadataChange& change) {
    shard.apply(
        now, [&](GroupMachine& machine, GroupOutcome& out) { machine.metadata_changed(now, change, out); });
    collect();
  }
  // Edits a copy and makes it current.
  void edit_metadata(const std::function<void(FakeMetadata&)>& edit, std::vector<std::string> changed,
                     bool created = false, std::vector<DeletedTopic> deleted = {}) {
    metadata = std::make_shared<FakeMetadata>(*metadata);
    edit(*metadata);
    change_metadata({metadata, std::move(changed), created, std::move(deleted)});
  }
  void add_topic(const std::string& name, std::int32_t partitions) {
    edit_metadata([&](FakeMetadata& m) { m.add(name, partitions); }, {name}, true);
  }
  void configure(const std::function<void(GroupConfig&)>& edit) {
    config = std::make_shared<GroupConfig>(*config);
    edit(*config);
    shard.apply(now, [&](GroupMachine& machine, GroupOutcome&) { machine.configure(config); });
  }

  const Group* group(std::string_view id) const { return shard.machine()->groups().find(id); }
  const ClassicGroup& classic(std::string_view id) const { return *group(id)->classic; }
  const ConsumerGroup& consumer(std::string_view id) const { return *group(id)->consumer; }
  std::string text() const { return durable_text(shard.machine()->groups()); }
  // The same, of a machine that reads the log.
  std::string text_of_log() const {
    GroupHarness other(*config, 99);
    other.metadata = metadata;
    other.log = log;
    other.now = now;
    other.load();
    return other.text();
  }

  // Text that lasts as long as the harness.
  std::string_view keep(std::string_view text) { return arena_.text(text); }
  Arena& arena() { return arena_; }

  Now now{Instant{1'000'000}, 1'700'000'000'000};
  FakeLog log;
  std::shared_ptr<GroupConfig> config;
  std::shared_ptr<FakeMetadata> metadata;
  SeededRng rng;
  std::string client_id = "client";
  const TopicFilter* topic_filter = nullptr;
  bool check_invariants = true;  // of every group, after every request
  Shard<GroupMachine> shard;

 private:
  void set_time(Instant instant) {
    now.wall_ms += (instant - now.instant).count();
    now.instant = instant;
  }
  void collect() {
    std::vector<Completion<GroupReply>> out;
    shard.take_replies(out);
    for (auto& completion : out) {
      const bool fresh = !answered_.contains(completion.token);
      EXPECT_TRUE(fresh) << "token " << completion.token << " answered twice";
      answered_[completion.token] = true;
      const ReplyToken token = completion.token;
      replies_.emplace(token, std::move(completion));
    }
    if (!check_invariants) return;
    for (const Group* each :
         shard.machine() ? shard.machine()->groups().sorted() : std::vector<const Group*>{}) {
      EXPECT_EQ(broken_invariant(*each), "") << durable_text(*each);
    }
  }

  Arena arena_;
  ReplyToken next_token_ = 1;
  std::map<ReplyToken, Completion<GroupReply>> replies_;
  std::map<ReplyToken, bool> answered_;
  std::vector<Completion<GroupReply>> kept_;  // replies point into their memory
};

}  // namespace milena::coordinator::testing_support
