// Every number in the table of keys at its bounds: a broker starts with it, serves producers, consumers and
// groups, keeps idle connections, and does not spin. Some bounds leave nothing to serve; those are listed.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "broker/config/broker_keys.h"
#include "broker/testing/test_broker.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/join_group.gen.h"

namespace milena::broker {
namespace {

using testing::Client;
using testing::TestBroker;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

struct Setting {
  std::string name;
  std::int64_t value = 0;
  std::string text() const { return name + "=" + std::to_string(value); }
};

struct Bounds {
  std::int64_t low, high;
};

Bounds bounds_of(const BrokerConfigKey& key) {
  Bounds bounds{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  if (key.type == ConfigType::kInt) {
    bounds = {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
  }
  if (key.type == ConfigType::kShort) {
    bounds = {std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()};
  }
  if (key.rule.min) bounds.low = std::max(bounds.low, std::get<std::int64_t>(*key.rule.min));
  if (key.rule.max) bounds.high = std::min(bounds.high, std::get<std::int64_t>(*key.rule.max));
  return bounds;
}

bool is_whole(const BrokerConfigKey& key) {
  return key.type == ConfigType::kInt || key.type == ConfigType::kLong || key.type == ConfigType::kShort;
}

// With these a broker has nothing to serve the test with, in Kafka as well: `below` or `above` the number.
struct Unusable {
  std::string_view name;
  std::int64_t below = std::numeric_limits<std::int64_t>::min();
  std::int64_t above = std::numeric_limits<std::int64_t>::max();
};
constexpr Unusable kUnusable[] = {
    {.name = "message.max.bytes", .below = 1000},         // no batch fits
    {.name = "socket.request.max.bytes", .below = 1000},  // no request fits
    {.name = "max.connections", .below = 4},              // the test holds several
    {.name = "max.connections.per.ip", .below = 4},
    {.name = "max.connection.creation.rate", .below = 2},               // too slow to wait for
    {.name = "log.message.timestamp.before.max.ms", .below = 100'000},  // "now" is in the past already
    {.name = "group.min.session.timeout.ms", .above = 10'000},          // no session timeout is right
    {.name = "group.max.session.timeout.ms", .below = 10'000},
    {.name = "group.initial.rebalance.delay.ms", .above = 10'000},  // the join is answered then
    {.name = "offsets.topic.num.partitions", .above = 10'000},      // more than a request may create
    {.name = "transaction.state.log.num.partitions", .above = 10'000},
    {.name = "offsets.topic.segment.bytes", .below = 1 << 20},  // less than a topic may have
    {.name = "transaction.state.log.segment.bytes", .below = 1 << 20},
    {.name = "offsets.commit.timeout.ms", .below = 100},  // a slow machine exceeds it
};
bool is_usable(const Setting& setting) {
  return std::ranges::none_of(kUnusable, [&](const Unusable& unusable) {
    return unusable.name == setting.name &&
           (setting.value < unusable.below || setting.value > unusable.above);
  });
}

std::expected<void, std::string> check(const std::vector<std::string>& settings) {
  auto read = StaticConfig::read({.overrides = settings});
  if (!read) return std::unexpected(read.error());
  auto made = BrokerConfig::make(*std::move(read), {.processors = 2, .descriptors_max = 4096});
  if (!made) return std::unexpected(made.error());
  return {};
}

std::chrono::milliseconds cpu_time() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto ms = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
  return std::chrono::milliseconds(ms(used.ru_utime) + ms(used.ru_stime));
}

class ConfigBoundsTest : public testing::BrokerTest {
 protected:
  // Everything that a broker with these settings must do.
  void expect_service(const std::vector<std::string>& settings) {
    std::string all;
    for (const std::string& setting : settings) all += setting + " ";
    SCOPED_TRACE(all);
    TestBroker broker(root_ + "/" + std::to_string(++brokers_), settings);
    ASSERT_TRUE(broker.started()) << broker.started().error();
    Client idle(broker.port());
    ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
    expect_a_record(broker);
    expect_a_group(broker);
    const auto before = cpu_time();
    constexpr std::chrono::milliseconds kIdle{100};
    std::this_thread::sleep_for(kIdle);
    if (!kSanitized) EXPECT_LT(cpu_time() - before, kIdle / 2) << "it spins";
    const auto frame = protocol::flatten(
        protocol::encode_request(protocol::ApiVersionsRequest{}, 0, 7, "test", arena_), arena_);
    EXPECT_TRUE(idle.send(as_text(frame)));
    EXPECT_TRUE(idle.receive()) << "an idle connection was closed";
  }

  void expect_a_record(TestBroker& broker) {
    protocol::RecordBatchBuilder builder;
    builder.append(SystemClock().wall_ms(), as_bytes("k"), as_bytes("v"));
    const auto batch = builder.build();
    protocol::ProduceRequest request{.acks = -1, .timeout_ms = 10'000};
    request.topic_data = arena_.array<protocol::ProduceRequest::TopicProduceData>(1);
    request.topic_data[0].name = "letters";
    request.topic_data[0].partition_data =
        arena_.array<protocol::ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    request.topic_data[0].partition_data[0].records = protocol::RecordsRef{.bytes = batch};
    const auto answer = broker.ask<protocol::ProduceResponse>(request, 12, arena_);
    EXPECT_EQ(answer.responses[0].partition_responses[0].error_code, ErrorCode::kNone);
    EXPECT_FALSE(fetch(broker, "letters").empty());
  }

  void expect_a_group(TestBroker& broker) {
    protocol::FindCoordinatorRequest find{.key_type = 0};
    find.coordinator_keys = arena_.array<std::string_view>(1);
    find.coordinator_keys[0] = "readers";
    const auto found = broker.ask<protocol::FindCoordinatorResponse>(find, 4, arena_).coordinators[0];
    ASSERT_EQ(found.error_code, ErrorCode::kNone) << found.error_message.value_or("");
    protocol::JoinGroupRequest join{.group_id = "readers",
                                    .session_timeout_ms = 10'000,
                                    .rebalance_timeout_ms = 10'000,
                                    .protocol_type = "consumer"};
    join.protocols = arena_.array<protocol::JoinGroupRequest::JoinGroupRequestProtocol>(1);
    join.protocols[0] = {.name = "range", .metadata = as_bytes("m")};
    ErrorCode error = ErrorCode::kCoordinatorLoadInProgress;
    while (error == ErrorCode::kCoordinatorLoadInProgress) {
      error = broker.ask<protocol::JoinGroupResponse>(join, 3, arena_).error_code;
    }
    EXPECT_EQ(error, ErrorCode::kNone);
  }

  // As few brokers as there can be: settings share one unless they contradict each other.
  void expect_service_with_each(const std::vector<Setting>& settings) {
    constexpr std::size_t kTogether = 20;
    for (std::size_t at = 0; at < settings.size(); at += kTogether) {
      std::vector<std::string> some;
      for (std::size_t i = at; i < std::min(at + kTogether, settings.size()); ++i) {
        some.push_back(settings[i].text());
      }
      if (check(some)) {
        expect_service(some);
        continue;
      }
      for (const std::string& one : some) {
        if (check({one})) expect_service({one});
      }
    }
  }

 private:
  int brokers_ = 0;
};

std::vector<Setting> settings_at(const std::function<std::int64_t(const Bounds&)>& where) {
  std::vector<Setting> settings;
  for (const BrokerConfigKey& key : broker_config_keys()) {
    if (!is_whole(key) || key.effect != ConfigEffect::kInForce || key.name == "broker.id") continue;
    const Setting setting{std::string(key.name), where(bounds_of(key))};
    if (parse_config(key, std::to_string(setting.value)) && is_usable(setting)) settings.push_back(setting);
  }
  return settings;
}

TEST_F(ConfigBoundsTest, TheLowest) {
  expect_service_with_each(settings_at([](const Bounds& bounds) { return bounds.low; }));
}

TEST_F(ConfigBoundsTest, OneAboveTheLowest) {
  expect_service_with_each(settings_at([](const Bounds& bounds) { return bounds.low + 1; }));
}

TEST_F(ConfigBoundsTest, MinusOneAndZero) {
  for (const std::int64_t value : {-1, 0}) {
    expect_service_with_each(settings_at([&](const Bounds&) { return value; }));
  }
}

TEST_F(ConfigBoundsTest, OneBelowTheHighest) {
  expect_service_with_each(settings_at([](const Bounds& bounds) { return bounds.high - 1; }));
}

TEST_F(ConfigBoundsTest, TheHighest) {
  expect_service_with_each(settings_at([](const Bounds& bounds) { return bounds.high; }));
}

TEST_F(ConfigBoundsTest, BeyondTheBoundsIsRefusedWithTheNameOfTheKey) {
  for (const BrokerConfigKey& key : broker_config_keys()) {
    if (!is_whole(key) || key.name == "node.id") continue;  // broker.id means the same, and is checked first
    const Bounds bounds = bounds_of(key);
    std::vector<std::string> wrong;
    wrong.push_back(bounds.low == std::numeric_limits<std::int64_t>::min() ? "-9223372036854775809"
                                                                           : std::to_string(bounds.low - 1));
    wrong.push_back(bounds.high == std::numeric_limits<std::int64_t>::max()
                        ? "9223372036854775808"
                        : std::to_string(bounds.high + 1));
    for (const std::string& text : wrong) {
      const auto refused = check({std::string(key.name) + "=" + text});
      ASSERT_FALSE(refused) << key.name << "=" << text;
      EXPECT_NE(refused.error().find(key.name), std::string::npos) << refused.error();
    }
  }
}

// What cannot be served is answered, and soon.
TEST_F(ConfigBoundsTest, MorePartitionsThanThereCanBeAreAnError) {
  TestBroker broker(root_, {"offsets.topic.num.partitions=2147483647"});
  ASSERT_TRUE(broker.started());
  protocol::FindCoordinatorRequest find{.key_type = 0};
  find.coordinator_keys = arena_.array<std::string_view>(1);
  find.coordinator_keys[0] = "readers";
  const auto found = broker.ask<protocol::FindCoordinatorResponse>(find, 4, arena_).coordinators[0];
  EXPECT_NE(found.error_code, ErrorCode::kNone);
}

}  // namespace
}  // namespace milena::broker
