#include "controller/raft/quorum_config.h"

#include <variant>

namespace milena::controller {
namespace {

std::vector<Voter> voters_of(const protocol::VotersRecord& record) {
  std::vector<Voter> voters;
  for (const auto& from : record.voters) {
    Voter& voter = voters.emplace_back(Voter{
        .key = {from.voter_id, from.voter_directory_id},
        .min_kraft_version = from.kraft_version_feature.min_supported_version,
        .max_kraft_version = from.kraft_version_feature.max_supported_version,
    });
    for (const auto& endpoint : from.endpoints) {
      voter.endpoints.push_back({std::string(endpoint.name), std::string(endpoint.host), endpoint.port});
    }
  }
  return voters;
}

}  // namespace

void QuorumConfig::observe(const MetadataBatch& batch) {
  for (const ControlRecord& record : batch.control) {
    if (const auto* version = std::get_if<protocol::KRaftVersionRecord>(&record)) {
      kraft_version = version->kraft_version;
    } else if (const auto* listed = std::get_if<protocol::VotersRecord>(&record)) {
      voters = voters_of(*listed);
      in_log = true;
      announced.clear();
    } else if (const auto* change = std::get_if<protocol::LeaderChangeMessage>(&record); change && !in_log) {
      announced.clear();
      for (const auto& voter : change->voters) announced.push_back(voter.voter_id);
    }
  }
}

std::vector<ControlRecord> QuorumConfig::to_records(Arena& arena) const {
  if (kraft_version == 0) return {};
  using Wire = protocol::VotersRecord;
  const std::span<Wire::Voter> listed = arena.array<Wire::Voter>(voters.size());
  for (std::size_t i = 0; i < voters.size(); ++i) {
    const Voter& voter = voters[i];
    const std::span<Wire::Voter::Endpoint> endpoints =
        arena.array<Wire::Voter::Endpoint>(voter.endpoints.size());
    for (std::size_t k = 0; k < endpoints.size(); ++k) {
      endpoints[k] = {
          .name = voter.endpoints[k].name, .host = voter.endpoints[k].host, .port = voter.endpoints[k].port};
    }
    listed[i] = {.voter_id = voter.key.id,
                 .voter_directory_id = voter.key.directory_id,
                 .endpoints = endpoints,
                 .kraft_version_feature = {.min_supported_version = voter.min_kraft_version,
                                           .max_supported_version = voter.max_kraft_version}};
  }
  return {protocol::KRaftVersionRecord{.version = 0, .kraft_version = kraft_version},
          protocol::VotersRecord{.version = 0, .voters = listed}};
}

}  // namespace milena::controller
