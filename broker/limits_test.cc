// Whole brokers under a clock that jumps, and with fewer files than partitions.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "broker/testing/test_broker.h"
#include "protocol/list_offsets.gen.h"

namespace milena::broker {
namespace {

using testing::TestBroker;

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour, kYear = 365 * kDay;

// Runs as time does, and can be moved: both times forward, or the wall time alone.
class MovableClock final : public Clock {
 public:
  Instant now() const override { return elapsed() + Instant{skipped_ms_.load()}; }
  std::int64_t wall_ms() const override { return 1'700'000'000'000 + jumped_ms_ + now().count(); }
  void pass(std::int64_t ms) { skipped_ms_ += ms; }
  void jump(std::int64_t ms) { jumped_ms_ += ms; }

 private:
  Instant elapsed() const {
    return std::chrono::duration_cast<Instant>(std::chrono::steady_clock::now() - start_);
  }

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::atomic<std::int64_t> skipped_ms_ = 0;
  std::atomic<std::int64_t> jumped_ms_ = 0;
};

class LimitsTest : public testing::BrokerTest {
 protected:
  std::unique_ptr<TestBroker> started(std::vector<std::string> overrides = {}) {
    overrides.insert(overrides.end(),
                     {"log.retention.check.interval.ms=5", "producer.id.expiration.check.interval.ms=5"});
    auto broker = std::make_unique<TestBroker>(root_ + "/data", std::move(overrides), nullptr, &clock_);
    EXPECT_TRUE(broker->started()) << broker->started().error();
    return broker;
  }
  std::int64_t start_offset(TestBroker& broker, std::string_view topic) {
    protocol::ListOffsetsRequest request{.replica_id = -1};
    request.topics = arena_.array<protocol::ListOffsetsRequest::ListOffsetsTopic>(1);
    request.topics[0].name = topic;
    request.topics[0].partitions =
        arena_.array<protocol::ListOffsetsRequest::ListOffsetsTopic::ListOffsetsPartition>(1);
    request.topics[0].partitions[0] = {.partition_index = 0, .timestamp = -2};
    return broker.ask<protocol::ListOffsetsResponse>(request, 7, arena_).topics[0].partitions[0].offset.value;
  }
  // Retention has looked at everything many times since.
  static void let_retention_look() { std::this_thread::sleep_for(std::chrono::milliseconds(150)); }
  bool is_deleted_soon(TestBroker& broker) {
    for (int i = 0; i < 500; ++i) {
      if (start_offset(broker, "letters") > 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  MovableClock clock_;
};

TEST_F(LimitsTest, RetentionWaitsAnHourAfterAJumpOfTenYears) {
  const auto broker = started();
  ASSERT_EQ(create_topic(*broker, "letters", 1), ErrorCode::kNone);
  produce(*broker, "letters", "a");
  clock_.jump(10 * kYear);
  let_retention_look();
  EXPECT_EQ(start_offset(*broker, "letters"), 0);
  clock_.pass(kHour / 2);
  let_retention_look();
  EXPECT_EQ(start_offset(*broker, "letters"), 0);
  clock_.pass(kHour / 2);
  EXPECT_TRUE(is_deleted_soon(*broker)) << "the time has stood for an hour";
}

TEST_F(LimitsTest, AClockThatIsPutRightWithinTheHourHasDeletedNothing) {
  const auto broker = started();
  ASSERT_EQ(create_topic(*broker, "letters", 1), ErrorCode::kNone);
  produce(*broker, "letters", "a");
  for (const std::int64_t jump : {10 * kYear, -10 * kYear, -10 * kYear, 10 * kYear, kHour, -kHour}) {
    clock_.jump(jump);
    let_retention_look();
    EXPECT_EQ(start_offset(*broker, "letters"), 0) << jump;
  }
  clock_.pass(2 * kHour);
  let_retention_look();
  EXPECT_EQ(start_offset(*broker, "letters"), 0);
  EXPECT_EQ(produce(*broker, "letters", "b"), 1);
}

TEST_F(LimitsTest, RetentionWaitsAnHourWhenTheClockJumpedWhileTheBrokerWasDown) {
  for (const bool clean : {true, false}) {
    const std::string data = fmt::format("{}/{}", root_, clean);
    const auto start = [&] {
      auto broker = std::make_unique<TestBroker>(
          data, std::vector<std::string>{"log.retention.check.interval.ms=5"}, nullptr, &clock_);
      EXPECT_TRUE(broker->started()) << broker->started().error();
      return broker;
    };
    auto broker = start();
    ASSERT_EQ(create_topic(*broker, "letters", 1), ErrorCode::kNone);
    produce(*broker, "letters", "a");
    broker->stop();
    if (!clean) std::filesystem::remove(data + "/.kafka_cleanshutdown");
    broker.reset();
    clock_.jump(-10 * kYear);
    broker = start();
    let_retention_look();
    EXPECT_EQ(start_offset(*broker, "letters"), 0) << "back in time";
    broker->stop();
    broker.reset();
    clock_.jump(10 * kYear + 8 * kDay);  // retention is seven days
    broker = start();
    let_retention_look();
    EXPECT_EQ(start_offset(*broker, "letters"), 0);
    broker->stop();
    broker = start();
    let_retention_look();
    EXPECT_EQ(start_offset(*broker, "letters"), 0) << "a restart does not shorten the hour";
    clock_.pass(kHour);
    EXPECT_TRUE(is_deleted_soon(*broker));
    broker->stop();
    clock_.jump(-8 * kDay - kHour);
  }
}

TEST_F(LimitsTest, WithoutARecordOfTheTimeRetentionWaitsToo) {
  auto broker = started();
  ASSERT_EQ(create_topic(*broker, "letters", 1), ErrorCode::kNone);
  produce(*broker, "letters", "a");
  broker->stop();
  broker.reset();
  ASSERT_TRUE(std::filesystem::remove(root_ + "/data/.milena-last-seen"));
  clock_.jump(10 * kYear);
  broker = started();
  let_retention_look();
  EXPECT_EQ(start_offset(*broker, "letters"), 0);
  clock_.pass(kHour);
  EXPECT_TRUE(is_deleted_soon(*broker));
}

TEST_F(LimitsTest, RetentionGoesOnWithTimeThatPasses) {
  const auto broker = started();
  ASSERT_EQ(create_topic(*broker, "letters", 1), ErrorCode::kNone);
  produce(*broker, "letters", "a");
  clock_.pass(8 * kDay);
  EXPECT_TRUE(is_deleted_soon(*broker)) << "the monotonic clock has seen it";
}

TEST_F(LimitsTest, FewerFilesThanPartitionsServeThemAll) {
  for (const std::string_view durability : {"page-cache", "fsync"}) {
    TestBroker broker(fmt::format("{}/{}", root_, durability),
                      {fmt::format("milena.durability={}", durability)}, nullptr, nullptr, 64);
    ASSERT_TRUE(broker.started()) << broker.started().error();
    for (int topic = 0; topic < 60; ++topic)
      ASSERT_EQ(create_topic(broker, fmt::format("t{}", topic), 1), ErrorCode::kNone);
    for (int round = 0; round < 3; ++round) {
      for (int topic = 0; topic < 60; ++topic)
        EXPECT_EQ(produce(broker, fmt::format("t{}", topic), fmt::format("value {}", round)), round);
    }
    std::size_t open_logs = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
      open_logs += target.starts_with(root_) && target.ends_with(".log") ? 1 : 0;
    }
    EXPECT_LE(open_logs, 16u);
    for (int topic = 0; topic < 60; ++topic)
      EXPECT_NE(fetch(broker, fmt::format("t{}", topic)).find("value 2"), std::string::npos);
    broker.stop();
  }
}

}  // namespace
}  // namespace milena::broker
