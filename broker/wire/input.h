// Input: the bytes that are looked at: a file, of which only the parts that are asked for are in memory, or
// bytes.
//
// Read-only. A file that grows meanwhile is read up to the size that it had at first. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fs.h"

namespace milena::wire {

// The largest frame, batch or unfolded batch that is looked at.
inline constexpr std::size_t kMaxPieceBytes = std::size_t{256} << 20;

class Input {
 public:
  // The file, or with `is_hex` the bytes that its hex digits mean; blanks and line ends between them do not
  // matter. "-" is the standard input, which is read whole. The error is a sentence.
  static std::expected<Input, std::string> open(Fs& fs, const std::string& path, bool is_hex);
  static Input of(std::vector<std::byte> bytes);

  std::uint64_t size() const { return size_; }
  // At most `size` bytes from `at`; fewer at the end. The view holds until the next call.
  std::expected<BytesView, std::string> read(std::uint64_t at, std::size_t size);
  // Everything; nothing if it is larger than `max`.
  std::expected<BytesView, std::string> whole(std::size_t max);

 private:
  std::unique_ptr<File> file_;  // null: it is all in bytes_
  std::vector<std::byte> bytes_;
  std::uint64_t size_ = 0;
};

}  // namespace milena::wire
