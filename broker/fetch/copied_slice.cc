#include "broker/fetch/copied_slice.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "protocol/record_batch.h"

namespace milena::broker {
namespace {

constexpr std::uint32_t kCopyMax = 64 << 10;

// Bytes that are read as a file is.
class MemoryFile final : public File {
 public:
  explicit MemoryFile(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  IoResult<std::size_t> read_at(std::uint64_t offset, MutableBytes into) const override {
    if (offset >= bytes_.size()) return 0;
    const std::size_t size = std::min<std::size_t>(into.size(), bytes_.size() - offset);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), size, into.begin());
    return size;
  }
  IoResult<std::uint64_t> size() const override { return bytes_.size(); }
  IoStatus write_at(std::uint64_t, std::span<const BytesView>) override { return refused(); }
  IoStatus sync() override { return refused(); }
  IoStatus truncate(std::uint64_t) override { return refused(); }
  IoStatus reserve(std::uint64_t, std::uint64_t) override { return refused(); }
  IoResult<std::unique_ptr<Mapping>> map() const override { return refused(); }

 private:
  static std::unexpected<IoError> refused() { return std::unexpected(IoError{EROFS, "a copy of records"}); }

  std::vector<std::byte> bytes_;
};

}  // namespace

IoResult<storage::FileSlice> copied_beginning(const storage::FileSlice& slice) {
  std::vector<std::byte> bytes(std::min(slice.size, kCopyMax));
  MILENA_TRY(const std::size_t got, slice.file->read_at(slice.position, bytes));
  bytes.resize(got);
  const auto first = protocol::RecordBatchHeader::parse(bytes);
  const std::size_t wanted = first ? std::min<std::size_t>(first->size_in_bytes(), slice.size) : 0;
  if (wanted > bytes.size()) {
    bytes.resize(wanted);
    MILENA_TRY(const std::size_t rest,
               slice.file->read_at(slice.position + got, MutableBytes(bytes).subspan(got)));
    bytes.resize(got + rest);
  }
  const auto size = static_cast<std::uint32_t>(bytes.size());
  return storage::FileSlice{
      .file = std::make_shared<MemoryFile>(std::move(bytes)), .position = 0, .size = size};
}

}  // namespace milena::broker
