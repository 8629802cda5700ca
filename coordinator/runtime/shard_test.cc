#include "coordinator/runtime/shard.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "coordinator/runtime/testing/fake_log.h"
#include "coordinator/runtime/timer_queue.h"
#include "protocol/control_record.h"

namespace milena::coordinator {
namespace {

// The smallest machine: a map from names to numbers. "add" increases a number, "get" reads it, "later"
// answers when a second passes, "hold" keeps the token until "free" comes, "send" has the name written
// outside when its number is increased, "try" increases a number and counts in the log how often that failed.
struct Ask {
  std::string_view verb;
  std::string_view name;
};
struct Told {
  ErrorCode error = ErrorCode::kNone;
  int number = 0;
};

class Counters {
 public:
  using Reply = Told;
  using Errand = std::string;
  using Out = Outcome<Told, std::string>;

  void handle(Now now, ReplyToken token, const int&, const Ask& ask, Out& out) {
    const std::string name(ask.name);
    if (ask.verb == "add") {
      put(name, numbers[name] + 1, out);
      out.reply(token, {ErrorCode::kNone, numbers[name] + 1});
    } else if (ask.verb == "add twice") {
      put(name, numbers[name] + 1, out);
      out.then(token, Told{}, [this, token, name](Out& next) {
        put(name, numbers[name] + 1, next);
        next.reply(token, {ErrorCode::kNone, numbers[name] + 1});
      });
    } else if (ask.verb == "add many") {
      out.records_are_independent();
      for (int i = 0; i < 100; ++i) put(name + std::to_string(i), 1, out);
      out.reply(token, {ErrorCode::kNone, 100});
    } else if (ask.verb == "get") {
      out.reply(token, {ErrorCode::kNone, numbers[name]});
    } else if (ask.verb == "send") {
      put(name, numbers[name] + 1, out);
      out.send(name);
    } else if (ask.verb == "try") {
      put(name, numbers[name] + 1, out);
      out.reply(token, {ErrorCode::kNone, numbers[name] + 1});
      out.if_append_fails([this](Out& next) {
        put("failures", numbers["failures"] + 1, next);
        next.send("failed");
      });
    } else if (ask.verb == "later") {
      held = token;
      timer.arm(now.instant + Instant{1000});
    } else if (ask.verb == "hold") {
      held = token;
    } else if (ask.verb == "free") {
      out.reply(std::exchange(held, 0), {ErrorCode::kNone, numbers[name]});
      out.reply(token, {});
    } else if (ask.verb == "transact") {
      out.in_transaction({7, 0});
      put(name, 1, out);
      out.reply(token, {});
    }
  }
  void replay(const LogRecord& record) {
    ++replayed;
    const std::string name(as_text(record.key));
    const int number = record.value ? std::stoi(std::string(as_text(*record.value))) : 0;
    if (record.producer != protocol::kNoProducerId) {
      pending[name] = number;
    } else {
      numbers[name] = number;
    }
    last_offset = record.offset;
  }
  void replay_marker(protocol::ProducerId, bool committed) {
    if (committed) numbers.insert(pending.begin(), pending.end());
    pending.clear();
  }
  void loaded(Now, Out&) { is_loaded = true; }
  void release(ErrorCode error, Out& out) {
    if (held != 0) out.reply(std::exchange(held, 0), {error, 0});
  }
  std::optional<Instant> next_deadline() const { return timers.next_deadline(); }
  bool fire(Now now, Out& out) {
    if (!timers.pop(now.instant)) return false;
    out.reply(std::exchange(held, 0), {ErrorCode::kNone, 42});
    return true;
  }
  static void fail(Told& told, ErrorCode error) { told = {error, 0}; }
  static Told refuse(const int&, const Ask&, ErrorCode error, Arena&) { return {error, 0}; }

  std::map<std::string, int> numbers, pending;
  TimerQueue<int> timers;
  TimerQueue<int>::Timer timer{timers, 0};
  ReplyToken held = 0;
  int replayed = 0;
  bool is_loaded = false;
  protocol::Offset last_offset = protocol::kNoOffset;

 private:
  static void put(const std::string& name, int number, Out& out) {
    out.append({as_bytes(out.scratch().text(name)), as_bytes(out.scratch().text(std::to_string(number)))});
  }
};

struct ShardTest : testing::Test {
  ShardTest() { activate(); }
  void activate() {
    shard.begin_load();
    EXPECT_TRUE(shard.load(log.bytes()));
    shard.finish_load(now, log.high_watermark());
  }
  void ask(ReplyToken token, std::string_view verb, std::string_view name = "a") {
    shard.handle(now, token, 0, Ask{verb, name});
  }
  // token -> what it was told, for all replies since the last call.
  std::map<ReplyToken, Told> told() {
    std::vector<Completion<Told>> replies;
    shard.take_replies(replies);
    std::map<ReplyToken, Told> by_token;
    for (const auto& reply : replies) EXPECT_TRUE(by_token.emplace(reply.token, reply.reply).second);
    return by_token;
  }
  std::vector<std::string> sent() {
    std::vector<std::string> errands;
    shard.take_errands(errands);
    return errands;
  }
  void commit_all() {
    log.commit_all();
    shard.committed(log.high_watermark());
  }

  Now now{Instant{1000}, 1'700'000'000'000};
  testing_support::FakeLog log;
  Shard<Counters> shard{[] { return std::make_unique<Counters>(); }, log};
};

TEST_F(ShardTest, ReplyWaitsForTheHighWatermark) {
  ask(1, "add");
  EXPECT_TRUE(told().empty());
  EXPECT_EQ(shard.machine()->numbers.at("a"), 1) << "applied at once, so that the next request sees it";
  commit_all();
  EXPECT_EQ(told().at(1).number, 1);
}

TEST_F(ShardTest, ReplyLeavesAtOnceWhereTheAppendCommits) {
  log.commit_on_append(true);
  ask(1, "add");
  EXPECT_EQ(told().at(1).number, 1);
}

TEST_F(ShardTest, ReadOfUncommittedStateWaitsTooAndReadOfCommittedStateDoesNot) {
  ask(1, "get");
  EXPECT_EQ(told().at(1).number, 0);
  ask(2, "add");
  ask(3, "get");
  EXPECT_TRUE(told().empty());
  commit_all();
  EXPECT_EQ(told().at(3).number, 1);
}

TEST_F(ShardTest, RepliesLeaveAsFarAsTheHighWatermarkReaches) {
  ask(1, "add");
  ask(2, "add");
  shard.committed(shard.applied_end() - 1);
  EXPECT_EQ(told().size(), 1u);
  commit_all();
  EXPECT_EQ(told().at(2).number, 2);
}

TEST_F(ShardTest, FailedAppendChangesNothingAndTellsTheClient) {
  log.fail_next(ErrorCode::kNotEnoughReplicas);
  ask(1, "add");
  EXPECT_EQ(told().at(1).error, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(shard.machine()->replayed, 0);
  log.commit_on_append(true);
  ask(2, "add");
  EXPECT_EQ(told().at(2).number, 1);
}

TEST_F(ShardTest, FailedAppendAnswersForTheStepThatCannotRun) {
  log.fail_next(ErrorCode::kNotLeaderOrFollower);
  ask(1, "add twice");
  EXPECT_EQ(told().at(1).error, ErrorCode::kNotCoordinator);
  EXPECT_EQ(shard.machine()->replayed, 0);
}

TEST_F(ShardTest, AfterAFailedAppendTheStepThatPutsThingsRightRuns) {
  log.commit_on_append(true);
  log.fail_next(ErrorCode::kNotEnoughReplicas);
  ask(1, "try");
  EXPECT_EQ(told().at(1).error, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(shard.machine()->numbers.at("failures"), 1);
  EXPECT_EQ(sent(), (std::vector<std::string>{"failed"}));
  ask(2, "try");
  EXPECT_EQ(told().at(2).number, 1);
  EXPECT_EQ(shard.machine()->numbers.at("failures"), 1) << "an append that succeeds needs none";
  ask(3, "try");
  EXPECT_EQ(told().at(3).number, 2);
}

TEST_F(ShardTest, SecondStepSeesTheFirstReplayed) {
  log.commit_on_append(true);
  ask(1, "add twice");
  EXPECT_EQ(told().at(1).number, 2);
  EXPECT_EQ(log.batch_count(), 2u);
}

TEST_F(ShardTest, ErrandsLeaveWhenTheirDecisionIsCommittedAsLongAsThatTakes) {
  ask(0, "send", "a");
  ask(0, "send", "b");
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(shard.awaited_commit(), shard.applied_end() - 1);
  now.instant += Instant{1'000'000};
  shard.tick(now);
  EXPECT_TRUE(sent().empty());
  shard.committed(shard.applied_end() - 1);
  EXPECT_EQ(sent(), (std::vector<std::string>{"a"}));
  EXPECT_EQ(shard.awaited_commit(), shard.applied_end());
  commit_all();
  EXPECT_EQ(sent(), (std::vector<std::string>{"b"}));
  EXPECT_EQ(shard.awaited_commit(), std::nullopt);
}

TEST_F(ShardTest, ErrandOfAFailedAppendIsForgotten) {
  log.commit_on_append(true);
  log.fail_next(ErrorCode::kNotEnoughReplicas);
  ask(0, "send", "a");
  ask(0, "send", "b");
  EXPECT_EQ(sent(), (std::vector<std::string>{"b"}));
}

TEST_F(ShardTest, ErrandsOfAnUnloadedShardAreForItsNextLeader) {
  ask(0, "send", "a");
  commit_all();
  ask(0, "send", "b");
  shard.unload(ErrorCode::kNotCoordinator);
  activate();
  commit_all();
  EXPECT_TRUE(sent().empty());
}

TEST_F(ShardTest, AtomicRecordsThatDoNotFitFailAndIndependentOnesAreSplit) {
  log.set_max_batch_bytes(200);
  log.commit_on_append(true);
  ask(1, "add", std::string(300, 'x'));
  EXPECT_EQ(told().at(1).error, ErrorCode::kUnknownServerError);
  ask(2, "add many");
  EXPECT_EQ(told().at(2).error, ErrorCode::kNone);
  EXPECT_EQ(shard.machine()->replayed, 100);
  EXPECT_GT(log.batch_count(), 5u);
}

TEST_F(ShardTest, LoadingReplaysTheLogAndContinuesBehindIt) {
  log.commit_on_append(true);
  ask(1, "add");
  ask(2, "add");
  ask(3, "add", "b");
  activate();
  EXPECT_EQ(shard.machine()->numbers, (std::map<std::string, int>{{"a", 2}, {"b", 1}}));
  EXPECT_EQ(shard.machine()->last_offset, protocol::Offset{2});
  EXPECT_TRUE(shard.machine()->is_loaded);
  EXPECT_EQ(shard.applied_end(), protocol::Offset{3});
}

TEST_F(ShardTest, RepliesAfterALoadWaitForWhatTheLogHoldsUncommitted) {
  ask(1, "add");
  activate();
  EXPECT_EQ(told().at(1).error, ErrorCode::kNotCoordinator) << "the reload cannot promise that it stays";
  ask(2, "get");
  EXPECT_TRUE(told().empty());
  commit_all();
  EXPECT_EQ(told().at(2).number, 1);
}

TEST_F(ShardTest, RequestsAreRefusedUnlessActive) {
  shard.begin_load();
  ask(1, "get");
  EXPECT_EQ(told().at(1).error, ErrorCode::kCoordinatorLoadInProgress);
  shard.unload(ErrorCode::kNotCoordinator);
  ask(2, "get");
  EXPECT_EQ(told().at(2).error, ErrorCode::kNotCoordinator);
}

TEST_F(ShardTest, UnloadingAnswersWhoWaitsInTheMachineAndForTheLog) {
  ask(1, "hold");
  ask(2, "add");
  shard.unload(ErrorCode::kNotCoordinator);
  const auto answers = told();
  EXPECT_EQ(answers.at(1).error, ErrorCode::kNotCoordinator);
  EXPECT_EQ(answers.at(2).error, ErrorCode::kNotCoordinator);
  EXPECT_EQ(shard.next_deadline(), std::nullopt);
}

TEST_F(ShardTest, OneRequestCompletesAnother) {
  log.commit_on_append(true);
  ask(1, "hold");
  EXPECT_TRUE(told().empty());
  ask(2, "free");
  EXPECT_EQ(told().size(), 2u);
}

TEST_F(ShardTest, TimersAreDataAndFireOnTick) {
  ask(1, "later");
  EXPECT_EQ(shard.next_deadline(), Instant{2000});
  now.instant = Instant{1999};
  shard.tick(now);
  EXPECT_TRUE(told().empty());
  now.instant = Instant{2000};
  shard.tick(now);
  EXPECT_EQ(told().at(1).number, 42);
}

TEST_F(ShardTest, ReplyThatWaitsTooLongForTheLogBecomesAnError) {
  ask(1, "add");
  EXPECT_EQ(shard.next_deadline(), now.instant + Instant{5000});
  now.instant += Instant{5000};
  shard.tick(now);
  EXPECT_EQ(told().at(1).error, ErrorCode::kCoordinatorNotAvailable);
  commit_all();
  EXPECT_TRUE(told().empty());
}

TEST_F(ShardTest, TransactionalRecordsCountOnceTheirMarkerSaysSo) {
  log.commit_on_append(true);
  ask(1, "transact");
  EXPECT_TRUE(shard.machine()->numbers.empty());
  log.append_marker(7, 0, true);
  shard.transaction_ended(7, true, log.end());
  EXPECT_EQ(shard.machine()->numbers.at("a"), 1);
  const auto live = shard.machine()->numbers;
  activate();
  EXPECT_EQ(shard.machine()->numbers, live) << "and the same when read back";
  EXPECT_EQ(shard.applied_end(), log.end());
}

TEST_F(ShardTest, DamagedLogIsAnErrorNotACrash) {
  log.commit_on_append(true);
  ask(1, "add");
  std::vector<std::byte> damaged = log.bytes();
  damaged.back() ^= std::byte{1};
  shard.begin_load();
  EXPECT_EQ(shard.load(damaged).error().code, ErrorCode::kCorruptMessage);
}

}  // namespace
}  // namespace milena::coordinator
