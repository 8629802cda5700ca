// The answer to "what may I do with this?" while there is no authorizer: everything the resource knows.
//
// A bit per AclOperation (KIP-430). Kafka answers the same bits without an authorizer.
#pragma once

#include <cstdint>
#include <limits>

namespace milena::broker {

inline constexpr std::int32_t kOperationsNotAsked = std::numeric_limits<std::int32_t>::min();

namespace acl {
inline constexpr std::int32_t kRead = 1 << 3, kWrite = 1 << 4, kCreate = 1 << 5, kDelete = 1 << 6,
                              kAlter = 1 << 7, kDescribe = 1 << 8, kClusterAction = 1 << 9,
                              kDescribeConfigs = 1 << 10, kAlterConfigs = 1 << 11, kIdempotentWrite = 1 << 12;
}  // namespace acl

inline constexpr std::int32_t kAllTopicOperations = acl::kRead | acl::kWrite | acl::kCreate | acl::kDelete |
                                                    acl::kAlter | acl::kDescribe | acl::kDescribeConfigs |
                                                    acl::kAlterConfigs;
inline constexpr std::int32_t kAllClusterOperations = acl::kCreate | acl::kAlter | acl::kDescribe |
                                                      acl::kClusterAction | acl::kDescribeConfigs |
                                                      acl::kAlterConfigs | acl::kIdempotentWrite;
inline constexpr std::int32_t kAllGroupOperations =
    acl::kRead | acl::kDelete | acl::kDescribe | acl::kDescribeConfigs | acl::kAlterConfigs;

}  // namespace milena::broker
