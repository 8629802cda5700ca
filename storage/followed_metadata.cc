#include "storage/followed_metadata.h"

#include <fmt/format.h>

#include "storage/checkpoint_text.h"

namespace milena::storage {
namespace {

constexpr std::string_view kHead = "version: 0\noffset: ";
constexpr std::string_view kEpoch = "\nleader_epoch: ";

}  // namespace

std::string encode_followed_metadata(const FollowedMetadata& followed) {
  return fmt::format("{}{}{}{}\n", kHead, followed.offset.value, kEpoch, followed.epoch.value);
}

std::optional<FollowedMetadata> decode_followed_metadata(std::string_view text) {
  const auto middle = text.find(kEpoch);
  if (!text.starts_with(kHead) || !text.ends_with('\n') || middle == std::string_view::npos)
    return std::nullopt;
  const auto epoch_at = middle + kEpoch.size();
  if (middle < kHead.size() || epoch_at >= text.size()) return std::nullopt;
  const auto offset = parse_integer<std::int64_t>(text.substr(kHead.size(), middle - kHead.size()));
  const auto epoch = parse_integer<std::int32_t>(text.substr(epoch_at, text.size() - 1 - epoch_at));
  if (!offset || !epoch || *offset < 0 || *epoch < 0) return std::nullopt;
  return FollowedMetadata{.offset = *offset, .epoch = *epoch};
}

}  // namespace milena::storage
