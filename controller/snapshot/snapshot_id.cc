#include "controller/snapshot/snapshot_id.h"

#include <fmt/core.h>

#include <charconv>
#include <system_error>

namespace milena::controller {
namespace {

constexpr std::string_view kSuffix = ".checkpoint";
constexpr std::size_t kOffsetDigits = 20;
constexpr std::size_t kEpochDigits = 10;

template <class T>
bool parse_digits(std::string_view digits, T& value) {
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return digits.front() != '-' && parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
}

}  // namespace

std::string SnapshotId::file_name() const {
  return fmt::format("{:020}-{:010}{}", end_offset.value, epoch.value, kSuffix);
}

std::optional<SnapshotId> SnapshotId::parse(std::string_view file_name) {
  if (file_name.size() != kOffsetDigits + 1 + kEpochDigits + kSuffix.size()) return std::nullopt;
  if (file_name[kOffsetDigits] != '-' || !file_name.ends_with(kSuffix)) return std::nullopt;
  SnapshotId id;
  if (!parse_digits(file_name.substr(0, kOffsetDigits), id.end_offset.value)) return std::nullopt;
  if (!parse_digits(file_name.substr(kOffsetDigits + 1, kEpochDigits), id.epoch.value)) return std::nullopt;
  return id;
}

}  // namespace milena::controller
