// MetadataDelta: an image in the making. replay() is the only way in which the cluster's state ever changes.
//
// Owned by whoever reads the metadata log; not thread-safe. Starts as a copy of a published image, which it
// never touches: a delta that is dropped leaves no trace. Replay is the same for live records, recovery and
// snapshots, and depends on nothing but the image and the record. A record that does not fit the state (a
// partition of an unknown topic, a broker epoch that is not the registered one) means that the log and this
// code disagree: kCorruptMessage, and the delta must be thrown away.
#pragma once

#include <map>
#include <set>

#include "base/result.h"
#include "base/uuid.h"
#include "controller/config/config_resource.h"
#include "controller/image/metadata_image.h"
#include "controller/records/metadata_record.h"

namespace milena::controller {

// What differs between two images. A key that is listed may have been added, changed or removed; look it up
// in both.
struct MetadataChanges {
  std::map<Uuid, std::set<PartitionId>>
      topics;  // with the partitions that changed, not those of a removed topic
  std::set<ConfigResource> configs;
  std::set<BrokerId> brokers;
  std::set<BrokerId> controllers;
  bool features = false;
  bool client_quotas = false;
  bool producer_ids = false;
  bool acls = false;
  bool scram = false;
  bool delegation_tokens = false;

  // Takes in the changes of a later delta.
  void merge(MetadataChanges later);
};

class MetadataDelta {
 public:
  explicit MetadataDelta(const MetadataImage& base) : image_(base) {}

  // Any record but the three that mark transactions, which are the loader's business (kCorruptMessage here).
  Status replay(const MetadataRecord& record);

  const MetadataChanges& changes() const { return changes_; }

  // The image after everything replayed; the delta is spent.
  MetadataImage finish(const Provenance& provenance) &&;

 private:
  // metadata_delta.cc: features, configuration, quotas, producer ids, credentials
  Status apply(const protocol::NoOpRecord&) { return {}; }
  Status apply(const protocol::FeatureLevelRecord& record);
  Status apply(const protocol::ConfigRecord& record);
  Status apply(const protocol::ClientQuotaRecord& record);
  Status apply(const protocol::ProducerIdsRecord& record);
  Status apply(const protocol::AccessControlEntryRecord& record);
  Status apply(const protocol::RemoveAccessControlEntryRecord& record);
  Status apply(const protocol::UserScramCredentialRecord& record);
  Status apply(const protocol::RemoveUserScramCredentialRecord& record);
  Status apply(const protocol::DelegationTokenRecord& record);
  Status apply(const protocol::RemoveDelegationTokenRecord& record);
  Status apply(const protocol::ZkMigrationStateRecord&) { return {}; }  // nothing to migrate from any more
  Status apply(const protocol::BeginTransactionRecord&) { return misplaced_transaction(); }
  Status apply(const protocol::EndTransactionRecord&) { return misplaced_transaction(); }
  Status apply(const protocol::AbortTransactionRecord&) { return misplaced_transaction(); }
  static Status misplaced_transaction();

  // metadata_delta_cluster.cc: brokers and controllers
  Status apply(const protocol::RegisterBrokerRecord& record);
  Status apply(const protocol::UnregisterBrokerRecord& record);
  Status apply(const protocol::FenceBrokerRecord& record);
  Status apply(const protocol::UnfenceBrokerRecord& record);
  Status apply(const protocol::BrokerRegistrationChangeRecord& record);
  Status apply(const protocol::RegisterControllerRecord& record);
  Status apply(const protocol::UnregisterControllerRecord& record);
  Result<BrokerRegistration> registered_broker(BrokerId id, std::int64_t epoch) const;
  void put_broker(BrokerRegistration broker);

  // metadata_delta_topics.cc: topics and partitions
  Status apply(const protocol::TopicRecord& record);
  Status apply(const protocol::RemoveTopicRecord& record);
  Status apply(const protocol::PartitionRecord& record);
  Status apply(const protocol::PartitionChangeRecord& record);
  Status apply(const protocol::ClearElrRecord& record);
  Topic* open_topic(const Uuid& id);
  Status clear_elr(const Uuid& id);
  void put_partition(Topic& topic, PartitionId index, Partition partition);

  MetadataImage image_;
  MetadataChanges changes_;
  std::map<Uuid, Topic> open_topics_;  // those of image_ that are being changed; finish() puts them back
};

}  // namespace milena::controller
