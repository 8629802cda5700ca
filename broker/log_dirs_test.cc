// Starts of a whole broker over one to three log directories that were moved, replaced, damaged or lost:
// nothing that was acknowledged is deleted, and what cannot be served says so.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "base/mem_fs.h"
#include "broker/testing/log_dirs_test_base.h"
#include "broker/verify.h"
#include "protocol/delete_topics.gen.h"
#include "protocol/describe_log_dirs.gen.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "protocol/metadata.gen.h"

namespace milena::broker {
namespace {

using testing::LogDirsTest;
using testing::TestBroker;

TEST_F(LogDirsTest, PartitionsAreSpreadOverTheDirectories) {
  fill("/a,/b,/c");
  EXPECT_EQ(lying_in("/a").size(), 2u);
  EXPECT_EQ(lying_in("/b").size(), 2u);
  EXPECT_EQ(lying_in("/c").size(), 2u);
}

TEST_F(LogDirsTest, TheOrderOfDirectoriesMeansNothing) {
  fill("/a,/b,/c");
  for (const char* order : {"/c,/b,/a", "/b,/a,/c", "/a/,/b/../b,/c"}) {
    auto broker = start(order);
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), all()) << order;
  }
}

TEST_F(LogDirsTest, OneDirectoryUnderTwoNamesIsRefused) {
  fill("/a,/b");
  EXPECT_EQ(start("/a,/b,/a/").refusal(), "log.dirs names /a twice");
}

TEST_F(LogDirsTest, AMetadataDirectoryInsideAPartitionIsRefused) {
  fill("/a");
  const auto refusal = start("/a", {"metadata.log.dir=/a/orders-0/metadata"}).refusal();
  EXPECT_NE(refusal.find("/a"), std::string::npos) << refusal;
  EXPECT_FALSE(disk_.exists("/a/orders-0/metadata"));
}

TEST_F(LogDirsTest, APartitionUnderTheNameOfAnotherTopicIsNamed) {
  fill("/a");
  fill("/a", "letters");
  ASSERT_TRUE(disk_.rename("/a/orders-0", "/kept"));
  ASSERT_TRUE(disk_.rename("/a/letters-0", "/a/orders-0"));
  auto broker = start("/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), (std::set{1, 2, 3, 4, 5}));
  EXPECT_NE(broker.lines().find("/a/orders-0 holds a partition of topic letters, not of orders"),
            std::string::npos)
      << broker.lines();
}

TEST_F(LogDirsTest, ADirectoryWithoutAnIdIsGivenOne) {
  fill("/a,/b");
  for (const std::string path : {"/b/meta.properties", "/a/meta.properties"}) {
    const auto bytes = read_file(disk_, path);
    ASSERT_TRUE(bytes);
    std::string text(as_text(*bytes));
    const auto at = text.find("directory.id=");
    text.erase(at, text.find('\n', at) - at + 1);
    write(path, text);
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "") << path;
    EXPECT_EQ(served(broker), all()) << path;
    broker.stop();
  }
}

TEST_F(LogDirsTest, ADirectoryThatIsAddedIsUsedForNewPartitions) {
  fill("/a");
  auto broker = start("/b,/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
  ASSERT_EQ(create_topic(broker, "more", kPartitions), ErrorCode::kNone);
  EXPECT_EQ(lying_in("/b", "more"), all());
}

TEST_F(LogDirsTest, ADirectoryThatIsLeftOutTakesItsPartitionsOfflineUntilItIsBack) {
  fill("/a,/b");
  const auto in_a = lying_in("/a"), in_b = lying_in("/b");
  for (int round = 0; round < 2; ++round) {
    auto broker = start("/a");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), in_a);
    EXPECT_NE(broker.lines().find("log directory /b "), std::string::npos) << broker.lines();
    EXPECT_EQ(lying_in("/a"), in_a);
    EXPECT_EQ(try_produce(broker, "orders", "x", *in_b.begin()).error_code, ErrorCode::kKafkaStorageError);
  }
  auto broker = start("/b,/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
  EXPECT_EQ(produce(broker, "orders", "x", *in_b.begin()), 1);
}

TEST_F(LogDirsTest, AStartWithoutTheMetadataLogIsRefusedAndNamesIt) {
  fill("/a,/b");
  const auto in_b = lying_in("/b");
  EXPECT_NE(start("/b").refusal().find("/a"), std::string::npos) << start("/b").refusal();
  // An empty disk in its place.
  ASSERT_TRUE(disk_.rename("/a", "/kept"));
  ASSERT_TRUE(disk_.make_directories("/a"));
  EXPECT_NE(start("/a,/b").refusal().find("/a"), std::string::npos);
  EXPECT_FALSE(disk_.exists("/a/meta.properties"));
  EXPECT_EQ(lying_in("/b"), in_b);
  ASSERT_TRUE(disk_.remove_tree("/a"));
  EXPECT_NE(start("/a,/b").refusal().find("/a"), std::string::npos);
  // Only the log is gone, or what was in it.
  ASSERT_TRUE(disk_.rename("/kept", "/a"));
  ASSERT_TRUE(disk_.rename("/a/__cluster_metadata-0", "/log"));
  EXPECT_NE(start("/a,/b").refusal(), "");
  ASSERT_TRUE(disk_.make_directories("/a/__cluster_metadata-0"));
  EXPECT_NE(start("/a,/b").refusal().find("/a"), std::string::npos);
  ASSERT_TRUE(disk_.remove_tree("/a/__cluster_metadata-0"));
  ASSERT_TRUE(disk_.rename("/log", "/a/__cluster_metadata-0"));
  auto broker = start("/b,/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsTest, AnEmptyDirectoryInPlaceOfOneWithDataIsNotUsed) {
  fill("/a,/b");
  const auto in_a = lying_in("/a"), in_b = lying_in("/b");
  ASSERT_TRUE(disk_.rename("/b", "/disk"));
  for (const bool is_there : {false, true}) {
    if (is_there) ASSERT_TRUE(disk_.make_directories("/b"));
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), in_a);
    ASSERT_EQ(create_topic(broker, is_there ? "two" : "one", 2), ErrorCode::kNone);
    EXPECT_FALSE(disk_.exists("/b/meta.properties"));
  }
  if (disk_.exists("/b")) ASSERT_TRUE(disk_.remove_tree("/b"));
  ASSERT_TRUE(disk_.rename("/disk", "/b"));
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsTest, ADirectoryDeclaredLostHasItsPartitionsMadeAnew) {
  fill("/a,/b");
  const auto in_a = lying_in("/a"), in_b = lying_in("/b");
  const std::string meta(as_text(*read_file(disk_, "/b/meta.properties")));
  const auto at = meta.find("directory.id=") + 13;
  const std::string id = meta.substr(at, meta.find('\n', at) - at);
  ASSERT_TRUE(disk_.rename("/b", "/old"));
  {
    auto broker = start("/a,/b", {"milena.lost.log.dirs=" + id});
    ASSERT_EQ(broker.refusal(), "");
    for (const int i : in_b) EXPECT_EQ(produce(broker, "orders", value_of("orders", i), i), 0);
    EXPECT_EQ(served(broker), all());
    broker.stop();
  }
  {
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), all());
    broker.stop();
  }
  // The old one is back after all: what has been made since goes on, and the copies are kept and named.
  ASSERT_TRUE(disk_.rename("/old", "/c"));
  auto broker = start("/a,/b,/c");
  ASSERT_EQ(broker.refusal(), "");
  for (const int i : in_b) {
    EXPECT_EQ(produce(broker, "orders", "x", i), 1);
    EXPECT_NE(broker.lines().find("orders-" + std::to_string(i) + " lies in /"), std::string::npos)
        << broker.lines();
  }
  EXPECT_EQ(lying_in("/c"), in_b);
}

TEST_F(LogDirsTest, MetadataLogDirIsHonoured) {
  {
    auto broker = start("/a,/b", {"metadata.log.dir=/m"});
    ASSERT_EQ(broker.refusal(), "");
    ASSERT_EQ(create_topic(broker, "orders", kPartitions), ErrorCode::kNone);
    for (int i = 0; i < kPartitions; ++i) produce(broker, "orders", value_of("orders", i), i);
    broker.stop();
  }
  EXPECT_TRUE(disk_.exists("/m/__cluster_metadata-0"));
  EXPECT_FALSE(disk_.exists("/a/__cluster_metadata-0"));
  EXPECT_NE(start("/a,/b").refusal().find("/m"), std::string::npos) << start("/a,/b").refusal();
  EXPECT_NE(start("/a,/b", {"metadata.log.dir=/a"}).refusal().find("/m"), std::string::npos);
  EXPECT_NE(start("/a,/b", {"metadata.log.dir=/n"}).refusal().find("/n"), std::string::npos);
  EXPECT_FALSE(disk_.exists("/n"));
  auto broker = start("/b,/a", {"metadata.log.dir=/m"});
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsTest, MetadataLogDirThatIsNotWhereTheLogLiesIsRefused) {
  fill("/a,/b");
  const std::string why = start("/a,/b", {"metadata.log.dir=/b"}).refusal();
  EXPECT_NE(why.find("/a"), std::string::npos) << why;
  EXPECT_EQ(start("/b,/a", {"metadata.log.dir=/a"}).refusal(), "");
}

TEST_F(LogDirsTest, TwoMetadataLogsAreRefusedAndNamed) {
  fill("/a");
  fill("/b");
  ASSERT_TRUE(disk_.remove("/b/meta.properties"));
  const std::string why = start("/a,/b").refusal();
  EXPECT_NE(why.find("/a and in /b"), std::string::npos) << why;
}

TEST_F(LogDirsTest, FoldersOfOthersAreNotTouched) {
  for (const char* folder :
       {"/data/photos-2024", "/data/my-project-7", "/data/orders-0", "/data/old-1-delete"}) {
    ASSERT_TRUE(disk_.make_directories(folder));
    write(std::string(folder) + "/file", "mine");
  }
  const std::string deleted = "/data/x-0.0123456789abcdef0123456789abcdef-delete";
  ASSERT_TRUE(disk_.make_directories(deleted));
  write(deleted + "/file", "mine");
  for (int round = 0; round < 2; ++round) {
    auto broker = start("/data");
    ASSERT_EQ(broker.refusal(), "");
    if (round == 0) {
      // Its name is taken.
      ASSERT_EQ(create_topic(broker, "my-project", 8), ErrorCode::kNone);
      produce(broker, "my-project", "x", 6);
      EXPECT_NE(try_produce(broker, "my-project", "x", 7).error_code, ErrorCode::kNone);
    }
    broker.stop();
    for (const auto& folder :
         std::vector<std::string>{"/data/photos-2024", "/data/my-project-7", "/data/orders-0", deleted}) {
      EXPECT_EQ(disk_.list(folder)->size(), 1u) << folder;
      EXPECT_EQ(as_text(*read_file(disk_, folder + "/file")), "mine") << folder;
    }
  }
}

TEST_F(LogDirsTest, PartitionsOfUnknownTopicsAreKeptAsStrays) {
  fill("/other", "strangers");
  fill("/a");
  ASSERT_TRUE(disk_.rename("/other/strangers-3", "/a/strangers-3"));
  ASSERT_TRUE(disk_.rename("/other/strangers-4", "/a/orders-77"));  // of another topic under this name
  for (int round = 0; round < 2; ++round) {
    auto broker = start("/a");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), all());
    EXPECT_NE(broker.lines().find("2 directories named *-stray"), std::string::npos) << broker.lines();
    EXPECT_EQ(names_in("/a", "-stray").size(), 2u);
    broker.stop();
  }
  for (const auto& name : names_in("/a", "-stray")) {
    const auto records = read_file(disk_, "/a/" + name + "/00000000000000000000.log");
    ASSERT_TRUE(records);
    EXPECT_NE(as_text(*records).find("value of strangers"), std::string_view::npos);
  }
}

TEST_F(LogDirsTest, ADirectoryOfADeletedTopicIsRemovedAtTheNextStart) {
  fill("/a");
  {
    auto broker = start("/a");
    ASSERT_EQ(broker.refusal(), "");
    disk_.fail({.call = "remove_all", .code = ENOSPC, .for_good = true});
    protocol::DeleteTopicsRequest request;
    request.topics = arena_.array<protocol::DeleteTopicsRequest::DeleteTopicState>(1);
    request.topics[0].name = "orders";
    EXPECT_EQ(broker.ask<protocol::DeleteTopicsResponse>(request, 6, arena_).responses[0].error_code,
              ErrorCode::kNone);
    broker.stop();
    disk_.clear_faults();
  }
  EXPECT_EQ(names_in("/a", "-delete").size(), std::size_t{kPartitions});
  start("/a").stop();
  EXPECT_TRUE(names_in("/a", "-delete").empty());
}

TEST_F(LogDirsTest, PartitionMetadataThatIsMissingOrDamagedTakesThePartitionOffline) {
  const std::string path = "/a/orders-2/partition.metadata";
  for (const char* text :
       {"", "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA", "vers", "version: 1\nx: y", "missing"}) {
    disk_.crash(MemFs::Loss::kNothing);
    if (disk_.exists("/a")) ASSERT_TRUE(disk_.remove_tree("/a"));
    fill("/a");
    const auto whole = *read_file(disk_, path);
    if (text == std::string_view("missing")) {
      ASSERT_TRUE(disk_.remove(path));
    } else {
      write(path, text);
    }
    auto expected = all();
    expected.erase(2);
    {
      auto broker = start("/a");
      ASSERT_EQ(broker.refusal(), "");
      EXPECT_EQ(served(broker), expected) << text;
      const bool is_newer = std::string_view(text).starts_with("version: 1");
      EXPECT_NE(broker.lines().find(is_newer ? "newer version" : "milena verify /a --adopt orders-2"),
                std::string::npos)
          << broker.lines();
      EXPECT_TRUE(names_in("/a", "-stray").empty());
      broker.stop();
    }
    write(path, as_text(whole));
    auto broker = start("/a");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), all()) << text;
  }
}

TEST_F(LogDirsTest, VerifyAdoptsPartitionsThatHaveLostTheirMetadata) {
  fill("/a,/b");
  const int lost = *lying_in("/b").begin(), gone = *lying_in("/b").rbegin();
  const std::string lost_name = "orders-" + std::to_string(lost),
                    gone_name = "orders-" + std::to_string(gone);
  EXPECT_TRUE(
      verify_log_directory(disk_, {.directory = "/b", .metadata_directory = {}, .adopt = {}}).is_fine);
  ASSERT_TRUE(disk_.remove("/b/" + lost_name + "/partition.metadata"));
  ASSERT_TRUE(disk_.remove_tree("/b/" + gone_name));
  const auto found = verify_log_directory(disk_, {.directory = "/b", .metadata_directory = {}, .adopt = {}});
  EXPECT_FALSE(found.is_fine);
  EXPECT_NE(found.text.find(lost_name + ": "), std::string::npos) << found.text;
  EXPECT_NE(found.text.find("no partition.metadata"), std::string::npos) << found.text;
  {
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    auto expected = all();
    expected.erase(lost);
    expected.erase(gone);
    EXPECT_EQ(served(broker), expected);
    const auto busy =
        verify_log_directory(disk_, {.directory = "/b", .metadata_directory = {}, .adopt = {lost_name}});
    EXPECT_FALSE(busy.is_fine);
    EXPECT_NE(busy.text.find("in use"), std::string::npos) << busy.text;
    broker.stop();
  }
  const auto refused =
      verify_log_directory(disk_, {.directory = "/b", .metadata_directory = {}, .adopt = {"orders-99", "x"}});
  EXPECT_FALSE(refused.is_fine);
  const auto adopted = verify_log_directory(
      disk_, {.directory = "/b", .metadata_directory = {}, .adopt = {lost_name, gone_name}});
  EXPECT_TRUE(adopted.is_fine) << adopted.text;
  EXPECT_NE(adopted.text.find(lost_name + ": adopted\n"), std::string::npos) << adopted.text;
  EXPECT_NE(adopted.text.find(gone_name + ": adopted, empty\n"), std::string::npos) << adopted.text;
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(produce(broker, "orders", value_of("orders", gone), gone), 0);
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsTest, PartitionMetadataWithoutRecordsBesideItIsWrittenAnew) {
  {
    auto broker = start("/a");
    ASSERT_EQ(create_topic(broker, "orders", kPartitions), ErrorCode::kNone);
    broker.stop();
  }
  const std::string path = "/a/orders-2/partition.metadata";
  const std::string whole(as_text(*read_file(disk_, path)));
  write(path, "");
  auto broker = start("/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(produce(broker, "orders", "x", 2), 0);
  EXPECT_EQ(as_text(*read_file(disk_, path)), whole);
}

TEST_F(LogDirsTest, APartitionDirectoryThatWasMovedIsFound) {
  fill("/a,/b");
  const int moved = *lying_in("/b").begin();
  const std::string name = "/orders-" + std::to_string(moved);
  ASSERT_TRUE(disk_.rename("/b" + name, "/a" + name));
  {
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), all());
    broker.stop();
  }
  // The controller knows: without /b it is still served.
  const auto in_a = lying_in("/a");
  auto broker = start("/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), in_a);
}

// Copies a flat directory.

TEST_F(LogDirsTest, AnOldCopyDoesNotTakeThePlaceOfAMissingReplica) {
  fill("/a,/b");
  const int copied = *lying_in("/b").begin();
  const std::string name = "/orders-" + std::to_string(copied);
  copy("/b" + name, "/a" + name);
  {
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(produce(broker, "orders", "later", copied), 1);
    EXPECT_NE(broker.lines().find(" lies in /"), std::string::npos) << broker.lines();
    broker.stop();
  }
  {  // Its directory is missing.
    auto broker = start("/a");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(try_fetch(broker, "orders", copied).error_code, ErrorCode::kKafkaStorageError);
    broker.stop();
  }
  ASSERT_TRUE(disk_.rename("/b" + name, "/kept"));
  {  // Only the replica is: the checkpoint of its directory knows better than the copy.
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(try_fetch(broker, "orders", copied).error_code, ErrorCode::kKafkaStorageError);
    EXPECT_NE(broker.lines().find("old copy"), std::string::npos) << broker.lines();
    broker.stop();
  }
  ASSERT_TRUE(disk_.rename("/kept", "/b" + name));
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(produce(broker, "orders", "last", copied), 2);
}

TEST_F(LogDirsTest, VerifyAdoptsNothingThatLiesElsewhereOrIsOfAnotherCluster) {
  fill("/other");
  fill("/a,/b");
  const std::string in_b = "orders-" + std::to_string(*lying_in("/b").begin());
  EXPECT_FALSE(
      verify_log_directory(disk_, {.directory = "/a", .metadata_directory = {}, .adopt = {in_b}}).is_fine);
  EXPECT_FALSE(disk_.exists("/a/" + in_b));
  ASSERT_TRUE(disk_.remove("/b/" + in_b + "/partition.metadata"));
  EXPECT_FALSE(
      verify_log_directory(disk_, {.directory = "/b", .metadata_directory = "/other", .adopt = {in_b}})
          .is_fine);
  EXPECT_FALSE(disk_.exists("/b/" + in_b + "/partition.metadata"));
}

TEST_F(LogDirsTest, ALogDirectoryInsideAPartitionIsRefused) {
  fill("/a");
  const std::string why = start("/a,/a/orders-0").refusal();
  EXPECT_NE(why.find("/a/orders-0"), std::string::npos) << why;
  EXPECT_NE(start("/a,/a/__cluster_metadata-0/x").refusal() + start("/a,/a/__cluster_metadata-0").refusal(),
            "");
}

TEST_F(LogDirsTest, APartitionDirectoryThatIsGoneIsNotMadeAnewIfItHeldRecords) {
  fill("/a");
  ASSERT_TRUE(disk_.rename("/a/orders-2", "/orders-2"));
  {
    auto broker = start("/a");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(try_fetch(broker, "orders", 2).error_code, ErrorCode::kKafkaStorageError);
    EXPECT_NE(broker.lines().find("/a/orders-2 is gone"), std::string::npos) << broker.lines();
    broker.stop();
  }
  ASSERT_TRUE(disk_.rename("/orders-2", "/a/orders-2"));
  auto broker = start("/a");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsTest, InFsyncModeWhatRecoveryHasFoundIsThereForTheFirstClient) {
  fill("/a,/b");
  for (const char* name : {"/.kafka_cleanshutdown", "/recovery-point-offset-checkpoint"}) {
    ASSERT_TRUE(disk_.remove(std::string("/a") + name));
    ASSERT_TRUE(disk_.remove(std::string("/b") + name));
  }
  auto broker = start("/a,/b", {"milena.durability=fsync"});
  ASSERT_EQ(broker.refusal(), "");
  for (int i = 0; i < kPartitions; ++i) EXPECT_EQ(try_fetch(broker, "orders", i).high_watermark, 1) << i;
}

TEST_F(LogDirsTest, DirectoriesOfSomebodyElseAreRefused) {
  fill("/a");
  fill("/b");
  EXPECT_NE(start("/a", {"node.id=7"}).refusal().find("/a"), std::string::npos);
  ASSERT_TRUE(disk_.remove_tree("/b/__cluster_metadata-0"));
  EXPECT_NE(start("/a,/b").refusal().find("belongs to cluster"), std::string::npos);
}

TEST_F(LogDirsTest, ACopyOfADirectoryIsRefused) {
  fill("/a,/b");
  ASSERT_TRUE(disk_.make_directories("/c"));
  write("/c/meta.properties", as_text(*read_file(disk_, "/b/meta.properties")));
  const std::string why = start("/a,/b,/c").refusal();
  EXPECT_NE(why.find("/b and /c"), std::string::npos) << why;
}

TEST_F(LogDirsTest, DescribeLogDirsTellsWhatLiesWhere) {
  fill("/other", "strangers");
  fill("/a,/b,/c");
  ASSERT_TRUE(disk_.rename("/other/strangers-3", "/a/strangers-3"));
  const auto in_a = lying_in("/a");
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  auto told = describe(broker);
  ASSERT_EQ(told.size(), 2u);
  const auto& a = told.at("/a");
  EXPECT_EQ(a.error_code, ErrorCode::kNone);
  ASSERT_EQ(a.topics.size(), 2u);
  EXPECT_EQ(a.topics[0].name, "orders");
  EXPECT_EQ(a.topics[0].partitions.size(), in_a.size());
  for (const auto& partition : a.topics[0].partitions) EXPECT_GT(partition.partition_size, 0);
  EXPECT_TRUE(a.topics[1].name.ends_with("-stray")) << a.topics[1].name;
  EXPECT_GT(a.topics[1].partitions[0].partition_size, 0);
  broker.stop();
  disk_.fail({.call = "open", .code = EIO, .for_good = true, .path_part = "/b"});
  auto without = start("/a,/b");
  EXPECT_EQ(describe(without).at("/b").error_code, ErrorCode::kKafkaStorageError);
}

TEST_F(LogDirsTest, ACordonedDirectoryGetsNoNewPartitions) {
  fill("/a,/b");
  const auto in_b = lying_in("/b");
  {
    auto broker = start("/a,/b", {"cordoned.log.dirs=/b/"});
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_TRUE(describe(broker).at("/b").is_cordoned);
    EXPECT_FALSE(describe(broker).at("/a").is_cordoned);
    EXPECT_EQ(served(broker), all());
    ASSERT_EQ(create_topic(broker, "one", kPartitions), ErrorCode::kNone);
    EXPECT_EQ(lying_in("/a", "one"), all());
    ASSERT_EQ(set_config(broker, "cordoned.log.dirs", "*"), ErrorCode::kNone);
    EXPECT_TRUE(describe(broker).at("/a").is_cordoned);
    EXPECT_EQ(create_topic(broker, "two", 1), ErrorCode::kInvalidReplicationFactor);
    ASSERT_EQ(set_config(broker, "cordoned.log.dirs", "/a"), ErrorCode::kNone);
    ASSERT_EQ(create_topic(broker, "three", kPartitions), ErrorCode::kNone);
    EXPECT_EQ(lying_in("/b", "three"), all());
    broker.stop();
  }
  auto broker = start("/a,/b");  // what was set last is in force
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_TRUE(describe(broker).at("/a").is_cordoned);
  EXPECT_FALSE(describe(broker).at("/b").is_cordoned);
}

TEST_F(LogDirsTest, ADirectoryThatFailsWhileRunningIsNamedAndLosesItsLeaders) {
  fill("/a,/b");
  const auto in_a = lying_in("/a"), in_b = lying_in("/b");
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  disk_.fail({.call = "pwritev", .code = EIO, .for_good = true, .path_part = "/b/"});
  EXPECT_EQ(try_produce(broker, "orders", "x", *in_b.begin()).error_code, ErrorCode::kKafkaStorageError);
  const auto leaderless = [&] {
    const auto answer = broker.ask<protocol::MetadataResponse>(protocol::MetadataRequest{}, 12, arena_);
    std::set<int> out;
    for (const auto& partition : answer.topics[0].partitions) {
      if (partition.leader_id == protocol::kNoBroker) out.insert(partition.partition_index.value);
    }
    return out;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (leaderless().empty() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(leaderless(), in_b);
  EXPECT_NE(broker.lines().find("log directory /b has failed: pwritev"), std::string::npos) << broker.lines();
  EXPECT_EQ(served(broker), in_a);
  broker.stop();
  disk_.clear_faults();
  auto again = start("/a,/b");
  ASSERT_EQ(again.refusal(), "");
  EXPECT_EQ(served(again), all());
}

TEST_F(LogDirsTest, ADirectoryThatCannotBeReadTakesItsPartitionsOffline) {
  fill("/a,/b");
  const auto in_a = lying_in("/a");
  for (const char* call : {"open", "opendir"}) {
    disk_.fail({.call = call, .code = EIO, .for_good = true, .path_part = "/b"});
    {
      auto broker = start("/a,/b");
      ASSERT_EQ(broker.refusal(), "");
      EXPECT_EQ(served(broker), in_a) << call;
      EXPECT_NE(broker.lines().find("/b"), std::string::npos);
      broker.stop();
    }
    disk_.clear_faults();
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), all()) << call;
    broker.stop();
  }
}

}  // namespace
}  // namespace milena::broker
