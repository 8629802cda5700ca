#include "storage/flush_job.h"

#include <cerrno>

#include "protocol/error_code.h"
#include "storage/segment_names.h"
#include "storage/txn_index.h"

namespace milena::storage {

Status FlushJob::failed(const IoError& error, const std::string& path) {
  // The partition was deleted meanwhile and its directory renamed: there is nothing left to keep.
  if (error.code == ENOENT && retired_->load(std::memory_order_acquire)) return {};
  return health_->fail(error, path);
}

Status FlushJob::sync_log(const LogFile& log) {
  std::shared_ptr<File> file = log.file;
  if (!file) {
    auto opened = fs_->open(log.path, OpenMode::kReadWrite);
    if (!opened) return failed(opened.error(), log.path);
    file = std::move(*opened);
  }
  if (const auto synced = file->sync(); !synced) return failed(synced.error(), log.path);
  if (!log.closed_unsynced) return {};
  if (const auto synced = fs_->sync_all(directory_); !synced) return failed(synced.error(), directory_);
  return {};
}

Status FlushJob::sync_entries(const std::string& directory) {
  if (const auto synced = fs_->sync_directory(directory); !synced) return failed(synced.error(), directory);
  return {};
}

Status FlushJob::write_file(const std::string& path, BytesView bytes, Sync sync) {
  auto file = fs_->open(path, OpenMode::kTruncate);
  if (!file) return failed(file.error(), path);
  if (const auto written = (*file)->write_at(0, bytes); !written) return failed(written.error(), path);
  if (sync == Sync::kLater) return {};
  if (const auto synced = (*file)->sync(); !synced) return failed(synced.error(), path);
  return {};
}

Status FlushJob::write_indexes(Sealed& sealed, Sync sync) {
  const auto path = [&](std::string_view suffix) {
    return join(directory_, segment_file_name(sealed.base_offset, suffix));
  };
  const SegmentIndexes& indexes = *sealed.indexes;
  sealed.checksums = checksums_of(indexes);
  MILENA_CHECK(write_file(path(kOffsetIndexSuffix), indexes.offsets.bytes(), sync));
  MILENA_CHECK(write_file(path(kTimeIndexSuffix), indexes.times.bytes(), sync));
  // As in Kafka, a segment without aborted transactions has no such file.
  const std::string aborted = path(kTxnIndexSuffix);
  if (!indexes.aborted.empty()) return write_file(aborted, encode_txn_index(indexes.aborted), sync);
  if (const auto removed = fs_->remove(aborted); !removed && removed.error().code != ENOENT)
    return failed(removed.error(), aborted);
  return {};
}

Status FlushJob::write_epochs(Sync sync) {
  const std::string path = join(directory_, kEpochCheckpointName);
  if (sync == Sync::kNow) {
    if (const auto done = replace_file(*fs_, path, as_bytes(*epochs_)); !done)
      return failed(done.error(), path);
    return {};
  }
  const std::string temporary = path + ".tmp";
  MILENA_CHECK(write_file(temporary, as_bytes(*epochs_), sync));
  if (const auto renamed = fs_->rename(temporary, path); !renamed) return failed(renamed.error(), path);
  return {};
}

Status FlushJob::run(Sync sync) {
  MILENA_CHECK(health_->check());
  MILENA_CHECK(prepared_);
  MILENA_CHECK(write_and_sync(sync));
  done_ = true;
  return {};
}

Status FlushJob::write_and_sync(Sync sync) {
  if (sync == Sync::kNow) {
    for (const LogFile& log : log_files_) MILENA_CHECK(sync_log(log));
  }
  for (Sealed& sealed : sealed_) {
    MILENA_CHECK(write_indexes(sealed, sync));
    known_checksums_.push_back({sealed.base_offset, sealed.size, sealed.checksums});
  }
  for (const Snapshot& snapshot : snapshots_)
    MILENA_CHECK(write_file(join(directory_, segment_file_name(snapshot.offset, kSnapshotSuffix)),
                            snapshot.bytes, sync));
  if (epochs_) MILENA_CHECK(write_epochs(sync));
  if (!sealed_.empty())
    MILENA_CHECK(write_file(join(directory_, kIndexChecksumsName),
                            as_bytes(encode_index_checksums(known_checksums_)), Sync::kLater));
  if (sync == Sync::kLater) return {};
  if (sync_directory_) MILENA_CHECK(sync_entries(directory_));
  return sync_parent_ ? sync_entries(parent_directory(directory_)) : Status{};
}

void DeletionJob::run() {
  for (const std::string& path : paths_) (void)fs_->remove(path);
}

}  // namespace milena::storage
