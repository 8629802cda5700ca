#include "storage/epoch_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/checkpoint_text.h"

namespace milena::storage {

void EpochCache::assign(LeaderEpoch epoch, Offset start_offset) {
  if (!entries_.empty() && entries_.back().epoch == epoch && entries_.back().start_offset <= start_offset)
    return;
  while (!entries_.empty() &&
         (entries_.back().epoch >= epoch || entries_.back().start_offset >= start_offset)) {
    changed_from(entries_.back().start_offset);
    entries_.pop_back();
  }
  entries_.push_back({epoch, start_offset});
  changed_from(start_offset);
}

std::optional<EpochEndOffset> EpochCache::end_offset_for(LeaderEpoch epoch, Offset log_end) const {
  if (epoch == protocol::kNoLeaderEpoch || entries_.empty()) return std::nullopt;
  if (epoch == latest()) return EpochEndOffset{epoch, log_end};
  const auto next = std::ranges::upper_bound(entries_, epoch, {}, &Entry::epoch);
  if (next == entries_.end()) return std::nullopt;
  // Older than everything known: its records are gone, so a follower may keep nothing before the first entry.
  if (next == entries_.begin()) return EpochEndOffset{epoch, next->start_offset};
  return EpochEndOffset{std::prev(next)->epoch, next->start_offset};
}

LeaderEpoch EpochCache::epoch_of(Offset offset) const {
  const auto next = std::ranges::upper_bound(entries_, offset, {}, &Entry::start_offset);
  return next == entries_.begin() ? protocol::kNoLeaderEpoch : std::prev(next)->epoch;
}

void EpochCache::truncate_from_end(Offset offset) {
  while (!entries_.empty() && entries_.back().start_offset >= offset) {
    changed_from(entries_.back().start_offset);
    entries_.pop_back();
  }
}

void EpochCache::truncate_from_start(Offset offset) {
  const auto next = std::ranges::upper_bound(entries_, offset, {}, &Entry::start_offset);
  if (next == entries_.begin()) return;
  const auto holder = std::prev(next);
  if (holder == entries_.begin() && holder->start_offset == offset) return;
  changed_from(entries_.front().start_offset);
  holder->start_offset = offset;
  entries_.erase(entries_.begin(), holder);
}

void EpochCache::clear() {
  if (!entries_.empty()) changed_from(entries_.front().start_offset);
  entries_.clear();
}

std::string EpochCache::encode() const {
  std::vector<std::string> lines;
  lines.reserve(entries_.size());
  for (const Entry& entry : entries_)
    lines.push_back(fmt::format("{} {}", entry.epoch.value, entry.start_offset.value));
  return encode_checkpoint(lines);
}

bool EpochCache::decode(std::string_view text) {
  entries_.clear();
  changed_from_ = kNothing;
  const auto lines = decode_checkpoint(text);
  if (!lines) return false;
  for (std::string_view line : *lines) {
    const auto epoch = parse_integer<std::int32_t>(take_field(line));
    const auto start = parse_integer<std::int64_t>(line);
    const bool increases = entries_.empty() || (epoch && start && *epoch > entries_.back().epoch.value &&
                                                *start > entries_.back().start_offset.value);
    if (!epoch || !start || *epoch < 0 || *start < 0 || !increases) {
      entries_.clear();
      return false;
    }
    entries_.push_back({*epoch, *start});
  }
  return true;
}

}  // namespace milena::storage
