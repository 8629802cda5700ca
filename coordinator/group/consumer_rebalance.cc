// From a member's wish to its next assignment: subscription, group epoch, target assignment, reconciliation.
#include <algorithm>
#include <utility>

#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/reconcile.h"
#include "coordinator/group/records.h"
#include "coordinator/group/topic_regex.h"

namespace milena::coordinator {
namespace {

// New topics make a group's expressions be looked at again, but not more often than this.
constexpr std::int64_t kRegexRefreshMinIntervalMs = 10'000;

}  // namespace

Decision<ConsumerGroups::Fulfilled> ConsumerGroups::fulfill(Group& group, const Wish& wish,
                                                            const TopicFilter* filter,
                                                            bool compute_target_now, GroupOutcome& out) {
  ConsumerGroup& g = *group.consumer;
  if (!wish.replaced_id.empty()) {
    const Assignment* inherited = g.target(wish.replaced_id);
    append_member_tombstones(out, group.id, wish.replaced_id);
    append_member(out, group.id, wish.member_id, wish.before);
    append_target(out, group.id, wish.member_id, inherited == nullptr ? Assignment{} : *inherited);
    append_current_assignment(out, group.id, wish.member_id, wish.before);
  }
  if (wish.member != wish.before) append_member(out, group.id, wish.member_id, wish.member);
  MILENA_TRY(const RegexPlan regex_plan, plan_regexes(group, wish, filter, out));
  const ResolvedRegexes& regexes = regex_plan.changed ? *regex_plan.changed : g.regexes();

  const Assignment* target = g.target(wish.inherited_id());
  GroupChange change{.group = g,
                     .regexes = regexes,
                     .removed = {},
                     .member_id = wish.member_id,
                     .member = &wish.member,
                     .target = target};
  if (!wish.replaced_id.empty()) change.removed.insert(wish.replaced_id);
  const bool topics_changed = wish.member.subscribed_topics != wish.before.subscribed_topics;
  const bool regex_changed = wish.member.subscribed_regex != wish.before.subscribed_regex;
  const std::int32_t epoch = advance_epoch(group, change, topics_changed || regex_plan.bumps_epoch, out);

  std::optional<Assignment> changed_target;
  std::int32_t target_epoch = g.assignment_epoch;
  if (target_epoch != epoch) {
    if (!compute_target_now) return Fulfilled{wish.member, true};
    const std::int32_t interval_ms = store_.overrides(group.id).consumer_assignment_interval_ms.value_or(
        store_.config->consumer_assignment_interval_ms);
    // A time that lies ahead was written before the clock went back.
    if (g.assignment_timestamp_ms == 0 || interval_ms == 0 ||
        g.assignment_timestamp_ms > store_.now.wall_ms ||
        g.assignment_timestamp_ms <= store_.now.wall_ms - interval_ms) {
      changed_target = renew_targets(group, change, wish, epoch, out);
      if (changed_target) target = &*changed_target;
      target_epoch = epoch;
    }
  }
  const bool subscription_changed = topics_changed || regex_changed;
  if (!subscription_changed && wish.member.reconciled_to(target_epoch)) return Fulfilled{wish.member, false};
  const ReconcileInput input{
      .target_epoch = target_epoch,
      .target = target,
      .subscription_changed = subscription_changed,
      .reported = wish.reported ? &*wish.reported : nullptr,
      .is_subscribed =
          [&](const Uuid& topic_id) {
            const auto topic = store_.metadata->topic(topic_id);
            return topic && is_subscribed(wish.member, regexes, topic->name);
          },
      .is_owned = [&](const Uuid& topic_id,
                      std::int32_t partition) { return g.is_owned(topic_id, partition); }};
  auto next = reconcile(wish.member, input);
  if (!next) return refuse(next.error().code, next.error().why);
  if (*next != wish.member) append_current_assignment(out, group.id, wish.member_id, *next);
  return Fulfilled{std::move(*next), false};
}

bool ConsumerGroups::regexes_are_due(const ConsumerGroup& group) const {
  if (group.regexes().empty()) return false;
  const std::int64_t age_ms = store_.now.wall_ms - group.regexes_resolved_at_ms;
  // A negative age: the clock went back.
  if (age_ms < 0 || age_ms > store_.config->consumer_regex_refresh_interval_ms) return true;
  return age_ms > kRegexRefreshMinIntervalMs && group.regexes_resolved_version < topics_created_version_;
}

Decision<ConsumerGroups::RegexPlan> ConsumerGroups::plan_regexes(Group& group, const Wish& wish,
                                                                 const TopicFilter* filter,
                                                                 GroupOutcome& out) {
  ConsumerGroup& g = *group.consumer;
  const std::string& before = wish.before.subscribed_regex;
  const std::string& now = wish.member.subscribed_regex;
  RegexPlan plan;
  plan.bumps_epoch = before != now;
  const bool refresh = regexes_are_due(g);
  const bool resolved = now.empty() || g.regexes().contains(now);
  if (before == now && resolved && !refresh) return plan;

  GroupChange change{.group = g,
                     .regexes = g.regexes(),
                     .removed = {},
                     .member_id = wish.member_id,
                     .member = &wish.member,
                     .target = nullptr};
  if (!wish.replaced_id.empty()) change.removed.insert(wish.replaced_id);
  plan.changed = g.regexes();
  if (!before.empty() && before != now && !change.has_subscribers_of_regex(before)) {
    append_regex_tombstone(out, group.id, before);
    plan.changed->erase(before);
  }
  if (!resolved) {
    if (const auto problem = regex_problem(now)) {
      return refuse(
          ErrorCode::kInvalidRegularExpression,
          "SubscribedTopicRegex `" + now + "` is not a valid regular expression: " + *problem + ".");
    }
    plan.changed->try_emplace(now);
  }
  for (auto& [regex, known] : *plan.changed) {
    if (!refresh && regex != now) continue;
    TopicNames topics = resolve_regex(regex, *store_.metadata, filter);
    const bool is_new = !g.regexes().contains(regex);
    if (topics == known.topics && !is_new) continue;
    known = {std::move(topics), store_.metadata->version(), store_.now.wall_ms};
    append_regex(out, group.id, regex, known);
    plan.bumps_epoch = true;
  }
  // Only a look at all of them counts as one; the first expression of a group is all of them.
  if (refresh || plan.changed->size() <= 1) {
    out.if_append_fails([this, id = group.id, at_ms = g.regexes_resolved_at_ms,
                         version = g.regexes_resolved_version](GroupOutcome&) {
      const Group* known = store_.groups.find(id);
      if (known == nullptr || !known->consumer) return;
      known->consumer->regexes_resolved_at_ms = at_ms;
      known->consumer->regexes_resolved_version = version;
    });
    g.regexes_resolved_at_ms = store_.now.wall_ms;
    g.regexes_resolved_version = store_.metadata->version();
  }
  return plan;
}

std::int32_t ConsumerGroups::advance_epoch(Group& group, const GroupChange& change, bool bump,
                                           GroupOutcome& out) {
  ConsumerGroup& g = *group.consumer;
  if (!bump && g.metadata_checked) return g.epoch;
  const std::int64_t hash = metadata_hash(change, hashes_, *store_.metadata);
  if (g.has_partition_metadata_record) append_partition_metadata_tombstone(out, group.id);
  if (!bump && hash == g.metadata_hash) {
    g.metadata_checked = true;
    return g.epoch;
  }
  const std::int32_t epoch = next_epoch(g.epoch);
  append_group_epoch(out, group.id, epoch, hash);
  return epoch;
}

std::optional<Assignment> ConsumerGroups::renew_targets(Group& group, const GroupChange& change,
                                                        const Wish& wish, std::int32_t epoch,
                                                        GroupOutcome& out) {
  const ConsumerGroup& g = *group.consumer;
  const auto preferred = g.preferred_assignor(g.find(wish.inherited_id()), &wish.member);
  // A member may have asked, long ago, for an assignor that this version does not have.
  const Assignor* assignor = preferred ? find_assignor(*preferred) : nullptr;
  if (assignor == nullptr) assignor = find_assignor(store_.config->consumer_default_assignor);
  std::optional<Assignment> own;
  for (auto& [member_id, next] : changed_targets(change, *assignor, *store_.metadata)) {
    append_target(out, group.id, member_id, next);
    if (member_id == wish.member_id) own = std::move(next);
  }
  append_target_epoch(out, group.id, epoch, store_.now.wall_ms);
  return own;
}

}  // namespace milena::coordinator
