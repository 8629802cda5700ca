#include "broker/metadata/metadata_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/partition/log_dirs.h"
#include "controller/records/metadata_batch.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using controller::SnapshotId;
using protocol::Offset;

constexpr std::string_view kBootstrapCheckpoint = "bootstrap.checkpoint";
constexpr std::string_view kUnfinishedSuffix = ".checkpoint.part";
constexpr std::size_t kSnapshotBytesMax = std::size_t{4} << 30;

std::unexpected<Error> storage_error(const char* why) { return fail(ErrorCode::kKafkaStorageError, why); }

}  // namespace

std::expected<std::unique_ptr<MetadataStore>, std::string> MetadataStore::open(
    Fs& fs, storage::LogDirectory& home, std::shared_ptr<const storage::LogConfig> config,
    std::int64_t now_ms) {
  const auto partition = storage::cluster_metadata_partition();
  const std::string directory = home.partition_path(partition);
  if (!fs.exists(directory)) return std::unexpected("it is missing");
  std::unique_ptr<MetadataStore> store(new MetadataStore(fs, home, directory));
  const auto unreadable = [&](std::string_view name, const Error& error) {
    return std::unexpected(fmt::format("{}: {}", name, why_of(error, home)));
  };
  if (const auto loaded = store->load_quorum_state(); !loaded)
    return unreadable(controller::kQuorumStateFile, loaded.error());
  if (const auto ids = store->list_snapshots(); !ids.empty() && !ids.back().is_bootstrap()) {
    if (const auto loaded = store->load_snapshot(ids.back()); !loaded)
      return unreadable(ids.back().file_name(), loaded.error());
  }
  auto log = home.open_log(partition, std::move(config), now_ms, true);
  if (!log) return std::unexpected(why_of(log.error(), home));
  store->log_ = *std::move(log);
  store->remove_unfinished_snapshots();
  if (!store->snapshot_) return store;
  const Offset snapshot_end = controller::snapshot_id(store->snapshot_->image).end_offset;
  if (snapshot_end <= store->log_->log_end_offset()) return store;
  // The log lost its tail, or never was: the snapshot is the state, and the log goes on behind it.
  const auto cut = [&]() -> Status {
    MILENA_TRY(const auto permit, home.permit_truncation(partition, 0));
    return store->log_->truncate_fully_and_start_at(snapshot_end, permit, now_ms);
  }();
  if (!cut) return std::unexpected(why_of(cut.error(), home));
  return store;
}

std::unexpected<Error> MetadataStore::failed(const IoError& error, std::string_view name) {
  return home_.health().fail(error, join(directory_, name));
}

Status MetadataStore::load_quorum_state() {
  const auto content = read_file(fs_, join(directory_, controller::kQuorumStateFile));
  if (!content) {
    if (content.error().code == ENOENT) return {};
    return failed(content.error(), controller::kQuorumStateFile);
  }
  MILENA_TRY(quorum_state_, controller::decode_quorum_state(*content));
  return {};
}

std::vector<SnapshotId> MetadataStore::list_snapshots() {
  std::vector<SnapshotId> ids;
  if (const auto entries = fs_.list(directory_)) {
    for (const auto& entry : *entries) {
      if (const auto id = SnapshotId::parse(entry.name)) ids.push_back(*id);
    }
  }
  std::ranges::sort(ids);
  return ids;
}

// What a crash while one was written has left.
void MetadataStore::remove_unfinished_snapshots() {
  const auto entries = fs_.list(directory_);
  if (!entries) return;
  for (const auto& entry : *entries) {
    if (entry.name.ends_with(kUnfinishedSuffix)) (void)fs_.remove(join(directory_, entry.name));
  }
}

Status MetadataStore::load_snapshot(const SnapshotId& id) {
  const auto content = read_file(fs_, join(directory_, id.file_name()), kSnapshotBytesMax);
  if (!content) return failed(content.error(), id.file_name());
  MILENA_TRY(snapshot_, controller::read_snapshot(*content, id));
  return {};
}

Result<std::optional<controller::LoadedSnapshot>> MetadataStore::read_formatted(const std::string& path) {
  if (!fs_.exists(path)) return std::nullopt;
  const auto content = read_file(fs_, path, kSnapshotBytesMax);
  if (!content) return storage_error("what formatting wrote down cannot be read");
  return controller::read_snapshot(*content, SnapshotId{});
}

Result<std::optional<controller::LoadedSnapshot>> MetadataStore::read_bootstrap() {
  MILENA_TRY(auto in_partition, read_formatted(join(directory_, SnapshotId{}.file_name())));
  if (in_partition && in_partition->image.metadata_version() != 0) return in_partition;
  MILENA_TRY(auto features, read_formatted(join(home_.path(), kBootstrapCheckpoint)));
  if (!features) return in_partition;
  if (in_partition) features->quorum = std::move(in_partition->quorum);
  return features;
}

Status MetadataStore::for_each_batch(Offset offset,
                                     const std::function<Status(const protocol::RecordBatchView&)>& visit) {
  constexpr std::uint32_t kReadBytes = 1 << 20;
  std::vector<std::byte> buffer;
  offset = std::max(offset, log_->log_start_offset());
  while (offset < log_->log_end_offset()) {
    MILENA_TRY(const auto read, log_->read(offset, kReadBytes, log_->log_end_offset(), true));
    if (read.records.size == 0) return storage_error("the metadata log ends before its end offset");
    buffer.resize(read.records.size);
    const auto bytes = read.records.file->read_at(read.records.position, buffer);
    if (!bytes) return failed(bytes.error(), "");
    if (*bytes != buffer.size()) return storage_error("the metadata log is shorter than it was");
    protocol::BatchIterator batches(buffer);
    for (;;) {
      MILENA_TRY(const auto batch, batches.next());
      if (!batch) break;
      if (batch->last_offset() >= offset) MILENA_CHECK(visit(*batch));
      offset = std::max(offset, batch->last_offset() + 1);
    }
  }
  return {};
}

std::optional<storage::FollowedMetadata> MetadataStore::record_at(Offset offset) {
  std::optional<storage::FollowedMetadata> found;
  if (offset < log_->log_start_offset()) return found;
  (void)for_each_batch(offset, [&](const protocol::RecordBatchView& batch) -> Status {
    if (batch.base_offset() <= offset)
      found = {
          .offset = offset, .epoch = batch.partition_leader_epoch(), .timestamp_ms = batch.max_timestamp()};
    return storage_error("one is enough");
  });
  return found;
}

std::optional<bool> MetadataStore::was_registered_after(Offset offset, protocol::BrokerId broker) {
  if (offset + 1 < log_->log_start_offset()) return std::nullopt;
  bool found = false;
  Arena arena;
  const auto read = for_each_batch(offset + 1, [&](const protocol::RecordBatchView& view) -> Status {
    arena.reset();
    MILENA_TRY(const auto batch, controller::decode_metadata_batch(view, arena));
    for (const auto& record : batch.records) {
      const auto* const registration = std::get_if<protocol::RegisterBrokerRecord>(&record.body);
      found = found || (registration != nullptr && registration->broker_id == broker);
    }
    return {};
  });
  return read ? std::optional(found) : std::nullopt;
}

Status MetadataStore::write_quorum_state(const std::string& content) {
  const auto done = replace_file(fs_, join(directory_, controller::kQuorumStateFile), as_bytes(content));
  if (!done) return failed(done.error(), controller::kQuorumStateFile);
  return {};
}

Status MetadataStore::append(MutableBytes batch, protocol::LeaderEpoch epoch, std::int64_t now_ms) {
  log_->assign_epoch(epoch);
  MILENA_TRY(const auto info, log_->append_as_leader(batch, {.leader_epoch = epoch,
                                                             .origin = storage::AppendOrigin::kCoordinator,
                                                             .now_ms = now_ms}));
  (void)info;
  return {};
}

Status MetadataStore::sync() { return log_->flush(); }

Status MetadataStore::write_snapshot(const controller::MetadataImage& image,
                                     const controller::QuorumConfig& quorum, std::int64_t now_ms) {
  const SnapshotId id = controller::snapshot_id(image);
  const std::string path = join(directory_, id.file_name());
  const std::string part = path + ".part";
  {
    auto file = fs_.open(part, OpenMode::kTruncate);
    if (!file) return failed(file.error(), id.file_name());
    std::uint64_t at = 0;
    MILENA_CHECK(controller::write_snapshot(image, quorum, now_ms, [&](BytesView bytes) -> Status {
      if (const auto written = (*file)->write_at(at, bytes); !written)
        return failed(written.error(), id.file_name());
      at += bytes.size();
      return {};
    }));
    if (const auto synced = (*file)->sync(); !synced) return failed(synced.error(), id.file_name());
  }
  if (const auto renamed = fs_.rename(part, path); !renamed) return failed(renamed.error(), id.file_name());
  if (const auto synced = fs_.sync_directory(directory_); !synced) return failed(synced.error(), "");
  for (const auto& older : list_snapshots()) {
    if (older < id) (void)fs_.remove(join(directory_, older.file_name()));
  }
  MILENA_CHECK(log_->advance_log_start(id.end_offset));
  MILENA_CHECK(log_->roll(now_ms));
  MILENA_TRY(auto job, log_->delete_old_segments(now_ms));
  job.run();
  return {};
}

}  // namespace milena::broker
