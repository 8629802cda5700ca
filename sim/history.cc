#include "sim/history.h"

#include <fmt/format.h>

#include <algorithm>

namespace milena::sim {

std::string History::text(const Place& place, std::int64_t offset) {
  return fmt::format("{}-{} at offset {}", place.first, place.second, offset);
}

void History::claim(const Place& place, std::int64_t offset, const std::string& value,
                    std::optional<Instant> at) {
  ++claims_;
  auto& record = partitions_[place].records[offset];
  if (!record.value.empty() && record.value != value)
    fail(fmt::format("{}: {} was there before, and now it is {}", text(place, offset), record.value, value));
  record.value = value;
  if (at) record.acknowledged_at = std::min(record.acknowledged_at.value_or(*at), *at);
}

void History::acknowledged(const Place& place, Offset offset, const std::string& value, Instant at) {
  claim(place, offset.value, value, at);
}

void History::seen(const Place& place, Offset offset, const std::string& value) {
  claim(place, offset.value, value, std::nullopt);
}

void History::saw_nothing(const Place& place, Offset offset, Instant then, Instant at) {
  ++claims_;
  const auto& records = partitions_[place].records;
  for (auto record = records.lower_bound(offset.value); record != records.end(); ++record) {
    const auto& acknowledged_at = record->second.acknowledged_at;
    if (!acknowledged_at || *acknowledged_at > then) continue;
    return fail(
        fmt::format("{}: acknowledged at {} ms, and a fetch from {} was still answered empty at {} ms",
                    text(place, record->first), acknowledged_at->count(), offset.value, at.count()));
  }
}

std::int64_t History::least_end(const Place& place) const {
  const auto found = partitions_.find(place);
  return found == partitions_.end() || found->second.records.empty() || found->second.may_be_shorter
             ? 0
             : found->second.records.rbegin()->first + 1;
}

void History::deletes_before(const Place& place, Offset offset) {
  auto& partition = partitions_[place];
  partition.may_start_at = std::max(partition.may_start_at, offset.value);
}

void History::starts_at(const Place& place, Offset offset) {
  saw_start(place, offset, 0);
  auto& partition = partitions_[place];
  partition.starts_at = std::max(partition.starts_at, offset.value);
}

std::pair<std::int64_t, std::int64_t> History::start_of(const Place& place) const {
  const auto found = partitions_.find(place);
  if (found == partitions_.end()) return {0, 0};
  return {found->second.starts_at, found->second.may_start_at};
}

void History::saw_start(const Place& place, Offset offset, std::int64_t least) {
  ++claims_;
  const auto most = partitions_[place].may_start_at;
  if (offset < least)
    fail(fmt::format("{}: it starts there, and started at {}", text(place, offset.value), least));
  if (offset > most)
    fail(fmt::format("{}: it starts there, and nothing above {} was deleted", text(place, offset.value),
                     most));
}

void History::audited(const Place& place, const std::map<std::int64_t, std::string>& records,
                      std::int64_t least_end, std::int64_t start, std::int64_t end) {
  auto& partition = partitions_[place];
  if (end < least_end)
    fail(fmt::format("{}: it ends there now", text(place, end)) +
         fmt::format(", and went up to {}", least_end));
  partition.records.erase(partition.records.begin(), partition.records.lower_bound(start));
  if (std::exchange(partition.may_be_shorter, false)) {
    // Behind what is left, markers of transactions may have been written since.
    const auto lost = std::ranges::find_if(partition.records, [&](const auto& claim) {
      const auto found = records.find(claim.first);
      return claim.first >= end || found == records.end() || found->second != claim.second.value;
    });
    partition.records.erase(lost, partition.records.end());
  }
  std::map<std::string, std::int64_t> where;
  for (const auto& [offset, value] : records) {
    ++claims_;
    const auto [first, is_new] = where.emplace(value, offset);
    if (!is_new) fail(fmt::format("{}: {} lies at {}, too", text(place, offset), value, first->second));
  }
  for (const auto& [offset, record] : partition.records) {
    if (offset >= end) break;
    if (offset < partition.may_start_at) continue;  // deleted while it was read, maybe
    const auto found = records.find(offset);
    if (found == records.end()) fail(fmt::format("{}: {} is lost", text(place, offset), record.value));
  }
  for (const auto& [offset, value] : records) claim(place, offset, value, std::nullopt);
}

bool History::gave(Giver giver, ProducerIdentity producer) {
  ++claims_;
  auto& known = producers_[producer.id.value];
  if (known.epochs.insert(producer.epoch).second) return true;
  if (giver == Giver::kController || !known.may_come_again)
    fail(fmt::format("producer {} is given epoch {} again", producer.id.value, producer.epoch));
  return false;
}

void History::audited_committed(const std::set<std::string>& values) {
  for (const auto& [name, transaction] : transactions_) {
    ++claims_;
    const auto visible = static_cast<std::size_t>(std::ranges::count_if(
        transaction.values, [&](const std::string& value) { return values.contains(value); }));
    const bool all = visible == transaction.values.size();
    if (transaction.outcome == Outcome::kCommitted && !all)
      fail(fmt::format("transaction {} is committed, and {} of its {} records are seen", name, visible,
                       transaction.values.size()));
    if (transaction.outcome == Outcome::kAborted && visible > 0)
      fail(fmt::format("transaction {} is aborted, and {} of its records are seen", name, visible));
    if (transaction.outcome == Outcome::kUnknown && visible > 0 && !all)
      fail(fmt::format("transaction {}: {} of its {} records are seen", name, visible,
                       transaction.values.size()));
  }
}

void History::has_committed(const Committed& where, std::int64_t offset) {
  ++claims_;
  auto& known = committed_[where];
  known.acknowledged = std::max(known.acknowledged, offset);
}

void History::saw_committed(const Committed& where, std::int64_t offset) {
  ++claims_;
  const auto& known = committed_[where];
  if (offset < known.acknowledged)
    fail(fmt::format("group {}: offset {} was committed for {}, and now it is {}", where.first,
                     known.acknowledged, where.second, offset));
  if (offset >= 0 && !known.attempts.contains(offset))
    fail(fmt::format("group {}: offset {} is committed for {}, and nobody has committed it", where.first,
                     offset, where.second));
}

std::vector<History::Committed> History::all_committed() const {
  std::vector<Committed> out;
  for (const auto& [where, offsets] : committed_) out.push_back(where);
  return out;
}

void History::has_set(const std::string& setting, const std::string& value) {
  ++claims_;
  settings_[setting] = {.value = value, .tried = {}};
}

void History::saw_setting(const std::string& setting, const std::string& value) {
  ++claims_;
  const auto& known = settings_[setting];
  if (!known.value.empty() && value != known.value && !known.tried.contains(value))
    fail(fmt::format("{} was set to {}, and now it is {}", setting, known.value, value));
}

void History::saw_topics(const std::set<std::string>& topics) {
  for (const auto& [topic, exists] : topics_) {
    ++claims_;
    if (exists != topics.contains(topic))
      fail(fmt::format("topic {} was {}, and now it {} there", topic, exists ? "created" : "deleted",
                       exists ? "is not" : "is"));
  }
}

void History::lost_power() {
  for (auto& [place, partition] : partitions_) {
    partition.may_be_shorter = true;
    for (auto& [offset, record] : partition.records) record.acknowledged_at.reset();
  }
  for (auto& [id, producer] : producers_) producer.may_come_again = true;
  transactions_.clear();
  for (auto& [where, offsets] : committed_) offsets.acknowledged = -1;
  members_.lost_power();
}

}  // namespace milena::sim
