#include "storage/log_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "protocol/error_code.h"
#include "storage/checkpoint_text.h"
#include "storage/last_seen.h"
#include "storage/offset_checkpoint.h"
#include "storage/segment_names.h"
#include "storage/stray_checkpoint.h"

namespace milena::storage {
namespace {

constexpr std::string_view kLockName = ".lock";
constexpr std::string_view kCleanShutdownName = ".kafka_cleanshutdown";
constexpr std::string_view kRecoveryPointName = "recovery-point-offset-checkpoint";
constexpr std::string_view kLogStartName = "log-start-offset-checkpoint";
constexpr std::string_view kHighWatermarkName = "replication-offset-checkpoint";

struct CheckpointFile {
  std::string_view name;
  Offset LogCheckpoint::* field;
  const char* newer;
};
constexpr CheckpointFile kCheckpointFiles[] = {
    {kRecoveryPointName, &LogCheckpoint::recovery_point,
     "recovery-point-offset-checkpoint was written by a newer version: start that one"},
    {kLogStartName, &LogCheckpoint::log_start_offset,
     "log-start-offset-checkpoint was written by a newer version: start that one"},
    {kHighWatermarkName, &LogCheckpoint::high_watermark,
     "replication-offset-checkpoint was written by a newer version: start that one"},
};

std::string encode_marker(std::int64_t broker_epoch) {
  return fmt::format("{{\"version\":0,\"brokerEpoch\":{}}}", broker_epoch);
}

// -1 when the marker, as older Kafka wrote it, names no epoch.
std::int64_t decode_marker(std::string_view text) {
  constexpr std::string_view kKey = "\"brokerEpoch\":";
  const auto at = text.find(kKey);
  if (at == std::string_view::npos) return -1;
  text.remove_prefix(at + kKey.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return parse_integer<std::int64_t>(text.substr(0, text.find_first_of(",} \n"))).value_or(-1);
}

}  // namespace

TruncationPermit::~TruncationPermit() {
  if (owner_ != nullptr) owner_->end_truncation(partition_);
}

LogDirectory::LogDirectory(Fs& fs, std::string path) : fs_(fs), path_(std::move(path)), health_(fs, path_) {}

LogDirectory::~LogDirectory() = default;

Status LogDirectory::failed(const IoError& error, std::string_view name) {
  return health_.fail(error, join(path_, name));
}

std::expected<std::unique_ptr<LogDirectory>, LogDirectory::OpenError> LogDirectory::open(Fs& fs,
                                                                                         std::string path) {
  std::unique_ptr<LogDirectory> directory(new LogDirectory(fs, std::move(path)));
  if (const auto loaded = directory->load(); !loaded) {
    const std::string reason = directory->health_.reason();
    return std::unexpected(OpenError{loaded.error(), reason.empty() ? loaded.error().why : reason});
  }
  return directory;
}

Status LogDirectory::load() {
  if (!fs_.exists(path_)) {
    if (const auto made = fs_.make_directories(path_); !made) return failed(made.error(), "");
    const std::string parent = parent_directory(path_);
    if (const auto synced = fs_.sync_directory(parent); !synced) return health_.fail(synced.error(), parent);
  }
  auto lock = fs_.lock(join(path_, kLockName));
  if (!lock && lock.error().code == EWOULDBLOCK)
    return fail(ErrorCode::kInvalidConfig, "the log directory is in use by another process");
  if (!lock) return failed(lock.error(), kLockName);
  lock_ = std::move(*lock);

  const auto meta = read_file(fs_, join(path_, kMetaPropertiesName), 1 << 16);
  if (meta) {
    meta_properties_ = decode_meta_properties(as_text(*meta));
    if (!meta_properties_)
      return fail(ErrorCode::kInvalidConfig, "meta.properties is damaged, or not of version 1");
  } else if (meta.error().code != ENOENT) {
    return failed(meta.error(), kMetaPropertiesName);
  }
  distrust_page_cache_ = fs_.exists(join(path_, kIoFailedName));
  for (const CheckpointFile& file : kCheckpointFiles) {
    // One that is missing, damaged or unreadable counts as empty: recovery then starts further back.
    const auto text = read_file(fs_, join(path_, file.name));
    if (!text) continue;
    if (is_newer_checkpoint(as_text(*text))) return fail(ErrorCode::kInvalidConfig, file.newer);
    if (const auto offsets = decode_offset_checkpoint(as_text(*text))) load_checkpoint(*offsets, file.field);
  }
  if (const auto seen = read_file(fs_, join(path_, kLastSeenName), 1 << 10))
    last_seen_ms_ = decode_last_seen(as_text(*seen));
  if (const auto followed = read_file(fs_, join(path_, kFollowedMetadataName), 1 << 10))
    followed_metadata_ = decode_followed_metadata(as_text(*followed));
  {
    const MutexLock guard(mutex_);
    for (auto& [name, noted] : noted_) noted.recovery_point_on_disk = noted.checkpoint.recovery_point;
    dirty_ = false;
  }
  return load_marker();
}

Status LogDirectory::load_marker() {
  const auto marker = read_file(fs_, join(path_, kCleanShutdownName), 1 << 16);
  if (!marker && marker.error().code == ENOENT) return {};
  if (!marker) return failed(marker.error(), kCleanShutdownName);
  marker_present_ = true;
  was_clean_ = !distrust_page_cache_;
  previous_broker_epoch_ = decode_marker(as_text(*marker));
  return {};
}

Status LogDirectory::begin_use() {
  MILENA_CHECK(health_.check());
  return std::exchange(marker_present_, false) ? remove_durably(kCleanShutdownName) : Status{};
}

Status LogDirectory::remove_durably(std::string_view name) {
  if (const auto removed = fs_.remove(join(path_, name)); !removed) return failed(removed.error(), name);
  if (const auto synced = fs_.sync_directory(path_); !synced) return failed(synced.error(), name);
  return {};
}

void LogDirectory::load_checkpoint(const OffsetCheckpoint& offsets, Offset LogCheckpoint::* field) {
  const MutexLock guard(mutex_);
  for (const auto& [partition, offset] : offsets) noted_[partition].checkpoint.*field = offset;
}

Status LogDirectory::format(const MetaProperties& properties) {
  MILENA_CHECK(health_.check());
  const auto text = encode_meta_properties(properties);
  if (const auto done = replace_file(fs_, join(path_, kMetaPropertiesName), as_bytes(text)); !done)
    return failed(done.error(), kMetaPropertiesName);
  meta_properties_ = properties;
  return {};
}

std::optional<FsSpace> LogDirectory::space() {
  const auto space = fs_.space(path_);
  return space ? std::optional(*space) : std::nullopt;
}

Result<std::vector<PartitionName>> LogDirectory::partitions() {
  MILENA_CHECK(health_.check());
  const auto entries = fs_.list(path_);
  if (!entries) return health_.fail(entries.error(), path_);
  std::vector<PartitionName> out;
  for (const DirEntry& entry : *entries) {
    if (!entry.is_directory) continue;
    if (auto name = parse_partition_name(entry.name)) out.push_back(std::move(*name));
  }
  return out;
}

std::string LogDirectory::partition_path(const TopicPartition& partition) const {
  return join(path_, directory_name(partition));
}

Status LogDirectory::create_partition(const TopicPartition& partition, const Uuid& topic_id) {
  MILENA_CHECK(health_.check());
  MILENA_CHECK(check_free_for(partition, topic_id));
  bool stale = false;
  {
    const MutexLock guard(mutex_);
    stale = noted_.erase(directory_name(partition)) > 0 || forgotten_.contains(directory_name(partition));
    dirty_ = dirty_ || stale;
  }
  if (stale) MILENA_CHECK(write_checkpoints());
  const std::string directory = partition_path(partition);
  if (const auto made = fs_.make_directories(directory); !made) return health_.fail(made.error(), directory);
  const std::string path = join(directory, kPartitionMetadataName);
  const auto file = fs_.open(path, OpenMode::kTruncate);
  if (!file) return health_.fail(file.error(), path);
  const auto written = (*file)->write_at(0, as_bytes(encode_partition_metadata(topic_id)));
  if (!written) return health_.fail(written.error(), path);
  // The first flush makes the names durable. What they name has to be whole by then: the next start decides
  // over the records by this file.
  if (const auto synced = (*file)->sync(); !synced) return health_.fail(synced.error(), path);
  return {};
}

Status LogDirectory::check_free_for(const TopicPartition& partition, const Uuid& topic_id) {
  const std::string name = directory_name(partition);
  if (!fs_.exists(join(path_, name))) return {};
  const auto entries = fs_.list(join(path_, name));
  if (!entries) return health_.fail(entries.error(), join(path_, name));
  MILENA_TRY(const auto metadata, partition_metadata(name));
  using State = PartitionMetadata::State;
  const bool is_ours = metadata.state == State::kValid && metadata.topic_id == topic_id;
  const bool is_broken = metadata.state == State::kMissing || metadata.state == State::kDamaged;
  const bool is_bare = std::ranges::all_of(
      *entries, [](const DirEntry& entry) { return entry.name == kPartitionMetadataName; });
  if (is_bare && (is_ours || is_broken)) return {};
  return fail(ErrorCode::kInvalidConfig, "a directory of that name is there, and holds something else");
}

Result<PartitionMetadata> LogDirectory::partition_metadata(const std::string& name) {
  MILENA_CHECK(health_.check());
  const std::string path = join(join(path_, name), kPartitionMetadataName);
  const auto text = read_file(fs_, path, 1 << 16);
  if (text) return decode_partition_metadata(as_text(*text));
  if (text.error().code == ENOENT) return PartitionMetadata{};
  if (text.error().code == EFBIG) return PartitionMetadata{.state = PartitionMetadata::State::kDamaged};
  return health_.fail(text.error(), path);
}

Status LogDirectory::write_partition_metadata(const TopicPartition& partition, const Uuid& topic_id) {
  MILENA_CHECK(health_.check());
  const std::string path = join(partition_path(partition), kPartitionMetadataName);
  const auto text = encode_partition_metadata(topic_id);
  if (const auto done = replace_file(fs_, path, as_bytes(text)); !done)
    return health_.fail(done.error(), path);
  return {};
}

Status LogDirectory::write_metadata_again(const TopicPartition& partition, const Uuid& topic_id) {
  const std::string path = join(partition_path(partition), kPartitionMetadataName);
  const auto file = fs_.open(path, OpenMode::kReadWrite);
  if (!file) return health_.fail(file.error(), path);
  const auto written = (*file)->write_at(0, as_bytes(encode_partition_metadata(topic_id)));
  return written ? Status{} : health_.fail(written.error(), path);
}

Result<LogDirectory::Contents> LogDirectory::contents(const std::string& name) {
  MILENA_CHECK(health_.check());
  const std::string directory = join(path_, name);
  const auto entries = fs_.list(directory);
  if (!entries) return health_.fail(entries.error(), directory);
  Contents out;
  for (const DirEntry& entry : *entries) {
    const auto parsed = parse_segment_file_name(entry.name);
    if (entry.is_directory || !is_partition_file_name(entry.name)) out.foreign = entry.name;
    if (entry.is_directory || !parsed || parsed->suffix != kLogSuffix) continue;
    const std::string path = join(directory, entry.name);
    const auto file = fs_.open(path, OpenMode::kRead);
    const auto size = file ? (*file)->size() : IoResult<std::uint64_t>(std::unexpected(file.error()));
    if (!size) return health_.fail(size.error(), path);
    out.record_bytes += *size;
  }
  return out;
}

Result<std::unique_ptr<Log>> LogDirectory::open_log(const TopicPartition& partition,
                                                    std::shared_ptr<const LogConfig> config,
                                                    std::int64_t now_ms, bool is_durable) {
  return open_with(partition,
                   {.directory = {}, .config = std::move(config), .clean = was_clean_, .now_ms = now_ms},
                   noted(partition).value_or(LogCheckpoint{}), is_durable);
}

// Recovered from its first record on, with its high watermark, but not yet from its log start: whether this
// is the log that it was said to be shows at its end.
Result<std::unique_ptr<Log>> LogDirectory::open_moved_log(const TopicPartition& partition,
                                                          const LogCheckpoint& former,
                                                          std::shared_ptr<const LogConfig> config,
                                                          std::int64_t now_ms, bool is_durable) {
  return open_with(partition,
                   {.directory = {}, .config = std::move(config), .clean = false, .now_ms = now_ms},
                   {.high_watermark = former.high_watermark}, is_durable);
}

Result<std::unique_ptr<Log>> LogDirectory::open_with(const TopicPartition& partition, LogOpenOptions options,
                                                     const LogCheckpoint& checkpoint, bool is_durable) {
  options.directory = partition_path(partition);
  options.log_start_offset = checkpoint.log_start_offset;
  options.recovery_point = checkpoint.recovery_point;
  options.high_watermark = checkpoint.high_watermark;
  options.distrust_page_cache = distrust_page_cache_ || (is_durable && !was_clean_);
  return Log::open(fs_, health_, options);
}

Status LogDirectory::take_over(const TopicPartition& partition, Offset log_start, LogDirectory& from) {
  {
    const MutexLock guard(mutex_);
    noted_[directory_name(partition)] = Noted{};
    noted_[directory_name(partition)].checkpoint.log_start_offset = log_start;
    dirty_ = true;
  }
  MILENA_CHECK(write_checkpoints());
  from.forget(partition);
  return from.write_checkpoints();
}

// The partition is gone under its old name at once and for good, and so is what the checkpoints say about it.
Result<std::string> LogDirectory::mark_for_deletion(const TopicPartition& partition, Rng& rng) {
  MILENA_CHECK(health_.check());
  forget(partition);
  MILENA_TRY(const auto name, rename_away(partition, deleted_directory_name(partition, rng)));
  return join(path_, name);
}

// What the checkpoints say about it goes with it, for when it is taken back: the name may be another one's
// meanwhile.
Result<std::string> LogDirectory::mark_as_stray(const TopicPartition& partition, Rng& rng) {
  MILENA_CHECK(health_.check());
  const std::string path = join(partition_path(partition), kStrayCheckpointName);
  const auto text = encode_stray_checkpoint(noted(partition).value_or(LogCheckpoint{}));
  if (const auto written = replace_file(fs_, path, as_bytes(text)); !written)
    return health_.fail(written.error(), path);
  forget(partition);
  return rename_away(partition, stray_directory_name(partition, rng));
}

Status LogDirectory::take_back(const std::string& stray, const TopicPartition& partition) {
  MILENA_CHECK(health_.check());
  const auto entries = fs_.list(path_);
  if (!entries) return health_.fail(entries.error(), path_);
  const bool is_in_the_way = std::ranges::any_of(
      *entries, [&](const DirEntry& entry) { return entry.name == directory_name(partition); });
  if (is_in_the_way) return fail(ErrorCode::kInvalidConfig, "something of its name is in the way");
  const auto text = read_file(fs_, join(join(path_, stray), kStrayCheckpointName), 1 << 10);
  const auto checkpoint = text ? decode_stray_checkpoint(as_text(*text)) : std::nullopt;
  {
    const MutexLock guard(mutex_);
    noted_[directory_name(partition)] = Noted{};
    noted_[directory_name(partition)].checkpoint = checkpoint.value_or(LogCheckpoint{});
    dirty_ = true;
  }
  MILENA_CHECK(write_checkpoints());
  MILENA_CHECK(rename(join(path_, stray), partition_path(partition)));
  if (text) (void)fs_.remove(join(partition_path(partition), kStrayCheckpointName));
  return {};
}

Result<std::string> LogDirectory::rename_away(const TopicPartition& partition, const std::string& name) {
  MILENA_CHECK(rename(partition_path(partition), join(path_, name)));
  return name;
}

Status LogDirectory::rename(const std::string& from, const std::string& to) {
  MILENA_CHECK(health_.check());
  if (const auto renamed = fs_.rename(from, to); !renamed) return health_.fail(renamed.error(), to);
  if (const auto synced = fs_.sync_directory(path_); !synced) return health_.fail(synced.error(), path_);
  return {};
}

void LogDirectory::forget(const TopicPartition& partition) {
  const MutexLock guard(mutex_);
  if (noted_.erase(directory_name(partition)) > 0) forgotten_.insert(directory_name(partition));
  dirty_ = dirty_ || !forgotten_.empty();
}

bool LogDirectory::is_empty(const PartitionName& name) {
  const auto entries = fs_.list(join(path_, name.name));
  return entries && entries->empty();
}

Status LogDirectory::remove_deleted(const std::string& path) {
  const auto entries = fs_.list(path);
  if (!entries) return health_.fail(entries.error(), path);
  for (const DirEntry& entry : *entries) {
    if (entry.name == kPartitionMetadataName) continue;
    if (const auto removed = fs_.remove_tree(join(path, entry.name)); !removed)
      return health_.fail(removed.error(), path);
  }
  if (const auto removed = fs_.remove_tree(path); !removed) return health_.fail(removed.error(), path);
  return {};
}

void LogDirectory::note(const TopicPartition& partition, const LogCheckpoint& checkpoint) {
  const MutexLock guard(mutex_);
  Noted& noted = noted_[directory_name(partition)];
  LogCheckpoint next = checkpoint;
  if (noted.recovery_point_limit)
    next.recovery_point = std::min(next.recovery_point, *noted.recovery_point_limit);
  dirty_ = dirty_ || next != noted.checkpoint;
  noted.checkpoint = next;
}

std::optional<LogCheckpoint> LogDirectory::noted(const TopicPartition& partition) const {
  const MutexLock guard(mutex_);
  const auto found = noted_.find(directory_name(partition));
  if (found == noted_.end()) return std::nullopt;
  return found->second.checkpoint;
}

Status LogDirectory::write_checkpoint(std::string_view name, Offset LogCheckpoint::* field) {
  OffsetCheckpoint offsets;
  {
    const MutexLock guard(mutex_);
    for (const auto& [partition, noted] : noted_)
      if (noted.checkpoint.*field > 0) offsets[partition] = noted.checkpoint.*field;
  }
  const auto text = encode_offset_checkpoint(offsets);
  if (const auto done = replace_file(fs_, join(path_, name), as_bytes(text)); !done)
    return failed(done.error(), name);
  if (name != kRecoveryPointName) return {};
  const MutexLock guard(mutex_);
  for (auto& [partition, noted] : noted_) {
    const auto written = offsets.find(partition);
    noted.recovery_point_on_disk = written == offsets.end() ? Offset{0} : written->second;
  }
  return {};
}

Status LogDirectory::write_checkpoints() {
  MILENA_CHECK(health_.check());
  const MutexLock files(file_mutex_);
  std::set<std::string, std::less<>> forgotten;
  {
    const MutexLock guard(mutex_);
    if (!dirty_) return {};
    dirty_ = false;
    forgotten = forgotten_;
  }
  Status done;
  for (const CheckpointFile& file : kCheckpointFiles) {
    if (done) done = write_checkpoint(file.name, file.field);
  }
  const MutexLock guard(mutex_);
  if (done) {
    for (const std::string& name : forgotten) forgotten_.erase(name);
  } else {
    dirty_ = true;  // the disk is full; next time
  }
  return done;
}

Result<TruncationPermit> LogDirectory::permit_truncation(const TopicPartition& partition, Offset offset) {
  MILENA_CHECK(health_.check());
  const std::string name = directory_name(partition);
  const MutexLock files(file_mutex_);
  bool lower_on_disk = false;
  {
    const MutexLock guard(mutex_);
    Noted& noted = noted_[name];
    MILENA_ASSERT(!noted.recovery_point_limit, "one truncation of a log at a time");
    noted.recovery_point_limit = offset;
    noted.checkpoint.recovery_point = std::min(noted.checkpoint.recovery_point, offset);
    lower_on_disk = noted.recovery_point_on_disk > offset;
  }
  TruncationPermit permit(this, name, offset);
  if (lower_on_disk) MILENA_CHECK(write_checkpoint(kRecoveryPointName, &LogCheckpoint::recovery_point));
  return permit;
}

void LogDirectory::end_truncation(const std::string& partition) {
  const MutexLock guard(mutex_);
  const auto found = noted_.find(partition);
  if (found != noted_.end()) found->second.recovery_point_limit.reset();
}

void LogDirectory::note_last_seen(std::int64_t wall_ms) {
  const auto file = fs_.open(join(path_, kLastSeenName), OpenMode::kTruncate);
  if (file && (*file)->write_at(0, as_bytes(encode_last_seen(wall_ms)))) last_seen_ms_ = wall_ms;
}

void LogDirectory::note_followed_metadata(const FollowedMetadata& followed) {
  if (followed == followed_metadata_) return;
  const auto file = fs_.open(join(path_, kFollowedMetadataName), OpenMode::kTruncate);
  if (file && (*file)->write_at(0, as_bytes(encode_followed_metadata(followed))))
    followed_metadata_ = followed;
}

Status LogDirectory::recovery_done() {
  MILENA_CHECK(health_.check());
  recovery_done_ = true;
  if (!distrust_page_cache_) return {};
  distrust_page_cache_ = false;
  return remove_durably(kIoFailedName);
}

Status LogDirectory::flush(std::span<Log* const> logs) {
  MILENA_CHECK(health_.check());
  std::vector<std::pair<Log*, FlushJob>> jobs;
  Status failed_one;
  for (Log* log : logs) {
    FlushJob job = log->begin_flush();
    if (const auto done = job.run(FlushJob::Sync::kLater); !done) {
      failed_one = done;
      log->finish_flush(job);
    } else {
      jobs.emplace_back(log, std::move(job));
    }
  }
  if (const auto synced = fs_.sync_all(path_); !synced) return failed(synced.error(), "");
  for (auto& [log, job] : jobs) log->finish_flush(job);
  return failed_one;
}

Status LogDirectory::close(std::span<Log* const> logs, std::int64_t broker_epoch) {
  MILENA_CHECK(health_.check());
  std::vector<FlushJob> jobs;
  jobs.reserve(logs.size());
  for (Log* log : logs) {
    jobs.push_back(log->begin_close());
    MILENA_CHECK(jobs.back().run(FlushJob::Sync::kLater));
  }
  // One call for all of them; a file at a time would cost a disk round trip each.
  if (const auto synced = fs_.sync_all(path_); !synced) return failed(synced.error(), "");
  for (std::size_t i = 0; i < logs.size(); ++i) {
    logs[i]->finish_flush(jobs[i]);
    const std::string& directory = logs[i]->directory();
    const auto name = parse_partition_name(directory.substr(directory.rfind('/') + 1));
    MILENA_ASSERT(name, "a log of this directory");
    note(name->partition, logs[i]->checkpoint());
  }
  MILENA_CHECK(write_checkpoints());
  if (!recovery_done_) return {};
  const auto marker = encode_marker(broker_epoch);
  if (const auto done = replace_file(fs_, join(path_, kCleanShutdownName), as_bytes(marker)); !done)
    return failed(done.error(), kCleanShutdownName);
  return {};
}

}  // namespace milena::storage
