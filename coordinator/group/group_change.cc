#include "coordinator/group/group_change.h"

#include <algorithm>
#include <map>

namespace milena::coordinator {
namespace {

// The names that a member subscribes to, sorted, each once.
std::vector<std::string_view> topics_of(const ConsumerMember& member, const ResolvedRegexes& regexes) {
  std::vector<std::string_view> topics(member.subscribed_topics.begin(), member.subscribed_topics.end());
  if (!member.subscribed_regex.empty()) {
    if (const auto resolved = regexes.find(member.subscribed_regex); resolved != regexes.end()) {
      topics.insert(topics.end(), resolved->second.topics.begin(), resolved->second.topics.end());
      std::ranges::sort(topics);
      topics.erase(std::ranges::unique(topics).begin(), topics.end());
    }
  }
  return topics;
}

// Gives every different set of topics a number.
class Subscriptions {
 public:
  Subscriptions(AssignorInput& input, const MetadataView& metadata) : input_(input), metadata_(metadata) {}

  std::size_t number(std::vector<std::string_view> topics) {
    const auto [at, fresh] = by_names_.try_emplace(std::move(topics));
    if (fresh) {
      std::vector<Uuid> ids;
      for (const std::string_view name : at->first) {
        if (const auto topic = metadata_.topic(name)) ids.push_back(topic->id);
      }
      std::ranges::sort(ids);
      // Different names may come down to the same topics: those that exist.
      const auto same = std::ranges::find(input_.subscriptions, ids);
      at->second = static_cast<std::size_t>(same - input_.subscriptions.begin());
      if (same == input_.subscriptions.end()) input_.subscriptions.push_back(std::move(ids));
    }
    return at->second;
  }

 private:
  AssignorInput& input_;
  const MetadataView& metadata_;
  std::map<std::vector<std::string_view>, std::size_t> by_names_;
};

Subscribers<std::string_view> subscribers_after(const GroupChange& change) {
  Subscribers<std::string_view> subscribers(change.group.subscribers());
  const auto remove = [&](const ConsumerMember& member) {
    subscribers.remove(member.subscribed_topics, member.subscribed_regex);
  };
  for (const std::string_view id : change.removed) {
    if (const auto* leaves = change.group.find(id)) remove(*leaves);
  }
  if (change.member == nullptr) return subscribers;
  const auto* before = change.group.find(change.member_id);
  if (before != nullptr && !change.removed.contains(change.member_id)) remove(*before);
  subscribers.add(change.member->subscribed_topics, change.member->subscribed_regex);
  return subscribers;
}

}  // namespace

bool GroupChange::has_subscribers_of_regex(std::string_view regex) const {
  return subscribers_after(*this).regexes().contains(regex);
}

std::set<std::string_view> subscribed_topics(const GroupChange& change) {
  const Subscribers subscribers = subscribers_after(change);
  std::set<std::string_view> topics;
  for (const auto& [topic, count] : subscribers.topics()) topics.insert(topic);
  for (const auto& [regex, count] : subscribers.regexes()) {
    const auto resolved = change.regexes.find(regex);
    if (resolved == change.regexes.end()) continue;
    topics.insert(resolved->second.topics.begin(), resolved->second.topics.end());
  }
  return topics;
}

std::int64_t metadata_hash(const GroupChange& change, TopicHashes& hashes, const MetadataView& metadata) {
  std::map<std::string_view, std::int64_t> of_topics;
  for (const std::string_view topic : subscribed_topics(change)) {
    if (metadata.topic(topic)) of_topics.emplace(topic, hashes.of(topic, metadata));
  }
  return group_hash(of_topics);
}

bool is_subscribed(const ConsumerMember& member, const ResolvedRegexes& regexes, std::string_view topic) {
  if (member.subscribed_topics.contains(topic)) return true;
  if (member.subscribed_regex.empty()) return false;
  const auto resolved = regexes.find(member.subscribed_regex);
  return resolved != regexes.end() && resolved->second.topics.contains(topic);
}

std::vector<MemberTarget> changed_targets(const GroupChange& change, const Assignor& assignor,
                                          const MetadataView& metadata) {
  AssignorInput input;
  input.metadata = &metadata;
  input.members.reserve(change.group.members().size() + 1);
  Subscriptions subscriptions(input, metadata);
  const ConsumerMember* previous = nullptr;
  change.for_each_member([&](std::string_view id, const ConsumerMember& member, const Assignment* target) {
    // Most members of a group subscribe to the same topics.
    const bool same = previous != nullptr && previous->subscribed_topics == member.subscribed_topics &&
                      previous->subscribed_regex == member.subscribed_regex;
    const std::size_t subscription =
        same ? input.members.back().subscription : subscriptions.number(topics_of(member, change.regexes));
    previous = &member;
    AssignorMember& out = input.members.emplace_back();
    out.id = id;
    if (member.instance_id) out.instance_id = *member.instance_id;
    if (member.rack_id) out.rack_id = *member.rack_id;
    out.subscription = subscription;
    out.current = target;
  });
  std::vector<MemberTarget> targets;
  for (auto& [member, assignment] : assignor.assign(input)) {
    targets.push_back({input.members[member].id, std::move(assignment)});
  }
  return targets;
}

}  // namespace milena::coordinator
