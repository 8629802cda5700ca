// One byte wrong, or a file cut short, anywhere in a log directory: the log opens with every flushed record,
// or is refused; it never crashes and never loses a flushed record silently (L9, R6).
#include <gtest/gtest.h>

#include "storage/log_fixture.h"

namespace milena::storage {
namespace {

// Small, and with everything in it: segments, indexes, aborted transactions, producers, epochs, a log start.
class Victim {
 public:
  explicit Victim(bool clean) : f_(1, config()), clean_(clean) {
    for (int i = 0; i < 12; ++i) {
      const bool transactional = i % 3 == 1;
      EXPECT_TRUE(f_.append({.records = 2,
                             .timestamp = 1000 + 10 * i,
                             .value_size = 40,
                             .producer_id = transactional ? 5 : 6,
                             .producer_epoch = 0,
                             .base_sequence = next_[transactional],
                             .transactional = transactional,
                             .seed = static_cast<std::uint64_t>(i)},
                            {.leader_epoch = i / 4}));
      next_[transactional] += 2;
      if (transactional)
        EXPECT_TRUE(f_.append(marker_of(5, 0, i % 2 == 0),
                              {.leader_epoch = i / 4, .origin = AppendOrigin::kCoordinator}));
    }
    EXPECT_TRUE(f_.log().advance_log_start(3));
    EXPECT_TRUE(f_.log().flush());
    EXPECT_TRUE(f_.checkpoint());
    records_ = read_all(f_.log());
    producers_ = f_.log().producers();
    aborted_ = *f_.log().aborted_transactions(0, f_.log().log_end_offset());
    EXPECT_FALSE(aborted_.empty());
    if (clean) EXPECT_TRUE(f_.close());
    if (!clean) EXPECT_TRUE(f_.crash(MemFs::Loss::kNothing));
    if (!clean) EXPECT_TRUE(f_.log().flush() && f_.checkpoint());
    for (const std::string directory : {"/data", "/data/topic-0"})
      for (const auto& entry : *f_.fs().list(directory))
        if (!entry.is_directory) files_.push_back({join(directory, entry.name), {}});
    for (auto& [path, bytes] : files_) bytes = *read_file(f_.fs(), path);
  }

  const std::vector<std::pair<std::string, Bytes>>& files() const { return files_; }
  bool clean() const { return clean_; }

  // The directory as it was, but for one file.
  void open_with(const std::string& path, const std::optional<Bytes>& instead) {
    f_.crash(MemFs::Loss::kNothing);
    for (const std::string directory : {"/data", "/data/topic-0"})
      for (const auto& entry : *f_.fs().list(directory))
        if (!entry.is_directory && entry.name != ".lock") (void)f_.fs().remove(join(directory, entry.name));
    for (const auto& [name, bytes] : files_) {
      const Bytes& content = name == path && instead ? *instead : bytes;
      if (name == path && !instead) continue;
      ASSERT_TRUE((*f_.fs().open(name, OpenMode::kTruncate))->write_at(0, content));
    }
    const bool opened = f_.crash(MemFs::Loss::kNothing);
    if (!opened) {
      EXPECT_NE(f_.error().code, ErrorCode::kNone);
      ++refused;
      return;
    }
    ++opened_count;
    // A lost log start shows records again; it hides none.
    EXPECT_LE(f_.log().log_start_offset(), 3);
    auto records = read_all(f_.log());
    std::erase_if(records, [](const auto& record) { return record.offset < 3; });
    EXPECT_EQ(records, records_);
    EXPECT_EQ(*f_.log().aborted_transactions(0, f_.log().log_end_offset()), aborted_);
    ProducerState producers = f_.log().producers();
    EXPECT_EQ(producers, producers_);
    EXPECT_EQ((*f_.log().max_timestamp())->timestamp, 1111);
    for (std::int64_t t = 1000; t < 1112; t += 7) {
      const auto found = f_.log().offset_for_timestamp(t);
      ASSERT_TRUE(found);
      const auto first =
          std::ranges::find_if(records_, [&](const auto& record) { return record.timestamp >= t; });
      EXPECT_LE((*found)->offset, first->offset) << t;
    }
    EXPECT_EQ(f_.log().end_offset_for_epoch(1).end_offset, 19);
    EXPECT_TRUE(f_.append({.records = 1}, {.leader_epoch = 3}));
  }

  int refused = 0;
  int opened_count = 0;

 private:
  static LogConfig config() {
    LogConfig config;
    config.segment_bytes = 900;
    config.index_interval_bytes = 120;
    return config;
  }

  LogFixture f_;
  bool clean_;
  std::int32_t next_[2] = {0, 0};
  std::vector<std::pair<std::string, Bytes>> files_;
  std::vector<ReadRecord> records_;
  ProducerState producers_;
  std::vector<AbortedTransaction> aborted_;
};

class LogDamage : public testing::TestWithParam<bool> {};

TEST_P(LogDamage, EveryByteFlipped) {
  Victim victim(GetParam());
  for (const auto& [path, bytes] : victim.files()) {
    // Sealed segments below the recovery point are not scanned: their damage is found when it is read.
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      if (path.ends_with(".log")) continue;
      const int bits = at % 2 == 0 ? 0x01 : 0x80;
      SCOPED_TRACE(testing::Message() << path << " byte " << at << " ^ " << bits);
      Bytes bad = bytes;
      bad[at] ^= static_cast<std::byte>(bits);
      victim.open_with(path, bad);
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(victim.opened_count, 100);
}

TEST_P(LogDamage, EveryFileCutAnywhereOrMissing) {
  Victim victim(GetParam());
  for (const auto& [path, bytes] : victim.files()) {
    if (path.ends_with(".log")) continue;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      SCOPED_TRACE(testing::Message() << path << " cut to " << size);
      victim.open_with(path, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
      if (testing::Test::HasFailure()) return;
    }
    SCOPED_TRACE(path + " missing");
    victim.open_with(path, std::nullopt);
    if (testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(AfterAnyStop, LogDamage, testing::Bool(),
                         [](const auto& clean) { return clean.param ? "Clean" : "Crash"; });

TEST(LogDamage, EveryByteOfTheUnflushedSegmentFlippedIsRefusedOrLosesOnlyTheTail) {
  LogFixture f;
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(f.append({.records = 2, .value_size = 20, .seed = static_cast<std::uint64_t>(i)}));
  const auto before = read_all(f.log());
  const std::string path = f.path("00000000000000000000.log");
  const Bytes good = *read_file(f.fs(), path);
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    f.flip(path, at, 0x11);
    if (f.crash(MemFs::Loss::kNothing)) {
      const auto after = read_all(f.log());
      EXPECT_TRUE(std::equal(after.begin(), after.end(), before.begin())) << at;
      EXPECT_GE(after.size(), 6u) << at;  // only the last batch has nothing valid behind it
    } else {
      ++refused;
    }
    f.crash(MemFs::Loss::kNothing);
    ASSERT_TRUE((*f.fs().open(path, OpenMode::kTruncate))->write_at(0, good));
  }
  EXPECT_GT(refused, 100);
}

TEST(LogDamage, EveryByteOfAFlushedLastSegmentFlippedIsRefusedOrHarmless) {
  LogFixture f;
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(f.append({.records = 2, .value_size = 20, .seed = static_cast<std::uint64_t>(i)}));
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  const auto before = read_all(f.log());
  const std::string path = f.path("00000000000000000000.log");
  const Bytes good = *read_file(f.fs(), path);
  for (std::size_t at = 0; at < good.size(); ++at) {
    f.flip(path, at, 0x11);
    if (f.crash(MemFs::Loss::kNothing))
      EXPECT_EQ(read_all(f.log()), before) << at;  // a leader epoch, outside the CRC
    f.crash(MemFs::Loss::kNothing);
    ASSERT_TRUE((*f.fs().open(path, OpenMode::kTruncate))->write_at(0, good));
    f.crash(MemFs::Loss::kNothing);
    ASSERT_TRUE((*f.fs().open(path, OpenMode::kTruncate))->write_at(0, good));
  }
}

}  // namespace
}  // namespace milena::storage
