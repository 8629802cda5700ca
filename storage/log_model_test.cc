// Random operations on a Log over MemFs, compared with LogModel after each: appends of every kind, rolls,
// flushes, truncation, retention, look-ups, clean restarts, and crashes that lose nothing (kill -9) or
// whatever was not synced (power). One seed is one run; a failure names it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "storage/log_model.h"

namespace milena::storage {
namespace {

struct Mode {
  const char* name;
  bool power_fails;
  bool disk_fails;
};

class Run {
 public:
  Run(std::uint64_t seed, const Mode& mode) : rng_(seed), mode_(mode), fixture_(seed, random_config()) {}

  void steps(int count) {
    for (int i = 0; i < count && !testing::Test::HasFailure(); ++i) {
      step();
      if (testing::Test::HasFailure()) ADD_FAILURE() << "at step " << i;
    }
  }

 private:
  static constexpr std::size_t kProducers = 4;
  struct Producer {
    std::int16_t epoch = 0;
    std::int32_t next_sequence = 0;
    bool in_transaction = false;
  };

  LogConfig random_config() {
    LogConfig config;
    config.segment_bytes = static_cast<std::int32_t>(2000 + rng_.below(20000));
    config.index_interval_bytes = static_cast<std::int32_t>(rng_.below(3000));
    config.segment_ms = 1 + static_cast<std::int64_t>(rng_.below(100'000));
    config.retention_ms = -1;
    config.append_room_bytes = rng_.one_in(3) ? 0 : static_cast<std::int32_t>(1 + rng_.below(600));
    if (rng_.one_in(4)) config.segment_index_bytes = 200;
    return config;
  }

  Log& log() { return fixture_.log(); }
  Offset some_offset() {
    const auto span = static_cast<std::uint64_t>(model_.end() - log().log_start_offset());
    return log().log_start_offset() + static_cast<std::int64_t>(rng_.below(span + 1));
  }
  std::int64_t some_timestamp() {
    return 1000 + static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(clock_)));
  }

  void step() {
    ++clock_;
    fixture_.now_ms += 10;
    switch (rng_.below(40)) {
      case 0:
        return check(log().roll(fixture_.now_ms));
      case 1:
      case 2:
        return flush();
      case 3:
        return check(fixture_.checkpoint());
      case 4:
        return truncate();
      case 5:
        return delete_records();
      case 6:
        return retention();
      case 7:
        return log().release_idle_files();
      case 8:
        return rng_.one_in(4) ? restart() : crash();
      case 9:
        return marker();
      case 10:
        return read_timestamps();
      case 11:
        return read_epochs();
      case 12:
        return read_aborted();
      case 13:
        return append_to_a_full_disk();
      case 14:
        return duplicate();
      case 15:
        ++epoch_;
        return;
      case 16:
        return rng_.one_in(20) ? start_anew() : read();
      case 17:
        if (mode_.disk_fails && rng_.one_in(4)) return fail_disk();
        return read();
      case 18:
      case 19:
      case 20:
      case 21:
        return read();
      default:
        return append();
    }
  }

  void check(const Status& status) {
    if (!status) ADD_FAILURE() << status.error().why << " " << fixture_.directory().health().reason();
  }

  // --- appends
  BatchSpec random_batch() {
    BatchSpec spec;
    spec.records = 1 + static_cast<int>(rng_.below(5));
    spec.value_size =
        rng_.below(rng_.one_in(10) ? static_cast<std::uint64_t>(fixture_.config().segment_bytes) / 6 : 100);
    spec.timestamp = rng_.one_in(8) ? some_timestamp() : 1000 + clock_;
    spec.seed = rng_.next();
    if (rng_.one_in(10)) spec.compression = protocol::CompressionType::kLz4;
    if (rng_.one_in(3)) return spec;
    const auto id = rng_.below(kProducers);
    Producer& producer = producers_[id];
    spec.producer_id = static_cast<std::int64_t>(id);
    spec.transactional = producer.in_transaction || (id % 2 == 1);
    spec.producer_epoch = producer.epoch;
    spec.base_sequence = producer.next_sequence;
    return spec;
  }

  // What the model notes about bytes that were appended at `base`.
  LogModel::Batch noted(const Bytes& bytes, Offset base, LeaderEpoch epoch) {
    Bytes placed = bytes;
    protocol::set_base_offset(placed, base);
    const auto view = protocol::RecordBatchView::parse(placed);
    LogModel::Batch batch{.base_offset = base,
                          .last_offset = view->last_offset(),
                          .epoch = epoch,
                          .records = {},
                          .producer = {}};
    protocol::Decompressor decompressor;
    std::vector<std::byte> buffer;
    auto records = protocol::read_records(*view, decompressor, buffer);
    for (auto record = records->next(); record && *record; record = records->next()) {
      if (view->is_control()) break;
      batch.records.push_back(
          {(*record)->offset(*view), (*record)->timestamp(*view), std::string(as_text(*(*record)->value))});
    }
    if (view->has_producer_id()) {
      batch.producer = {.producer_id = view->producer_id(),
                        .producer_epoch = view->producer_epoch(),
                        .base_sequence = view->base_sequence(),
                        .last_sequence = view->last_sequence(),
                        .base_offset = base,
                        .last_offset = view->last_offset(),
                        .max_timestamp = view->max_timestamp(),
                        .transactional = view->is_transactional(),
                        .control = view->is_control(),
                        .marker = {}};
    }
    return batch;
  }

  void append() {
    const BatchSpec spec = random_batch();
    const Bytes bytes = batch_of(spec);
    const auto info = fixture_.append(bytes, {.leader_epoch = epoch_});
    if (!info) {
      ADD_FAILURE() << info.error().why;
      return;
    }
    EXPECT_EQ(info->first_offset, model_.end());
    EXPECT_FALSE(info->duplicate);
    model_.append(noted(bytes, model_.end(), epoch_));
    EXPECT_EQ(log().log_end_offset(), model_.end());
    if (spec.producer_id < 0) return;
    Producer& producer = producers_[static_cast<std::size_t>(spec.producer_id.value)];
    producer.next_sequence += spec.records;
    producer.in_transaction = spec.transactional;
    last_sent_ = bytes;
    last_sent_at_ = info->first_offset;
  }

  void duplicate() {
    if (last_sent_.empty()) return;
    const auto known = protocol::RecordBatchView::parse(last_sent_);
    const auto* entry = log().producers().find(known->producer_id());
    if (entry == nullptr || entry->last_sequence() != known->last_sequence() ||
        entry->producer_epoch != known->producer_epoch())
      return;
    const auto info = fixture_.append(last_sent_, {.leader_epoch = epoch_});
    ASSERT_TRUE(info) << info.error().why;
    EXPECT_TRUE(info->duplicate);
    EXPECT_EQ(info->first_offset, last_sent_at_);
    EXPECT_EQ(log().log_end_offset(), model_.end());
  }

  void marker() {
    const auto id = rng_.below(kProducers);
    Producer& producer = producers_[id];
    const auto pid = static_cast<std::int64_t>(id);
    const auto* entry = log().producers().find(pid);
    if (entry != nullptr && entry->producer_epoch > producer.epoch) producer.epoch = entry->producer_epoch;
    const bool commit = rng_.one_in(2);
    const Bytes bytes = marker_of(pid, producer.epoch, commit, 3, 1000 + clock_);
    const auto info = fixture_.append(bytes, {.leader_epoch = epoch_, .origin = AppendOrigin::kCoordinator});
    ASSERT_TRUE(info) << info.error().why;
    auto batch = noted(bytes, model_.end(), epoch_);
    batch.producer->marker = EndTxnMarker{.commit = commit, .coordinator_epoch = 3};
    model_.append(std::move(batch));
    producer.in_transaction = false;
  }

  void append_to_a_full_disk() {
    const ProducerState before = log().producers();
    const auto size = log().size_bytes();
    fixture_.fs().fail({.call = "pwritev", .code = ENOSPC, .for_good = true, .path_part = ".log"});
    const auto info = fixture_.append(batch_of(random_batch()), {.leader_epoch = epoch_});
    fixture_.fs().clear_faults();
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code, ErrorCode::kKafkaStorageError);
    EXPECT_FALSE(fixture_.directory().health().offline());
    EXPECT_EQ(log().log_end_offset(), model_.end());
    EXPECT_EQ(log().size_bytes(), size);
    EXPECT_EQ(log().producers(), before);
  }

  // --- removal
  void truncate() {
    const Offset target =
        rng_.one_in(3) ? some_offset() : std::max(log().log_start_offset(), model_.end() - 20);
    const Offset end = model_.boundary(target);
    const auto done = fixture_.truncate_to(target);
    if (!done) {
      EXPECT_EQ(done.error().code, ErrorCode::kOffsetOutOfRange);
      EXPECT_LT(end, log().log_start_offset());  // the straddling batch held the log start
      return;
    }
    forget_from(end);
    EXPECT_EQ(log().log_end_offset(), end);
    compare_producers();
  }

  void forget_from(Offset end) {
    model_.truncate(end);
    flushed_ = std::min(flushed_, end);
    reset_producers();
  }

  // Clients whose batches may be gone start again with a new epoch.
  void reset_producers() {
    for (std::size_t id = 0; id < kProducers; ++id) {
      const auto* entry = log().producers().find(static_cast<std::int64_t>(id));
      Producer& producer = producers_[id];
      producer = {.epoch = static_cast<std::int16_t>(
                      std::max<int>(producer.epoch, entry ? entry->producer_epoch : 0) + 1)};
      producer.in_transaction = entry != nullptr && entry->has_open_transaction();
      if (producer.epoch > 30'000) producer.epoch = 0;
    }
    last_sent_.clear();
  }

  void start_anew() {
    const Offset offset = model_.end() + static_cast<std::int64_t>(rng_.below(1000));
    {
      auto permit = fixture_.directory().permit_truncation(fixture_.partition(), 0);
      ASSERT_TRUE(permit);
      check(log().truncate_fully_and_start_at(offset, *permit, fixture_.now_ms));
    }
    check(fixture_.checkpoint());
    model_.restart_at(offset);
    flushed_ = offset;
    checkpointed_start_ = offset;
    reset_producers();
    compare();
  }

  void delete_records() {
    const Offset offset = some_offset();
    check(log().advance_log_start(offset));
    EXPECT_GE(log().log_start_offset(), offset);
    check(fixture_.checkpoint());
    checkpointed_start_ = log().log_start_offset();
  }

  void retention() {
    LogConfig config = fixture_.config();
    config.retention_bytes = rng_.one_in(2) ? -1 : static_cast<std::int64_t>(rng_.below(40'000));
    config.retention_ms = rng_.one_in(2) ? -1 : static_cast<std::int64_t>(rng_.below(2000));
    log().set_config(std::make_shared<const LogConfig>(config));
    const Offset before = log().log_start_offset();
    auto job = log().delete_old_segments(1000 + clock_);
    ASSERT_TRUE(job) << job.error().why;
    EXPECT_GE(log().log_start_offset(), before);
    EXPECT_EQ(log().log_end_offset(), model_.end());
    if (rng_.one_in(2)) job->run();
    log().set_config(std::make_shared<const LogConfig>(fixture_.config()));
  }

  // --- durability
  void flush() {
    FlushJob job = log().begin_flush();
    if (rng_.one_in(8)) {
      fixture_.fs().fail({.call = rng_.one_in(2) ? "pwritev" : "open",
                          .nth = 1 + rng_.below(4),
                          .code = ENOSPC,
                          .for_good = true});
      const Status done = job.run();
      fixture_.fs().clear_faults();
      EXPECT_FALSE(fixture_.directory().health().offline());
      if (!done) return log().finish_flush(job);
    } else {
      check(job.run());
    }
    if (rng_.one_in(10)) {
      // The process dies after the disk has done its part, before anybody noticed.
      flushed_ = model_.end();
      return crash();
    }
    log().finish_flush(job);
    flushed_ = model_.end();
    EXPECT_EQ(log().recovery_point(), model_.end());
  }

  void restart() {
    if (!fixture_.restart()) {
      ADD_FAILURE() << "refused: " << fixture_.error().why;
      return;
    }
    flushed_ = model_.end();
    checkpointed_start_ = log().log_start_offset();
    EXPECT_EQ(log().recovery_point(), model_.end());
    compare();
  }

  void crash() {
    const auto loss = !mode_.power_fails ? MemFs::Loss::kNothing
                      : rng_.one_in(3)   ? MemFs::Loss::kUnsynced
                                         : MemFs::Loss::kSome;
    crash(loss, loss == MemFs::Loss::kNothing ? model_.end() : flushed_);
  }

  // `least`: what must be there again.
  void crash(MemFs::Loss loss, Offset least) {
    const Offset start = log().log_start_offset();
    for (int again = 0; again < 1 + static_cast<int>(rng_.below(2)); ++again) {
      // The second time it dies during or right after recovery.
      if (!fixture_.crash(loss)) {
        ADD_FAILURE() << "refused: " << fixture_.error().why;
        return;
      }
    }
    EXPECT_LE(log().log_start_offset(), std::max(start, log().log_end_offset()));
    EXPECT_GE(log().log_start_offset(), std::min(checkpointed_start_, log().log_end_offset()));
    EXPECT_GE(log().log_end_offset(), least);
    if (uncertain_ && log().log_end_offset() > model_.end()) {
      uncertain_->base_offset = model_.end();
      model_.append(*uncertain_);
    }
    uncertain_.reset();
    EXPECT_LE(log().log_end_offset(), model_.end());
    // The records below a checkpointed log start were deleted; a log that lost everything else starts anew
    // there.
    const Offset end = log().log_end_offset();
    const bool anew = log().log_start_offset() == end && log().producers().size() == 0;
    EXPECT_TRUE(anew || model_.boundary(end) == end);
    if (anew) {
      model_.restart_at(end);
    } else {
      model_.truncate(end);
    }
    flushed_ = std::min(flushed_, model_.end());
    compare();
    reset_producers();
  }

  // The disk fails at some call of some operations; the directory goes offline, the process starts again.
  void fail_disk() {
    // Only the partition's files: if not even the note about the failure can be written, all bets are off
    // (R8).
    fixture_.fs().fail({.nth = 1 + rng_.below(6), .code = EIO, .for_good = true, .path_part = "/topic-0/"});
    Offset least = model_.end();
    const Offset start = log().log_start_offset();
    for (int i = 0; i < 20 && !fixture_.directory().health().offline(); ++i) {
      switch (rng_.below(5)) {
        case 0: {
          const Offset target = some_offset();
          if (model_.boundary(target) >= start) least = std::min(least, model_.boundary(target));
          if (fixture_.truncate_to(target)) {
            forget_from(model_.boundary(target));
            least = model_.end();
          }
          break;
        }
        case 1:
          (void)log().roll(fixture_.now_ms);
          break;
        case 2:
          (void)log().flush();
          break;
        case 3:
          (void)fixture_.checkpoint();
          break;
        default: {
          const Bytes bytes = batch_of({.records = 2, .seed = rng_.next()});
          const auto batch = noted(bytes, model_.end(), epoch_);
          if (fixture_.append(bytes, {.leader_epoch = epoch_})) {
            model_.append(batch);
            least = std::max(least, least);
          } else {
            uncertain_ = batch;
          }
        }
      }
    }
    fixture_.fs().clear_faults();
    if (!fixture_.directory().health().offline()) return;
    EXPECT_EQ(log().append_as_leader(MutableBytes{}, {}).error().code, ErrorCode::kKafkaStorageError);
    EXPECT_EQ(log().read(start, 1, model_.end(), true).error().code, ErrorCode::kKafkaStorageError);
    if (mode_.power_fails && rng_.one_in(2)) return crash(MemFs::Loss::kSome, std::min(flushed_, least));
    crash(MemFs::Loss::kNothing, std::min(least, model_.end()));
  }

  // --- comparisons
  void compare() {
    EXPECT_EQ(log().log_end_offset(), model_.end());
    const auto expected = model_.records(log().log_start_offset(), model_.end());
    const auto actual = read_all(log());
    const auto [a, e] = std::ranges::mismatch(actual, expected);
    if (a == actual.end() && e == expected.end()) {
    } else if (a == actual.end()) {
      ADD_FAILURE() << "missing " << *e;
    } else {
      ADD_FAILURE() << "unexpected " << *a;
    }
    compare_producers();
    read_epochs();
    read_aborted();
  }

  void compare_producers() {
    ProducerState actual = log().producers();
    actual.on_high_watermark(model_.end());
    if (actual == model_.producers(0)) return;
    // A power failure in the middle of a deletion can bring back a segment, but not what was known before it.
    for (const auto& batch : model_.batches()) {
      if (!mode_.power_fails || batch.base_offset > log().log_start_offset()) break;
      if (actual == model_.producers(batch.base_offset)) return;
    }
    // The same, once all of that segment has been truncated away.
    if (mode_.power_fails && actual == model_.producers(log().log_start_offset())) return;
    ADD_FAILURE() << "producer state is not that of the records";
  }

  void read() {
    const Offset from = some_offset();
    const Offset bound = rng_.one_in(3) ? some_offset() : model_.end();
    const auto max_bytes = static_cast<std::uint32_t>(rng_.below(4000));
    const bool min_one = rng_.one_in(2);
    const auto result = log().read(from, max_bytes, bound, min_one);
    ASSERT_TRUE(result) << result.error().why;
    const auto expected = model_.records(from, bound);
    if (from >= bound) {
      EXPECT_EQ(result->records.size, 0u);
      return;
    }
    auto [records, first_offset, next_offset] = records_of(result->records);
    if (!min_one) EXPECT_LE(result->records.size, max_bytes);
    // Never past the bound, but for the rest of the batch that holds it.
    if (next_offset != protocol::kNoOffset) {
      EXPECT_LE(first_offset, from);
      EXPECT_GT(next_offset, from);
      EXPECT_LE(next_offset - 1, result->upper_bound);
      EXPECT_LT(model_.boundary(next_offset - 1), bound);
    }
    std::erase_if(records,
                  [&](const auto& record) { return record.offset < from || record.offset >= bound; });
    ASSERT_LE(records.size(), expected.size());
    EXPECT_TRUE(std::equal(records.begin(), records.end(), expected.begin()));
    if (min_one && model_.boundary(from) < model_.boundary(bound)) EXPECT_GT(result->records.size, 0u);
    const auto outside = log().read(model_.end() + 1, 1000, model_.end(), true);
    EXPECT_EQ(outside.error().code, ErrorCode::kOffsetOutOfRange);
  }

  void read_timestamps() {
    const std::int64_t timestamp = some_timestamp();
    const auto found = log().offset_for_timestamp(timestamp);
    ASSERT_TRUE(found) << found.error().why;
    const auto expected = model_.first_at(timestamp, log().log_start_offset());
    if (!expected) {
      // Markers have timestamps, too, and are records of their own.
      if (*found) EXPECT_GE((*found)->timestamp, timestamp);
      return;
    }
    ASSERT_TRUE(*found);
    EXPECT_LE((*found)->offset, expected->offset);
    EXPECT_GE((*found)->timestamp, timestamp);
    const auto between = model_.records((*found)->offset, expected->offset);
    for (const auto& record : between) EXPECT_LT(record.timestamp, timestamp);
    const auto largest = log().max_timestamp();
    ASSERT_TRUE(largest);
    ASSERT_TRUE(*largest);
    EXPECT_GE((*largest)->timestamp, timestamp);
  }

  void read_epochs() {
    for (const LeaderEpoch epoch :
         {epoch_,
          LeaderEpoch(static_cast<std::int32_t>(rng_.below(static_cast<std::uint64_t>(epoch_.value) + 2)))}) {
      const auto expected = model_.end_of_epoch(epoch, log().log_start_offset());
      const auto actual = log().end_offset_for_epoch(epoch);
      if (model_.end() == log().log_start_offset()) continue;
      EXPECT_EQ(actual.leader_epoch, expected.value_or(EpochEndOffset{}).leader_epoch) << epoch.value;
      EXPECT_EQ(actual.end_offset, expected.value_or(EpochEndOffset{}).end_offset) << epoch.value;
    }
  }

  void read_aborted() {
    std::vector<AbortedTransaction> all;
    (void)model_.producers(0, &all);
    const Offset from = some_offset();
    const Offset bound = some_offset();
    const auto actual = log().aborted_transactions(from, bound);
    ASSERT_TRUE(actual) << actual.error().why;
    std::erase_if(all, [&](const auto& txn) { return txn.last_offset < from || txn.first_offset >= bound; });
    // A transaction that began in a segment since deleted may be unknown, its first offset cut or its end
    // missing.
    for (const auto& txn : all) {
      if (txn.first_offset < log().log_start_offset()) continue;
      const bool there = std::ranges::any_of(*actual, [&](const auto& known) {
        return known.producer_id == txn.producer_id && known.first_offset == txn.first_offset &&
               known.last_offset == txn.last_offset;
      });
      EXPECT_TRUE(there) << txn.first_offset.value << "-" << txn.last_offset.value;
    }
    for (const auto& known : *actual) {
      EXPECT_GE(known.last_offset, from);
      EXPECT_LT(known.first_offset, bound);
    }
  }

  SeededRng rng_;
  Mode mode_;
  LogFixture fixture_;
  LogModel model_;
  std::array<Producer, kProducers> producers_;
  LeaderEpoch epoch_ = 0;
  std::int64_t clock_ = 1;
  Offset flushed_ = 0;
  Offset checkpointed_start_ = 0;
  Bytes last_sent_;
  Offset last_sent_at_;
  std::optional<LogModel::Batch> uncertain_;
};

constexpr int kSteps = 2500;

class LogModelTest : public testing::TestWithParam<int> {};

void run(int seed, const Mode& mode) {
  SCOPED_TRACE(testing::Message() << mode.name << ", seed " << seed);
  Run(static_cast<std::uint64_t>(seed), mode).steps(kSteps);
}

TEST_P(LogModelTest, KilledProcessesLoseNothing) { run(GetParam(), {"kill", false, false}); }
TEST_P(LogModelTest, PowerFailuresLoseOnlyWhatWasNotFlushed) { run(GetParam(), {"power", true, false}); }
TEST_P(LogModelTest, FailingDisksLoseNothingThatWasFlushed) { run(GetParam(), {"disk", true, true}); }

// MODEL_SEEDS in the environment asks for more than the usual number.
int seeds() {
  const char* wanted = std::getenv("MODEL_SEEDS");  // NOLINT(concurrency-mt-unsafe): one thread
  return wanted != nullptr ? std::atoi(wanted) : 14;
}

INSTANTIATE_TEST_SUITE_P(Seeds, LogModelTest, testing::Range(0, seeds()));

}  // namespace
}  // namespace milena::storage
