#include "storage/followed_metadata.h"

#include <fmt/format.h>

#include "storage/checkpoint_text.h"

namespace milena::storage {
namespace {

constexpr std::string_view kHead = "version: 0\n";
constexpr std::string_view kOffset = "offset: ";
constexpr std::string_view kEpoch = "leader_epoch: ";
constexpr std::string_view kTimestamp = "timestamp_ms: ";

// Takes a line "<name><number>" off the text.
template <class T>
std::optional<T> take_line(std::string_view& text, std::string_view name) {
  const auto end = text.find('\n');
  if (!text.starts_with(name) || end == std::string_view::npos) return std::nullopt;
  const auto value = parse_integer<T>(text.substr(name.size(), end - name.size()));
  text.remove_prefix(end + 1);
  return value;
}

}  // namespace

std::string encode_followed_metadata(const FollowedMetadata& followed) {
  return fmt::format("{}{}{}\n{}{}\n{}{}\n", kHead, kOffset, followed.offset.value, kEpoch,
                     followed.epoch.value, kTimestamp, followed.timestamp_ms);
}

std::optional<FollowedMetadata> decode_followed_metadata(std::string_view text) {
  if (!text.starts_with(kHead)) return std::nullopt;
  text.remove_prefix(kHead.size());
  const auto offset = take_line<std::int64_t>(text, kOffset);
  const auto epoch = take_line<std::int32_t>(text, kEpoch);
  const auto timestamp_ms = take_line<std::int64_t>(text, kTimestamp);
  if (!offset || !epoch || !timestamp_ms || !text.empty() || *offset < 0 || *epoch < 0) return std::nullopt;
  return FollowedMetadata{.offset = *offset, .epoch = *epoch, .timestamp_ms = *timestamp_ms};
}

}  // namespace milena::storage
