#include "storage/directory_health.h"

#include <fmt/format.h>

#include <cerrno>

#include "protocol/error_code.h"

namespace milena::storage {

bool is_disk_full(const IoError& error) {
  const bool full = error.code == ENOSPC || error.code == EDQUOT || error.code == EFBIG;
  const std::string_view call = error.call;
  return full && call.find("sync") == std::string_view::npos && call != "rename";
}

std::unexpected<Error> DirectoryHealth::fail(const IoError& error, std::string_view path) {
  if (is_disk_full(error)) return milena::fail(ErrorCode::kKafkaStorageError, "the disk is full");
  const auto answer = milena::fail(ErrorCode::kKafkaStorageError, "the log directory failed");
  if (offline_.exchange(true, std::memory_order_acq_rel)) return answer;
  {
    const MutexLock lock(mutex_);
    reason_ = fmt::format("{} ({})", to_string(error), path);
  }
  if (fs_.open(join(directory_, kIoFailedName), OpenMode::kCreate)) (void)fs_.sync_directory(directory_);
  return answer;
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
