// The clients of a run, each a script that ends when the world closes.
#pragma once

#include <string>

#include "sim/client.h"
#include "sim/co.h"
#include "sim/transactor.h"
#include "sim/world.h"

namespace milena::sim {

// Makes the topics that the others use. False: it could not be done, or is not known.
Co<bool> make_topics(World& world, Client& client);
// The same for a broker that has to be well.
Co<> set_up(World& world);
// Sends records to "orders", with sequence numbers and repetitions, or without either.
Co<> producer(World& world, std::string name, bool is_idempotent);
// Reads a partition of "orders" as it grows, waiting at its end.
Co<> consumer(World& world, std::string name);
// Reads all of them in a fetch session.
Co<> session_consumer(World& world, std::string name);
// Commits offsets of a group without members, and asks for them.
Co<> committer(World& world, std::string name);
// Is a member of a classic group that shares "orders" out: joins, commits, leaves, falls asleep.
Co<> classic_member(World& world, std::string name);
// The same in a group of the new protocol (KIP-848).
Co<> consumer_member(World& world, std::string name);
// Runs transactions on "payments", offsets included.
Co<> transactor(World& world, std::string name, Transactor::Rules rules);
// Writes to "diary", deletes its beginning, reads what is left.
Co<> diarist(World& world, std::string name);
// Creates and deletes topics.
Co<> administrator(World& world, std::string name);
// Changes settings of "diary" and of all brokers.
Co<> configurator(World& world, std::string name);
// Holds everything that is there against what was claimed. `is_final`: no client is active any more.
Co<> auditor(World& world, bool is_final);

}  // namespace milena::sim
