#include "bench/load/consumer_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bench/load/time.h"
#include "protocol/consumer_group_heartbeat.gen.h"
#include "protocol/error_code.h"

namespace milena::bench {
namespace {

using Request = protocol::ConsumerGroupHeartbeatRequest;
using Response = protocol::ConsumerGroupHeartbeatResponse;

constexpr int kVersion = 1;
constexpr std::int32_t kJoin = 0;
constexpr std::int32_t kLeave = -1;
constexpr std::int32_t kRebalanceTimeoutMs = 300'000;

}  // namespace

ConsumerGroup::ConsumerGroup(const Options& options) : topic_(options.topic) {
  for (int i = 0; i < options.connections; ++i) {
    Member& member = members_.emplace_back();
    member.client = std::make_unique<WireClient>(options.broker);
    member.id = fmt::format("member-{:04}", i);
  }
}

std::int64_t ConsumerGroup::form(const std::string& group) {
  group_ = group;
  for (Member& member : members_) {
    member.epoch = kJoin;
    member.owned.clear();
    send_heartbeat(member);
  }
  const std::int64_t joined = now_ns();
  for (;;) {
    for (Member& member : members_) take_heartbeat(member);
    if (is_settled()) return now_ns() - joined;
    for (Member& member : members_) send_heartbeat(member);
  }
}

void ConsumerGroup::leave() {
  for (Member& member : members_) {
    member.epoch = kLeave;
    send_heartbeat(member);
  }
  for (Member& member : members_) take_heartbeat(member);
}

void ConsumerGroup::send_heartbeat(Member& member) {
  std::array<std::string_view, 1> topics{topic_};
  std::array<Request::TopicPartitions, 1> owned{{{member.topic_id, member.owned}}};
  Request request;
  request.group_id = group_;
  request.member_id = member.id;
  request.member_epoch = member.epoch;
  if (member.epoch == kJoin) {
    request.rebalance_timeout_ms = kRebalanceTimeoutMs;
    request.subscribed_topic_names = topics;
  }
  if (member.epoch != kLeave) request.topic_partitions = std::span(owned).first(member.owned.empty() ? 0 : 1);
  member.client->send(request, kVersion);
}

void ConsumerGroup::take_heartbeat(Member& member) {
  const auto answer = member.client->receive<Response>(kVersion);
  require_success("ConsumerGroupHeartbeat", answer.error_code);
  member.epoch = answer.member_epoch;
  if (!answer.assignment) return;
  member.owned.clear();
  for (const auto& topic : answer.assignment->topic_partitions) {
    member.topic_id = topic.topic_id;
    member.owned.assign(topic.partitions.begin(), topic.partitions.end());
  }
}

bool ConsumerGroup::is_settled() const {
  std::vector<bool> taken(members_.size());
  for (const Member& member : members_) {
    if (member.epoch != members_.front().epoch || member.owned.size() != 1) return false;
    taken.at(static_cast<std::size_t>(member.owned.front().value)) = true;
  }
  return std::ranges::all_of(taken, std::identity{});
}

}  // namespace milena::bench
