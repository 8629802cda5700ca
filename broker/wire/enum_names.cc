#include "broker/wire/enum_names.h"

#include <algorithm>

#include "protocol/api.h"

namespace milena::wire {
namespace {

constexpr EnumName kAclResourceTypes[] = {
    {0, "UNKNOWN"},          {1, "ANY"},  {2, "TOPIC"},           {3, "GROUP"}, {4, "CLUSTER"},
    {5, "TRANSACTIONAL_ID"}, {7, "USER"}, {6, "DELEGATION_TOKEN"}};
constexpr EnumName kConfigResourceTypes[] = {{0, "UNKNOWN"},       {2, "TOPIC"},           {4, "BROKER"},
                                             {8, "BROKER_LOGGER"}, {16, "CLIENT_METRICS"}, {32, "GROUP"}};
constexpr EnumName kPatternTypes[] = {
    {0, "UNKNOWN"}, {1, "ANY"}, {2, "MATCH"}, {3, "LITERAL"}, {4, "PREFIXED"}};
constexpr EnumName kAclOperations[] = {{0, "UNKNOWN"},
                                       {1, "ANY"},
                                       {2, "ALL"},
                                       {3, "READ"},
                                       {4, "WRITE"},
                                       {5, "CREATE"},
                                       {6, "DELETE"},
                                       {7, "ALTER"},
                                       {8, "DESCRIBE"},
                                       {9, "CLUSTER_ACTION"},
                                       {11, "ALTER_CONFIGS"},
                                       {10, "DESCRIBE_CONFIGS"},
                                       {12, "IDEMPOTENT_WRITE"},
                                       {13, "CREATE_TOKENS"},
                                       {14, "DESCRIBE_TOKENS"},
                                       {15, "TWO_PHASE_COMMIT"}};
constexpr EnumName kPermissionTypes[] = {{0, "UNKNOWN"}, {1, "ANY"}, {2, "DENY"}, {3, "ALLOW"}};
constexpr EnumName kConfigSources[] = {{-1, "NOT_TOLD"},
                                       {0, "UNKNOWN"},
                                       {1, "DYNAMIC_TOPIC_CONFIG"},
                                       {2, "DYNAMIC_BROKER_CONFIG"},
                                       {3, "DYNAMIC_DEFAULT_BROKER_CONFIG"},
                                       {4, "STATIC_BROKER_CONFIG"},
                                       {5, "DEFAULT_CONFIG"},
                                       {6, "DYNAMIC_BROKER_LOGGER_CONFIG"},
                                       {7, "DYNAMIC_CLIENT_METRICS_CONFIG"},
                                       {8, "DYNAMIC_GROUP_CONFIG"}};
constexpr EnumName kConfigTypes[] = {{0, "UNKNOWN"}, {1, "BOOLEAN"}, {2, "STRING"}, {3, "INT"},
                                     {4, "SHORT"},   {5, "LONG"},    {6, "DOUBLE"}, {7, "LIST"},
                                     {8, "CLASS"},   {9, "PASSWORD"}};
constexpr EnumName kConfigOperations[] = {{0, "SET"}, {1, "DELETE"}, {2, "APPEND"}, {3, "SUBTRACT"}};
constexpr EnumName kCoordinatorTypes[] = {{0, "GROUP"}, {1, "TRANSACTION"}, {2, "SHARE"}};
constexpr EnumName kIsolationLevels[] = {{0, "READ_UNCOMMITTED"}, {1, "READ_COMMITTED"}};
constexpr EnumName kScramMechanisms[] = {{0, "UNKNOWN"}, {1, "SCRAM-SHA-256"}, {2, "SCRAM-SHA-512"}};
constexpr EnumName kElectionTypes[] = {{0, "PREFERRED"}, {1, "UNCLEAN"}};
constexpr EnumName kUpgradeTypes[] = {
    {0, "UNKNOWN"}, {1, "UPGRADE"}, {2, "SAFE_DOWNGRADE"}, {3, "UNSAFE_DOWNGRADE"}};
constexpr EnumName kLeaderRecoveryStates[] = {{-1, "NO_CHANGE"}, {0, "RECOVERED"}, {1, "RECOVERING"}};
constexpr EnumName kSecurityProtocols[] = {
    {0, "PLAINTEXT"}, {1, "SSL"}, {2, "SASL_PLAINTEXT"}, {3, "SASL_SSL"}};
constexpr EnumName kEndpointTypes[] = {{0, "UNKNOWN"}, {1, "BROKER"}, {2, "CONTROLLER"}};
constexpr EnumName kAcknowledgeTypes[] = {
    {0, "GAP"}, {1, "ACCEPT"}, {2, "RELEASE"}, {3, "REJECT"}, {4, "RENEW"}};
constexpr EnumName kDeliveryStates[] = {
    {0, "AVAILABLE"}, {1, "ACQUIRED"}, {2, "ACKNOWLEDGED"}, {4, "ARCHIVED"}};
constexpr EnumName kTransactionStates[] = {
    {0, "EMPTY"},           {1, "ONGOING"},        {2, "PREPARE_COMMIT"}, {3, "PREPARE_ABORT"},
    {4, "COMPLETE_COMMIT"}, {5, "COMPLETE_ABORT"}, {6, "DEAD"},           {7, "PREPARE_EPOCH_FENCE"}};
constexpr EnumName kFencings[] = {{-1, "UNFENCE"}, {0, "NONE"}, {1, "FENCE"}};
constexpr EnumName kShutdowns[] = {{0, "NONE"}, {1, "IN_CONTROLLED_SHUTDOWN"}};
constexpr EnumName kMemberStates[] = {
    {0, "STABLE"}, {1, "UNREVOKED_PARTITIONS"}, {2, "UNRELEASED_PARTITIONS"}, {127, "UNKNOWN"}};
constexpr EnumName kMatchTypes[] = {{0, "EXACT"}, {1, "DEFAULT"}, {2, "SPECIFIED"}};
constexpr EnumName kCompressionTypes[] = {{0, "NONE"}, {1, "GZIP"}, {2, "SNAPPY"}, {3, "LZ4"}, {4, "ZSTD"}};
constexpr EnumName kMemberTypes[] = {{-1, "UNKNOWN"}, {0, "CLASSIC"}, {1, "CONSUMER"}};
constexpr EnumName kListedTimestamps[] = {{-1, "LATEST"},        {-2, "EARLIEST"},
                                          {-3, "MAX_TIMESTAMP"}, {-4, "EARLIEST_LOCAL"},
                                          {-5, "LATEST_TIERED"}, {-6, "EARLIEST_PENDING_UPLOAD"}};

constexpr EnumField kEnumFields[] = {
    {"requestApiKey", "", {}},
    {"apiKey", "ApiVersions", {}},
    {"resourceType", "Acl", kAclResourceTypes},
    {"resourceType", "AccessControlEntry", kAclResourceTypes},
    {"resourceTypeFilter", "", kAclResourceTypes},
    {"resourceType", "", kConfigResourceTypes},
    {"resourceTypes", "", kConfigResourceTypes},
    {"patternType", "", kPatternTypes},
    {"patternTypeFilter", "", kPatternTypes},
    {"resourcePatternType", "", kPatternTypes},
    {"operation", "", kAclOperations},
    {"permissionType", "", kPermissionTypes},
    {"configSource", "", kConfigSources},
    {"source", "DescribeConfigs", kConfigSources},
    {"configType", "", kConfigTypes},
    {"configOperation", "", kConfigOperations},
    {"keyType", "", kCoordinatorTypes},
    {"isolationLevel", "", kIsolationLevels},
    {"mechanism", "ScramCredential", kScramMechanisms},
    {"electionType", "", kElectionTypes},
    {"upgradeType", "", kUpgradeTypes},
    {"leaderRecoveryState", "", kLeaderRecoveryStates},
    {"securityProtocol", "", kSecurityProtocols},
    {"endpointType", "", kEndpointTypes},
    {"acknowledgeTypes", "", kAcknowledgeTypes},
    {"deliveryState", "", kDeliveryStates},
    {"transactionStatus", "", kTransactionStates},
    {"fenced", "BrokerRegistrationChange", kFencings},
    {"inControlledShutdown", "BrokerRegistrationChange", kShutdowns},
    {"state", "GroupCurrentMemberAssignment", kMemberStates},
    {"matchType", "", kMatchTypes},
    {"compressionType", "PushTelemetry", kCompressionTypes},
    {"acceptedCompressionTypes", "", kCompressionTypes},
    {"memberType", "", kMemberTypes},
    {"timestamp", "ListOffsetsRequest", kListedTimestamps},
};

}  // namespace

std::span<const EnumField> enum_fields() { return kEnumFields; }

const EnumField* find_enum(std::string_view message, std::string_view field) {
  const auto at = std::ranges::find_if(kEnumFields, [&](const EnumField& each) {
    return each.field == field && message.contains(each.message_part);
  });
  return at != std::end(kEnumFields) ? at : nullptr;
}

std::string_view enum_name(const EnumField& of, std::int64_t value) {
  if (of.names.empty()) {
    const auto* api = value == static_cast<std::int16_t>(value)
                          ? protocol::find_api(static_cast<std::int16_t>(value))
                          : nullptr;
    return api != nullptr ? api->name : std::string_view();
  }
  const auto at = std::ranges::find(of.names, value, &EnumName::value);
  return at != of.names.end() ? at->name : std::string_view();
}

}  // namespace milena::wire
