// What main() finds out about the process it runs in, and sets up in it. Not for anybody else.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/fs.h"
#include "broker/config/broker_config.h"

namespace milena::broker {

// Processors, memory (of the container, if that has less), descriptors and mappings. Raises the limit of
// descriptors to what the system lets us have.
MachineFacts look_at_machine(Fs& fs);

// Memory that is freed goes back to the system: without this, a few large requests make the heap keep their
// size.
void give_back_freed_memory();

std::vector<std::pair<std::string, std::string>> environment_variables();

}  // namespace milena::broker
