#include "controller/testing/random_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "controller/image/metadata_delta.h"

namespace milena::controller::test_support {
namespace {

constexpr FeatureLevel kVersion = kNewestMetadataVersion;

}  // namespace

RandomLog::RandomLog(std::uint64_t seed) : rng_(seed) {}

const std::vector<std::byte>& RandomLog::append_batch() {
  arena_.reset();
  std::vector<MetadataRecord> records;
  for (std::uint64_t left = 1 + rng_.below(12); left > 0; --left) {
    const MetadataRecord record = next();
    records.push_back(record);
    const bool ends = std::holds_alternative<protocol::EndTransactionRecord>(record.body);
    const bool aborts = std::holds_alternative<protocol::AbortTransactionRecord>(record.body);
    if (std::holds_alternative<protocol::BeginTransactionRecord>(record.body)) {
      before_transaction_ = state_;
    } else if (ends || aborts) {
      if (aborts && before_transaction_) state_ = *before_transaction_;
      before_transaction_.reset();
    } else {
      MetadataDelta delta(state_);
      MILENA_ASSERT(delta.replay(record), "a random record fits the state it was made for");
      state_ = std::move(delta).finish({});
    }
  }
  const BatchPosition position{.base_offset = next_offset_, .epoch = 1, .timestamp_ms = 1'000};
  next_offset_ += static_cast<std::int64_t>(records.size());
  if (!in_transaction()) {
    visible_ = state_;
    visible_.provenance = {.offset = next_offset_ - 1, .epoch = 1, .log_timestamp_ms = 1'000};
  }
  return batches_.emplace_back(encode_metadata_batch(records, position).value());
}

MetadataRecord RandomLog::next() {
  if (state_.metadata_version() == 0) {
    return {.body = protocol::FeatureLevelRecord{.name = kMetadataVersion, .feature_level = kVersion}};
  }
  if (!in_transaction() && rng_.one_in(60))
    return {.body = protocol::BeginTransactionRecord{.name = "random"}};
  if (in_transaction() && rng_.one_in(12)) return {.body = protocol::EndTransactionRecord{}};
  if (in_transaction() && rng_.one_in(30))
    return {.body = protocol::AbortTransactionRecord{.reason = "chance"}};
  return random_change();
}

MetadataRecord RandomLog::random_change() {
  switch (rng_.below(12)) {
    case 0:
      return broker_change();
    case 1:
      return credential_change();
    case 2:
      return config_change();
    case 3:
      return quota_change();
    case 4:
      return {.body = protocol::NoOpRecord{}};
    case 5:
      return {.body = protocol::ProducerIdsRecord{
                  .broker_id = 1,
                  .broker_epoch = 1,
                  .next_producer_id = std::max(state_.next_producer_id, ProducerId(0)) + 1000}};
    case 6:
      return {.body = protocol::FeatureLevelRecord{
                  .name = name("feature", 3), .feature_level = static_cast<std::int16_t>(rng_.below(3))}};
    default:
      return topic_change();
  }
}

MetadataRecord RandomLog::topic_change() {
  if (state_.topics.empty() || (state_.topics.size() < 200 && rng_.one_in(6))) {
    ++ids_;
    return {.body = protocol::TopicRecord{.name = arena_.text(fmt::format("topic-{}", ids_)),
                                          .topic_id = Uuid::from_halves(1 + rng_.below(1000), ids_)}};
  }
  const auto [id, topic] = pick(state_.topics);
  if (rng_.one_in(25)) return {.body = protocol::RemoveTopicRecord{.topic_id = id}};
  if (rng_.one_in(25)) {
    return {.body = protocol::ClearElrRecord{.topic_name = rng_.one_in(4) ? "" : arena_.text(topic->name)}};
  }
  if (!topic->partitions.empty() && rng_.one_in(2)) return partition_change(*topic);
  const std::span<BrokerId> replicas = some_brokers(5);
  const std::span<Uuid> directories = arena_.array<Uuid>(replicas.size());
  for (Uuid& directory : directories) directory = Uuid::from_halves(77, 100 + rng_.below(9));
  return {
      .body = protocol::PartitionRecord{.partition_id = static_cast<std::int32_t>(topic->partitions.size()),
                                        .topic_id = id,
                                        .replicas = replicas,
                                        .isr = replicas.first(1),
                                        .leader = replicas[0],
                                        .leader_epoch = 0,
                                        .partition_epoch = 0,
                                        .directories = directories},
      .version = partition_record_version(kVersion)};
}

MetadataRecord RandomLog::partition_change(const Topic& topic) {
  const auto [index, partition] = pick(topic.partitions);
  protocol::PartitionChangeRecord change{.partition_id = index, .topic_id = topic.id};
  if (rng_.one_in(2)) change.isr = some_brokers(3);
  if (rng_.one_in(2)) change.leader = static_cast<std::int32_t>(rng_.below(5)) - 1;
  if (rng_.one_in(4)) change.adding_replicas = some_brokers(2);
  if (rng_.one_in(4)) change.removing_replicas = some_brokers(2);
  if (rng_.one_in(4)) change.eligible_leader_replicas = some_brokers(2);
  if (rng_.one_in(4)) change.last_known_elr = some_brokers(1);
  if (rng_.one_in(4)) change.leader_recovery_state = static_cast<std::int8_t>(rng_.below(2));
  return {.body = change, .version = partition_record_version(kVersion)};
}

MetadataRecord RandomLog::broker_change() {
  const BrokerId id = static_cast<std::int32_t>(rng_.below(5));
  const BrokerRegistration* known = state_.broker(id);
  if (known == nullptr || rng_.one_in(4)) {
    using Wire = protocol::RegisterBrokerRecord;
    const auto endpoints = arena_.array<Wire::BrokerEndpoint>(1 + rng_.below(2));
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      endpoints[i] = {.name = i == 0 ? "PLAINTEXT" : "SSL", .host = "localhost", .port = 9092};
    }
    const auto features = arena_.array<Wire::BrokerFeature>(1);
    features[0] = {.name = kMetadataVersion, .min_supported_version = 7, .max_supported_version = 30};
    const auto dirs = arena_.array<Uuid>(1);
    dirs[0] = Uuid::from_halves(77, 100 + static_cast<std::uint64_t>(id.value));
    Wire record{.broker_id = id,
                .incarnation_id = Uuid::from_halves(4, rng_.next()),
                .broker_epoch = static_cast<std::int64_t>(++ids_),
                .end_points = endpoints,
                .features = features,
                .log_dirs = dirs};
    if (rng_.one_in(2)) record.rack = name("rack", 3);
    if (rng_.one_in(3)) record.cordoned_log_dirs = dirs;
    return {.body = record, .version = register_broker_record_version(kVersion)};
  }
  switch (rng_.below(6)) {
    case 0:
      return {.body = protocol::UnregisterBrokerRecord{.broker_id = id, .broker_epoch = known->epoch}};
    case 1:
      return {.body = protocol::FenceBrokerRecord{.id = id, .epoch = known->epoch}};
    case 2:
      return {.body = protocol::UnfenceBrokerRecord{.id = id, .epoch = known->epoch}};
    case 3:
      return {.body = protocol::RegisterControllerRecord{
                  .controller_id = id, .incarnation_id = Uuid::from_halves(5, rng_.next())}};
    case 4:
      if (state_.controllers.contains(id)) {
        return {.body = protocol::UnregisterControllerRecord{.controller_id = id}};
      }
      [[fallthrough]];
    default:
      return {.body =
                  protocol::BrokerRegistrationChangeRecord{
                      .broker_id = id,
                      .broker_epoch = known->epoch,
                      .fenced = static_cast<std::int8_t>(static_cast<int>(rng_.below(3)) - 1),
                      .in_controlled_shutdown = static_cast<std::int8_t>(rng_.below(2))},
              .version = 1};
  }
}

MetadataRecord RandomLog::credential_change() {
  switch (rng_.below(6)) {
    case 0:
      return {.body =
                  protocol::AccessControlEntryRecord{.id = Uuid::from_halves(6, ++ids_),
                                                     .resource_type = 2,
                                                     .resource_name = name("topic", 9),
                                                     .pattern_type = 3,
                                                     .principal = name("User:", 5),
                                                     .host = "*",
                                                     .operation = static_cast<std::int8_t>(rng_.below(12)),
                                                     .permission_type = 3}};
    case 1:
      if (!state_.acls.empty()) {
        return {.body = protocol::RemoveAccessControlEntryRecord{.id = pick(state_.acls).key}};
      }
      [[fallthrough]];
    case 2:
      return {.body = protocol::UserScramCredentialRecord{
                  .name = name("user", 5),
                  .mechanism = static_cast<std::int8_t>(1 + rng_.below(2)),
                  .salt = as_bytes(name("salt", 100)),
                  .stored_key = as_bytes("key"),
                  .server_key = as_bytes("server"),
                  .iterations = 4096}};
    case 3:
      if (!state_.scram.empty()) {
        const auto key = pick(state_.scram).key;
        return {.body = protocol::RemoveUserScramCredentialRecord{.name = arena_.text(key.user),
                                                                  .mechanism = key.mechanism}};
      }
      [[fallthrough]];
    case 4: {
      const auto renewers = arena_.array<std::string_view>(rng_.below(3));
      for (auto& renewer : renewers) renewer = name("User:", 5);
      return {.body = protocol::DelegationTokenRecord{
                  .owner = name("User:", 5),
                  .requester = name("User:", 5),
                  .renewers = renewers,
                  .max_timestamp = static_cast<std::int64_t>(rng_.below(1000)),
                  .token_id = name("token", 9)}};
    }
    default:
      if (state_.delegation_tokens.empty()) return {.body = protocol::ZkMigrationStateRecord{}};
      return {.body = protocol::RemoveDelegationTokenRecord{
                  .token_id = arena_.text(pick(state_.delegation_tokens).key)}};
  }
}

MetadataRecord RandomLog::config_change() {
  protocol::ConfigRecord record{.resource_type = static_cast<std::int8_t>(rng_.one_in(2) ? 4 : 32),
                                .resource_name = rng_.one_in(3) ? "" : name("", 5),
                                .name = name("key", 6)};
  if (!state_.topics.empty() && rng_.one_in(2)) {
    record.resource_type = 2;
    record.resource_name = arena_.text(pick(state_.topics).value->name);
  }
  if (!rng_.one_in(3)) record.value = name("value", 50);
  return {.body = record};
}

MetadataRecord RandomLog::quota_change() {
  using Wire = protocol::ClientQuotaRecord;
  const auto entity = arena_.array<Wire::EntityData>(1 + rng_.below(2));
  for (std::size_t i = 0; i < entity.size(); ++i) {
    entity[i].entity_type = i == 0 ? "user" : "client-id";
    if (!rng_.one_in(3)) entity[i].entity_name = name("", 4);
  }
  return {.body = Wire{.entity = entity,
                       .key = name("rate", 3),
                       .value = static_cast<double>(rng_.below(1000)),
                       .remove = rng_.one_in(3)}};
}

std::string_view RandomLog::name(std::string_view prefix, std::uint64_t count) {
  return arena_.text(fmt::format("{}{}", prefix, rng_.below(count)));
}

std::span<BrokerId> RandomLog::some_brokers(std::size_t at_most) {
  const std::span<BrokerId> brokers = arena_.array<BrokerId>(1 + rng_.below(at_most));
  std::int32_t id = static_cast<std::int32_t>(rng_.below(5));
  for (BrokerId& broker : brokers) broker = id++ % 5;
  return brokers;
}

}  // namespace milena::controller::test_support
