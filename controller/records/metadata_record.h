// MetadataRecord: one record of the metadata log, of any type, and its framing.
//
// A view: strings point into the bytes it was decoded from, or into whatever made it; arrays into an Arena.
// Framing (docs/formats/metadata_records.md): frame version uvarint = 1, type uvarint, version uvarint, body.
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <variant>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/result.h"
#include "protocol/abort_transaction_record.gen.h"
#include "protocol/access_control_entry_record.gen.h"
#include "protocol/begin_transaction_record.gen.h"
#include "protocol/broker_registration_change_record.gen.h"
#include "protocol/clear_elr_record.gen.h"
#include "protocol/client_quota_record.gen.h"
#include "protocol/config_record.gen.h"
#include "protocol/delegation_token_record.gen.h"
#include "protocol/end_transaction_record.gen.h"
#include "protocol/feature_level_record.gen.h"
#include "protocol/fence_broker_record.gen.h"
#include "protocol/no_op_record.gen.h"
#include "protocol/partition_change_record.gen.h"
#include "protocol/partition_record.gen.h"
#include "protocol/producer_ids_record.gen.h"
#include "protocol/register_broker_record.gen.h"
#include "protocol/register_controller_record.gen.h"
#include "protocol/remove_access_control_entry_record.gen.h"
#include "protocol/remove_delegation_token_record.gen.h"
#include "protocol/remove_topic_record.gen.h"
#include "protocol/remove_user_scram_credential_record.gen.h"
#include "protocol/topic_record.gen.h"
#include "protocol/unfence_broker_record.gen.h"
#include "protocol/unregister_broker_record.gen.h"
#include "protocol/unregister_controller_record.gen.h"
#include "protocol/user_scram_credential_record.gen.h"
#include "protocol/zk_migration_state_record.gen.h"

namespace milena::controller {

// Every type of Kafka 4.4. A type that is not listed here cannot be read, and a log that holds one cannot be
// loaded: new types arrive only with a metadata.version that this code does not claim to support.
using MetadataRecordBody = std::variant<
    protocol::NoOpRecord, protocol::RegisterBrokerRecord, protocol::UnregisterBrokerRecord,
    protocol::TopicRecord, protocol::PartitionRecord, protocol::ConfigRecord, protocol::PartitionChangeRecord,
    protocol::FenceBrokerRecord, protocol::UnfenceBrokerRecord, protocol::RemoveTopicRecord,
    protocol::DelegationTokenRecord, protocol::UserScramCredentialRecord, protocol::FeatureLevelRecord,
    protocol::ClientQuotaRecord, protocol::ProducerIdsRecord, protocol::BrokerRegistrationChangeRecord,
    protocol::AccessControlEntryRecord, protocol::RemoveAccessControlEntryRecord,
    protocol::ZkMigrationStateRecord, protocol::RemoveUserScramCredentialRecord,
    protocol::BeginTransactionRecord, protocol::EndTransactionRecord, protocol::AbortTransactionRecord,
    protocol::RemoveDelegationTokenRecord, protocol::RegisterControllerRecord, protocol::ClearElrRecord,
    protocol::UnregisterControllerRecord>;

struct MetadataRecord {
  MetadataRecordBody body;
  std::int16_t version = 0;  // of the body on disk
};

// The number that names the record's type on disk.
std::int16_t record_type(const MetadataRecord& record);

// Reads one record's value. kCorruptMessage: bad framing, an unknown type, a version that the type does not
// have, a malformed body, or bytes behind it.
Result<MetadataRecord> decode_metadata_record(BytesView value, Arena& arena);

// The value of a record; in the arena.
BytesView encode_metadata_record(const MetadataRecord& record, Arena& arena);

}  // namespace milena::controller
