#include "base/mem_fs.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace milena {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSector = 512;

std::unexpected<IoError> failed(const char* call, int code) { return std::unexpected(IoError{code, call}); }

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (const auto part = path.substr(0, slash); !part.empty() && part != ".") parts.push_back(part);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return parts;
}

class MemMapping final : public Mapping {
 public:
  explicit MemMapping(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  BytesView bytes() const override { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

struct MemFs::Node {
  using Entries = std::map<std::string, std::shared_ptr<Node>, std::less<>>;
  // One change of a directory: all of its assignments happen or none. Null removes.
  using Change = std::vector<std::pair<std::string, std::shared_ptr<Node>>>;

  bool is_directory = false;
  bool locked = false;
  // A directory.
  Entries live_entries;
  Entries durable_entries;
  std::vector<Change> pending;
  // A file.
  std::vector<std::byte> live;
  std::vector<std::byte> durable;
  std::set<std::size_t> dirty_pages;
  std::optional<std::size_t> cut;  // shortest length since the last sync

  static void apply(Entries& entries, const Change& change) {
    for (const auto& [name, node] : change) {
      if (node) {
        entries[name] = node;
      } else {
        entries.erase(name);
      }
    }
  }
  void change(Change change) {
    apply(live_entries, change);
    pending.push_back(std::move(change));
  }
  void sync_entries() {
    durable_entries = live_entries;
    pending.clear();
  }
  void sync_data() {
    if (cut) durable.resize(std::min(durable.size(), *cut));
    durable.resize(live.size());
    for (const std::size_t page : dirty_pages) copy_page(page, kPage);
    forget_dirt();
  }
  void forget_dirt() {
    dirty_pages.clear();
    cut.reset();
  }
  // The first `size` bytes of a page reach the disk.
  void copy_page(std::size_t page, std::size_t size) {
    const std::size_t from = std::min(page * kPage, live.size());
    const std::size_t to = std::min(from + size, live.size());
    if (durable.size() < to) durable.resize(to);
    std::copy(live.begin() + static_cast<std::ptrdiff_t>(from),
              live.begin() + static_cast<std::ptrdiff_t>(to),
              durable.begin() + static_cast<std::ptrdiff_t>(from));
  }
};

class MemFs::MemFile final : public File {
 public:
  MemFile(MemFs& fs, std::shared_ptr<Node> node, std::string path, std::uint64_t generation, bool writable)
      : fs_(fs),
        node_(std::move(node)),
        path_(std::move(path)),
        generation_(generation),
        writable_(writable) {}

  IoResult<std::size_t> read_at(std::uint64_t offset, MutableBytes into) const override {
    const MutexLock lock(fs_.mutex_);
    if (const int code = check("pread", false)) return failed("pread", code);
    if (offset >= node_->live.size()) return 0;
    const std::size_t size = std::min<std::uint64_t>(into.size(), node_->live.size() - offset);
    std::copy_n(node_->live.begin() + static_cast<std::ptrdiff_t>(offset), size, into.begin());
    return size;
  }

  IoStatus write_at(std::uint64_t offset, std::span<const BytesView> pieces) override {
    const MutexLock lock(fs_.mutex_);
    const int code = check("pwritev", true);
    if (code == EBADF) return failed("pwritev", code);
    std::size_t total = 0;
    for (const BytesView piece : pieces) total += piece.size();
    std::size_t left = code == 0 ? total : fs_.rng_.below(total + 1);
    for (const BytesView piece : pieces) {
      const std::size_t size = std::min(piece.size(), left);
      if (size > 0) write(offset, piece.first(size));
      offset += size;
      left -= size;
    }
    if (code != 0) return failed("pwritev", code);
    return {};
  }

  IoStatus sync() override {
    const MutexLock lock(fs_.mutex_);
    const int code = check("fdatasync", false);
    if (code == EBADF) return failed("fdatasync", code);
    if (code != 0) {
      node_->forget_dirt();
      return failed("fdatasync", code);
    }
    node_->sync_data();
    return {};
  }

  IoStatus truncate(std::uint64_t size) override {
    const MutexLock lock(fs_.mutex_);
    if (const int code = check("ftruncate", true)) return failed("ftruncate", code);
    if (size < node_->live.size()) {
      node_->cut = std::min<std::size_t>(node_->cut.value_or(size), size);
      node_->dirty_pages.erase(node_->dirty_pages.lower_bound((size + kPage - 1) / kPage),
                               node_->dirty_pages.end());
    }
    node_->live.resize(size);
    return {};
  }

  IoStatus reserve(std::uint64_t, std::uint64_t) override {
    const MutexLock lock(fs_.mutex_);
    if (const int code = check("fallocate", true)) return failed("fallocate", code);
    return {};
  }

  IoResult<std::uint64_t> size() const override {
    const MutexLock lock(fs_.mutex_);
    if (const int code = check("fstat", false)) return failed("fstat", code);
    return node_->live.size();
  }

  IoResult<std::unique_ptr<Mapping>> map() const override {
    const MutexLock lock(fs_.mutex_);
    if (const int code = check("mmap", false)) return failed("mmap", code);
    return std::make_unique<MemMapping>(node_->live);
  }

 private:
  int check(std::string_view call, bool writes) const MILENA_REQUIRES(fs_.mutex_) {
    if (generation_ != fs_.generation_ || (writes && !writable_)) return EBADF;
    return fs_.injected(call, path_);
  }

  void write(std::uint64_t offset, BytesView bytes) {
    if (node_->live.size() < offset + bytes.size()) node_->live.resize(offset + bytes.size());
    std::copy(bytes.begin(), bytes.end(), node_->live.begin() + static_cast<std::ptrdiff_t>(offset));
    for (std::size_t page = offset / kPage; page * kPage < offset + bytes.size(); ++page)
      node_->dirty_pages.insert(page);
  }

  MemFs& fs_;
  std::shared_ptr<Node> node_;
  std::string path_;
  std::uint64_t generation_;
  bool writable_;
};

class MemFs::MemLock final : public FileLock {
 public:
  MemLock(MemFs& fs, std::shared_ptr<Node> node, std::uint64_t generation)
      : fs_(fs), node_(std::move(node)), generation_(generation) {}
  ~MemLock() override {
    const MutexLock lock(fs_.mutex_);
    if (generation_ == fs_.generation_) node_->locked = false;
  }

 private:
  MemFs& fs_;
  std::shared_ptr<Node> node_;
  std::uint64_t generation_;
};

MemFs::MemFs(std::uint64_t seed) : rng_(seed), root_(std::make_shared<Node>()) { root_->is_directory = true; }

MemFs::~MemFs() = default;

std::shared_ptr<MemFs::Node> MemFs::find(std::string_view path) const {
  std::shared_ptr<Node> node = root_;
  for (const auto part : parts_of(path)) {
    const auto entry = node->live_entries.find(part);
    if (entry == node->live_entries.end()) return nullptr;
    node = entry->second;
  }
  return node;
}

MemFs::Place MemFs::place_of(std::string_view path) const {
  const auto parts = parts_of(path);
  if (parts.empty()) return {};
  const auto directory = find(parent_directory(path));
  if (!directory || !directory->is_directory) return {};
  return {directory, std::string(parts.back())};
}

int MemFs::injected(std::string_view call, std::string_view path) {
  ++calls_;
  int code = 0;
  for (ArmedFault& fault : faults_) {
    if (!fault.call.empty() && fault.call != call) continue;
    if (path.find(fault.path_part) == std::string_view::npos) continue;
    if (fault.left > 0) --fault.left;
    if (fault.left == 0 && code == 0) code = fault.code;
  }
  std::erase_if(faults_, [](const ArmedFault& fault) { return fault.left == 0 && !fault.for_good; });
  return code;
}

void MemFs::fail(const Fault& fault) {
  const MutexLock lock(mutex_);
  faults_.push_back(
      {std::string(fault.call), fault.nth, fault.code, fault.for_good, std::string(fault.path_part)});
}

void MemFs::clear_faults() {
  const MutexLock lock(mutex_);
  faults_.clear();
}

std::uint64_t MemFs::calls() const {
  const MutexLock lock(mutex_);
  return calls_;
}

IoResult<std::unique_ptr<File>> MemFs::open(const std::string& path, OpenMode mode) {
  const MutexLock lock(mutex_);
  if (const int code = injected("open", path)) return failed("open", code);
  const bool creates = mode == OpenMode::kCreate || mode == OpenMode::kTruncate;
  auto [directory, name] = place_of(path);
  if (!directory) return failed("open", ENOENT);
  std::shared_ptr<Node> node = find(path);
  if (node && node->is_directory) return failed("open", EISDIR);
  if (!node && !creates) return failed("open", ENOENT);
  if (!node) {
    node = std::make_shared<Node>();
    directory->change({{name, node}});
  }
  if (mode == OpenMode::kTruncate && !node->live.empty()) {
    node->live.clear();
    node->dirty_pages.clear();
    node->cut = 0;
  }
  return std::make_unique<MemFile>(*this, node, path, generation_, mode != OpenMode::kRead);
}

IoStatus MemFs::rename(const std::string& from, const std::string& to) {
  const MutexLock lock(mutex_);
  if (const int code = injected("rename", from)) return failed("rename", code);
  const auto node = find(from);
  const auto [from_directory, from_name] = place_of(from);
  const auto [to_directory, to_name] = place_of(to);
  if (!node || !to_directory) return failed("rename", ENOENT);
  if (from_directory == to_directory) {
    from_directory->change({{from_name, nullptr}, {to_name, node}});
  } else {
    to_directory->change({{to_name, node}});
    from_directory->change({{from_name, nullptr}});
  }
  return {};
}

IoStatus MemFs::remove(const std::string& path) {
  const MutexLock lock(mutex_);
  if (const int code = injected("unlink", path)) return failed("unlink", code);
  const auto node = find(path);
  if (!node) return failed("unlink", ENOENT);
  if (node->is_directory) return failed("unlink", EISDIR);
  const auto [directory, name] = place_of(path);
  directory->change({{name, nullptr}});
  return {};
}

IoStatus MemFs::remove_tree(const std::string& path) {
  const MutexLock lock(mutex_);
  if (const int code = injected("remove_all", path)) return failed("remove_all", code);
  const auto [directory, name] = place_of(path);
  if (directory && directory->live_entries.contains(name)) directory->change({{name, nullptr}});
  return {};
}

IoStatus MemFs::make_directories(const std::string& path) {
  const MutexLock lock(mutex_);
  if (const int code = injected("mkdir", path)) return failed("mkdir", code);
  std::shared_ptr<Node> node = root_;
  for (const auto part : parts_of(path)) {
    const auto entry = node->live_entries.find(part);
    if (entry != node->live_entries.end()) {
      node = entry->second;
      if (!node->is_directory) return failed("mkdir", ENOTDIR);
      continue;
    }
    auto child = std::make_shared<Node>();
    child->is_directory = true;
    node->change({{std::string(part), child}});
    node = std::move(child);
  }
  return {};
}

IoResult<std::vector<DirEntry>> MemFs::list(const std::string& path) {
  const MutexLock lock(mutex_);
  if (const int code = injected("opendir", path)) return failed("opendir", code);
  const auto node = find(path);
  if (!node) return failed("opendir", ENOENT);
  if (!node->is_directory) return failed("opendir", ENOTDIR);
  std::vector<DirEntry> entries;
  for (const auto& [name, child] : node->live_entries) entries.push_back({name, child->is_directory});
  return entries;
}

bool MemFs::exists(const std::string& path) {
  const MutexLock lock(mutex_);
  return find(path) != nullptr;
}

IoStatus MemFs::sync_directory(const std::string& path) {
  const MutexLock lock(mutex_);
  if (const int code = injected("fsync", path)) return failed("fsync", code);
  const auto node = find(path);
  if (!node) return failed("fsync", ENOENT);
  node->sync_entries();
  return {};
}

IoStatus MemFs::sync_all(const std::string& path) {
  const MutexLock lock(mutex_);
  if (const int code = injected("syncfs", path)) return failed("syncfs", code);
  std::vector<Node*> nodes{root_.get()};
  while (!nodes.empty()) {
    Node* node = nodes.back();
    nodes.pop_back();
    node->sync_entries();
    node->sync_data();
    for (const auto& [name, child] : node->live_entries) nodes.push_back(child.get());
  }
  return {};
}

IoResult<std::unique_ptr<FileLock>> MemFs::lock(const std::string& path) {
  const MutexLock guard(mutex_);
  if (const int code = injected("flock", path)) return failed("flock", code);
  const auto [directory, name] = place_of(path);
  if (!directory) return failed("open", ENOENT);
  std::shared_ptr<Node> node = find(path);
  if (!node) {
    node = std::make_shared<Node>();
    directory->change({{name, node}});
  }
  if (std::exchange(node->locked, true)) return failed("flock", EWOULDBLOCK);
  return std::make_unique<MemLock>(*this, node, generation_);
}

void MemFs::crash(Loss loss) {
  const MutexLock lock(mutex_);
  ++generation_;
  faults_.clear();
  lose(*root_, loss);
}

void MemFs::lose(Node& node, Loss loss) {
  node.locked = false;
  if (node.is_directory) {
    if (loss == Loss::kSome) {
      const std::size_t kept = rng_.below(node.pending.size() + 1);
      for (std::size_t i = 0; i < kept; ++i) Node::apply(node.durable_entries, node.pending[i]);
    }
    if (loss != Loss::kNothing) {
      node.live_entries = node.durable_entries;
      node.pending.clear();
    }
    for (const auto& [name, child] : node.live_entries) lose(*child, loss);
    return;
  }
  if (loss == Loss::kNothing) return;
  // A cut that did not reach the disk keeps what was written after it from the disk, too.
  const bool cut_kept = loss == Loss::kSome && rng_.one_in(2);
  if (node.cut && cut_kept) node.durable.resize(std::min(node.durable.size(), *node.cut));
  if (loss == Loss::kSome && (!node.cut || cut_kept)) {
    // Between none and all; often a prefix, as write-back goes from the front.
    const std::uint64_t odds = rng_.below(5);
    const std::size_t stop = rng_.one_in(2) ? rng_.below(node.live.size() / kPage + 2) : SIZE_MAX;
    for (const std::size_t page : node.dirty_pages)
      if (page < stop && rng_.below(4) < odds) node.copy_page(page, kPage);
    if (stop != SIZE_MAX && node.dirty_pages.contains(stop) && rng_.one_in(2))
      node.copy_page(stop, kSector * rng_.below(kPage / kSector));
    // The new length may be on disk although the pages are not.
    if (rng_.one_in(4) && node.durable.size() < node.live.size()) node.durable.resize(node.live.size());
  }
  node.live = node.durable;
  node.forget_dirt();
}

}  // namespace milena
