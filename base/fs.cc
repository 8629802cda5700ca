#include "base/fs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace milena {

std::string to_string(const IoError& error) {
  return fmt::format("{}: {}", error.call, std::generic_category().message(error.code));
}

IoResult<FsSpace> Fs::space(const std::string&) { return std::unexpected(IoError{ENOSYS, "statvfs"}); }

IoResult<std::vector<std::byte>> read_file(Fs& fs, const std::string& path, std::size_t max) {
  auto file = fs.open(path, OpenMode::kRead);
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size > max) return std::unexpected(IoError{EFBIG, "read_file"});
  // Files of the kernel's (/proc, cgroups) say that they are empty, and are not.
  constexpr std::size_t kKernelFileMax = 4096;
  std::vector<std::byte> bytes(*size > 0 ? *size : std::min(max, kKernelFileMax));
  const auto read = (*file)->read_at(0, bytes);
  if (!read) return std::unexpected(read.error());
  bytes.resize(*read);
  return bytes;
}

IoStatus replace_file(Fs& fs, const std::string& path, BytesView bytes) {
  const std::string temporary = path + ".tmp";
  {
    auto file = fs.open(temporary, OpenMode::kTruncate);
    if (!file) return std::unexpected(file.error());
    if (auto done = (*file)->write_at(0, bytes); !done) return done;
    if (auto done = (*file)->sync(); !done) return done;
  }
  if (auto done = fs.rename(temporary, path); !done) return done;
  return fs.sync_directory(parent_directory(path));
}

std::string join(std::string_view directory, std::string_view name) {
  return fmt::format("{}{}{}", directory, directory.ends_with('/') ? "" : "/", name);
}

std::string parent_directory(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace milena
