#include "storage/partition_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/checkpoint_text.h"

namespace milena::storage {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kNameMax = 255;

struct Suffix {
  std::string_view text;
  PartitionName::State state;
};
constexpr Suffix kSuffixes[] = {{"-delete", PartitionName::State::kDeleted},
                                {"-stray", PartitionName::State::kStray},
                                {"-future", PartitionName::State::kFuture}};

bool is_id(std::string_view text) {
  return text.size() == kIdDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

std::string name_with_suffix(const TopicPartition& partition, Rng& rng, std::string_view suffix) {
  const std::string tail =
      fmt::format("-{}.{:016x}{:016x}{}", partition.partition.value, rng.next(), rng.next(), suffix);
  return partition.topic.substr(0, kNameMax - tail.size()) + tail;
}

}  // namespace

std::string directory_name(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition.value);
}

std::string deleted_directory_name(const TopicPartition& partition, Rng& rng) {
  return name_with_suffix(partition, rng, "-delete");
}

std::string stray_directory_name(const TopicPartition& partition, Rng& rng) {
  return name_with_suffix(partition, rng, "-stray");
}

std::optional<PartitionName> parse_partition_name(std::string_view name) {
  PartitionName out{.partition = {}, .state = PartitionName::State::kLive, .name = std::string(name)};
  for (const Suffix& suffix : kSuffixes) {
    if (!name.ends_with(suffix.text)) continue;
    const auto rest = name.substr(0, name.size() - suffix.text.size());
    const auto dot = rest.rfind('.');
    if (dot == std::string_view::npos || !is_id(rest.substr(dot + 1))) continue;
    name = rest.substr(0, dot);
    out.state = suffix.state;
    break;
  }
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const auto digits = name.substr(dash + 1);
  const auto partition = parse_integer<std::int32_t>(digits);
  if (!partition || *partition < 0 || fmt::format("{}", *partition) != digits) return std::nullopt;
  out.partition = {std::string(name.substr(0, dash)), *partition};
  return out;
}

}  // namespace milena::storage
