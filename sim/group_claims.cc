#include "sim/group_claims.h"

#include <fmt/format.h>

#include "sim/history.h"

namespace milena::sim {

void GroupClaims::lost_power() {
  ++term_;
  classic_.clear();
  consumer_.clear();
}

void GroupClaims::synced(int term, const std::string& group, std::int32_t generation,
                         const std::string& member, const std::set<std::int32_t>& partitions) {
  if (term != term_) return;
  history_.count_claim();
  auto& known = classic_[group];
  if (generation < known.newest)
    history_.fail(fmt::format("group {}: generation {} after {}", group, generation, known.newest));
  known.newest = std::max(known.newest, generation);
  for (const auto partition : partitions) {
    const auto [owner, is_new] = known.owners[generation].emplace(partition, member);
    if (!is_new && owner->second != member)
      history_.fail(fmt::format("group {}: {} and {} own partition {} in generation {}", group, owner->second,
                                member, partition, generation));
  }
}

std::int32_t GroupClaims::newest(const std::string& group) const {
  const auto known = classic_.find(group);
  return known == classic_.end() ? -1 : known->second.newest;
}

void GroupClaims::accepted(int term, const std::string& group, std::int32_t generation, std::int32_t newest) {
  if (term != term_) return;
  history_.count_claim();
  if (generation < newest)
    history_.fail(fmt::format("group {}: a member of generation {} has committed in generation {}", group,
                              generation, newest));
}

void GroupClaims::holds(const std::string& group, std::int32_t partition, const std::string& member,
                        Instant at) {
  history_.count_claim();
  const auto other = owner(group, partition, at);
  if (!other.empty() && other != member)
    history_.fail(fmt::format("group {}: partition {} is given to {}, and {} still has it", group, partition,
                              member, other));
  consumer_[group].owners[partition] = member;
}

void GroupClaims::renewed(const std::string& group, const std::string& member, Instant until) {
  consumer_[group].sessions[member] = until;
}

void GroupClaims::released(const std::string& group, std::int32_t partition, const std::string& member) {
  auto& owners = consumer_[group].owners;
  const auto found = owners.find(partition);
  if (found != owners.end() && found->second == member) owners.erase(found);
}

std::string GroupClaims::owner(const std::string& group, std::int32_t partition, Instant at) const {
  const auto known = consumer_.find(group);
  if (known == consumer_.end()) return "";
  const auto found = known->second.owners.find(partition);
  if (found == known->second.owners.end()) return "";
  const auto session = known->second.sessions.find(found->second);
  const bool is_alive = session != known->second.sessions.end() && at < session->second;
  return is_alive ? found->second : "";
}

void GroupClaims::accepted(int term, const std::string& group, std::int32_t partition,
                           const std::string& member, const std::string& owner) {
  if (term != term_) return;
  history_.count_claim();
  if (!owner.empty() && owner != member)
    history_.fail(fmt::format("group {}: {} has committed for partition {}, which {} owns", group, member,
                              partition, owner));
}

}  // namespace milena::sim
