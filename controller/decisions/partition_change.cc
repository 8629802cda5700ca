#include "controller/decisions/partition_change.h"

#include <algorithm>
#include <span>

namespace milena::controller {
namespace {

constexpr BrokerId kLeaderUnchanged = -2;
constexpr std::int8_t kRecovering = static_cast<std::int8_t>(LeaderRecoveryState::kRecovering);

using Brokers = std::vector<BrokerId>;

bool contains(std::span<const BrokerId> list, BrokerId broker) {
  return std::ranges::find(list, broker) != list.end();
}

bool same(std::span<const BrokerId> a, std::span<const BrokerId> b) { return std::ranges::equal(a, b); }

template <class T>
std::span<T> copied(std::span<const T> from, Arena& arena) {
  const std::span<T> to = arena.array<T>(from.size());
  std::ranges::copy(from, to.begin());
  return to;
}

std::span<BrokerId> copied(const Brokers& from, Arena& arena) {
  return copied(std::span<const BrokerId>(from), arena);
}

std::span<BrokerId> list_of(BrokerId only, Arena& arena) {
  return copied(std::span<const BrokerId>(&only, 1), arena);
}

struct Elected {
  BrokerId leader;
  bool unclean = false;
};

// Members that left the ISR while it is below its minimum, and those that were eligible before. Ordered by
// id.
Brokers eligible_replicas(const PartitionChange& change) {
  if (!change.elr_enabled || change.target_isr.size() >= change.min_isr) return {};
  Brokers eligible(change.current.elr().begin(), change.current.elr().end());
  for (const BrokerId member : change.current.isr()) {
    if (!contains(eligible, member)) eligible.push_back(member);
  }
  std::erase_if(eligible, [&](BrokerId broker) {
    return contains(change.target_isr, broker) || broker == change.unclean_shutdown;
  });
  std::ranges::sort(eligible);
  return eligible;
}

Elected elect(const PartitionChange& change, const Brokers& eligible) {
  const auto is_clean_leader = [&](BrokerId broker) {
    const bool in_sync =
        contains(change.target_isr, broker) || (change.target_isr.empty() && contains(eligible, broker));
    return in_sync && change.may_lead(broker);
  };
  const auto replicas = change.current.replicas();
  if (change.preferred_election && !replicas.empty() && is_clean_leader(replicas.front()))
    return {replicas.front()};
  if (is_clean_leader(change.current.leader())) return {change.current.leader()};
  if (const auto clean = std::ranges::find_if(replicas, is_clean_leader); clean != replicas.end())
    return {*clean};
  const auto last_known = change.current.last_known_elr();
  if (change.elr_enabled && eligible.empty() && change.target_isr.empty() && last_known.size() == 1 &&
      change.may_lead(last_known[0])) {
    return {last_known[0], true};
  }
  if (change.unclean_election) {
    if (const auto any = std::ranges::find_if(replicas, change.may_lead); any != replicas.end())
      return {*any, true};
  }
  return {kNoBroker};
}

bool changes_nothing(const protocol::PartitionChangeRecord& record) {
  return !record.isr && record.leader == kLeaderUnchanged && record.leader_recovery_state == -1 &&
         !record.eligible_leader_replicas && !record.last_known_elr && !record.directories;
}

}  // namespace

std::optional<MetadataRecord> PartitionChange::to_record(Arena& arena) const {
  protocol::PartitionChangeRecord record{.partition_id = index, .topic_id = topic};
  Brokers isr = target_isr;
  Brokers eligible = eligible_replicas(*this);
  const Elected elected = elect(*this, eligible);
  if (elected.leader != current.leader()) {
    record.leader = elected.leader;
    if (contains(eligible, elected.leader)) {
      isr = {elected.leader};
      std::erase(eligible, elected.leader);
    }
    if (elected.unclean) {
      record.isr = list_of(elected.leader, arena);
      eligible.clear();
      if (current.leader_recovery_state() != LeaderRecoveryState::kRecovering) {
        record.leader_recovery_state = kRecovering;
      }
    }
  }
  if (!same(eligible, current.elr())) record.eligible_leader_replicas = copied(eligible, arena);
  if (!record.isr && (!isr.empty() || elr_enabled) && !same(isr, current.isr()))
    record.isr = copied(isr, arena);
  if (elr_enabled && record.leader == kNoBroker && current.last_known_elr().empty()) {
    record.last_known_elr = list_of(current.leader(), arena);
  } else if (elr_enabled && record.leader >= 0 && !current.last_known_elr().empty()) {
    record.last_known_elr = std::span<BrokerId>{};
  }
  if (!target_directories.empty() && !std::ranges::equal(target_directories, current.directories())) {
    record.directories = copied(std::span<const Uuid>(target_directories), arena);
  }
  if (changes_nothing(record)) return std::nullopt;
  return MetadataRecord{.body = record, .version = partition_record_version(metadata_version)};
}

}  // namespace milena::controller
