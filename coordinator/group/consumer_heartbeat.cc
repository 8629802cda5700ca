// ConsumerGroupHeartbeat: a member joins, says what it subscribes to and owns, and hears what it should own.
#include <string>
#include <utility>

#include "base/uuid.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/migration.h"
#include "coordinator/group/records.h"

namespace milena::coordinator {

using Request = protocol::ConsumerGroupHeartbeatRequest;
using Response = protocol::ConsumerGroupHeartbeatResponse;

namespace {

// From this version on the client makes its member id up.
constexpr int kClientMemberIdVersion = 1;

bool is_blank(std::optional<std::string_view> text) {
  return text && text->find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Decision<void> check_request(const Request& request, int version) {
  const auto invalid = [](const char* why) { return refuse(ErrorCode::kInvalidRequest, why); };
  if (version >= kClientMemberIdVersion || request.member_epoch > 0 || request.member_epoch == kLeaveEpoch) {
    if (is_blank(request.member_id)) return invalid("MemberId can't be empty.");
  }
  if (is_blank(request.group_id)) return invalid("GroupId can't be empty.");
  if (is_blank(request.instance_id)) return invalid("InstanceId can't be empty.");
  if (is_blank(request.rack_id)) return invalid("RackId can't be empty.");
  if (request.member_epoch == kJoinEpoch) {
    if (request.rebalance_timeout_ms == -1)
      return invalid("RebalanceTimeoutMs must be provided in first request.");
    if (!request.topic_partitions || !request.topic_partitions->empty()) {
      return invalid("TopicPartitions must be empty when (re-)joining.");
    }
    if (!request.subscribed_topic_names && !request.subscribed_topic_regex) {
      return invalid(
          "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
    }
  } else if (request.member_epoch == kStaticLeaveEpoch) {
    if (!request.instance_id) return invalid("InstanceId can't be null.");
  } else if (request.member_epoch < kStaticLeaveEpoch) {
    return invalid("MemberEpoch is invalid.");
  }
  if (request.server_assignor && find_assignor(*request.server_assignor) == nullptr) {
    return refuse(ErrorCode::kUnsupportedAssignor,
                  "ServerAssignor " + std::string(*request.server_assignor) +
                      " is not supported. Supported assignors: uniform, range.");
  }
  return {};
}

std::optional<Assignment> reported_partitions(const Request& request) {
  if (!request.topic_partitions) return std::nullopt;
  Assignment reported;
  for (const auto& topic : *request.topic_partitions) {
    if (topic.partitions.empty()) continue;
    auto& partitions = reported[topic.topic_id];
    for (const protocol::PartitionId partition : topic.partitions) partitions.push_back(partition.value);
    sort_unique(partitions);
  }
  return reported;
}

bool owns_all(const ConsumerMember& member, const std::optional<Assignment>& reported) {
  if (!reported) return false;
  for (const auto& [topic_id, partitions] : *reported) {
    for (const std::int32_t partition : partitions) {
      if (find(member.assigned, topic_id, partition) == nullptr) return false;
    }
  }
  return true;
}

Decision<void> check_epoch(const ConsumerMember& member, std::int32_t epoch,
                           const std::optional<Assignment>& reported) {
  // 0 joins, or joins again after it was fenced.
  if (epoch == kJoinEpoch || epoch == member.epoch) return {};
  // The answer that told of the present epoch may have been lost.
  if (epoch == member.previous_epoch && epoch < member.epoch && owns_all(member, reported)) return {};
  return refuse(
      ErrorCode::kFencedMemberEpoch,
      std::string("The consumer group member has a ") + (epoch > member.epoch ? "greater" : "smaller") +
          " member epoch (" + std::to_string(epoch) + ") than the one known by the group coordinator (" +
          std::to_string(member.epoch) + "). The member must abandon all its partitions and rejoin.");
}

Response::Assignment response_assignment(const OwnedPartitions& owned, Arena& memory) {
  Response::Assignment assignment;
  assignment.topic_partitions = memory.array<Response::TopicPartitions>(owned.size());
  std::size_t t = 0;
  for (const auto& [topic_id, partitions] : owned) {
    auto& topic = assignment.topic_partitions[t++];
    topic.topic_id = topic_id;
    topic.partitions = memory.array<protocol::PartitionId>(partitions.size());
    for (std::size_t p = 0; p < partitions.size(); ++p) topic.partitions[p] = partitions[p].partition;
  }
  return assignment;
}

// A request that says everything wants to hear everything: the member joins, or lost track.
bool is_full(const Request& request) {
  return request.rebalance_timeout_ms != -1 && request.topic_partitions &&
         (request.subscribed_topic_names || request.subscribed_topic_regex);
}

ConsumerMember updated(ConsumerMember member, const RequestContext& context, const Request& request) {
  if (request.instance_id) member.instance_id = std::string(*request.instance_id);
  if (request.rack_id) member.rack_id = std::string(*request.rack_id);
  if (request.rebalance_timeout_ms != -1) member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (request.server_assignor) member.server_assignor = std::string(*request.server_assignor);
  if (request.subscribed_topic_names) {
    member.subscribed_topics.clear();
    for (const std::string_view name : *request.subscribed_topic_names)
      member.subscribed_topics.emplace(name);
  }
  if (request.subscribed_topic_regex) member.subscribed_regex = std::string(*request.subscribed_topic_regex);
  member.client_id = context.client_id;
  member.client_host = context.client_host;
  member.classic.reset();
  return member;
}

}  // namespace

void ConsumerGroups::heartbeat(ReplyToken token, const RequestContext& context, const Request& request,
                               GroupOutcome& out) {
  Decision<Response> answer;
  if (auto valid = check_request(request, context.api_version); !valid) {
    answer = std::unexpected(std::move(valid.error()));
  } else {
    Group* group = store_.groups.find(request.group_id);
    if (group != nullptr && group->consumer && answer_idle(*group, token, context, request, out)) return;
    answer = request.member_epoch < 0 ? decide_leave(request, out) : decide_heartbeat(context, request, out);
  }
  if (answer) {
    out.reply(token, *answer);
    return;
  }
  if (auto undo = out.take_undo()) undo(out);
  Response refused;
  refused.error_code = answer.error().code;
  refused.error_message = out.memory().text(answer.error().message);
  out.reply(token, refused);
}

// Nearly every heartbeat only says that its member is alive: nothing is copied or allocated for those.
bool ConsumerGroups::answer_idle(Group& group, ReplyToken token, const RequestContext& context,
                                 const Request& request, GroupOutcome& out) {
  const ConsumerGroup& g = *group.consumer;
  ConsumerGroupMember* member = group.consumer->find(request.member_id);
  if (member == nullptr || member->classic || request.member_epoch <= 0 ||
      request.member_epoch != member->epoch) {
    return false;
  }
  if (request.rebalance_timeout_ms != -1 || request.subscribed_topic_names ||
      request.subscribed_topic_regex || request.server_assignor || request.rack_id) {
    return false;
  }
  if (request.instance_id != member->instance_id && request.instance_id) return false;
  if (member->client_id != context.client_id || member->client_host != context.client_host) return false;
  if (g.epoch != g.assignment_epoch || !g.metadata_checked || !member->reconciled_to(g.assignment_epoch) ||
      regexes_are_due(g)) {
    return false;
  }
  member->session_timer.arm(store_.after(store_.session_timeout_ms(group, *member)));
  Response response;
  response.member_id = request.member_id;
  response.member_epoch = member->epoch;
  response.heartbeat_interval_ms = store_.overrides(group.id).consumer_heartbeat_interval_ms.value_or(
      store_.config->consumer_heartbeat_interval_ms);
  out.reply(token, response);
  return true;
}

Decision<Response> ConsumerGroups::decide_heartbeat(const RequestContext& context, const Request& request,
                                                    GroupOutcome& out) {
  Group* group = store_.groups.find(request.group_id);
  if (group != nullptr && group->consumer) return decide_on_group(*group, context, request, out);
  if (request.member_epoch != kJoinEpoch) {
    return refuse(ErrorCode::kGroupIdNotFound,
                  group == nullptr ? "Consumer group " + std::string(request.group_id) + " not found."
                                   : "Group " + std::string(request.group_id) + " is not a consumer group.");
  }
  // The group is about to come into being: decide on what it is going to be.
  Group future(request.group_id);
  future.consumer = std::make_unique<ConsumerGroup>(future, store_.timers);
  const bool upgrades = group != nullptr && group->classic && !group->is_empty();
  if (group != nullptr && group->classic) append_classic_group_tombstone(out, group->id);
  if (upgrades) {
    MILENA_CHECK(convert_to_consumer(*group->classic, *store_.config, *store_.metadata, hashes_, future));
    append_consumer_group(out, future);
  }
  auto answer = decide_on_group(future, context, request, out);
  // Who waits in the classic group joins again, and finds a consumer group.
  if (answer && upgrades) classic_.answer_all(*group, ErrorCode::kRebalanceInProgress, out);
  return answer;
}

Decision<Response> ConsumerGroups::decide_on_group(Group& group, const RequestContext& context,
                                                   const Request& request, GroupOutcome& out) {
  MILENA_TRY(Wish wish, find_or_join(*group.consumer, request));
  wish.member = updated(wish.before, context, request);
  MILENA_TRY(const Fulfilled fulfilled, fulfill(group, wish, context.topics, true, out));
  if (ConsumerGroupMember* here = group.consumer->find(wish.member_id)) {
    here->session_timer.arm(store_.after(store_.session_timeout_ms(group, wish.member)));
  }
  Response response;
  response.member_id = out.memory().text(wish.member_id);
  response.member_epoch = fulfilled.member.epoch;
  response.heartbeat_interval_ms = store_.overrides(group.id).consumer_heartbeat_interval_ms.value_or(
      store_.config->consumer_heartbeat_interval_ms);
  if (request.member_epoch == kJoinEpoch || is_full(request) ||
      fulfilled.member.assigned != wish.before.assigned) {
    response.assignment = response_assignment(fulfilled.member.assigned, out.memory());
  }
  return response;
}

Decision<void> ConsumerGroups::check_size(const ConsumerGroup& group, std::string_view member_id,
                                          std::optional<std::string_view> instance_id) const {
  // Who takes a static member's place does not add to the group.
  if (instance_id && group.find_static(*instance_id) != nullptr) return {};
  const auto max = static_cast<std::size_t>(store_.config->consumer_max_size);
  if (group.members().size() < max || group.find(member_id) != nullptr) return {};
  return refuse(ErrorCode::kGroupMaxSizeReached, "The consumer group has reached its maximum capacity of " +
                                                     std::to_string(max) + " members.");
}

Decision<ConsumerGroups::Wish> ConsumerGroups::find_or_join(const ConsumerGroup& group,
                                                            const Request& request) const {
  MILENA_CHECK(check_size(group, request.member_id, request.instance_id));
  std::string member_id =
      request.member_id.empty() ? Uuid::random(store_.rng).to_string() : std::string(request.member_id);
  if (request.instance_id) return find_or_join_static(group, std::move(member_id), request);
  Wish wish;
  wish.reported = reported_partitions(request);
  const ConsumerGroupMember* existing = group.find(member_id);
  if (existing != nullptr) {
    wish.before = *existing;
  } else if (request.member_epoch != kJoinEpoch) {
    return refuse(ErrorCode::kUnknownMemberId,
                  "Member " + member_id + " is not a member of group " + std::string(request.group_id) + ".");
  }
  MILENA_CHECK(check_epoch(wish.before, request.member_epoch, wish.reported));
  wish.member_id = std::move(member_id);
  return wish;
}

Decision<ConsumerGroups::Wish> ConsumerGroups::find_or_join_static(const ConsumerGroup& group,
                                                                   std::string member_id,
                                                                   const Request& request) const {
  const std::string instance_id(request.instance_id.value_or(""));
  const ConsumerGroupMember* owner = group.find_static(instance_id);
  Wish wish;
  wish.reported = reported_partitions(request);
  if (request.member_epoch != kJoinEpoch) {
    if (owner == nullptr)
      return refuse(ErrorCode::kUnknownMemberId, "Instance id " + instance_id + " is unknown.");
    if (owner->id != member_id) {
      return refuse(ErrorCode::kFencedInstanceId, "Static member " + member_id + " with instance id " +
                                                      instance_id + " was fenced by member " + owner->id +
                                                      ".");
    }
    wish.before = *owner;
    MILENA_CHECK(check_epoch(wish.before, request.member_epoch, wish.reported));
  } else if (owner == nullptr) {
    if (const ConsumerGroupMember* existing = group.find(member_id)) wish.before = *existing;
  } else {
    // The old member has to say goodbye first (epoch -2), or its session has to end.
    if (!owner->classic && owner->epoch != kStaticLeaveEpoch) {
      return refuse(ErrorCode::kUnreleasedInstanceId,
                    "Static member " + member_id + " with instance id " + instance_id +
                        " cannot join the group because the instance id is owned by " + owner->id +
                        " member.");
    }
    wish.replaced_id = owner->id;
    wish.before = *owner;
    wish.before.epoch = kJoinEpoch;
    wish.before.previous_epoch = 0;
  }
  wish.member_id = std::move(member_id);
  return wish;
}

}  // namespace milena::coordinator
