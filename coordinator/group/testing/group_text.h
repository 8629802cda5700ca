// What a group machine knows that its log must know too, as text: two machines agree if their texts are
// equal.
#pragma once

#include <string>

#include "coordinator/group/group.h"

namespace milena::coordinator::testing_support {

// `in_flight`: what a classic group is doing between two generations is not in the log; such groups are named
// with their id and offsets only.
std::string durable_text(const Group& group);
std::string durable_text(const GroupTable& groups);
// Is the group's state all in the log?
bool is_settled(const Group& group);

// What must hold of any group at any time; empty if it does.
std::string broken_invariant(const Group& group);

}  // namespace milena::coordinator::testing_support
