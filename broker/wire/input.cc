#include "broker/wire/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/result.h"
#include "protocol/hex.h"

namespace milena::wire {
namespace {

constexpr std::size_t kMaxBytesInMemory = std::size_t{1} << 30;

std::expected<std::vector<std::byte>, std::string> standard_input() {
  std::vector<std::byte> bytes;
  std::byte piece[1 << 16];
  while (const std::size_t n = std::fread(piece, 1, sizeof piece, stdin)) {
    if (bytes.size() + n > kMaxBytesInMemory)
      return std::unexpected("the standard input is larger than 1 GiB");
    bytes.insert(bytes.end(), piece, piece + n);
  }
  if (std::ferror(stdin) != 0) return std::unexpected("the standard input cannot be read");
  return bytes;
}

std::expected<std::vector<std::byte>, std::string> decode_hex(BytesView bytes) {
  std::string text(as_text(bytes));
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  auto decoded = protocol::from_hex(text);
  if (!decoded) return std::unexpected("these are not pairs of hex digits");
  return *std::move(decoded);
}

}  // namespace

Input Input::of(std::vector<std::byte> bytes) {
  Input input;
  input.size_ = bytes.size();
  input.bytes_ = std::move(bytes);
  return input;
}

std::expected<Input, std::string> Input::open(Fs& fs, const std::string& path, bool is_hex) {
  Input input;
  if (path == "-") {
    MILENA_TRY(auto bytes, standard_input());
    input = of(std::move(bytes));
  } else {
    auto file = fs.open(path, OpenMode::kRead);
    const auto size = file ? (*file)->size() : std::unexpected(file.error());
    if (!size) return std::unexpected(fmt::format("{}: {}", path, to_string(size.error())));
    input.file_ = *std::move(file);
    input.size_ = *size;
  }
  if (!is_hex) return input;
  MILENA_TRY(const BytesView text, input.whole(kMaxBytesInMemory));
  MILENA_TRY(auto bytes, decode_hex(text));
  return of(std::move(bytes));
}

std::expected<BytesView, std::string> Input::read(std::uint64_t at, std::size_t size) {
  const std::uint64_t start = std::min(at, size_);
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - start));
  if (file_ == nullptr) return BytesView(bytes_).subspan(start, size);
  if (bytes_.size() < size) bytes_.resize(size);
  const auto n = file_->read_at(start, MutableBytes(bytes_).first(size));
  if (!n) return std::unexpected(to_string(n.error()));
  return BytesView(bytes_).first(*n);
}

std::expected<BytesView, std::string> Input::whole(std::size_t max) {
  if (size_ > max) return std::unexpected(fmt::format("{} bytes are more than the {} that fit", size_, max));
  return read(0, static_cast<std::size_t>(size_));
}

}  // namespace milena::wire
