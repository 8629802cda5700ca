#include "storage/directory_health.h"

#include <fmt/format.h>

#include "protocol/error_code.h"

namespace milena::storage {

std::unexpected<Error> DirectoryHealth::fail(const IoError& error, std::string_view path) {
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
