// Every key of server.properties: Kafka 4.3's, with its names, types, defaults and checks, and our own, which
// start with "milena.".
//
// A constant table; any thread. Four defaults differ from Kafka's, so that nothing has to be set:
// process.roles, node.id and controller.listener.names have one, and log.dir is /tmp/milena-logs, so that we
// never touch the data of an Apache Kafka without being told to.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config/key.h"

namespace milena::broker {

// All keys, ordered by name.
std::span<const BrokerConfigKey> broker_config_keys();
// nullptr when there is no such key.
const BrokerConfigKey* find_broker_config(std::string_view name);

// The key behind a name with the prefix of a listener, such as listener.name.internal.max.connections;
// nullptr when there is none.
const BrokerConfigKey* find_listener_config(std::string_view name);

// Keys that mean the same in another unit or under an older name, the one that wins first; `name` is among
// them.
std::vector<std::string_view> broker_config_synonyms(std::string_view name);

// What a setting asks for that is not here: protection or policy, without which the node must not run as if
// it had them. nullopt: nothing, as the default and an empty value do. `name` may be a key of an authorizer,
// or carry the prefix of a listener.
std::optional<std::string_view> lacking_for(std::string_view name, std::string_view text);

// Names that Kafka or its surroundings know and that mean nothing here: not worth a warning.
bool is_ignored_config(std::string_view name);

// The known key that `name` is probably a misspelling of.
std::optional<std::string_view> nearest_broker_config(std::string_view name);

}  // namespace milena::broker
