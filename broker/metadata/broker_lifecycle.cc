#include "broker/metadata/broker_lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/arena.h"
#include "broker/node_settings.h"
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

std::string why_refused(const Status& committed, ErrorCode code) {
  return committed ? std::string(error_name(code)) : committed.error().why;
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
  Arena arena;
  protocol::BrokerRegistrationResponse registered;
  Status committed;
  metadata_.submit({.decide =
                        [&](controller::Controller& controller, std::int64_t now_ms) {
                          auto outcome =
                              controller.register_broker(now_ms, request, metadata_.kraft_version(), arena);
                          registered = outcome.response;
                          return std::move(outcome.records);
                        },
                    .done = [&](Status done) { committed = done; }});
  if (!committed || registered.error_code != ErrorCode::kNone) {
    return std::unexpected(
        fmt::format("the controller refuses this broker: {}", why_refused(committed, registered.error_code)));
  }
  broker_epoch_ = registered.broker_epoch;

  bool is_fenced = true;
  beat([](auto&, auto&) {},
       [&](const Status& done, const BrokerHeartbeatResponse& answer) {
         is_fenced = !done || answer.error_code != ErrorCode::kNone || answer.is_fenced;
       });
  if (is_fenced) return std::unexpected("the controller does not unfence this broker");
  return {};
}

void BrokerLifecycle::beat(std::function<void(Heartbeat&, Arena&)> fill,
                           std::function<void(const Status&, const BrokerHeartbeatResponse&)> done) {
  struct Exchange {
    Arena arena;
    BrokerHeartbeatResponse response;
  };
  const auto exchange = std::make_shared<Exchange>();
  metadata_.submit(
      {.decide =
           [this, exchange, fill = std::move(fill)](controller::Controller& controller, std::int64_t now_ms) {
             Heartbeat request{.broker_id = self_,
                               .broker_epoch = broker_epoch_,
                               .current_metadata_offset = controller.next_offset().value - 1};
             fill(request, exchange->arena);
             auto outcome = controller.broker_heartbeat(now_ms, request, exchange->arena);
             exchange->response = outcome.response;
             return std::move(outcome.records);
           },
       .done = [exchange,
                done = std::move(done)](Status committed) { done(committed, exchange->response); }});
}

void BrokerLifecycle::assign(std::vector<DirectoryAssignment> assignments) {
  if (assignments.empty()) return;
  struct Exchange {
    Arena arena;
    ErrorCode code = ErrorCode::kNone;
  };
  const auto exchange = std::make_shared<Exchange>();
  metadata_.submit({.decide =
                        [this, exchange, assignments = std::move(assignments)](
                            controller::Controller& controller, std::int64_t) {
                          auto request = to_request(assignments, exchange->arena);
                          request.broker_id = self_;
                          request.broker_epoch = broker_epoch_;
                          auto outcome = controller.assign_directories(request, exchange->arena);
                          exchange->code = outcome.response.error_code;
                          return std::move(outcome.records);
                        },
                    .done =
                        [this, exchange](Status committed) {
                          if (committed && exchange->code == ErrorCode::kNone) return;
                          log_.error("the controller does not take the directories of replicas: {}",
                                     why_refused(committed, exchange->code));
                        }});
}

void BrokerLifecycle::report(std::string_view kind, std::function<void(Heartbeat&, Arena&)> fill) {
  beat(std::move(fill), [this, kind](const Status& committed, const BrokerHeartbeatResponse& answer) {
    if (committed && answer.error_code == ErrorCode::kNone) return;
    log_.error("the controller does not hear of {} log directories: {}", kind,
               why_refused(committed, answer.error_code));
  });
}

void BrokerLifecycle::report_failed(std::vector<Uuid> directories) {
  report("failed", [directories = std::move(directories)](Heartbeat& request, Arena& arena) {
    request.offline_log_dirs = copied(directories, arena);
  });
}

void BrokerLifecycle::report_cordoned(std::vector<Uuid> directories) {
  report("cordoned", [directories = std::move(directories)](Heartbeat& request, Arena& arena) {
    request.cordoned_log_dirs = copied(directories, arena);
  });
}

}  // namespace milena::broker
