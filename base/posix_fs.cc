#include "base/posix_fs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace milena {
namespace {

std::unexpected<IoError> failed(const char* call, int code = errno) {
  return std::unexpected(IoError{code, call});
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

class PosixMapping final : public Mapping {
 public:
  PosixMapping(void* at, std::size_t size) : at_(at), size_(size) {}
  ~PosixMapping() override {
    if (size_ > 0) ::munmap(at_, size_);
  }
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;
  BytesView bytes() const override { return {static_cast<const std::byte*>(at_), size_}; }

 private:
  void* at_;
  std::size_t size_;
};

class PosixFile final : public File {
 public:
  explicit PosixFile(Descriptor fd) : fd_(std::move(fd)) {}

  IoResult<std::size_t> read_at(std::uint64_t offset, MutableBytes into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto n =
          ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("pread");
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  IoStatus write_at(std::uint64_t offset, std::span<const BytesView> pieces) override {
    constexpr std::size_t kBatch = 64;
    std::size_t skip = 0;  // bytes of pieces.front() already written
    while (!pieces.empty()) {
      std::array<iovec, kBatch> vectors;
      const std::size_t count = std::min(pieces.size(), kBatch);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t from = i == 0 ? skip : 0;
        // pwritev only reads through iov_base.
        vectors[i] = {const_cast<std::byte*>(pieces[i].data()) + from, pieces[i].size() - from};
      }
      const auto at = static_cast<off_t>(offset);
      // One piece is the rule, and cheaper on its own.
      const auto n = count == 1 ? ::pwrite(fd_.get(), vectors[0].iov_base, vectors[0].iov_len, at)
                                : ::pwritev(fd_.get(), vectors.data(), static_cast<int>(count), at);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("pwritev");
      offset += static_cast<std::uint64_t>(n);
      auto left = static_cast<std::size_t>(n) + skip;
      while (!pieces.empty() && left >= pieces.front().size()) {
        left -= pieces.front().size();
        pieces = pieces.subspan(1);
      }
      if (n == 0 && !pieces.empty()) return failed("pwritev", EIO);
      skip = left;
    }
    return {};
  }

  IoStatus sync() override {
    if (::fdatasync(fd_.get()) != 0) return failed("fdatasync");
    return {};
  }

  IoStatus truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return failed("ftruncate");
    return {};
  }

  IoStatus reserve(std::uint64_t offset, std::uint64_t length) override {
    const auto rc =
        ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(length));
    if (rc != 0 && errno != EOPNOTSUPP && errno != ENOSYS) return failed("fallocate");
    return {};
  }

  IoResult<std::uint64_t> size() const override {
    struct stat status{};
    if (::fstat(fd_.get(), &status) != 0) return failed("fstat");
    return static_cast<std::uint64_t>(status.st_size);
  }

  IoResult<std::unique_ptr<Mapping>> map() const override {
    const auto length = size();
    if (!length) return std::unexpected(length.error());
    if (*length == 0) return std::make_unique<PosixMapping>(nullptr, 0);
    void* at = ::mmap(nullptr, *length, PROT_READ, MAP_SHARED, fd_.get(), 0);
    if (at == MAP_FAILED) return failed("mmap");
    ::madvise(at, *length, MADV_RANDOM);
    return std::make_unique<PosixMapping>(at, *length);
  }

  int descriptor() const override { return fd_.get(); }

 private:
  Descriptor fd_;
};

class PosixLock final : public FileLock {
 public:
  PosixLock(Descriptor fd, Descriptor directory) : fd_(std::move(fd)), directory_(std::move(directory)) {}

 private:
  Descriptor fd_;
  Descriptor directory_;
};

}  // namespace

IoResult<std::unique_ptr<File>> PosixFs::open(const std::string& path, OpenMode mode) {
  int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;  // a FIFO in place of a file is refused, not waited for
  switch (mode) {
    case OpenMode::kRead:
      flags |= O_RDONLY;
      break;
    case OpenMode::kReadWrite:
      flags |= O_RDWR;
      break;
    case OpenMode::kCreate:
      flags |= O_RDWR | O_CREAT;
      break;
    case OpenMode::kTruncate:
      flags |= O_RDWR | O_CREAT | O_TRUNC;
      break;
  }
  Descriptor fd(::open(path.c_str(), flags, 0644));
  if (fd.get() < 0) return failed("open");
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return failed("fstat");
  if (!S_ISREG(status.st_mode)) return failed("open", S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP);
  return std::make_unique<PosixFile>(std::move(fd));
}

IoStatus PosixFs::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename");
  return {};
}

IoStatus PosixFs::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return failed("unlink");
  return {};
}

IoStatus PosixFs::remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return failed("remove_all", error.value());
  return {};
}

IoStatus PosixFs::make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return {};  // mostly the parents are there
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return failed("mkdir", error.value());
  return {};
}

IoResult<std::vector<DirEntry>> PosixFs::list(const std::string& path) {
  std::error_code error;
  std::filesystem::directory_iterator it(path, error);
  if (error) return failed("opendir", error.value());
  std::vector<DirEntry> out;
  while (it != std::filesystem::directory_iterator()) {
    out.push_back({it->path().filename().string(), it->is_directory(error)});
    it.increment(error);  // sets the end on an error
    if (error) return failed("readdir", error.value());
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool PosixFs::exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

IoStatus PosixFs::sync_directory(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return failed("open");
  if (::fsync(fd.get()) != 0) return failed("fsync");
  return {};
}

IoStatus PosixFs::sync_all(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return failed("open");
  if (::syncfs(fd.get()) != 0) return failed("syncfs");
  return {};
}

IoResult<FsSpace> PosixFs::space(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0) return failed("statvfs");
  return FsSpace{.total_bytes = std::uint64_t{status.f_blocks} * status.f_frsize,
                 .usable_bytes = std::uint64_t{status.f_bavail} * status.f_frsize};
}

IoResult<std::unique_ptr<FileLock>> PosixFs::lock(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (fd.get() < 0) return failed("open");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return failed("flock");
  // Java's FileLock, and so Apache Kafka's, is a record lock, which flock() does not see.
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_OFD_SETLK, &whole) != 0)
    return failed("fcntl", errno == EACCES || errno == EAGAIN ? EWOULDBLOCK : errno);
  // The directory, too: whoever removes the file does not remove the lock.
  Descriptor directory(::open(parent_directory(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return failed("open");
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return failed("flock");
  return std::make_unique<PosixLock>(std::move(fd), std::move(directory));
}

}  // namespace milena
