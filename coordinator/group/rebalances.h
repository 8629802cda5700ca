// RebalanceCounts: how often the groups of a shard have begun a rebalance since its log was loaded, and why.
//
// A value, part of GroupStore and guarded by the shard's lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace milena::coordinator {

// Why a classic group rebalances.
enum class RebalanceCause : std::uint8_t {
  kJoin,            // a member has joined, has come back, or supports other protocols
  kLeave,           // a member has left
  kSessionTimeout,  // a member was not heard of in time
  kSyncTimeout,     // a member did not ask for its assignment in time
  kProtocolChange,  // the group has come from the consumer protocol
  kOther,           // the assignment could not be stored; the group is larger than group.max.size now
};

inline constexpr std::array<std::string_view, 6> kRebalanceCauses{
    "join", "leave", "session_timeout", "sync_timeout", "protocol_change", "other"};

struct RebalanceCounts {
  std::array<std::uint64_t, kRebalanceCauses.size()> classic{};  // by cause
  std::uint64_t consumer = 0;                                    // new group epochs

  void add(RebalanceCause cause) { ++classic[static_cast<std::size_t>(cause)]; }
};

}  // namespace milena::coordinator
