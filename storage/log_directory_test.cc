// LogDirectory: identity, the lock, partitions, checkpoints and clean shutdowns (R3, R6).
#include "storage/log_directory.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "storage/log_fixture.h"

namespace milena::storage {
namespace {

constexpr const char* kMarker = "/data/.kafka_cleanshutdown";

TEST(LogDirectory, IsLockedWhileOpen) {
  MemFs fs;
  const auto first = LogDirectory::open(fs, "/data");
  ASSERT_TRUE(first);
  const auto second = LogDirectory::open(fs, "/data");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInvalidConfig);
}

TEST(LogDirectory, BelongsToWhomItWasFormattedFor) {
  MemFs fs;
  SeededRng rng(1);
  const MetaProperties mine{"cluster", 3, Uuid::random(rng)};
  {
    const auto directory = LogDirectory::open(fs, "/data");
    ASSERT_TRUE(directory);
    EXPECT_FALSE((*directory)->meta_properties());
    ASSERT_TRUE((*directory)->format(mine));
  }
  EXPECT_EQ((*LogDirectory::open(fs, "/data"))->meta_properties(), mine);
  ASSERT_TRUE((*fs.open("/data/meta.properties", OpenMode::kTruncate))->write_at(0, as_bytes("version=2\n")));
  EXPECT_EQ(LogDirectory::open(fs, "/data").error().code, ErrorCode::kInvalidConfig);
}

TEST(LogDirectory, R3_TheMarkerIsWrittenLastAndGoneBeforeTheFirstAppend) {
  LogFixture f;
  EXPECT_FALSE(f.directory().was_clean());
  ASSERT_TRUE(f.append(BatchSpec{}));
  ASSERT_TRUE(f.close());
  EXPECT_EQ(as_text(*read_file(f.fs(), kMarker)), "{\"version\":0,\"brokerEpoch\":7}");
  ASSERT_TRUE(f.open());
  EXPECT_TRUE(f.directory().was_clean());
  EXPECT_EQ(f.directory().previous_broker_epoch(), 7);
  f.crash(MemFs::Loss::kUnsynced);
  EXPECT_FALSE(f.directory().was_clean());
  EXPECT_EQ(f.directory().previous_broker_epoch(), -1);
}

TEST(LogDirectory, R3_NoMarkerAfterAnUnfinishedStartOrAFailure) {
  MemFs fs;
  {
    const auto directory = LogDirectory::open(fs, "/data");
    ASSERT_TRUE((*directory)->close({}, 1));  // recovery_done() was never called
  }
  EXPECT_FALSE(fs.exists(kMarker));
  LogFixture f;
  ASSERT_TRUE(f.append(BatchSpec{}));
  f.fs().fail({.call = "syncfs", .code = EIO});
  EXPECT_FALSE(f.close());
  EXPECT_FALSE(f.fs().exists(kMarker));
}

TEST(LogDirectory, R3_DyingAtAnyCallOfAShutdownLosesNothing) {
  for (std::uint64_t nth = 1; nth < 100; ++nth) {
    LogFixture f(nth);
    for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(f.append({.seed = i}));
    ASSERT_TRUE(f.log().flush());
    const auto before = read_all(f.log());
    f.fs().fail({.nth = nth, .code = EIO, .for_good = true});
    const bool closed = f.close().has_value();
    f.fs().crash(MemFs::Loss::kSome);
    ASSERT_TRUE(f.open()) << f.error().why;
    EXPECT_EQ(read_all(f.log()), before) << nth;
    if (closed) return;
  }
  FAIL() << "more calls than expected";
}

TEST(LogDirectory, OlderMarkersWithoutAnEpochAreCleanToo) {
  LogFixture f;
  ASSERT_TRUE(f.append(BatchSpec{}));
  ASSERT_TRUE(f.close());
  ASSERT_TRUE((*f.fs().open(kMarker, OpenMode::kTruncate))->sync());
  ASSERT_TRUE(f.open());
  EXPECT_TRUE(f.directory().was_clean());
  EXPECT_EQ(f.directory().previous_broker_epoch(), -1);
}

TEST(LogDirectory, ListsPartitionsAndLeavesOutTheRest) {
  LogFixture f;
  SeededRng rng(5);
  ASSERT_TRUE(f.directory().create_partition({"b", 3}, Uuid::random(rng)));
  ASSERT_TRUE(f.fs().make_directories("/data/lost+found"));
  ASSERT_TRUE(f.directory().create_partition({"gone", 0}, Uuid::random(rng)));
  const auto path = f.directory().mark_for_deletion({"gone", 0}, rng);
  ASSERT_TRUE(path);
  const auto partitions = f.directory().partitions();
  ASSERT_TRUE(partitions);
  ASSERT_EQ(partitions->size(), 3u);
  EXPECT_EQ((*partitions)[0].partition, (TopicPartition{"b", 3}));
  EXPECT_EQ((*partitions)[1].state, PartitionName::State::kDeleted);
  ASSERT_TRUE(f.directory().remove_deleted(*path));
  EXPECT_EQ(f.directory().partitions()->size(), 2u);
}

TEST(LogDirectory, KnowsTheTopicOfAPartition) {
  using State = PartitionMetadata::State;
  LogFixture f;
  SeededRng rng(5);
  const Uuid id = Uuid::random(rng);
  ASSERT_TRUE(f.directory().create_partition({"b", 3}, id));
  EXPECT_EQ(*f.directory().partition_metadata("b-3"), (PartitionMetadata{State::kValid, id}));
  EXPECT_EQ(as_text(*read_file(f.fs(), "/data/b-3/partition.metadata")),
            "version: 0\ntopic_id: " + id.to_string());
  const std::pair<std::string, State> cases[] = {
      {"", State::kDamaged},
      {"vers", State::kDamaged},
      {"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA", State::kDamaged},
      {"version: 0\ntopic_id: " + id.to_string().substr(1), State::kDamaged},
      {"version: 1\ntopic_id: " + id.to_string(), State::kNewerVersion},
      {"topic_id:" + id.to_string() + "\r\nversion:0\r\n", State::kValid},
  };
  for (const auto& [text, state] : cases) {
    ASSERT_TRUE(
        (*f.fs().open("/data/b-3/partition.metadata", OpenMode::kTruncate))->write_at(0, as_bytes(text)));
    EXPECT_EQ(f.directory().partition_metadata("b-3")->state, state) << text;
  }
  EXPECT_EQ(f.directory().partition_metadata("none-0")->state, State::kMissing);
}

TEST(LogDirectory, PartitionMetadataIsOnStableStorageBeforeAnyRecord) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    MemFs fs(seed);
    SeededRng rng(seed);
    const TopicPartition partition{"b", 3};
    const Uuid id = Uuid::random(rng);
    {
      auto directory = std::move(*LogDirectory::open(fs, "/data"));
      ASSERT_TRUE(directory->create_partition(partition, id));
      auto log = *directory->open_log(partition, std::make_shared<const LogConfig>(), 0);
      auto batch = batch_of({.seed = seed});
      ASSERT_TRUE(log->append_as_leader(batch, {.now_ms = 0}));
      if (seed % 2 == 0) ASSERT_TRUE(log->flush());
    }
    fs.crash(MemFs::Loss::kSome);
    auto directory = std::move(*LogDirectory::open(fs, "/data"));
    const bool has_records = fs.exists("/data/b-3") && directory->contents("b-3")->record_bytes > 0;
    EXPECT_TRUE(has_records || seed % 2 != 0) << seed;
    if (has_records) EXPECT_EQ(directory->partition_metadata("b-3")->topic_id, id) << seed;
  }
}

TEST(LogDirectory, APartitionIsNotMadeInADirectoryOfSomebodyElse) {
  MemFs fs;
  SeededRng rng(5);
  const Uuid id = Uuid::random(rng);
  auto directory = std::move(*LogDirectory::open(fs, "/data"));
  ASSERT_TRUE(fs.make_directories("/data/mine-0"));
  ASSERT_TRUE(directory->create_partition({"mine", 0}, id));  // it was empty
  ASSERT_TRUE(directory->create_partition({"mine", 0}, id));  // and is its own
  EXPECT_EQ(directory->create_partition({"mine", 0}, Uuid::random(rng)).error().code,
            ErrorCode::kInvalidConfig);
  ASSERT_TRUE(fs.make_directories("/data/photos-7"));
  ASSERT_TRUE((*fs.open("/data/photos-7/file", OpenMode::kCreate))->write_at(0, as_bytes("mine")));
  EXPECT_EQ(directory->create_partition({"photos", 7}, id).error().code, ErrorCode::kInvalidConfig);
  EXPECT_EQ(fs.list("/data/photos-7")->size(), 1u);
  EXPECT_FALSE(directory->health().offline());
}

TEST(LogDirectory, FilesOfANewerVersionAreRefused) {
  for (const char* name : {"recovery-point-offset-checkpoint", "log-start-offset-checkpoint",
                           "replication-offset-checkpoint", "meta.properties"}) {
    MemFs fs;
    ASSERT_TRUE(fs.make_directories("/data"));
    const std::string path = std::string("/data/") + name;
    const std::string_view text = name == std::string_view("meta.properties") ? "version=2\n" : "1\n0\n";
    ASSERT_TRUE((*fs.open(path, OpenMode::kCreate))->write_at(0, as_bytes(text)));
    const auto opened = LogDirectory::open(fs, "/data");
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidConfig);
    EXPECT_NE(opened.error().detail.find(name), std::string::npos) << opened.error().detail;
    EXPECT_EQ(as_text(*read_file(fs, path)), text);
  }
}

TEST(LogDirectory, AStartThatIsRefusedLeavesTheCleanShutdownMarker) {
  LogFixture f;
  ASSERT_TRUE(f.append(BatchSpec{}));
  ASSERT_TRUE(f.close());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE((*LogDirectory::open(f.fs(), "/data"))->was_clean());
  ASSERT_TRUE((*LogDirectory::open(f.fs(), "/data"))->begin_use());
  EXPECT_FALSE((*LogDirectory::open(f.fs(), "/data"))->was_clean());
}

TEST(LogDirectory, AnInterruptedRemovalIsStillKnownAsOurs) {
  LogFixture f;
  SeededRng rng(5);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(f.append(BatchSpec{}));
  const auto path = *f.directory().mark_for_deletion(f.partition(), rng);
  f.fs().fail({.call = "remove_all", .nth = 2, .code = ENOSPC, .for_good = true});
  EXPECT_FALSE(f.directory().remove_deleted(path));
  const auto name = path.substr(path.rfind('/') + 1);
  EXPECT_TRUE(f.directory().partition_metadata(name)->is_valid());
  f.fs().clear_faults();
  EXPECT_TRUE(f.directory().remove_deleted(path));
  EXPECT_FALSE(f.fs().exists(path));
}

TEST(LogDirectory, ARecreatedPartitionInheritsNoCheckpoint) {
  LogFixture f;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(f.append(BatchSpec{}));
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  SeededRng rng(5);
  f.log().retire();
  ASSERT_TRUE(f.directory().mark_for_deletion(f.partition(), rng));
  ASSERT_TRUE(f.directory().create_partition(f.partition(), Uuid::random(rng)));
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), 0);
}

TEST(LogDirectory, AFlushThatRunsWhileItsPartitionIsDeletedHarmsNobody) {
  LogFixture f;
  ASSERT_TRUE(f.append(BatchSpec{}, {.leader_epoch = 1}));
  ASSERT_TRUE(f.log().roll(0));
  FlushJob job = f.log().begin_flush();
  SeededRng rng(5);
  f.log().retire();
  ASSERT_TRUE(f.directory().mark_for_deletion(f.partition(), rng));
  EXPECT_TRUE(job.run());
  EXPECT_FALSE(f.directory().health().offline());
}

TEST(LogDirectory, R6_LostCheckpointsCostTimeNotData) {
  LogFixture f;
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(f.append({.seed = i}));
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  const auto before = read_all(f.log());
  for (const char* name : {"recovery-point-offset-checkpoint", "log-start-offset-checkpoint",
                           "replication-offset-checkpoint", "topic-0/leader-epoch-checkpoint"}) {
    (void)f.fs().remove("/data/" + std::string(name));
    ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << name;
    EXPECT_EQ(read_all(f.log()), before) << name;
    EXPECT_EQ(f.log().latest_epoch(), 0);
  }
}

TEST(LogDirectory, ThousandsOfIdlePartitionsCloseWithOneSync) {
  MemFs fs;
  auto directory = std::move(*LogDirectory::open(fs, "/data"));
  SeededRng rng(1);
  std::vector<std::unique_ptr<Log>> logs;
  std::vector<Log*> pointers;
  const auto config = std::make_shared<const LogConfig>();
  for (int i = 0; i < 300; ++i) {
    const TopicPartition partition{"t", i};
    ASSERT_TRUE(directory->create_partition(partition, Uuid::random(rng)));
    logs.push_back(std::move(*directory->open_log(partition, config, 0)));
    pointers.push_back(logs.back().get());
  }
  ASSERT_TRUE(directory->recovery_done());
  const auto calls = fs.calls();
  ASSERT_TRUE(directory->close(pointers, 1));
  EXPECT_LT(fs.calls() - calls, 30u);
}

}  // namespace
}  // namespace milena::storage
