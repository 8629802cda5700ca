// GroupStore: what the parts of the group machine share: the groups of the shard, settings, metadata, timers,
// time.
//
// Owned by GroupMachine, guarded by the shard's lock.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "base/saturating.h"
#include "coordinator/group/config.h"
#include "coordinator/group/group.h"
#include "coordinator/group/group_timers.h"
#include "coordinator/group/metadata_view.h"
#include "coordinator/group/rebalances.h"
#include "coordinator/runtime/now.h"

namespace milena::coordinator {

struct GroupStore {
  GroupStore(std::shared_ptr<const GroupConfig> initial_config,
             std::shared_ptr<const MetadataView> initial_metadata, Rng& id_rng)
      : config(std::move(initial_config)), metadata(std::move(initial_metadata)), rng(id_rng) {}

  std::shared_ptr<const GroupConfig> config;
  std::shared_ptr<const MetadataView> metadata;
  Rng& rng;
  GroupTimers timers;  // before the groups: their timers unregister here
  GroupTable groups;
  Now now;            // of the input being handled
  bool live = false;  // loaded: new members get their timers
  RebalanceCounts rebalances;

  Instant after(std::int32_t ms) const { return milena::after(now.instant, Instant{ms}); }

  std::int32_t session_timeout_ms(const Group& group, const ConsumerMember& member) const {
    if (member.classic) return member.classic->session_timeout_ms;
    return overrides(group.id).consumer_session_timeout_ms.value_or(config->consumer_session_timeout_ms);
  }
  GroupOverrides overrides(std::string_view group_id) const {
    return config->overrides ? config->overrides(group_id) : GroupOverrides{};
  }
};

// The generation or epoch after this one. They are positive, also where a damaged log says otherwise.
constexpr std::int32_t next_epoch(std::int32_t epoch) {
  return epoch < 0 || epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

// 36 characters, as java.util.UUID prints a random one. Member ids end in it: nobody guesses another's.
std::string random_member_id(Rng& rng);

}  // namespace milena::coordinator
