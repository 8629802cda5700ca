// What administrators ask: list, describe and delete groups.
#include <algorithm>
#include <cctype>
#include <string>

#include "coordinator/group/group_machine.h"
#include "coordinator/group/records.h"

namespace milena::coordinator {

using protocol::ConsumerGroupDescribeRequest;
using protocol::ConsumerGroupDescribeResponse;
using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

namespace {

constexpr int kGroupIdNotFoundVersion =
    6;  // of DescribeGroups (KIP-1043); before, what does not exist was "Dead"

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view type_of(const Group& group) { return group.consumer ? "consumer" : "classic"; }

std::string_view protocol_type_of(const Group& group) {
  if (group.consumer) return "consumer";
  if (!group.classic) return "";
  const auto& type = group.classic->protocol_type;
  return type ? std::string_view(*type) : "";
}

DescribeGroupsResponse::DescribedGroup described_classic(const Group& group, Arena& memory) {
  using Member = DescribeGroupsResponse::DescribedGroup::DescribedGroupMember;
  DescribeGroupsResponse::DescribedGroup described;
  described.group_state = group.state();
  described.protocol_type = memory.text(protocol_type_of(group));
  if (!group.classic) return described;
  const ClassicGroup& g = *group.classic;
  // Metadata belongs to the protocol of a generation: there is none to show before it is stable.
  const bool is_stable = g.state == ClassicState::kStable;
  if (is_stable) described.protocol_data = memory.text(g.protocol.value_or(""));
  described.members = memory.array<Member>(g.members().size());
  std::size_t i = 0;
  for (const ClassicMember& member : g.members()) {
    Member& out = described.members[i++];
    out.member_id = memory.text(member.id);
    if (member.instance_id) out.group_instance_id = memory.text(*member.instance_id);
    out.client_id = memory.text(member.client_id);
    out.client_host = memory.text(member.client_host);
    out.member_assignment = as_bytes(memory.text(member.assignment));
    const std::string* metadata = is_stable ? member.metadata(g.protocol.value_or("")) : nullptr;
    if (metadata != nullptr) out.member_metadata = as_bytes(memory.text(*metadata));
  }
  return described;
}

// Adds to what is there; topics that do not exist any more are left out.
template <class Partitions, class PartitionOf>
void list_partitions(std::map<Uuid, std::vector<std::int32_t>>& listed, const Partitions& partitions,
                     PartitionOf&& partition_of) {
  for (const auto& [topic_id, each] : partitions) {
    for (const auto& one : each) listed[topic_id].push_back(partition_of(one));
  }
}

ConsumerGroupDescribeResponse::Assignment described_assignment(
    std::map<Uuid, std::vector<std::int32_t>> listed, const MetadataView& metadata, Arena& memory) {
  ConsumerGroupDescribeResponse::Assignment assignment;
  assignment.topic_partitions = memory.array<ConsumerGroupDescribeResponse::TopicPartitions>(listed.size());
  std::size_t t = 0;
  for (auto& [topic_id, partitions] : listed) {
    const auto known = metadata.topic(topic_id);
    if (!known) continue;
    std::ranges::sort(partitions);
    auto& topic = assignment.topic_partitions[t++];
    topic.topic_id = topic_id;
    topic.topic_name = memory.text(known->name);
    topic.partitions = memory.array<protocol::PartitionId>(partitions.size());
    std::ranges::copy(partitions, topic.partitions.begin());
  }
  assignment.topic_partitions = assignment.topic_partitions.first(t);
  return assignment;
}

ConsumerGroupDescribeResponse::DescribedGroup::Member described_member(const ConsumerGroupMember& member,
                                                                       const MetadataView& metadata,
                                                                       Arena& memory) {
  ConsumerGroupDescribeResponse::DescribedGroup::Member out;
  out.member_id = memory.text(member.id);
  if (member.instance_id) out.instance_id = memory.text(*member.instance_id);
  if (member.rack_id) out.rack_id = memory.text(*member.rack_id);
  out.member_epoch = member.epoch;
  out.client_id = memory.text(member.client_id);
  out.client_host = memory.text(member.client_host);
  out.subscribed_topic_names = memory.array<std::string_view>(member.subscribed_topics.size());
  std::ranges::transform(member.subscribed_topics, out.subscribed_topic_names.begin(),
                         [&](const std::string& name) { return memory.text(name); });
  out.subscribed_topic_regex = memory.text(member.subscribed_regex);
  out.member_type = member.classic ? 0 : 1;
  // What it still has to give up is its own until it does.
  std::map<Uuid, std::vector<std::int32_t>> owned, target;
  list_partitions(owned, member.assigned, [](const OwnedPartition& each) { return each.partition; });
  list_partitions(owned, member.pending_revocation,
                  [](const OwnedPartition& each) { return each.partition; });
  if (member.target != nullptr) target = *member.target;
  out.assignment = described_assignment(std::move(owned), metadata, memory);
  out.target_assignment = described_assignment(std::move(target), metadata, memory);
  return out;
}

}  // namespace

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext&, const ListGroupsRequest& request,
                          GroupOutcome& out) {
  store_.now = now;
  // Blanks around a state are of no account; around a type they make another one.
  const auto has_state = [&](std::string_view state) {
    return request.states_filter.empty() ||
           std::ranges::any_of(request.states_filter, [&](std::string_view allowed) {
             return equal_ignoring_case(trimmed(allowed), state);
           });
  };
  const auto has_type = [&](std::string_view type) {
    return request.types_filter.empty() ||
           std::ranges::any_of(request.types_filter,
                               [&](std::string_view allowed) { return equal_ignoring_case(allowed, type); });
  };
  Arena& memory = out.memory();
  const auto groups = store_.groups.sorted();
  ListGroupsResponse response;
  response.groups = memory.array<ListGroupsResponse::ListedGroup>(groups.size());
  std::size_t listed = 0;
  for (const Group* group : groups) {
    if (!has_state(group->state()) || !has_type(type_of(*group))) continue;
    auto& each = response.groups[listed++];
    each.group_id = memory.text(group->id);
    each.protocol_type = memory.text(protocol_type_of(*group));
    each.group_state = group->state();
    each.group_type = type_of(*group);
  }
  response.groups = response.groups.first(listed);
  out.reply(token, response);
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext& context,
                          const DescribeGroupsRequest& request, GroupOutcome& out) {
  store_.now = now;
  Arena& memory = out.memory();
  DescribeGroupsResponse response;
  response.groups = memory.array<DescribeGroupsResponse::DescribedGroup>(request.groups.size());
  for (std::size_t i = 0; i < request.groups.size(); ++i) {
    auto& described = response.groups[i];
    const Group* group = store_.groups.find(request.groups[i]);
    if (group != nullptr && !group->consumer) {
      described = described_classic(*group, memory);
    } else {
      described.group_state = "Dead";
      if (context.api_version >= kGroupIdNotFoundVersion) {
        described.error_code = ErrorCode::kGroupIdNotFound;
        described.error_message =
            memory.text("Group " + std::string(request.groups[i]) +
                        (group == nullptr ? " not found." : " is not a classic group."));
      }
    }
    described.group_id = request.groups[i];
  }
  out.reply(token, response);
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext&,
                          const ConsumerGroupDescribeRequest& request, GroupOutcome& out) {
  store_.now = now;
  Arena& memory = out.memory();
  ConsumerGroupDescribeResponse response;
  response.groups = memory.array<ConsumerGroupDescribeResponse::DescribedGroup>(request.group_ids.size());
  for (std::size_t i = 0; i < request.group_ids.size(); ++i) {
    auto& described = response.groups[i];
    described.group_id = request.group_ids[i];
    const Group* group = store_.groups.find(request.group_ids[i]);
    if (group == nullptr || !group->consumer) {
      described.error_code = ErrorCode::kGroupIdNotFound;
      described.error_message = memory.text("Group " + std::string(request.group_ids[i]) +
                                            (group == nullptr ? " not found." : " is not a consumer group."));
      continue;
    }
    const ConsumerGroup& g = *group->consumer;
    described.group_state = g.state();
    described.group_epoch = g.epoch;
    described.assignment_epoch = g.assignment_epoch;
    described.assignor_name =
        memory.text(g.preferred_assignor().value_or(store_.config->consumer_default_assignor));
    described.members =
        memory.array<ConsumerGroupDescribeResponse::DescribedGroup::Member>(g.members().size());
    std::size_t m = 0;
    for (const ConsumerGroupMember& member : g.members()) {
      described.members[m++] = described_member(member, *store_.metadata, memory);
    }
  }
  out.reply(token, response);
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext&,
                          const DeleteGroupsRequest& request, GroupOutcome& out) {
  store_.now = now;
  out.records_are_independent();
  DeleteGroupsResponse response;
  response.results =
      out.memory().array<DeleteGroupsResponse::DeletableGroupResult>(request.groups_names.size());
  std::set<std::string_view> deleted;
  for (std::size_t i = 0; i < request.groups_names.size(); ++i) {
    auto& result = response.results[i];
    result.group_id = request.groups_names[i];
    const Group* group = store_.groups.find(request.groups_names[i]);
    if (group == nullptr) {
      result.error_code = ErrorCode::kGroupIdNotFound;
    } else if (!group->is_empty()) {
      result.error_code = ErrorCode::kNonEmptyGroup;
    } else if (deleted.insert(group->id).second) {
      offsets_.append_all_tombstones(*group, out);
      append_group_tombstones(*group, out);
    }
  }
  out.reply(token, response);
}

}  // namespace milena::coordinator
