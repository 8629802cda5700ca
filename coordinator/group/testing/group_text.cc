#include "coordinator/group/testing/group_text.h"

#include <map>
#include <sstream>
#include <utility>

namespace milena::coordinator::testing_support {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c >= ' ' && c < 127) {
      out += c;
    } else {
      out += "\\" + std::to_string(static_cast<unsigned char>(c));
    }
  }
  return out + "'";
}

std::string text_of(const std::optional<std::string>& value) { return value ? quoted(*value) : "-"; }

std::string text_of(const OwnedPartitions& owned) {
  std::string out;
  for (const auto& [topic, partitions] : owned) {
    out += " " + topic.to_string() + ":";
    for (const OwnedPartition& each : partitions) {
      out += std::to_string(each.partition) + "@" + std::to_string(each.epoch) + ",";
    }
  }
  return out;
}

std::string text_of(const Assignment& assignment) {
  std::string out;
  for (const auto& [topic, partitions] : assignment) {
    out += " " + topic.to_string() + ":";
    for (const std::int32_t partition : partitions) out += std::to_string(partition) + ",";
  }
  return out;
}

std::string text_of(const CommittedOffset& offset) {
  std::ostringstream out;
  out << offset.offset << " epoch " << offset.leader_epoch << " at " << offset.commit_timestamp_ms
      << " until " << offset.expire_timestamp_ms << " topic " << offset.topic_id.to_string() << " "
      << quoted(offset.metadata);
  return out.str();
}

void describe(const ClassicGroup& group, std::ostream& out) {
  out << " classic " << to_string(group.state) << " generation " << group.generation << " type "
      << text_of(group.protocol_type) << " protocol " << text_of(group.protocol) << " leader "
      << text_of(group.leader) << " since " << group.state_timestamp_ms << "\n";
  std::map<std::string, const ClassicMember*> sorted;
  for (const ClassicMember& member : group.members()) sorted[member.id] = &member;
  for (const auto& [id, member] : sorted) {
    const std::string* metadata = member->metadata(group.protocol.value_or(""));
    out << "  " << quoted(id) << " instance " << text_of(member->instance_id) << " client "
        << quoted(member->client_id) << quoted(member->client_host) << " timeouts "
        << member->session_timeout_ms << " " << member->rebalance_timeout_ms << " metadata "
        << (metadata == nullptr ? "-" : quoted(*metadata)) << " assignment " << quoted(member->assignment)
        << "\n";
  }
}

void describe(const ConsumerGroup& group, std::ostream& out) {
  out << " consumer epoch " << group.epoch << " hash " << group.metadata_hash << " target "
      << group.assignment_epoch << " at " << group.assignment_timestamp_ms
      << (group.has_partition_metadata_record ? " legacy" : "") << "\n";
  std::map<std::string, const ConsumerGroupMember*> sorted;
  for (const ConsumerGroupMember& member : group.members()) sorted[member.id] = &member;
  for (const auto& [id, m] : sorted) {
    out << "  " << quoted(id) << " instance " << text_of(m->instance_id) << " rack " << text_of(m->rack_id)
        << " client " << quoted(m->client_id) << quoted(m->client_host) << " topics";
    for (const std::string& topic : m->subscribed_topics) out << " " << quoted(topic);
    out << " regex " << quoted(m->subscribed_regex) << " timeout " << m->rebalance_timeout_ms << " assignor "
        << text_of(m->server_assignor);
    if (m->classic) {
      out << " classic " << m->classic->session_timeout_ms;
      for (const ClassicProtocol& protocol : m->classic->protocols) {
        out << " " << quoted(protocol.name) << "=" << quoted(protocol.metadata);
      }
    }
    out << " epoch " << m->epoch << " previous " << m->previous_epoch << " state "
        << static_cast<int>(m->state) << " owns" << text_of(m->assigned) << " gives up"
        << text_of(m->pending_revocation) << "\n";
  }
  const std::map<std::string, Assignment> targets(group.targets().begin(), group.targets().end());
  for (const auto& [id, target] : targets) out << "  target " << quoted(id) << text_of(target) << "\n";
  for (const auto& [regex, resolved] : group.regexes()) {
    out << "  regex " << quoted(regex) << " version " << resolved.metadata_version << " at "
        << resolved.timestamp_ms;
    for (const std::string& topic : resolved.topics) out << " " << quoted(topic);
    out << "\n";
  }
}

}  // namespace

bool is_settled(const Group& group) {
  return !group.classic || group.classic->state == ClassicState::kEmpty ||
         group.classic->state == ClassicState::kStable;
}

std::string durable_text(const Group& group) {
  std::ostringstream out;
  out << "group " << quoted(group.id);
  if (group.classic && is_settled(group)) {
    describe(*group.classic, out);
  } else if (group.classic) {
    out << " classic in flight\n";
  } else if (group.consumer) {
    describe(*group.consumer, out);
  } else {
    out << " simple\n";
  }
  for (const auto& [topic, partitions] : group.offsets.committed()) {
    for (const auto& [partition, offset] : partitions) {
      out << "  offset " << topic << "-" << partition << " " << text_of(offset) << "\n";
    }
  }
  for (const auto& [topic, partitions] : group.offsets.pending()) {
    for (const auto& [partition, held] : partitions) {
      for (const auto& [producer, offset] : held) {
        out << "  pending " << topic << "-" << partition << " of " << producer.value << " " << text_of(offset)
            << "\n";
      }
    }
  }
  return out.str();
}

std::string durable_text(const GroupTable& groups) {
  std::string out;
  for (const Group* group : groups.sorted()) out += durable_text(*group);
  return out;
}

namespace {

std::string broken_invariant(const ClassicGroup& g) {
  const bool empty = g.members().empty();
  if (g.state == ClassicState::kEmpty && !empty) return "an Empty group has members";
  if ((g.state == ClassicState::kStable || g.state == ClassicState::kCompletingRebalance) && empty) {
    return "a generation without members";
  }
  if (!empty && (!g.leader || g.find(*g.leader) == nullptr)) return "the leader is no member";
  if (empty && g.leader) return "a leader of nobody";
  std::size_t awaiting_join = 0, must_sync = 0;
  std::map<std::string, int> instances;
  for (const ClassicMember& member : g.members()) {
    awaiting_join += member.awaiting_join != 0 ? 1 : 0;
    must_sync += member.must_sync ? 1 : 0;
    if (member.instance_id && ++instances[*member.instance_id] > 1) return "two members of one instance id";
    if (member.awaiting_join != 0 && g.state != ClassicState::kPreparingRebalance)
      return "a join waits for nothing";
    if (member.awaiting_sync != 0 && g.state != ClassicState::kCompletingRebalance)
      return "a sync waits for nothing";
    if (!member.session.armed() && member.awaiting_join == 0 && member.awaiting_sync == 0) {
      return "nobody watches over member " + member.id;
    }
    if ((g.state == ClassicState::kStable || g.state == ClassicState::kCompletingRebalance) &&
        member.metadata(g.protocol.value_or("")) == nullptr) {
      return "member " + member.id + " does not know the group's protocol";
    }
  }
  if (awaiting_join != g.awaiting_join_count()) return "awaiting_join_count is wrong";
  if ((must_sync == 0) != g.all_synced()) return "all_synced is wrong";
  if (!empty && g.state == ClassicState::kPreparingRebalance && !g.join_timer.armed() &&
      !g.initial_timer.armed()) {
    return "a rebalance that nothing ends";
  }
  if (must_sync > 0 && g.state != ClassicState::kPreparingRebalance && !g.sync_timer.armed()) {
    return "nothing ends waiting for syncs";
  }
  return "";
}

std::string broken_invariant(const ConsumerGroup& g) {
  if (g.assignment_epoch > g.epoch) return "target from the future";
  std::map<std::pair<Uuid, std::int32_t>, std::string> owners, targets;
  std::map<std::string, int> instances;
  std::size_t classic = 0;
  Subscribers<std::string> subscribers;
  for (const ConsumerGroupMember& member : g.members()) {
    subscribers.add(member.subscribed_topics, member.subscribed_regex);
    if (member.target != g.target(member.id)) return "the target of another member";
    for (const OwnedPartitions* owned : {&member.assigned, &member.pending_revocation}) {
      for (const auto& [topic, partitions] : *owned) {
        if (partitions.empty()) return "a topic without partitions";
        for (const OwnedPartition& each : partitions) {
          if (!owners.emplace(std::pair(topic, each.partition), member.id).second)
            return "a partition has two owners";
          if (!g.is_owned(topic, each.partition)) return "an owned partition counts as free";
          if (each.epoch > std::max(member.epoch, 0) && member.epoch != kJoinEpoch)
            return "assigned in the future";
        }
      }
    }
    classic += member.classic ? 1 : 0;
    if (member.epoch > g.assignment_epoch) return "a member is ahead of the target";
    if (member.instance_id && ++instances[*member.instance_id] > 1) return "two members of one instance id";
    if (member.instance_id && g.find_static(*member.instance_id) != &member)
      return "a static member is not found";
    if (!member.session_timer.armed()) return "nobody watches over member " + member.id;
    if (member.state == MemberState::kUnrevoked && member.epoch > 0 && !member.classic &&
        !member.rebalance_timer.armed()) {
      return "nothing ends waiting for a revocation";
    }
    if (member.state != MemberState::kUnrevoked && !member.pending_revocation.empty())
      return "revokes in no state";
  }
  if (owners.size() != g.owned_count()) return "a free partition counts as owned";
  for (const auto& [id, target] : g.targets()) {
    if (g.find(id) == nullptr) return "a target for nobody";
    for (const auto& [topic, partitions] : target) {
      for (const std::int32_t partition : partitions) {
        if (!targets.emplace(std::pair(topic, partition), id).second) return "a target for two";
      }
    }
  }
  if (classic != g.classic_member_count()) return "classic_member_count is wrong";
  if (subscribers.topics() != g.subscribers().topics() ||
      subscribers.regexes() != g.subscribers().regexes()) {
    return "subscribers is wrong";
  }
  return "";
}

}  // namespace

std::string broken_invariant(const Group& group) {
  if (group.classic && group.consumer) return "two bodies";
  if (!group.has_body() && group.offsets.empty()) return "a bare group";
  if (group.classic) return broken_invariant(*group.classic);
  if (group.consumer) return broken_invariant(*group.consumer);
  return "";
}

}  // namespace milena::coordinator::testing_support
