#include "controller/image/metadata_delta.h"

#include <cmath>
#include <string>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "protocol/error_code.h"

namespace milena::controller {
namespace {

std::vector<std::byte> owned(BytesView bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

void MetadataChanges::merge(MetadataChanges later) {
  for (auto& [id, partitions] : later.topics) topics[id].merge(partitions);
  configs.merge(later.configs);
  brokers.merge(later.brokers);
  controllers.merge(later.controllers);
  features |= later.features;
  client_quotas |= later.client_quotas;
  producer_ids |= later.producer_ids;
  acls |= later.acls;
  scram |= later.scram;
  delegation_tokens |= later.delegation_tokens;
}

Status MetadataDelta::replay(const MetadataRecord& record) {
  return std::visit([this](const auto& body) { return apply(body); }, record.body);
}

MetadataImage MetadataDelta::finish(const Provenance& provenance) && {
  for (auto& [id, topic] : open_topics_) image_.topics.set(id, Shared(std::move(topic)));
  image_.provenance = provenance;
  return std::move(image_);
}

Status MetadataDelta::misplaced_transaction() {
  return fail(ErrorCode::kCorruptMessage, "a transaction marker is not a change of state");
}

Status MetadataDelta::apply(const protocol::FeatureLevelRecord& record) {
  if (record.feature_level < 0) return fail(ErrorCode::kCorruptMessage, "a feature level is negative");
  changes_.features = true;
  if (record.feature_level == 0) {
    if (const auto at = image_.features.find(record.name); at != image_.features.end())
      image_.features.erase(at);
  } else {
    image_.features.insert_or_assign(std::string(record.name), record.feature_level);
  }
  return {};
}

Status MetadataDelta::apply(const protocol::ConfigRecord& record) {
  ConfigResource resource{static_cast<ConfigResourceType>(record.resource_type),
                          std::string(record.resource_name)};
  const auto* current = image_.configs.find(resource);
  ConfigMap next = current != nullptr ? **current : ConfigMap{};
  if (record.value) {
    next.insert_or_assign(std::string(record.name), std::string(*record.value));
  } else if (const auto at = next.find(record.name); at != next.end()) {
    next.erase(at);
  }
  changes_.configs.insert(resource);
  if (next.empty()) {
    image_.configs.erase(resource);
  } else {
    image_.configs.set(std::move(resource), Shared(std::move(next)));
  }
  return {};
}

Status MetadataDelta::apply(const protocol::ClientQuotaRecord& record) {
  ClientQuotaEntity entity;
  for (const auto& part : record.entity) {
    std::optional<std::string> name;
    if (part.entity_name) name.emplace(*part.entity_name);
    if (!entity.emplace(part.entity_type, std::move(name)).second) {
      return fail(ErrorCode::kCorruptMessage, "a quota names one entity type twice");
    }
  }
  if (std::isnan(record.value)) return fail(ErrorCode::kCorruptMessage, "a quota is not a number");
  const auto* current = image_.client_quotas.find(entity);
  ClientQuotas next = current != nullptr ? **current : ClientQuotas{};
  if (!record.remove) {
    next.insert_or_assign(std::string(record.key), record.value);
  } else if (const auto at = next.find(record.key); at != next.end()) {
    next.erase(at);
  }
  changes_.client_quotas = true;
  if (next.empty()) {
    image_.client_quotas.erase(entity);
  } else {
    image_.client_quotas.set(std::move(entity), Shared(std::move(next)));
  }
  return {};
}

Status MetadataDelta::apply(const protocol::ProducerIdsRecord& record) {
  // Two blocks that overlap would give one producer id to two producers.
  if (record.next_producer_id <= image_.next_producer_id) {
    return fail(ErrorCode::kCorruptMessage, "producer ids go backwards");
  }
  changes_.producer_ids = true;
  image_.next_producer_id = record.next_producer_id;
  return {};
}

Status MetadataDelta::apply(const protocol::AccessControlEntryRecord& record) {
  changes_.acls = true;
  image_.acls.set(record.id, Shared(AccessControlEntry{.resource_type = record.resource_type,
                                                       .resource_name = std::string(record.resource_name),
                                                       .pattern_type = record.pattern_type,
                                                       .principal = std::string(record.principal),
                                                       .host = std::string(record.host),
                                                       .operation = record.operation,
                                                       .permission_type = record.permission_type}));
  return {};
}

Status MetadataDelta::apply(const protocol::RemoveAccessControlEntryRecord& record) {
  changes_.acls = true;
  if (!image_.acls.erase(record.id)) return fail(ErrorCode::kCorruptMessage, "removes an unknown ACL");
  return {};
}

Status MetadataDelta::apply(const protocol::UserScramCredentialRecord& record) {
  changes_.scram = true;
  image_.scram.set({record.mechanism, std::string(record.name)},
                   Shared(ScramCredential{.salt = owned(record.salt),
                                          .stored_key = owned(record.stored_key),
                                          .server_key = owned(record.server_key),
                                          .iterations = record.iterations}));
  return {};
}

Status MetadataDelta::apply(const protocol::RemoveUserScramCredentialRecord& record) {
  changes_.scram = true;
  if (!image_.scram.erase(ScramKey{record.mechanism, std::string(record.name)})) {
    return fail(ErrorCode::kCorruptMessage, "removes an unknown SCRAM credential");
  }
  return {};
}

Status MetadataDelta::apply(const protocol::DelegationTokenRecord& record) {
  changes_.delegation_tokens = true;
  image_.delegation_tokens.set(
      std::string(record.token_id),
      Shared(DelegationToken{.owner = std::string(record.owner),
                             .requester = std::string(record.requester),
                             .renewers = {record.renewers.begin(), record.renewers.end()},
                             .issue_timestamp = record.issue_timestamp,
                             .max_timestamp = record.max_timestamp,
                             .expiration_timestamp = record.expiration_timestamp}));
  return {};
}

Status MetadataDelta::apply(const protocol::RemoveDelegationTokenRecord& record) {
  changes_.delegation_tokens = true;
  if (!image_.delegation_tokens.erase(record.token_id)) {
    return fail(ErrorCode::kCorruptMessage, "removes an unknown delegation token");
  }
  return {};
}

}  // namespace milena::controller
