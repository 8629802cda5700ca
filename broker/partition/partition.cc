#include "broker/partition/partition.h"

#include <limits>
#include <utility>

#include "base/assert.h"
#include "protocol/error_code.h"

namespace milena::broker {

Partition::Partition(std::shared_ptr<const TopicIdentity> topic, PartitionId index,
                     storage::LogDirectory& directory, std::unique_ptr<storage::Log> log,
                     std::shared_ptr<const TopicSettings> settings, Durability durability,
                     FlushScheduler& flusher)
    : topic_(std::move(topic)),
      index_(index),
      directory_(&directory),
      durability_(durability),
      flusher_(flusher),
      log_(std::move(log)),
      settings_(std::move(settings)) {
  log_->set_file_holder(this);
  const MutexLock lock(mutex_);
  publish_log();
}

Partition::~Partition() {
  const MutexLock lock(mutex_);
  if (log_ != nullptr) log_->set_file_holder(nullptr);
}

Partition::Partition(std::shared_ptr<const TopicIdentity> topic, PartitionId index,
                     std::shared_ptr<const TopicSettings> settings, FlushScheduler& flusher)
    : topic_(std::move(topic)),
      index_(index),
      directory_(nullptr),
      durability_(Durability::kPageCache),
      flusher_(flusher),
      settings_(std::move(settings)) {}

Status Partition::check_open() {
  if (log_ != nullptr) return {};
  return directory_ == nullptr ? fail(ErrorCode::kKafkaStorageError, "the partition is offline")
                               : fail(ErrorCode::kUnknownTopicOrPartition, "the partition is deleted");
}

Status Partition::check_leader(LeaderEpoch current_leader_epoch) {
  MILENA_CHECK(check_open());
  if (leader_epoch_ == protocol::kNoLeaderEpoch) {
    return fail(ErrorCode::kNotLeaderOrFollower, "this node does not lead the partition");
  }
  if (current_leader_epoch == protocol::kNoLeaderEpoch) return {};
  if (current_leader_epoch < leader_epoch_) {
    return fail(ErrorCode::kFencedLeaderEpoch, "the client knows an older leader epoch");
  }
  if (current_leader_epoch > leader_epoch_) {
    return fail(ErrorCode::kUnknownLeaderEpoch, "the client knows a newer leader epoch");
  }
  return {};
}

void Partition::become_leader(LeaderEpoch epoch) {
  WakeList wakes;
  bool flush_wanted = false;
  {
    const MutexLock lock(mutex_);
    if (log_ == nullptr || epoch <= leader_epoch_) return;
    leader_epoch_ = epoch;
    log_->assign_epoch(epoch);
    // The only replica is the whole in-sync set: what it has is committed. In fsync mode what recovery found
    // may not be on stable storage yet; the flush raises the mark.
    if (durability_ == Durability::kPageCache) {
      raise_high_watermark(log_->log_end_offset(), 0, wakes);
    } else {
      raise_high_watermark(log_->recovery_point(), 0, wakes);
      flush_wanted =
          log_->recovery_point() < log_->log_end_offset() && !std::exchange(flush_scheduled_, true);
      // What recovery found becomes readable with that flush; those who wait for it count bytes.
      if (flush_wanted) unflushed_bytes_ += log_->size_bytes();
    }
  }
  if (flush_wanted) flusher_.schedule_flush(shared_from_this());
}

void Partition::set_settings(std::shared_ptr<const TopicSettings> settings) {
  const MutexLock lock(mutex_);
  if (log_ != nullptr) {
    log_->set_config(settings->log);
    expect_overdue_flush();
  }
  settings_ = std::move(settings);
}

std::shared_ptr<const TopicSettings> Partition::settings() {
  const MutexLock lock(mutex_);
  return settings_;
}

Result<Partition::Appended> Partition::append(MutableBytes records, storage::AppendOptions options) {
  WakeList wakes;
  bool flush_wanted = false;
  auto appended = [&]() -> Result<Appended> {
    const MutexLock lock(mutex_);
    MILENA_CHECK(check_leader(protocol::kNoLeaderEpoch));
    options.leader_epoch = leader_epoch_;
    MILENA_TRY(const storage::AppendInfo info, log_->append_as_leader(records, options));
    if (!info.duplicate) {
      const auto& config = log_->config();
      unflushed_bytes_ += records.size();
      metrics_.log_bytes.add(records.size());
      metrics_.bytes_in.add(records.size());
      metrics_.messages_in.add(static_cast<std::uint64_t>(info.last_offset - info.first_offset) + 1);
      unflushed_records_ += static_cast<std::uint64_t>(info.last_offset - info.first_offset) + 1;
      if (durability_ == Durability::kPageCache) {
        raise_high_watermark(log_->log_end_offset(), records.size(), wakes);
        flush_wanted = info.rolled || unflushed_records_ >= static_cast<std::uint64_t>(config.flush_messages);
      } else {
        flush_wanted = true;
      }
      flush_wanted = flush_wanted && !std::exchange(flush_scheduled_, true);
      expect_overdue_flush();
    }
    return Appended{info, log_->log_start_offset(), leader_epoch_, log_->high_watermark() > info.last_offset};
  }();
  if (flush_wanted) flusher_.schedule_flush(shared_from_this());
  return appended;
}

Result<std::optional<storage::VerificationTicket>> Partition::begin_verification(
    protocol::ProducerId producer, std::int16_t epoch, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(protocol::kNoLeaderEpoch));
  return log_->begin_verification(producer, epoch, now_ms);
}

Result<Partition::FetchAnswer> Partition::fetch(const FetchQuery& query) {
  const MutexLock lock(mutex_);
  auto answer = read(query);
  metrics_.fetches.add(1);
  if (!answer) metrics_.failed_fetches.add(1);
  return answer;
}

Result<Partition::FetchAnswer> Partition::read(const FetchQuery& query) {
  MILENA_CHECK(check_leader(query.current_leader_epoch));
  FetchAnswer answer;
  answer.high_watermark = log_->high_watermark();
  answer.last_stable_offset = log_->last_stable_offset();
  answer.log_start_offset = log_->log_start_offset();

  if (query.last_fetched_epoch != protocol::kNoLeaderEpoch) {
    const auto end = log_->end_offset_for_epoch(query.last_fetched_epoch);
    if (end.leader_epoch == protocol::kNoLeaderEpoch || end.end_offset == protocol::kNoOffset) {
      return fail(ErrorCode::kOffsetOutOfRange, "no epoch at or below the last fetched one is known");
    }
    if (end.leader_epoch < query.last_fetched_epoch || end.end_offset < query.fetch_offset) {
      answer.diverging_epoch = end;
      return answer;
    }
  }

  const Offset bound = query.to_log_end       ? log_->log_end_offset()
                       : query.read_committed ? answer.last_stable_offset
                                              : answer.high_watermark;
  MILENA_TRY(auto read, log_->read(query.fetch_offset, query.max_bytes, bound, query.min_one_message));
  if (query.read_committed) {
    answer.aborted_transactions.emplace();
    if (read.records.size > 0) {
      MILENA_TRY(*answer.aborted_transactions,
                 log_->aborted_transactions(query.fetch_offset, read.upper_bound));
    }
  }
  answer.records = std::move(read.records);
  return answer;
}

Result<Partition::Offsets> Partition::offsets(LeaderEpoch current_leader_epoch) {
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(current_leader_epoch));
  return Offsets{log_->log_start_offset(), log_->high_watermark(), log_->last_stable_offset(),
                 log_->log_end_offset(), leader_epoch_};
}

Result<std::optional<storage::TimestampAndOffset>> Partition::offset_for_timestamp(
    std::int64_t timestamp, LeaderEpoch current_leader_epoch) {
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(current_leader_epoch));
  return log_->offset_for_timestamp(timestamp);
}

Result<std::optional<storage::TimestampAndOffset>> Partition::max_timestamp(
    LeaderEpoch current_leader_epoch) {
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(current_leader_epoch));
  return log_->max_timestamp();
}

Result<storage::TimestampAndOffset> Partition::earliest(LeaderEpoch current_leader_epoch) {
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(current_leader_epoch));
  const Offset start = log_->log_start_offset();
  return storage::TimestampAndOffset{-1, start, log_->epoch_of(start)};
}

Result<storage::EpochEndOffset> Partition::end_offset_for_epoch(LeaderEpoch epoch,
                                                                LeaderEpoch current_leader_epoch) {
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(current_leader_epoch));
  return log_->end_offset_for_epoch(epoch);
}

Result<std::vector<storage::ActiveProducer>> Partition::active_producers() {
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(protocol::kNoLeaderEpoch));
  return log_->active_producers();
}

LeaderEpoch Partition::leader_epoch() {
  const MutexLock lock(mutex_);
  return leader_epoch_;
}

Result<Offset> Partition::delete_records(Offset offset) {
  WakeList wakes;
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(protocol::kNoLeaderEpoch));
  constexpr Offset kHighWatermark = -1;
  if (offset < kHighWatermark) return fail(ErrorCode::kOffsetOutOfRange, "the offset is negative");
  const Offset target = offset == kHighWatermark ? log_->high_watermark() : offset;
  MILENA_CHECK(log_->advance_log_start(target));
  publish_log();
  tell_watches({.high_watermark = log_->high_watermark()}, wakes);
  return log_->log_start_offset();
}

Result<bool> Partition::expire_segments(std::int64_t now_ms) {
  WakeList wakes;
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(protocol::kNoLeaderEpoch));
  MILENA_TRY(const bool expired, log_->expire(now_ms));
  publish_log();
  if (expired) tell_watches({.high_watermark = log_->high_watermark()}, wakes);
  return expired;
}

Result<storage::DeletionJob> Partition::delete_expired_segments() {
  const MutexLock lock(mutex_);
  MILENA_CHECK(check_leader(protocol::kNoLeaderEpoch));
  auto job = log_->delete_expired();
  publish_log();
  return job;
}

std::unique_ptr<storage::Log> Partition::close() {
  WakeList wakes;
  const MutexLock lock(mutex_);
  if (log_ == nullptr) return nullptr;
  tell_watches({.high_watermark = log_->high_watermark(), .closed = true}, wakes);
  log_->set_file_holder(nullptr);
  return std::move(log_);
}

bool Partition::attach(PartitionWatch& watch, Offset seen_high_watermark) {
  const MutexLock lock(mutex_);
  if (log_ == nullptr || log_->high_watermark() > seen_high_watermark) return false;
  link(watch);
  return true;
}

bool Partition::attach(PartitionWatch& watch) {
  const MutexLock lock(mutex_);
  if (log_ == nullptr) return false;
  link(watch);
  return true;
}

void Partition::link(PartitionWatch& watch) {
  MILENA_ASSERT(!watch.attached_, "a watch hangs on one partition");
  watch.attached_ = true;
  watch.previous_ = nullptr;
  watch.next_ = first_watch_;
  if (first_watch_ != nullptr) first_watch_->previous_ = &watch;
  first_watch_ = &watch;
}

void Partition::detach(PartitionWatch& watch) {
  const MutexLock lock(mutex_);
  if (!watch.attached_) return;
  watch.attached_ = false;
  (watch.previous_ != nullptr ? watch.previous_->next_ : first_watch_) = watch.next_;
  if (watch.next_ != nullptr) watch.next_->previous_ = watch.previous_;
}

void Partition::raise_high_watermark(Offset offset, std::uint64_t readable_bytes, WakeList& wakes) {
  const Offset before = log_->high_watermark();
  log_->advance_high_watermark(offset);
  if (log_->high_watermark() == before) return;
  metrics_.high_watermark.set(log_->high_watermark().value);
  tell_watches({.readable_bytes = readable_bytes, .high_watermark = log_->high_watermark()}, wakes);
}

void Partition::tell_watches(const PartitionChange& change, WakeList& wakes) {
  for (auto* watch = first_watch_; watch != nullptr; watch = watch->next_) watch->changed(change, wakes);
}

void Partition::publish_log() {
  metrics_.log_start_offset.set(log_->log_start_offset().value);
  metrics_.high_watermark.set(log_->high_watermark().value);
  metrics_.log_bytes.set(log_->size_bytes());
}

void Partition::count_produce(bool failed) {
  metrics_.produces.add();
  if (failed) metrics_.failed_produces.add();
}

Status Partition::flush() {
  std::optional<storage::FlushJob> job;
  std::uint64_t flushed_bytes = 0;
  {
    const MutexLock lock(mutex_);
    flush_scheduled_ = false;
    if (log_ == nullptr || log_->flush_in_progress())
      return {};  // whoever finishes it schedules what has come since
    flush_failed_ = false;
    unflushed_records_ = 0;
    unflushed_since_.reset();
    flushed_bytes = std::exchange(unflushed_bytes_, 0);
    job.emplace(log_->begin_flush());
  }
  const auto done = job->run();
  WakeList wakes;
  bool again = false;
  {
    const MutexLock lock(mutex_);
    if (log_ == nullptr) return done;
    log_->finish_flush(*job);
    if (!done) {
      unflushed_bytes_ += flushed_bytes;
      flush_failed_ = true;
      expect_overdue_flush();
      return done;
    }
    if (durability_ == Durability::kFsync) {
      raise_high_watermark(job->up_to(), flushed_bytes, wakes);
      again = job->up_to() < log_->log_end_offset() && !std::exchange(flush_scheduled_, true);
    }
  }
  if (again) flusher_.schedule_flush(shared_from_this());
  return {};
}

void Partition::note_checkpoint() {
  storage::LogCheckpoint checkpoint;
  {
    const MutexLock lock(mutex_);
    if (log_ == nullptr) return;
    checkpoint = log_->checkpoint();
  }
  directory_->note(name(), checkpoint);
}

void Partition::expire_producers(std::int64_t now_ms, std::int64_t expiration_ms) {
  const MutexLock lock(mutex_);
  if (log_ != nullptr) log_->expire_producers(now_ms, expiration_ms);
}

void Partition::release_idle_files() {
  const MutexLock lock(mutex_);
  if (log_ != nullptr) log_->release_idle_files();
}

// With fsync durability, unsynced means that a flush is on its way: such a file is closed last.
bool Partition::release_files(Urgency urgency) {
  if (!mutex_.try_lock()) return true;
  const bool left = log_ != nullptr && log_->release_files(urgency, durability_ == Durability::kPageCache);
  mutex_.unlock();
  return left;
}

bool Partition::flush_overdue(Instant now) {
  const MutexLock lock(mutex_);
  if (log_ == nullptr || directory_->health().offline()) return false;
  expect_overdue_flush();
  if (flush_scheduled_) return false;
  if (flush_failed_) return true;
  if (unflushed_records_ == 0) return false;
  if (!unflushed_since_) unflushed_since_ = now;
  return (now - *unflushed_since_).count() >= log_->config().flush_ms;
}

void Partition::expect_overdue_flush() {
  constexpr auto kNever = std::numeric_limits<std::int64_t>::max();  // flush.ms, as it mostly is
  if (flush_failed_ || (unflushed_records_ > 0 && log_->config().flush_ms != kNever))
    flusher_.expect_overdue_flush();
}

std::uint64_t Partition::size_bytes() {
  const MutexLock lock(mutex_);
  return log_ == nullptr ? 0 : log_->size_bytes();
}

}  // namespace milena::broker
