// Whole brokers in this process, spoken to over loopback sockets.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>

#include "base/mem_fs.h"
#include "broker/testing/test_broker.h"
#include "protocol/api.gen.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/metadata.gen.h"
#include "protocol/offset_commit.gen.h"
#include "protocol/offset_fetch.gen.h"

namespace milena::broker {
namespace {

using testing::BrokerTest;
using testing::TestBroker;

TEST_F(BrokerTest, TwoBrokersInOneProcessAreStrangersToEachOther) {
  TestBroker one(root_ + "/one"), two(root_ + "/two");
  ASSERT_TRUE(one.started()) << one.started().error();
  ASSERT_TRUE(two.started()) << two.started().error();
  EXPECT_NE(one.cluster_id(), two.cluster_id());
  EXPECT_EQ(create_topic(one, "letters", 2), ErrorCode::kNone);
  const auto seen = two.ask<protocol::MetadataResponse>(protocol::MetadataRequest{}, 12, arena_);
  EXPECT_TRUE(seen.topics.empty());
}

TEST_F(BrokerTest, ALargeMetadataAnswerThatWasKeptIsTheSameUntilTopicsChange) {
  MemFs disk;
  TestBroker broker("/data", {}, &disk);
  ASSERT_TRUE(broker.started()) << broker.started().error();
  ASSERT_EQ(create_topic(broker, "many", 1000), ErrorCode::kNone);
  const std::vector<protocol::MetadataRequest> twice(2);
  const auto expect_topics = [&](int version, std::size_t topics) {
    const auto answers = broker.ask_at_once<protocol::MetadataResponse>(twice, version, arena_);
    for (const auto& answer : answers) {
      ASSERT_EQ(answer.topics.size(), topics) << version;
      std::size_t partitions = 0;
      for (const auto& topic : answer.topics) partitions += topic.partitions.size();
      EXPECT_EQ(partitions, 999 + topics) << version;
      EXPECT_EQ(answer.brokers.size(), 1);
    }
  };
  for (const int version : {1, 8, 12, 13, 1, 12}) expect_topics(version, 1);
  ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
  expect_topics(12, 2);
  auto with_operations = twice;
  with_operations[1].include_topic_authorized_operations = true;
  const auto answers = broker.ask_at_once<protocol::MetadataResponse>(with_operations, 12, arena_);
  EXPECT_EQ(answers[0].topics[0].topic_authorized_operations, std::numeric_limits<std::int32_t>::min());
  EXPECT_GT(answers[1].topics[0].topic_authorized_operations, 0);
}

TEST_F(BrokerTest, TopicsAndRecordsSurviveARestart) {
  std::string cluster;
  {
    TestBroker broker(root_);
    ASSERT_TRUE(broker.started());
    cluster = broker.cluster_id();
    ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
    EXPECT_EQ(produce(broker, "letters", "Dear Milena"), 0);
    broker.stop();
  }
  TestBroker broker(root_);
  ASSERT_TRUE(broker.started()) << broker.started().error();
  EXPECT_EQ(broker.cluster_id(), cluster);
  EXPECT_NE(fetch(broker, "letters").find("Dear Milena"), std::string::npos);
  EXPECT_EQ(produce(broker, "letters", "once more"), 1);
  EXPECT_EQ(create_topic(broker, "letters", 1), ErrorCode::kTopicAlreadyExists);
}

TEST_F(BrokerTest, InFsyncModeAcksAllIsAnsweredOnceTheRecordIsOnDisk) {
  TestBroker broker(root_, {"milena.durability=fsync"});
  ASSERT_TRUE(broker.started());
  ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
  EXPECT_EQ(produce(broker, "letters", "Dear Milena"), 0);
  EXPECT_NE(fetch(broker, "letters").find("Dear Milena"), std::string::npos);
}

TEST_F(BrokerTest, R9_AFullDiskRefusesWritesUntilThereIsRoomAndServesReads) {
  for (const char* durability : {"milena.durability=page-cache", "milena.durability=fsync"}) {
    MemFs disk;
    TestBroker broker("/data", {durability}, &disk);
    ASSERT_TRUE(broker.started()) << broker.started().error();
    ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
    EXPECT_EQ(produce(broker, "letters", "Dear Milena"), 0);

    disk.fail({.call = "pwritev", .code = ENOSPC, .for_good = true});
    EXPECT_EQ(try_produce(broker, "letters", "too much").error_code, ErrorCode::kKafkaStorageError);
    EXPECT_TRUE(broker.closes_on(creation_of("more", 1), 7, arena_));
    EXPECT_NE(fetch(broker, "letters").find("Dear Milena"), std::string::npos);

    disk.clear_faults();
    EXPECT_EQ(produce(broker, "letters", "once more"), 1);
    EXPECT_EQ(create_topic(broker, "more", 1), ErrorCode::kNone);
    EXPECT_EQ(produce(broker, "more", "and here"), 0);
    const std::string read = fetch(broker, "letters");
    EXPECT_NE(read.find("once more"), std::string::npos);
    EXPECT_EQ(read.find("too much"), std::string::npos);
  }
}

TEST_F(BrokerTest, StopsWhileMaintenanceIsUnderWay) {
  MemFs disk;
  for (int life = 0; life < 10; ++life) {
    TestBroker broker("/data",
                      {"log.retention.check.interval.ms=1", "log.flush.offset.checkpoint.interval.ms=1",
                       "producer.id.expiration.check.interval.ms=1"},
                      &disk);
    ASSERT_TRUE(broker.started()) << broker.started().error();
    create_topic(broker, "letters", 8);
    EXPECT_EQ(produce(broker, "letters", "Dear Milena"), life);
    broker.stop();
  }
}

TEST_F(BrokerTest, AFailedDirectoryTakesItsPartitionsAndNoOthers) {
  MemFs disk;
  TestBroker broker("/one,/two", {}, &disk);
  ASSERT_TRUE(broker.started()) << broker.started().error();
  // Each goes to the directory with fewer partitions.
  ASSERT_EQ(create_topic(broker, "first", 1), ErrorCode::kNone);
  ASSERT_EQ(create_topic(broker, "second", 1), ErrorCode::kNone);
  ASSERT_TRUE(disk.exists("/two/second-0"));
  disk.fail({.call = "pwritev", .code = EIO, .for_good = true, .path_part = "/two/"});
  EXPECT_EQ(try_produce(broker, "second", "lost").error_code, ErrorCode::kKafkaStorageError);
  disk.clear_faults();
  EXPECT_EQ(try_produce(broker, "second", "no disk is trusted again").error_code,
            ErrorCode::kKafkaStorageError);
  EXPECT_EQ(produce(broker, "first", "Dear Milena"), 0);
  EXPECT_NE(fetch(broker, "first").find("Dear Milena"), std::string::npos);
  EXPECT_EQ(create_topic(broker, "third", 1), ErrorCode::kNone);
  EXPECT_TRUE(disk.exists("/one/third-0"));
}

TEST_F(BrokerTest, ADirectoryInUseOrOfAnotherNodeOrClusterIsRefusedInOneSentence) {
  TestBroker owner(root_);
  ASSERT_TRUE(owner.started());
  EXPECT_NE(TestBroker(root_).started().error().find("in use"), std::string::npos);
  owner.stop();
  EXPECT_NE(TestBroker(root_, {"node.id=2"}).started().error().find("belongs to node 1"), std::string::npos);
  EXPECT_NE(TestBroker(root_, {"milena.cluster.id=AAAAAAAAAAAAAAAAAAAAAQ"})
                .started()
                .error()
                .find("belongs to cluster"),
            std::string::npos);
}

TEST_F(BrokerTest, CommittedOffsetsSurviveARestart) {
  const auto offset_of = [&](TestBroker& broker) {
    protocol::OffsetFetchRequest request;
    request.groups = arena_.array<protocol::OffsetFetchRequest::OffsetFetchRequestGroup>(1);
    request.groups[0].group_id = "readers";
    for (;;) {  // the log is read in the background
      const auto group = broker.ask<protocol::OffsetFetchResponse>(request, 9, arena_).groups[0];
      if (group.error_code == ErrorCode::kCoordinatorLoadInProgress) continue;
      EXPECT_EQ(group.error_code, ErrorCode::kNone);
      return group.topics.empty() ? protocol::kNoOffset : group.topics[0].partitions[0].committed_offset;
    }
  };
  {
    TestBroker broker(root_, {"offsets.topic.num.partitions=3"});
    ASSERT_TRUE(broker.started());
    ASSERT_EQ(create_topic(broker, "letters", 1), ErrorCode::kNone);
    protocol::FindCoordinatorRequest find;
    find.coordinator_keys = arena_.array<std::string_view>(1);
    find.coordinator_keys[0] = "readers";
    const auto found = broker.ask<protocol::FindCoordinatorResponse>(find, 4, arena_).coordinators[0];
    EXPECT_EQ(found.error_code, ErrorCode::kNone);
    EXPECT_EQ(found.node_id, 1);

    using Commit = protocol::OffsetCommitRequest;
    Commit commit{.group_id = "readers"};
    commit.topics = arena_.array<Commit::OffsetCommitRequestTopic>(1);
    commit.topics[0].name = "letters";
    commit.topics[0].partitions =
        arena_.array<Commit::OffsetCommitRequestTopic::OffsetCommitRequestPartition>(2);
    commit.topics[0].partitions[0] = {.partition_index = 0, .committed_offset = 7};
    commit.topics[0].partitions[1] = {.partition_index = 5, .committed_offset = 7};
    const auto answer = broker.ask<protocol::OffsetCommitResponse>(commit, 9, arena_).topics[0].partitions;
    ASSERT_EQ(answer.size(), 2);
    EXPECT_EQ(answer[0].partition_index, 5);
    EXPECT_EQ(answer[0].error_code, ErrorCode::kUnknownTopicOrPartition);
    EXPECT_EQ(answer[1].error_code, ErrorCode::kNone);
    EXPECT_EQ(offset_of(broker), 7);
    broker.stop();
  }
  TestBroker broker(root_, {"offsets.topic.num.partitions=3"});
  ASSERT_TRUE(broker.started());
  EXPECT_EQ(offset_of(broker), 7);
}

// Old versions of librdkafka switch features off unless the advertised range holds one exact version; the
// versions of APIs that are not served yet are missing here.
TEST_F(BrokerTest, AdvertisedVersionsHoldWhatOldClientsLookFor) {
  TestBroker broker(root_);
  const auto response = broker.ask<protocol::ApiVersionsResponse>(
      protocol::ApiVersionsRequest{.client_software_name = "t", .client_software_version = "1"}, 4, arena_);
  std::map<int, std::pair<int, int>> ranges;
  for (const auto& api : response.api_keys) ranges[api.api_key] = {api.min_version, api.max_version};
  const std::multimap<int, int> wanted = {{0, 0}, {0, 3}, {0, 7},  {1, 4},  {1, 10},
                                          {2, 1}, {3, 0}, {10, 0}, {18, 0}, {22, 0}};
  for (const auto& [key, version] : wanted) {
    ASSERT_TRUE(ranges.contains(key)) << key;
    EXPECT_LE(ranges[key].first, version) << key;
    EXPECT_GE(ranges[key].second, version) << key;
  }
}

// docs/COMPATIBILITY.md is generated: run with MILENA_REWRITE_DOCS=1 after a change of the routes.
TEST_F(BrokerTest, TheCompatibilityPageListsWhatIsServed) {
  TestBroker broker(root_);
  const auto response = broker.ask<protocol::ApiVersionsResponse>(
      protocol::ApiVersionsRequest{.client_software_name = "t", .client_software_version = "1"}, 4, arena_);
  std::string table = "\n| key | API | advertised | answered |\n|---|---|---|---|\n";
  for (const auto& api : response.api_keys) {
    const auto info = std::ranges::find(protocol::kApis, api.api_key, &protocol::ApiInfo::key);
    table += fmt::format("| {} | {} | {}-{} | {}-{} |\n", api.api_key, info->name, api.min_version,
                         api.max_version, info->min_version, api.max_version);
  }
  const std::string path = "docs/COMPATIBILITY.md";
  std::ifstream file(path);
  std::string page((std::istreambuf_iterator<char>(file)), {});
  const std::string begin = "<!-- served APIs: begin -->", end = "<!-- served APIs: end -->";
  const auto from = page.find(begin), to = page.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("MILENA_REWRITE_DOCS") != nullptr) {  // NOLINT(concurrency-mt-unsafe): nobody sets one
    page.replace(from + begin.size(), to - from - begin.size(), "\n" + table + "\n");
    std::ofstream(path) << page;
    return;
  }
  EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), "\n" + table + "\n");
}

}  // namespace
}  // namespace milena::broker
