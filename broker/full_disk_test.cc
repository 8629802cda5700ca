// A whole broker on a disk that is full, and has room again.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/mem_fs.h"
#include "broker/testing/test_broker.h"

namespace milena::broker {
namespace {

class FullDiskTest : public testing::BrokerTest {
 protected:
  // Whether `holds` becomes true soon; 30 s notice a hang.
  template <class F>
  static bool soon(F holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  MemFs disk_;
};

TEST_F(FullDiskTest, R9_APartitionWithoutRoomAnswersAStorageErrorUntilItIsMade) {
  testing::TestBroker broker("/data", {}, &disk_);
  ASSERT_EQ(broker.refusal(), "");
  disk_.fail({.call = "open", .code = ENOSPC, .for_good = true, .path_part = "orders-0"});
  ASSERT_EQ(create_topic(broker, "orders", 2), ErrorCode::kNone);
  EXPECT_EQ(try_produce(broker, "orders", "x", 0).error_code, ErrorCode::kKafkaStorageError);
  EXPECT_EQ(try_fetch(broker, "orders", 0).error_code, ErrorCode::kKafkaStorageError);
  produce(broker, "orders", "x", 1);
  EXPECT_TRUE(soon([&] {
    return broker.lines().find("log directory /data: the disk is full") != std::string::npos;
  })) << broker.lines();
  disk_.clear_faults();
  EXPECT_TRUE(soon([&] { return try_produce(broker, "orders", "x", 0).error_code == ErrorCode::kNone; }));
  EXPECT_NE(fetch(broker, "orders", 0), "");
}

TEST_F(FullDiskTest, R9_APartitionThatCouldNotBeMadeAtAStartIsMadeLater) {
  {
    testing::TestBroker broker("/data", {}, &disk_);
    ASSERT_EQ(broker.refusal(), "");
    ASSERT_EQ(create_topic(broker, "orders", 1), ErrorCode::kNone);
    broker.stop();
  }
  ASSERT_TRUE(disk_.remove_tree("/data/orders-0"));
  disk_.fail({.call = "open", .code = ENOSPC, .for_good = true, .path_part = "orders-0"});
  testing::TestBroker broker("/data", {}, &disk_);
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(try_produce(broker, "orders", "x", 0).error_code, ErrorCode::kKafkaStorageError);
  disk_.clear_faults();
  EXPECT_TRUE(soon([&] { return try_produce(broker, "orders", "x", 0).error_code == ErrorCode::kNone; }));
}

TEST_F(FullDiskTest, R9_AFullDiskIsNamedInTheLogOnce) {
  testing::TestBroker broker("/data", {}, &disk_);
  ASSERT_EQ(broker.refusal(), "");
  ASSERT_EQ(create_topic(broker, "orders", 1), ErrorCode::kNone);
  disk_.fail({.call = "pwritev", .code = ENOSPC, .for_good = true, .path_part = "orders-0"});
  const auto times = [&] {
    int n = 0;
    const std::string lines = broker.lines();
    for (auto at = lines.find("the disk is full"); at != std::string::npos;
         at = lines.find("the disk is full", at + 1))
      ++n;
    return n;
  };
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(try_produce(broker, "orders", "x").error_code, ErrorCode::kKafkaStorageError);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  EXPECT_TRUE(soon([&] { return times() > 0; }));
  EXPECT_EQ(times(), 1) << broker.lines();
  disk_.clear_faults();
  produce(broker, "orders", "x");
}

}  // namespace
}  // namespace milena::broker
