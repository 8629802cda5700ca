// What operators do to log directories by mistake or in need: old copies, files that are lost, settings that
// stay: nothing that was acknowledged is hidden or deleted, nothing foreign is touched, and a line says it.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "broker/testing/log_dirs_test_base.h"
#include "broker/verify.h"
#include "protocol/delete_records.gen.h"
#include "protocol/delete_topics.gen.h"

namespace milena::broker {
namespace {

using testing::TestBroker;

class LogDirsFaultsTest : public testing::LogDirsTest {
 protected:
  void delete_records(TestBroker& broker, std::string_view topic, int partition, std::int64_t offset) {
    protocol::DeleteRecordsRequest request{.timeout_ms = 10'000};
    request.topics = arena_.array<protocol::DeleteRecordsRequest::DeleteRecordsTopic>(1);
    request.topics[0].name = topic;
    request.topics[0].partitions =
        arena_.array<protocol::DeleteRecordsRequest::DeleteRecordsTopic::DeleteRecordsPartition>(1);
    request.topics[0].partitions[0].partition_index = partition;
    request.topics[0].partitions[0].offset = offset;
    const auto answer = broker.ask<protocol::DeleteRecordsResponse>(request, 2, arena_);
    ASSERT_EQ(answer.topics[0].partitions[0].error_code, ErrorCode::kNone);
  }
  // Of topic "orders" over /a and /b: its first record is deleted, then it is moved from /b to /a.
  int move_one_that_begins_at_1() {
    fill("/a,/b");
    const int moved = *lying_in("/b").begin();
    const std::string name = "/orders-" + std::to_string(moved);
    auto broker = start("/a,/b");
    produce(broker, "orders", "another", moved);
    delete_records(broker, "orders", moved, 1);
    broker.stop();
    EXPECT_TRUE(disk_.rename("/b" + name, "/a" + name));
    return moved;
  }
  bool is_fine(const std::string& directory) { return verified(directory).is_fine; }
  VerifyReport verified(const std::string& directory, std::vector<std::string> adopt = {}) {
    return verify_log_directory(
        disk_, {.directory = directory, .metadata_directory = {}, .adopt = std::move(adopt)});
  }
};

TEST_F(LogDirsFaultsTest, AnOlderMetadataLogBesideNewerDataIsRefused) {
  fill("/a,/b");
  copy("/a", "/backup");
  for (const bool is_clean : {true, false}) {
    const std::string topic = is_clean ? "letters" : "cards";
    fill("/a,/b", topic);
    const auto in_b = lying_in("/b", topic);
    ASSERT_FALSE(in_b.empty());
    if (!is_clean) ASSERT_TRUE(disk_.remove("/b/.kafka_cleanshutdown"));
    ASSERT_TRUE(disk_.rename("/a", "/newer"));
    copy("/backup", "/a");
    const std::string metadata = text_of("/a/__cluster_metadata-0/00000000000000000000.log");
    const std::string why = start("/a,/b").refusal();
    EXPECT_NE(why.find("the metadata log in /a ends at offset"), std::string::npos) << why;
    EXPECT_NE(why.find("is not the one that /b followed"), std::string::npos) << why;
    EXPECT_EQ(text_of("/a/__cluster_metadata-0/00000000000000000000.log"), metadata);
    EXPECT_EQ(lying_in("/b", topic), in_b) << "nothing is set aside";
    ASSERT_TRUE(disk_.remove_tree("/a"));
    ASSERT_TRUE(disk_.rename("/newer", "/a"));
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker, topic), all());
    broker.stop();
  }
}

// The topic was made, and the broker was killed before it could note anything else.
TEST_F(LogDirsFaultsTest, ATopicThatWasMadeIsFollowedAtOnce) {
  fill("/a,/b");
  copy("/a", "/backup");
  auto broker = start("/a,/b");
  ASSERT_EQ(create_topic(broker, "letters", kPartitions), ErrorCode::kNone);
  copy("/b", "/killed");
  broker.stop();
  ASSERT_TRUE(disk_.remove_tree("/a"));
  ASSERT_TRUE(disk_.remove_tree("/b"));
  ASSERT_TRUE(disk_.rename("/backup", "/a"));
  ASSERT_TRUE(disk_.rename("/killed", "/b"));
  EXPECT_NE(start("/a,/b").refusal().find("older copy"), std::string::npos);
}

TEST_F(LogDirsFaultsTest, ARestoredMetadataLogThatWentItsOwnWayIsRefusedBesideTheDataItDoesNotKnow) {
  fill("/a,/b");
  copy("/a", "/backup");
  fill("/a,/b", "letters");
  ASSERT_TRUE(disk_.remove_tree("/a"));
  ASSERT_TRUE(disk_.rename("/backup", "/a"));
  for (int i = 0; i < 20; ++i) fill("/a", "topic-" + std::to_string(i));  // longer than the other one was
  EXPECT_NE(start("/a,/b").refusal().find("of another history"), std::string::npos);
}

TEST_F(LogDirsFaultsTest, AMetadataLogIsFollowedThroughItsSnapshots) {
  const std::vector<std::string> often{"metadata.log.max.record.bytes.between.snapshots=100"};
  for (int i = 0; i < 5; ++i) {
    auto broker = start("/a,/b", often);
    ASSERT_EQ(broker.refusal(), "");
    ASSERT_EQ(create_topic(broker, "topic-" + std::to_string(i), kPartitions), ErrorCode::kNone);
    broker.stop();
  }
  EXPECT_FALSE(names_in("/a/__cluster_metadata-0", ".checkpoint").empty());
  EXPECT_EQ(start("/a,/b", often).refusal(), "");
}

TEST_F(LogDirsFaultsTest, APartitionThatWasRenamedIsNotMadeAnew) {
  for (const std::string other : {"letters-0", "orders-77"}) {
    fill("/a", "orders");
    for (const char* name : {"/a/.kafka_cleanshutdown", "/a/recovery-point-offset-checkpoint"})
      ASSERT_TRUE(disk_.remove(name));  // as after a kill before the first checkpoint
    ASSERT_TRUE(disk_.rename("/a/orders-2", "/a/" + other));
    {
      auto broker = start("/a");
      ASSERT_EQ(broker.refusal(), "");
      EXPECT_EQ(served(broker), (std::set{0, 1, 3, 4, 5}));
      EXPECT_TRUE(tells(broker, "/a/" + other + " holds a partition of topic orders"));
      EXPECT_FALSE(disk_.exists("/a/orders-2"));
      broker.stop();
    }
    ASSERT_TRUE(disk_.rename("/a/" + other, "/a/orders-2"));
    {
      auto broker = start("/a");
      EXPECT_EQ(served(broker), all());
      broker.stop();
    }
    ASSERT_TRUE(disk_.remove_tree("/a"));
  }
}

TEST_F(LogDirsFaultsTest, AStrayIsTakenBackWhenTheMetadataKnowsItAgain) {
  fill("/a,/b");
  copy("/a", "/backup");
  fill("/a,/b", "letters");
  const auto in_b = lying_in("/b", "letters");
  ASSERT_FALSE(in_b.empty());
  ASSERT_TRUE(disk_.rename("/a", "/newer"));
  ASSERT_TRUE(disk_.rename("/backup", "/a"));
  forget_metadata_of("/b");
  {
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_TRUE(tells(broker, "belongs to no topic of this cluster: kept as"));
    broker.stop();
  }
  EXPECT_TRUE(lying_in("/b", "letters").empty());
  ASSERT_TRUE(disk_.remove_tree("/a"));
  ASSERT_TRUE(disk_.rename("/newer", "/a"));
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker, "letters"), all());
  EXPECT_EQ(lying_in("/b", "letters"), in_b);
  EXPECT_TRUE(tells(broker, "is taken back from letters-"));
  EXPECT_FALSE(tells(broker, "directories named *-stray"));
}

TEST_F(LogDirsFaultsTest, AStrayComesBackAsItWasThoughItsNameWasAnothersMeanwhile) {
  fill("/a,/b");
  copy("/a", "/backup");
  fill("/a,/b", "letters");
  const int index = *lying_in("/b", "letters").begin();
  {
    auto broker = start("/a,/b");
    for (int i = 1; i < 5; ++i) produce(broker, "letters", "more", index);
    delete_records(broker, "letters", index, 3);
    broker.stop();
  }
  ASSERT_TRUE(disk_.rename("/a", "/newer"));
  ASSERT_TRUE(disk_.rename("/backup", "/a"));
  forget_metadata_of("/b");
  start("/a,/b").stop();
  fill("/a,/b", "letters");  // another topic of that name
  ASSERT_TRUE(disk_.remove_tree("/a"));
  ASSERT_TRUE(disk_.rename("/newer", "/a"));
  forget_metadata_of("/b");
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(try_fetch(broker, "letters", index).error_code, ErrorCode::kOffsetOutOfRange) << "0 was deleted";
  EXPECT_EQ(produce(broker, "letters", "x", index), 5);
  EXPECT_FALSE(names_in("/b", "-stray").empty()) << "the other one is kept";
}

TEST_F(LogDirsFaultsTest, ALogStartAboveTheRecordsOfACleanLogDeletesNothing) {
  fill("/a");
  write("/a/log-start-offset-checkpoint", "0\n1\norders 2 50\n");
  {
    auto broker = start("/a");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), (std::set{0, 1, 3, 4, 5}));
    EXPECT_TRUE(tells(broker, "log-start-offset-checkpoint puts the start above the end"));
    broker.stop();
  }
  write("/a/log-start-offset-checkpoint", "0\n0\n");
  auto broker = start("/a");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsFaultsTest, WhatWasDeletedStaysDeletedWhenAPartitionIsMoved) {
  const int moved = move_one_that_begins_at_1();
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(try_fetch(broker, "orders", moved).error_code, ErrorCode::kOffsetOutOfRange);
}

TEST_F(LogDirsFaultsTest, WhatIsKnownOfAMovedPartitionIsWrittenBeforeItIsServed) {
  const int moved = move_one_that_begins_at_1();
  for (int round = 0; round < 2; ++round) {
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(try_fetch(broker, "orders", moved).error_code, ErrorCode::kOffsetOutOfRange) << round;
    disk_.fail({.code = EIO, .for_good = true});
    broker.stop();
    disk_.crash(MemFs::Loss::kUnsynced);
    disk_.clear_faults();
  }
}

TEST_F(LogDirsFaultsTest, AnOldCopyThatWasMovedInIsNotCut) {
  fill("/a,/b");
  const int index = *lying_in("/b").begin();
  const std::string name = "/orders-" + std::to_string(index);
  copy("/b" + name, "/copy");
  {
    auto broker = start("/a,/b");
    for (int i = 0; i < 5; ++i) produce(broker, "orders", "more", index);
    delete_records(broker, "orders", index, 4);
    broker.stop();
  }
  ASSERT_TRUE(disk_.remove("/a/.kafka_cleanshutdown"));
  ASSERT_TRUE(disk_.rename("/b" + name, "/kept"));
  ASSERT_TRUE(disk_.rename("/copy", "/a" + name));
  const std::string records = text_of("/a" + name + "/00000000000000000000.log");
  {
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_TRUE(tells(broker, "this is an old copy"));
    EXPECT_FALSE(served(broker).contains(index));
    broker.stop();
  }
  EXPECT_EQ(text_of("/a" + name + "/00000000000000000000.log"), records);
  ASSERT_TRUE(disk_.remove_tree("/a" + name));
  ASSERT_TRUE(disk_.rename("/kept", "/b" + name));
  auto broker = start("/a,/b");
  EXPECT_EQ(produce(broker, "orders", "x", index), 6);
}

TEST_F(LogDirsFaultsTest, WhatIsInTheWayOfAStrayIsNamedAndNothingElseSuffers) {
  fill("/a");
  const std::string stray = "/a/orders-2.0123456789abcdef0123456789abcdef-stray";
  for (const bool is_folder : {true, false}) {
    ASSERT_TRUE(disk_.rename("/a/orders-2", stray));
    if (is_folder) ASSERT_TRUE(disk_.make_directories("/a/orders-2"));
    if (!is_folder) write("/a/orders-2", "a file");
    {
      auto broker = start("/a");
      ASSERT_EQ(broker.refusal(), "");
      EXPECT_EQ(served(broker), (std::set{0, 1, 3, 4, 5}));
      EXPECT_TRUE(tells(broker, is_folder ? "has its name: move that one away" : "is in the way"));
      broker.stop();
    }
    ASSERT_TRUE(disk_.remove_tree("/a/orders-2"));
    auto broker = start("/a");
    EXPECT_EQ(served(broker), all());
    broker.stop();
  }
}

TEST_F(LogDirsFaultsTest, AStrayInAnotherDirectoryIsTakenBackThere) {
  fill("/a,/b");
  const int index = *lying_in("/b").begin();
  const std::string name = "orders-" + std::to_string(index);
  ASSERT_TRUE(disk_.rename("/b/" + name, "/a/" + name + ".0123456789abcdef0123456789abcdef-stray"));
  ASSERT_TRUE(disk_.remove("/b/recovery-point-offset-checkpoint"));
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsFaultsTest, ANewDirectoryWithPartitionsOfThisClusterIsUsed) {
  fill("/a,/b");
  const std::string name = "orders-" + std::to_string(*lying_in("/b").begin());
  ASSERT_TRUE(disk_.make_directories("/c"));
  ASSERT_TRUE(disk_.rename("/b/" + name, "/c/" + name));
  auto broker = start("/a,/b,/c");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsFaultsTest, ADirectoryThatIsHereOrNamedIsNotLost) {
  fill("/a,/b");
  const auto in_a = lying_in("/a"), in_b = lying_in("/b");
  const std::string id = id_of("/b");
  EXPECT_EQ(start("/a,/b", {"milena.lost.log.dirs=" + id}).refusal(),
            "milena.lost.log.dirs names /b, which is here and is used: take it out");
  const std::string meta = text_of("/b/meta.properties");
  ASSERT_TRUE(disk_.remove("/b/meta.properties"));
  EXPECT_EQ(
      start("/a,/b", {"milena.lost.log.dirs=" + id}).refusal(),
      "milena.lost.log.dirs names /b, which holds partitions and has lost its meta.properties: put that file "
      "back");
  write("/b/meta.properties", meta);
  disk_.fail({.call = "flock", .code = EROFS, .for_good = true, .path_part = "/b/"});
  const std::string refusal = start("/a,/b", {"milena.lost.log.dirs=" + id}).refusal();
  EXPECT_NE(refusal.find("names /b, which is in log.dirs and cannot be used for now"), std::string::npos)
      << refusal;
  {
    auto broker = start("/a,/b");
    ASSERT_EQ(broker.refusal(), "");
    EXPECT_EQ(served(broker), in_a);
    EXPECT_TRUE(tells(broker, "log directory /b cannot be used"));
    EXPECT_FALSE(tells(broker, "milena.lost.log.dirs"));
    broker.stop();
  }
  disk_.clear_faults();
  auto broker = start("/a,/b");
  EXPECT_EQ(served(broker), all());
  EXPECT_EQ(lying_in("/b"), in_b);
}

TEST_F(LogDirsFaultsTest, ARefusedStartMakesNoClusterOfADataDirectory) {
  fill("/a,/b");
  const std::string meta = text_of("/b/meta.properties");
  ASSERT_TRUE(disk_.remove("/b/meta.properties"));
  const auto refusal = start("/b").refusal();
  EXPECT_NE(refusal.find("/a"), std::string::npos) << refusal;
  EXPECT_FALSE(disk_.exists("/b/meta.properties"));
  EXPECT_FALSE(disk_.exists("/b/__cluster_metadata-0"));
  ASSERT_TRUE(disk_.remove("/b/.milena-log-dirs"));  // then its partitions tell
  EXPECT_NE(start("/b").refusal().find("/b holds partitions"), std::string::npos);
  EXPECT_FALSE(disk_.exists("/b/meta.properties"));
  write("/b/meta.properties", meta);
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsFaultsTest, PartitionsWithoutAnOwnerAreNotTakenIn) {
  fill("/x,/y", "theirs");
  ASSERT_TRUE(disk_.remove("/y/meta.properties"));
  const auto theirs = lying_in("/y", "theirs");
  const std::string checkpoint = text_of("/y/recovery-point-offset-checkpoint");
  fill("/a");
  auto broker = start("/a,/y");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_TRUE(
      tells(broker, "log directory /y cannot be used: it has no meta.properties, but holds partitions"));
  EXPECT_EQ(served(broker), all());
  broker.stop();
  EXPECT_EQ(lying_in("/y", "theirs"), theirs);
  EXPECT_TRUE(names_in("/y", "-stray").empty());
  EXPECT_EQ(text_of("/y/recovery-point-offset-checkpoint"), checkpoint);
  EXPECT_TRUE(disk_.exists("/y/.kafka_cleanshutdown"));
}

TEST_F(LogDirsFaultsTest, ADirectoryThatLostItsIdIsKnownByItsPath) {
  fill("/a,/b");
  const std::string id = id_of("/b");
  std::string meta = text_of("/b/meta.properties");
  const auto at = meta.find("directory.id=");
  meta.erase(at, meta.find('\n', at) - at + 1);
  write("/b/meta.properties", meta);
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
  EXPECT_EQ(id_of("/b"), id);
  EXPECT_FALSE(tells(broker, "missing"));
}

TEST_F(LogDirsFaultsTest, AFileThatMayNotBeOpenedTakesItsPartitionOfflineOnly) {
  fill("/a");
  for (const auto& [file, code] :
       {std::pair{"orders-1/partition.metadata", EACCES},
        std::pair{"orders-1/00000000000000000000.log", EACCES},
        std::pair{"orders-1/partition.metadata", ELOOP}, std::pair{"orders-1", EACCES}}) {
    ASSERT_TRUE(disk_.make_directories("/a/x-0"));
    write("/a/x-0/partition.metadata", "theirs");
    const bool is_folder = std::string_view(file) == "orders-1";
    disk_.fail({.call = is_folder ? "opendir" : "open", .code = code, .for_good = true, .path_part = file});
    disk_.fail({.call = "open", .code = code, .for_good = true, .path_part = "x-0"});
    {
      auto broker = start("/a");
      ASSERT_EQ(broker.refusal(), "");
      EXPECT_EQ(served(broker), (std::set{0, 2, 3, 4, 5})) << file;
      EXPECT_TRUE(tells(broker, "orders-1 is offline"));
      EXPECT_FALSE(tells(broker, "--adopt")) << file;
      broker.stop();
    }
    disk_.clear_faults();
    auto broker = start("/a");
    EXPECT_EQ(served(broker), all()) << file;
    broker.stop();
  }
}

TEST_F(LogDirsFaultsTest, WithoutItsNewestSnapshotTheMetadataLogIsNotTouched) {
  {
    auto broker = start("/a", {"metadata.log.max.record.bytes.between.snapshots=300"});
    ASSERT_EQ(create_topic(broker, "orders", kPartitions), ErrorCode::kNone);
    for (int i = 0; i < kPartitions; ++i) produce(broker, "orders", value_of("orders", i), i);
    for (const char* more : {"m1", "m2", "m3"}) ASSERT_EQ(create_topic(broker, more, 1), ErrorCode::kNone);
    broker.stop();
  }
  const std::string metadata = "/a/__cluster_metadata-0/";
  const auto snapshots = names_in("/a/__cluster_metadata-0", ".checkpoint");
  ASSERT_EQ(snapshots.size(), 1u);
  ASSERT_TRUE(disk_.rename(metadata + snapshots[0], "/kept"));
  const std::string quorum = text_of(metadata + "quorum-state");
  const auto refusal = start("/a").refusal();
  EXPECT_NE(refusal.find("put the missing snapshot back"), std::string::npos) << refusal;
  EXPECT_EQ(text_of(metadata + "quorum-state"), quorum);
  ASSERT_TRUE(disk_.rename("/kept", metadata + snapshots[0]));
  auto broker = start("/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsFaultsTest, ASnapshotThatWasNotFinishedIsRemoved) {
  fill("/a");
  const std::string part = "/a/__cluster_metadata-0/00000000000000000012-0000000001.checkpoint.part";
  write(part, "half of it");
  auto broker = start("/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_FALSE(disk_.exists(part));
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsFaultsTest, AFileThatIsTooLargeIsNoFullDisk) {
  fill("/a,/b");
  const auto in_a = lying_in("/a");
  write("/b/meta.properties", std::string(100'000, '#'));
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_TRUE(tells(broker, "log directory /b cannot be used"));
  EXPECT_TRUE(tells(broker, "/b/meta.properties"));
  EXPECT_FALSE(tells(broker, "full"));
  EXPECT_EQ(served(broker), in_a);
}

TEST_F(LogDirsFaultsTest, WhatAnInterruptedRemovalHasLeftIsRemoved) {
  fill("/a");
  const std::string left = "/a/gone-0.0123456789abcdef0123456789abcdef-delete";
  ASSERT_TRUE(disk_.make_directories(left));
  auto broker = start("/a");
  ASSERT_EQ(broker.refusal(), "");
  broker.stop();
  EXPECT_FALSE(disk_.exists(left));
}

TEST_F(LogDirsFaultsTest, ATornTailIsNamedWhenItIsRemoved) {
  fill("/a");
  ASSERT_TRUE(disk_.remove("/a/.kafka_cleanshutdown"));
  ASSERT_TRUE(disk_.remove("/a/recovery-point-offset-checkpoint"));
  {
    const auto file = *disk_.open("/a/orders-3/00000000000000000000.log", OpenMode::kReadWrite);
    const auto size = *file->size();
    ASSERT_TRUE(file->write_at(size, as_bytes("half a batch")));
  }
  auto broker = start("/a");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
  EXPECT_TRUE(tells(broker, "/a/orders-3: 12 bytes behind offset 1"));
}

TEST_F(LogDirsFaultsTest, TheMetadataDirectoryMayBeNamedInAnotherWay) {
  fill("/a,/b");
  auto broker = start("/a,/b", {"metadata.log.dir=/b/../a/"});
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

TEST_F(LogDirsFaultsTest, VerifyChangesNothingAndSeesWhatIsGone) {
  fill("/a,/b");
  EXPECT_FALSE(is_fine("/nowhere"));
  EXPECT_FALSE(disk_.exists("/nowhere"));
  EXPECT_FALSE(is_fine("/a/orders-0"));
  EXPECT_FALSE(disk_.exists("/a/orders-0/.lock"));
  EXPECT_TRUE(is_fine("/b"));
  const int index = *lying_in("/b").begin();
  const std::string name = "orders-" + std::to_string(index);
  ASSERT_TRUE(disk_.rename("/b/" + name, "/a/" + name));
  const auto report = verified("/b");
  EXPECT_FALSE(report.is_fine);
  EXPECT_NE(report.text.find(name + ": is gone, though it held records up to offset 1"), std::string::npos)
      << report.text;
  const auto adopted = verified("/b", {name});
  EXPECT_NE(adopted.text.find(name + ": not adopted: /a/" + name), std::string::npos) << adopted.text;
  auto broker = start("/a,/b");
  ASSERT_EQ(broker.refusal(), "");
  EXPECT_EQ(served(broker), all());
}

}  // namespace
}  // namespace milena::broker
