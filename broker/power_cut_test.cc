// The power is cut at every file operation of a first start, a topic's creation, a few appends, a stop and a
// second start, in both durability modes: every state starts again, and what was acknowledged as durable is
// there.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/mem_fs.h"
#include "broker/testing/test_broker.h"

namespace milena::broker {
namespace {

using testing::BrokerTest;
using testing::TestBroker;

struct PowerCut {
  const char* durability;
  MemFs::Loss loss;
};

class PowerCutTest : public BrokerTest, public ::testing::WithParamInterface<PowerCut> {
 protected:
  static constexpr int kPartitions = 3;

  // What a client was told before the power went.
  struct Acknowledged {
    bool topic = false;
    int records = 0;  // in each partition up to this one, then one less
  };

  PowerCutTest() { produce_timeout_ms_ = 20; }

  std::vector<std::string> settings() const {
    return {"log.dirs=/a,/b", std::string("milena.durability=") + GetParam().durability,
            "auto.create.topics.enable=false", "offsets.topic.num.partitions=1"};
  }
  static std::string value(int record) { return "record " + std::to_string(record) + " of this partition"; }

  // A broker that cannot write its metadata any more closes the connection.
  bool is_created(TestBroker& broker) {
    const auto answer =
        broker.try_ask<protocol::CreateTopicsResponse>(creation_of("orders", kPartitions), 7, arena_);
    return answer && answer->topics[0].error_code == ErrorCode::kNone;
  }

  // Twice: start, use, stop. Ends early when the disk is gone.
  Acknowledged live(MemFs& disk) {
    Acknowledged told;
    for (int life = 0; life < 2; ++life) {
      TestBroker broker("", settings(), &disk);
      if (!broker.started()) return told;
      if (!told.topic) told.topic = is_created(broker);
      for (int i = 0; told.topic && i < 2 * kPartitions; ++i) {
        const int record = told.records / kPartitions;
        if (try_produce(broker, "orders", value(record), told.records % kPartitions).error_code !=
            ErrorCode::kNone)
          return told;
        ++told.records;
      }
      broker.stop();
    }
    return told;
  }

  // The records of a partition, once the acknowledged ones are there: in fsync mode what recovery has found
  // is shown when it is on stable storage again.
  std::string records_of(TestBroker& broker, int partition, int acknowledged) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      const std::string records = fetch(broker, "orders", partition);
      const bool whole = acknowledged == 0 || records.find(value(acknowledged - 1)) != std::string::npos;
      if (whole || std::chrono::steady_clock::now() > deadline) return records;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void check(TestBroker& broker, const Acknowledged& told) {
    const bool durable = GetParam().durability == std::string_view("fsync");
    for (int partition = 0; told.topic && partition < kPartitions; ++partition) {
      const int acknowledged = durable ? (told.records - partition + kPartitions - 1) / kPartitions : 0;
      const std::string records = records_of(broker, partition, acknowledged);
      bool ended = false;  // what is there is a prefix of what was sent
      for (int record = 0; record < 5; ++record) {
        const bool is_there = records.find(value(record)) != std::string::npos;
        EXPECT_FALSE(is_there && ended) << "record " << record << " of partition " << partition;
        EXPECT_TRUE(is_there || record >= acknowledged)
            << "lost record " << record << " of partition " << partition;
        ended = ended || !is_there;
      }
    }
  }
};

TEST_P(PowerCutTest, NoMomentOfALifeIsAWrongOne) {
  constexpr std::uint64_t kCallsMax = 4000;
  for (std::uint64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, kCallsMax) << "more calls than expected";
    MemFs disk(nth);
    disk.fail({.nth = nth, .code = EIO, .for_good = true});
    SCOPED_TRACE(nth);
    const auto told = live(disk);
    const bool lived = disk.calls() < nth;
    disk.crash(GetParam().loss);
    disk.clear_faults();
    TestBroker broker("", settings(), &disk);
    ASSERT_EQ(broker.refusal(), "") << "after call " << nth;
    check(broker, told);
    ASSERT_FALSE(HasFailure()) << "after call " << nth << '\n' << broker.lines();
    ASSERT_EQ(create_topic(broker, "more", 1), ErrorCode::kNone) << "after call " << nth;
    for (const char* directory : {"/a", "/b"}) {
      for (const auto& entry : *disk.list(directory))
        EXPECT_FALSE(entry.name.ends_with("-stray")) << entry.name;
    }
    if (lived) return;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, PowerCutTest,
    ::testing::Values(PowerCut{"page-cache", MemFs::Loss::kUnsynced},
                      PowerCut{"page-cache", MemFs::Loss::kSome}, PowerCut{"fsync", MemFs::Loss::kUnsynced},
                      PowerCut{"fsync", MemFs::Loss::kSome}),
    [](const auto& info) {
      return std::string(info.param.durability == std::string_view("fsync") ? "Fsync" : "PageCache") +
             (info.param.loss == MemFs::Loss::kSome ? "Some" : "Unsynced");
    });

}  // namespace
}  // namespace milena::broker
