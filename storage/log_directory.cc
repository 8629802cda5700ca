#include "storage/log_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "protocol/error_code.h"
#include "storage/checkpoint_text.h"
#include "storage/offset_checkpoint.h"

namespace milena::storage {
namespace {

constexpr std::string_view kLockName = ".lock";
constexpr std::string_view kCleanShutdownName = ".kafka_cleanshutdown";
constexpr std::string_view kPartitionMetadataName = "partition.metadata";
constexpr std::string_view kRecoveryPointName = "recovery-point-offset-checkpoint";
constexpr std::string_view kLogStartName = "log-start-offset-checkpoint";
constexpr std::string_view kHighWatermarkName = "replication-offset-checkpoint";

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

std::string encode_partition_metadata(const Uuid& topic_id) {
  return fmt::format("version: 0\ntopic_id: {}", topic_id.to_string());
}

std::optional<Uuid> decode_partition_metadata(std::string_view text) {
  constexpr std::string_view kHead = "version: 0\ntopic_id: ";
  if (!text.starts_with(kHead)) return std::nullopt;
  text.remove_prefix(kHead.size());
  while (text.ends_with('\n')) text.remove_suffix(1);
  const auto id = Uuid::parse(text);
  return id && !id->is_zero() ? id : std::nullopt;
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

Result<std::unique_ptr<LogDirectory>> LogDirectory::open(Fs& fs, std::string path) {
  std::unique_ptr<LogDirectory> directory(new LogDirectory(fs, std::move(path)));
  MILENA_CHECK(directory->load());
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
    return fail(ErrorCode::kKafkaStorageError, "the log directory is in use by another process");
  if (!lock) return failed(lock.error(), kLockName);
  lock_ = std::move(*lock);

  const auto meta = read_file(fs_, join(path_, kMetaPropertiesName), 1 << 16);
  if (meta) {
    meta_properties_ = decode_meta_properties(as_text(*meta));
    if (!meta_properties_) return fail(ErrorCode::kInvalidConfig, "meta.properties is not of version 1");
  } else if (meta.error().code != ENOENT) {
    return failed(meta.error(), kMetaPropertiesName);
  }
  distrust_page_cache_ = fs_.exists(join(path_, kIoFailedName));
  load_checkpoint(kRecoveryPointName, &LogCheckpoint::recovery_point);
  load_checkpoint(kLogStartName, &LogCheckpoint::log_start_offset);
  load_checkpoint(kHighWatermarkName, &LogCheckpoint::high_watermark);
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
  was_clean_ = !distrust_page_cache_;
  previous_broker_epoch_ = decode_marker(as_text(*marker));
  return remove_durably(kCleanShutdownName);
}

Status LogDirectory::remove_durably(std::string_view name) {
  if (const auto removed = fs_.remove(join(path_, name)); !removed) return failed(removed.error(), name);
  if (const auto synced = fs_.sync_directory(path_); !synced) return failed(synced.error(), name);
  return {};
}

// A file that is missing, damaged or unreadable counts as empty: recovery then starts further back.
void LogDirectory::load_checkpoint(std::string_view name, Offset LogCheckpoint::* field) {
  const auto text = read_file(fs_, join(path_, name));
  const auto offsets = text ? decode_offset_checkpoint(as_text(*text)) : std::nullopt;
  if (!offsets) return;
  const MutexLock guard(mutex_);
  for (const auto& [partition, offset] : *offsets) noted_[partition].checkpoint.*field = offset;
}

Status LogDirectory::format(const MetaProperties& properties) {
  MILENA_CHECK(health_.check());
  const auto text = encode_meta_properties(properties);
  if (const auto done = replace_file(fs_, join(path_, kMetaPropertiesName), as_bytes(text)); !done)
    return failed(done.error(), kMetaPropertiesName);
  meta_properties_ = properties;
  return {};
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
  return {};
}

Result<std::optional<Uuid>> LogDirectory::topic_id(const TopicPartition& partition) {
  MILENA_CHECK(health_.check());
  const std::string path = join(partition_path(partition), kPartitionMetadataName);
  const auto text = read_file(fs_, path, 1 << 16);
  if (text) return decode_partition_metadata(as_text(*text));
  if (text.error().code == ENOENT) return std::nullopt;
  return health_.fail(text.error(), path);
}

Result<std::unique_ptr<Log>> LogDirectory::open_log(const TopicPartition& partition,
                                                    std::shared_ptr<const LogConfig> config,
                                                    std::int64_t now_ms) {
  const auto checkpoint = noted(partition).value_or(LogCheckpoint{});
  return Log::open(fs_, health_,
                   {.directory = partition_path(partition),
                    .config = std::move(config),
                    .log_start_offset = checkpoint.log_start_offset,
                    .recovery_point = checkpoint.recovery_point,
                    .high_watermark = checkpoint.high_watermark,
                    .clean = was_clean_,
                    .distrust_page_cache = distrust_page_cache_,
                    .now_ms = now_ms});
}

Result<std::string> LogDirectory::mark_for_deletion(const TopicPartition& partition, Rng& rng) {
  MILENA_CHECK(health_.check());
  {
    const MutexLock guard(mutex_);
    if (noted_.erase(directory_name(partition)) > 0) forgotten_.insert(directory_name(partition));
    dirty_ = dirty_ || !forgotten_.empty();
  }
  std::string path = join(path_, deleted_directory_name(partition, rng));
  if (const auto renamed = fs_.rename(partition_path(partition), path); !renamed)
    return health_.fail(renamed.error(), path);
  if (const auto synced = fs_.sync_directory(path_); !synced) return health_.fail(synced.error(), path_);
  return path;
}

Status LogDirectory::remove_deleted(const std::string& path) {
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
  auto done = write_checkpoint(kRecoveryPointName, &LogCheckpoint::recovery_point);
  if (done) done = write_checkpoint(kLogStartName, &LogCheckpoint::log_start_offset);
  if (done) done = write_checkpoint(kHighWatermarkName, &LogCheckpoint::high_watermark);
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

Status LogDirectory::recovery_done() {
  MILENA_CHECK(health_.check());
  recovery_done_ = true;
  if (!distrust_page_cache_) return {};
  distrust_page_cache_ = false;
  return remove_durably(kIoFailedName);
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
    const auto name = parse_partition_name(logs[i]->directory().substr(path_.size() + 1));
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
