// The text files: checkpoints, epochs, checksums, meta.properties, and names of directories.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "storage/checkpoint_text.h"
#include "storage/epoch_cache.h"
#include "storage/followed_metadata.h"
#include "storage/index_checksums.h"
#include "storage/known_log_dirs.h"
#include "storage/meta_properties.h"
#include "storage/offset_checkpoint.h"
#include "storage/partition_name.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

TEST(CheckpointText, IsVersionCountAndLines) {
  EXPECT_EQ(encode_checkpoint({"a 0 1", "b 1 2"}), "0\n2\na 0 1\nb 1 2\n");
  EXPECT_EQ(decode_checkpoint("0\n1\na 0 1\n"), (std::vector<std::string_view>{"a 0 1"}));
  EXPECT_EQ(decode_checkpoint(""), std::vector<std::string_view>{});
}

TEST(CheckpointText, AnythingElseIsRefused) {
  for (const std::string_view text : {"0", "0\n", "1\n0\n", "0\n2\na 0 1\n", "0\n0\na 0 1\n", "0\n1\na 0 1",
                                      "0\n99999999999999999999\n", "0\n-1\n", "x\n0\n", "0\n1\n"})
    EXPECT_FALSE(decode_checkpoint(text)) << text;
}

TEST(OffsetCheckpoint, RoundTripsAndReadsKafkasWithoutChecksum) {
  const OffsetCheckpoint offsets = {{"a-0", 5}, {"with-dash-12", 9'000'000'000}};
  EXPECT_EQ(decode_offset_checkpoint(encode_offset_checkpoint(offsets)), offsets);
  EXPECT_EQ(decode_offset_checkpoint("0\n2\na 0 5\nwith-dash 12 9000000000\n"), offsets);
}

TEST(OffsetCheckpoint, R6_EveryDamagedByteIsNoticedOrHarmless) {
  const OffsetCheckpoint offsets = {{"a-0", 5}, {"b-1", 77}};
  const auto good = encode_offset_checkpoint(offsets);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int bits : {1, 2, 0x10, 0x40}) {
      auto bad = good;
      bad[i] = static_cast<char>(bad[i] ^ bits);
      const auto decoded = decode_offset_checkpoint(bad);
      if (!decoded) continue;
      // Only the checksum's own name can be hit unnoticed; then it reads as one more partition.
      for (const auto& [name, offset] : offsets) {
        ASSERT_TRUE(decoded->contains(name)) << bad;
        EXPECT_EQ(decoded->at(name), offset) << bad;
      }
    }
    EXPECT_FALSE(i > 0 && decode_offset_checkpoint(good.substr(0, i))) << i;
  }
}

TEST(EpochCache, AssignsKeepTheListStrictlyIncreasing) {
  EpochCache cache;
  cache.assign(1, 0);
  cache.assign(1, 5);  // known already
  cache.assign(3, 10);
  cache.assign(4, 20);
  EXPECT_TRUE(cache.behind(1));
  EXPECT_EQ(cache.entries().size(), 3u);
  cache.assign(5, 10);  // contradicts 3 and 4
  EXPECT_EQ(cache.latest(), 5);
  EXPECT_EQ(cache.entries().size(), 2u);
}

TEST(EpochCache, EndOffsetsAreKafkas) {
  EpochCache cache;
  EXPECT_FALSE(cache.end_offset_for(0, 100));
  cache.assign(2, 10);
  cache.assign(5, 20);
  const auto end = [&](std::int32_t epoch) {
    const auto found = cache.end_offset_for(epoch, 100);
    return found ? std::pair(found->leader_epoch.value, found->end_offset.value)
                 : std::pair(-1, std::int64_t{-1});
  };
  EXPECT_EQ(end(5), std::pair(5, std::int64_t{100}));  // the current one ends at the log end
  EXPECT_EQ(end(2), std::pair(2, std::int64_t{20}));
  EXPECT_EQ(end(4), std::pair(2, std::int64_t{20}));  // KIP-279: the largest at or below
  EXPECT_EQ(end(1), std::pair(1, std::int64_t{10}));  // older than everything known
  EXPECT_EQ(end(6), std::pair(-1, std::int64_t{-1}));
  EXPECT_EQ(end(-1), std::pair(-1, std::int64_t{-1}));
  EXPECT_EQ(cache.epoch_of(9), -1);
  EXPECT_EQ(cache.epoch_of(10), 2);
  EXPECT_EQ(cache.epoch_of(1000), 5);
}

TEST(EpochCache, TruncationFromBothEnds) {
  EpochCache cache;
  cache.assign(1, 0);
  cache.assign(2, 10);
  cache.assign(3, 20);
  cache.truncate_from_end(20);
  EXPECT_EQ(cache.latest(), 2);
  cache.truncate_from_start(15);
  EXPECT_EQ(cache.encode(), "0\n1\n2 15\n");
  cache.truncate_from_end(15);
  EXPECT_TRUE(cache.entries().empty());
}

TEST(EpochCache, TheFileIsBehindOnlyOnceTheEpochHasRecords) {
  EpochCache cache;
  ASSERT_TRUE(cache.decode("0\n2\n0 0\n3 17\n"));
  cache.assign(4, 20);
  EXPECT_FALSE(cache.behind(20));
  EXPECT_TRUE(cache.behind(21));
  cache.set_written(true);
  EXPECT_FALSE(cache.behind(21));
  cache.truncate_from_end(17);  // what the file says about 17 and 20 is forgotten when it is read again
  EXPECT_FALSE(cache.behind(17));
  EXPECT_TRUE(cache.behind(18));
}

TEST(EpochCache, TextThatIsNoCheckpointIsRefused) {
  EpochCache cache;
  EXPECT_TRUE(cache.decode("0\n2\n0 0\n3 17\n"));
  EXPECT_FALSE(cache.behind(100));
  for (const std::string_view text : {"0\n2\n3 17\n0 0\n", "0\n1\n-1 0\n", "0\n1\n0 -5\n", "0\n1\n0\n",
                                      "0\n1\n0 1 2\n", "0\n2\n0 0\n", "1\n0\n"}) {
    EXPECT_FALSE(cache.decode(text)) << text;
    EXPECT_TRUE(cache.entries().empty());
  }
}

TEST(IndexChecksums, RoundTripsSorted) {
  const std::vector<SegmentChecksums> sums = {{50, 1000, {1, 2, 3}}, {0, 2000, {4, 5, 6}}};
  const auto decoded = decode_index_checksums(encode_index_checksums(sums));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, (std::vector<SegmentChecksums>{sums[1], sums[0]}));
  EXPECT_FALSE(decode_index_checksums("0\n1\n0 1 2 3\n"));
}

TEST(MetaProperties, ReadsWhatKafkaWrites) {
  const auto read = decode_meta_properties(
      "#\n#Sat Nov 21 09:00:00 UTC 2026\nnode.id=1\ndirectory.id=SfFZHzUDQWmVG2yQXZ1OWQ\nversion=1\n"
      "cluster.id=MkU3OEVBNTcwNTJENDM2Qk\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->cluster_id, "MkU3OEVBNTcwNTJENDM2Qk");
  EXPECT_EQ(read->node_id, 1);
  EXPECT_EQ(decode_meta_properties(encode_meta_properties(*read)), read);
}

TEST(MetaProperties, R12_OtherVersionsAndMissingPropertiesAreRefused) {
  const std::string good = "version=1\ncluster.id=c\nnode.id=1\ndirectory.id=SfFZHzUDQWmVG2yQXZ1OWQ\n";
  EXPECT_TRUE(decode_meta_properties(good));
  EXPECT_FALSE(decode_meta_properties("version=2" + good.substr(9)));
  EXPECT_FALSE(decode_meta_properties("version=0" + good.substr(9)));
  EXPECT_FALSE(decode_meta_properties(good.substr(10)));
  EXPECT_FALSE(
      decode_meta_properties("version=1\ncluster.id=c\nnode.id=x\ndirectory.id=SfFZHzUDQWmVG2yQXZ1OWQ\n"));
}

TEST(PartitionName, TellsLiveFromDeletedStrayAndFuture) {
  using State = PartitionName::State;
  const auto live = parse_partition_name("my.topic-with-dash-12");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->partition, (TopicPartition{"my.topic-with-dash", 12}));
  EXPECT_EQ(live->state, State::kLive);
  const std::string id = ".0123456789abcdef0123456789abcdef";
  EXPECT_EQ(parse_partition_name("a-0" + id + "-delete")->state, State::kDeleted);
  EXPECT_EQ(parse_partition_name("a-0" + id + "-stray")->state, State::kStray);
  EXPECT_EQ(parse_partition_name("a-0" + id + "-future")->state, State::kFuture);
  EXPECT_EQ(parse_partition_name("a-0" + id + "-future")->partition.topic, "a");
  // A topic may be called like this.
  EXPECT_EQ(parse_partition_name("x-delete-0")->state, State::kLive);
  for (const std::string_view name : {"nodash", "-0", "a-", "a-x", "a-01", "a-99999999999"})
    EXPECT_FALSE(parse_partition_name(name)) << name;
}

TEST(PartitionName, DeletedNamesFitAndParse) {
  SeededRng rng(1);
  const TopicPartition partition{std::string(249, 't'), 7};
  const auto name = deleted_directory_name(partition, rng);
  EXPECT_LE(name.size(), 255u);
  EXPECT_EQ(parse_partition_name(name)->state, PartitionName::State::kDeleted);
  EXPECT_NE(deleted_directory_name(partition, rng), name);
}

TEST(KnownLogDirs, AreReadBackOrNotAtAll) {
  SeededRng rng(3);
  const std::vector<KnownLogDir> known{{Uuid::random(rng), true, "/data/a b"},
                                       {Uuid::random(rng), false, "/b"}};
  const std::string text = encode_known_log_dirs(known);
  EXPECT_EQ(decode_known_log_dirs(text), known);
  auto with_newline = known;
  with_newline.push_back({Uuid::random(rng), false, "/c\nd"});
  EXPECT_EQ(encode_known_log_dirs(with_newline), text);
  for (const std::string_view broken :
       {"1\n0\n", "0\n1\nx data /a\n", "0\n1\nn2B2ko3xS3aQDDPWo6Sm0Q other /a\n",
        "0\n1\nn2B2ko3xS3aQDDPWo6Sm0Q data \n", "0\n2\n"})
    EXPECT_FALSE(decode_known_log_dirs(broken)) << broken;
}

TEST(FollowedMetadata, IsReadBackOrNotAtAll) {
  const FollowedMetadata followed{.offset = 341, .epoch = 7};
  const std::string text = encode_followed_metadata(followed);
  EXPECT_EQ(text, "version: 0\noffset: 341\nleader_epoch: 7\n");
  EXPECT_EQ(decode_followed_metadata(text), followed);
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    EXPECT_FALSE(decode_followed_metadata(text.substr(0, cut))) << cut;
  for (const std::string_view other :
       {"version: 1\noffset: 341\nleader_epoch: 7\n", "version: 0\noffset: -1\nleader_epoch: 7\n",
        "version: 0\noffset: \nleader_epoch: \n", "version: 0\noffset: 341\nleader_epoch: 7\n\n"})
    EXPECT_FALSE(decode_followed_metadata(other)) << other;
}

TEST(SegmentNames, TwentyDigits) {
  EXPECT_EQ(segment_file_name(42, kLogSuffix), "00000000000000000042.log");
  EXPECT_EQ(parse_segment_file_name("00000000000000000042.log.deleted")->suffix, ".log.deleted");
  for (const std::string_view name :
       {"leader-epoch-checkpoint", ".log", "x.log", "-1.log", "99999999999999999999.log", "1.index",
        "000000000000000000042.log", "-0000000000000000042.log"})
    EXPECT_FALSE(parse_segment_file_name(name)) << name;
}

}  // namespace
}  // namespace milena::storage
