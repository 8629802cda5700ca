#include "storage/directory_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/limited_fs.h"
#include "protocol/error_code.h"

namespace milena::storage {

bool is_disk_full(const IoError& error) {
  const bool full = error.code == ENOSPC || error.code == EDQUOT || error.code == EFBIG;
  const std::string_view call = error.call;
  if (call == "read_file") return false;  // more in it than its reader takes
  return full && call.find("sync") == std::string_view::npos && call != "rename";
}

// What one file of a partition may have, and the disk not; empty for anything else.
const char* DirectoryHealth::fault_of_one_file(const IoError& error, std::string_view path) const {
  const std::string_view name = path.substr(std::min(directory_.size() + 1, path.size()));
  const std::string_view call = error.call;
  const bool is_of_partition =
      call == "opendir" ? !name.empty() : call == "open" && name.find('/') != name.npos;
  if (!is_of_partition) return nullptr;
  switch (error.code) {
    case EACCES:
    case EPERM:
      return "one of its files may not be opened: permission denied";
    case EISDIR:
    case ENOTSUP:
    case ELOOP:
    case ENXIO:
      return "one of its files is no regular file";
    default:
      return nullptr;
  }
}

std::unexpected<Error> DirectoryHealth::fail(const IoError& error, std::string_view path) {
  if (is_disk_full(error)) {
    times_full_.fetch_add(1, std::memory_order_relaxed);
    return milena::fail(ErrorCode::kKafkaStorageError, "the disk is full");
  }
  if (is_out_of_resources(error))
    return milena::fail(ErrorCode::kKafkaStorageError, "out of file descriptors or memory");
  if (const char* const why = fault_of_one_file(error, path))
    return milena::fail(ErrorCode::kKafkaStorageError, why);
  take_offline(fmt::format("{} ({})", to_string(error), path));
  return milena::fail(ErrorCode::kKafkaStorageError, "the log directory failed");
}

void DirectoryHealth::take_offline(std::string reason) {
  if (offline_.exchange(true, std::memory_order_acq_rel)) return;
  {
    const MutexLock lock(mutex_);
    reason_ = std::move(reason);
  }
  if (fs_.open(join(directory_, kIoFailedName), OpenMode::kCreate)) (void)fs_.sync_directory(directory_);
}

Status DirectoryHealth::check() const {
  if (offline()) return milena::fail(ErrorCode::kKafkaStorageError, "the log directory is offline");
  return {};
}

std::string DirectoryHealth::reason() const {
  const MutexLock lock(mutex_);
  return reason_;
}

}  // namespace milena::storage
