// The ids that protocol fields are made of. Distinct types: an epoch cannot be passed where an offset is
// meant.
//
// protocol/schema/types.kmsg gives each of them its wire type.
#pragma once

#include <cstdint>

#include "base/strong_int.h"

namespace milena::protocol {

using BrokerId = StrongInt<struct BrokerIdTag, std::int32_t>;  // also controllers and raft voters; -1 none
using PartitionId = StrongInt<struct PartitionIdTag, std::int32_t>;  // index within its topic
using LeaderEpoch =
    StrongInt<struct LeaderEpochTag, std::int32_t>;                // of a partition or of the quorum; -1 none
using Offset = StrongInt<struct OffsetTag, std::int64_t>;          // -1 none
using ProducerId = StrongInt<struct ProducerIdTag, std::int64_t>;  // -1 none

inline constexpr BrokerId kNoBroker = -1;
inline constexpr LeaderEpoch kNoLeaderEpoch = -1;
inline constexpr Offset kNoOffset = -1;
inline constexpr ProducerId kNoProducerId = -1;

}  // namespace milena::protocol
