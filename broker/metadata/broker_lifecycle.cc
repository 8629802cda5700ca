#include "broker/metadata/broker_lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/arena.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::AssignReplicasToDirsRequest;
using protocol::BrokerHeartbeatResponse;

std::span<Uuid> copied(const std::vector<Uuid>& ids, Arena& arena) {
  const auto out = arena.array<Uuid>(ids.size());
  std::ranges::copy(ids, out.begin());
  return out;
}

// Empty when the controller has done what it was asked for.
std::string why_refused(const auto& response) {
  if (!response) return response.error().why;
  return response->error_code == ErrorCode::kNone ? "" : std::string(error_name(response->error_code));
}

AssignReplicasToDirsRequest to_request(const std::vector<DirectoryAssignment>& assignments, Arena& arena) {
  using Directory = AssignReplicasToDirsRequest::DirectoryData;
  std::map<Uuid, std::map<Uuid, std::vector<protocol::PartitionId>>> by_directory;
  for (const auto& assignment : assignments)
    by_directory[assignment.directory_id][assignment.topic_id].push_back(assignment.partition);
  AssignReplicasToDirsRequest request;
  request.directories = arena.array<Directory>(by_directory.size());
  std::size_t d = 0;
  for (const auto& [id, topics] : by_directory) {
    auto& directory = request.directories[d++];
    directory.id = id;
    directory.topics = arena.array<Directory::TopicData>(topics.size());
    std::size_t t = 0;
    for (const auto& [topic_id, partitions] : topics) {
      auto& topic = directory.topics[t++];
      topic.topic_id = topic_id;
      topic.partitions = arena.array<Directory::TopicData::PartitionData>(partitions.size());
      for (std::size_t p = 0; p < partitions.size(); ++p) topic.partitions[p].partition_index = partitions[p];
    }
  }
  return request;
}

}  // namespace

std::expected<void, std::string> BrokerLifecycle::start(const protocol::BrokerRegistrationRequest& request) {
  using protocol::BrokerRegistrationResponse;
  Arena arena;
  std::string refused = "it does not answer";
  ask_controller<BrokerRegistrationResponse>(controller_, {.request = request}, arena,
                                             [&](const Result<BrokerRegistrationResponse>& response) {
                                               refused = why_refused(response);
                                               if (response) broker_epoch_ = response->broker_epoch;
                                             });
  if (!refused.empty()) {
    return std::unexpected(fmt::format("the controller refuses this broker: {}", refused));
  }
  bool is_fenced = true;
  beat({}, std::make_shared<Arena>(), [&](const Result<BrokerHeartbeatResponse>& response) {
    is_fenced = !why_refused(response).empty() || response->is_fenced;
  });
  if (is_fenced) return std::unexpected("the controller does not unfence this broker");
  return {};
}

void BrokerLifecycle::beat(Heartbeat request, std::shared_ptr<Arena> arena,
                           std::move_only_function<void(Result<BrokerHeartbeatResponse>)> done) {
  request.broker_id = self_;
  request.broker_epoch = broker_epoch_;
  request.current_metadata_offset = metadata_.image()->provenance.offset;
  Arena& memory = *arena;
  ask_controller<BrokerHeartbeatResponse>(
      controller_, {.request = request}, memory,
      [arena = std::move(arena), done = std::move(done)](Result<BrokerHeartbeatResponse> response) mutable {
        done(std::move(response));
      });
}

void BrokerLifecycle::assign(std::vector<DirectoryAssignment> assignments) {
  using protocol::AssignReplicasToDirsResponse;
  if (assignments.empty()) return;
  auto arena = std::make_shared<Arena>();
  Arena& memory = *arena;
  auto request = to_request(assignments, memory);
  request.broker_id = self_;
  request.broker_epoch = broker_epoch_;
  ask_controller<AssignReplicasToDirsResponse>(
      controller_, {.request = request}, memory,
      [this, arena = std::move(arena)](const Result<AssignReplicasToDirsResponse>& response) {
        const std::string refused = why_refused(response);
        if (refused.empty()) return;
        log_.error("the controller does not take the directories of replicas: {}", refused);
      });
}

void BrokerLifecycle::report(std::string_view kind, Heartbeat request, std::shared_ptr<Arena> arena) {
  beat(std::move(request), std::move(arena), [this, kind](const Result<BrokerHeartbeatResponse>& response) {
    const std::string refused = why_refused(response);
    if (refused.empty()) return;
    log_.error("the controller does not hear of {} log directories: {}", kind, refused);
  });
}

void BrokerLifecycle::report_failed(std::vector<Uuid> directories) {
  auto arena = std::make_shared<Arena>();
  const Heartbeat request{.offline_log_dirs = copied(directories, *arena)};
  report("failed", request, std::move(arena));
}

void BrokerLifecycle::report_cordoned(std::vector<Uuid> directories) {
  auto arena = std::make_shared<Arena>();
  const Heartbeat request{.cordoned_log_dirs = copied(directories, *arena)};
  report("cordoned", request, std::move(arena));
}

}  // namespace milena::broker
