// MetadataImage: the whole state of the cluster at one offset of the metadata log. Immutable.
//
// Published as shared_ptr<const MetadataImage>; any thread may read one for as long as it likes. Made by
// MetadataDelta, which copies an image and changes the copy: maps and values that did not change are shared,
// so one change in a large cluster costs microseconds. Two images are equal when they describe the same
// cluster, however each came about. Iteration is in key order everywhere.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/uuid.h"
#include "controller/config/config_resource.h"
#include "controller/image/partition.h"
#include "controller/image/persistent_map.h"
#include "controller/image/shared.h"
#include "controller/records/record_versions.h"
#include "protocol/types.h"

namespace milena::controller {

using protocol::Offset;
using protocol::ProducerId;

// Levels of features are small numbers; 0 and absent are the same thing.
inline constexpr std::string_view kMetadataVersion = "metadata.version";
inline constexpr std::string_view kKRaftVersion = "kraft.version";

struct FeatureRange {
  FeatureLevel min = 0;
  FeatureLevel max = 0;
  bool contains(FeatureLevel level) const { return level >= min && level <= max; }
  bool operator==(const FeatureRange&) const = default;
};
using FeatureRanges = std::map<std::string, FeatureRange, std::less<>>;
using FeatureLevels = std::map<std::string, FeatureLevel, std::less<>>;

struct Endpoint {
  std::string name{};  // of the listener
  std::string host{};
  std::uint16_t port = 0;
  std::int16_t security_protocol = 0;
  bool operator==(const Endpoint&) const = default;
};

struct BrokerRegistration {
  BrokerId id{};
  std::int64_t epoch = -1;
  Uuid incarnation_id{};
  std::vector<Endpoint> endpoints{};
  FeatureRanges features{};
  std::optional<std::string> rack{};
  bool is_migrating_zk_broker = false;  // stored only: brokers with ZooKeeper do not exist any more
  bool fenced = true;
  bool in_controlled_shutdown = false;
  std::vector<Uuid> log_dirs{};
  std::optional<std::vector<Uuid>> cordoned_log_dirs{};

  // May lead partitions and join their ISR.
  bool is_active() const { return !fenced && !in_controlled_shutdown; }
  bool has_online_dir(const Uuid& dir) const;
  bool has_uncordoned_dirs() const;
  bool operator==(const BrokerRegistration&) const = default;
};

struct ControllerRegistration {
  BrokerId id{};
  Uuid incarnation_id{};
  bool zk_migration_ready = false;
  std::vector<Endpoint> endpoints{};
  FeatureRanges features{};
  bool operator==(const ControllerRegistration&) const = default;
};

struct Topic {
  std::string name{};
  Uuid id{};
  PersistentMap<PartitionId, Shared<Partition>> partitions{};

  // nullptr when there is no such partition.
  const Partition* partition(PartitionId index) const;
  bool operator==(const Topic&) const = default;
};

// The user, client-id or ip that a quota is for; a name without value is the default of that type.
using ClientQuotaEntity = std::map<std::string, std::optional<std::string>>;
using ClientQuotas = std::map<std::string, double, std::less<>>;

struct AccessControlEntry {
  std::int8_t resource_type = 0;
  std::string resource_name{};
  std::int8_t pattern_type = 0;
  std::string principal{};
  std::string host{};
  std::int8_t operation = 0;
  std::int8_t permission_type = 0;
  bool operator==(const AccessControlEntry&) const = default;
};

struct ScramKey {
  std::int8_t mechanism = 0;  // 1 SCRAM-SHA-256, 2 SCRAM-SHA-512
  std::string user{};
  auto operator<=>(const ScramKey&) const = default;
};

struct ScramCredential {
  std::vector<std::byte> salt{};
  std::vector<std::byte> stored_key{};
  std::vector<std::byte> server_key{};
  std::int32_t iterations = 0;
  bool operator==(const ScramCredential&) const = default;
};

struct DelegationToken {
  std::string owner{};
  std::string requester{};
  std::vector<std::string> renewers{};
  std::int64_t issue_timestamp = 0;
  std::int64_t max_timestamp = 0;
  std::int64_t expiration_timestamp = 0;
  bool operator==(const DelegationToken&) const = default;
};

// Where an image comes from: the last record it contains. offset -1: nothing has been read.
struct Provenance {
  Offset offset = -1;
  LeaderEpoch epoch = -1;
  std::int64_t log_timestamp_ms = 0;  // append time of the last batch; 0 when nothing has been read
  bool operator==(const Provenance&) const = default;
};

struct MetadataImage {
  Provenance provenance{};
  FeatureLevels features{};  // metadata.version among them; kraft.version is the quorum's and not here
  PersistentMap<BrokerId, Shared<BrokerRegistration>> brokers{};
  PersistentMap<BrokerId, Shared<ControllerRegistration>> controllers{};
  PersistentMap<Uuid, Shared<Topic>> topics{};
  PersistentMap<std::string, Uuid> topic_ids{};                                    // by name
  PersistentMap<ConfigResource, Shared<ConfigMap>, ConfigResourceLess> configs{};  // never empty maps
  PersistentMap<ClientQuotaEntity, Shared<ClientQuotas>> client_quotas{};
  ProducerId next_producer_id = -1;  // the first id that no broker has been given; -1 before the first block
  PersistentMap<Uuid, Shared<AccessControlEntry>> acls{};
  PersistentMap<ScramKey, Shared<ScramCredential>> scram{};
  PersistentMap<std::string, Shared<DelegationToken>> delegation_tokens{};  // by token id

  // Level of a finalized feature, 0 when it is off or unknown.
  FeatureLevel feature(std::string_view name) const;
  FeatureLevel metadata_version() const { return feature(kMetadataVersion); }

  // Each nullptr when there is none; the pointer lives as long as the image.
  const BrokerRegistration* broker(BrokerId id) const;
  const Topic* topic(const Uuid& id) const;
  const Topic* topic(std::string_view name) const;
  const ConfigMap* config(ConfigResourceType type, std::string_view name) const;

  bool operator==(const MetadataImage&) const = default;
};

using MetadataImagePtr = std::shared_ptr<const MetadataImage>;

}  // namespace milena::controller
