// The timers of groups. Each says whose time is up; group_machine.cc says what follows.
#pragma once

#include <cstdint>
#include <string>

#include "coordinator/runtime/timer_queue.h"

namespace milena::coordinator {

struct Group;

struct GroupTimer {
  enum class Kind : std::uint8_t {
    kOffsetExpiry,       // of the machine: time to look for offsets that expired
    kClassicSession,     // a member has been silent for its session timeout
    kClassicPending,     // a member id was handed out and never claimed (KIP-394)
    kClassicJoin,        // members who have not rejoined by now are out
    kClassicInitial,     // group.initial.rebalance.delay.ms is over
    kClassicSync,        // members who have not synced by now are out
    kConsumerSession,    // as kClassicSession, of a member of a consumer group
    kConsumerRebalance,  // a member did not give up partitions in time
    kConsumerJoin,       // a classic member of a consumer group was told to rejoin and did not
    kConsumerSync,       // ... or rejoined and did not sync
  };

  Kind kind{};
  Group* group = nullptr;
  const std::string* member_id = nullptr;  // of kinds about a member: its id, where the member keeps it
};

using GroupTimers = TimerQueue<GroupTimer>;

}  // namespace milena::coordinator
