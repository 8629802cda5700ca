// The uniform assignor where members subscribe to different topics. Part of UniformAssignor.
#pragma once

#include <vector>

#include "coordinator/group/assignor.h"

namespace milena::coordinator {

// Keeps what members may keep, gives what is free to the subscriber with the least, then moves partitions
// from subscribers with more to subscribers with less until, within each topic, a move would not help.
// Perfect where subscribers of a topic subscribe to the same topics; close to it where subscriptions overlap.
std::vector<Assignment> assign_mixed_subscriptions(const AssignorInput& input);

}  // namespace milena::coordinator
