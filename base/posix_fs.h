// PosixFs: the Fs of the running kernel.
#pragma once

#include "base/fs.h"

namespace milena {

class PosixFs final : public Fs {
 public:
  IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  IoStatus rename(const std::string& from, const std::string& to) override;
  IoStatus remove(const std::string& path) override;
  IoStatus remove_tree(const std::string& path) override;
  IoStatus make_directories(const std::string& path) override;
  IoResult<std::vector<DirEntry>> list(const std::string& path) override;
  bool exists(const std::string& path) override;
  IoStatus sync_directory(const std::string& path) override;
  IoStatus sync_all(const std::string& path) override;
  IoResult<FsSpace> space(const std::string& path) override;
  IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) override;
};

}  // namespace milena
