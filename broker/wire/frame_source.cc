#include "broker/wire/frame_source.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/frame.h"

namespace milena::wire {

using protocol::kFrameSizeBytes;

namespace {

constexpr std::size_t kLookBytes = 1 << 20;
constexpr std::int32_t kMinFrameBytes = 4;  // a correlation id

std::optional<std::int32_t> size_at(Input& input, std::uint64_t at) {
  const auto bytes = input.read(at, kFrameSizeBytes);
  if (!bytes || bytes->size() < kFrameSizeBytes) return std::nullopt;
  return load_be<std::int32_t>(bytes->data());
}

}  // namespace

FrameSource::FrameSource(Input& input, Framing framing, const LooksLikeFrame& looks_like_frame)
    : input_(input), is_sized_(framing == Framing::kSized) {
  if (framing == Framing::kDetect) is_sized_ = sizes_lead_to_the_end() || looks_sized(looks_like_frame);
}

bool FrameSource::sizes_lead_to_the_end() {
  std::uint64_t at = 0;
  while (at < input_.size()) {
    const auto size = size_at(input_, at);
    if (!size || *size < kMinFrameBytes) return false;
    at += kFrameSizeBytes + static_cast<std::uint64_t>(*size);
  }
  return at == input_.size();
}

bool FrameSource::looks_sized(const LooksLikeFrame& looks_like_frame) {
  const auto size = size_at(input_, 0);
  if (!size || *size < kMinFrameBytes || std::cmp_greater(*size, kMaxPieceBytes)) return false;
  const auto start = input_.read(0, kLookBytes);
  return start && !looks_like_frame(*start);
}

std::expected<std::optional<FrameSource::Frame>, std::string> FrameSource::next() {
  if (at_ >= input_.size()) return std::nullopt;
  std::uint64_t announced = input_.size();
  if (is_sized_) {
    const auto size = size_at(input_, at_);
    if (!size) return std::unexpected("the size of a frame is cut off");
    if (*size < kMinFrameBytes) return std::unexpected(fmt::format("{} is no size of a frame", *size));
    announced = static_cast<std::uint64_t>(*size);
  }
  if (announced > kMaxPieceBytes)
    return std::unexpected(fmt::format("a frame of {} bytes is more than is looked at", announced));
  const std::uint64_t position = at_ + (is_sized_ ? kFrameSizeBytes : 0);
  const auto bytes = input_.read(position, static_cast<std::size_t>(announced));
  if (!bytes) return std::unexpected(bytes.error());
  at_ = position + announced;
  return Frame{.bytes = *bytes, .position = position, .announced = announced};
}

}  // namespace milena::wire
