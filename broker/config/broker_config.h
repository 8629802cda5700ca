// BrokerConfig: the configuration of a node as the code uses it: typed, checked against each other, complete.
//
// Made once at the start. Topic configuration is not here: topics inherit from `settings` by key
// (controller/config/topic_configs.h). Errors are sentences, in Kafka's words where Kafka has the check.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/uuid.h"
#include "broker/config/cluster_keys.h"
#include "broker/config/durability.h"
#include "broker/config/listeners.h"
#include "broker/config/static_config.h"
#include "broker/net/limits.h"
#include "protocol/types.h"

namespace milena::broker {

// What this machine, or the container, has.
struct MachineFacts {
  std::size_t processors = 1;
  std::uint64_t memory_bytes = 0;  // 0: unknown
  std::size_t descriptors_max = 1024;
  std::size_t mappings_max = 65'530;
  IsThisMachine is_this_machine = is_loopback;
};

struct BrokerConfig {
  StaticConfig settings;

  protocol::BrokerId node_id;
  std::optional<std::string> rack;
  std::string cluster_id;  // empty: of the data directory, or a new one
  std::vector<ListenerConfig> listeners;
  std::string inter_broker_listener;
  struct HttpListener {
    std::string host;
    std::uint16_t port = 0;  // 0: a free one
  };
  std::optional<HttpListener> metrics_listener;  // none: no metrics over HTTP

  std::vector<std::string> log_dirs;            // absolute or relative paths, none twice
  std::optional<std::string> metadata_log_dir;  // none: the directory that holds the metadata log
  std::set<Uuid> lost_log_dirs;                 // ids of directories that are gone for good
  Durability durability = Durability::kPageCache;
  LogLevel log_level = LogLevel::kInfo;

  std::size_t network_threads = 1;
  NetLimits net;
  std::size_t open_files_max = 0;        // for logs and what lies beside them; connections have the rest
  std::size_t mapped_files_max = 0;      // the rest is for the heap and for stacks
  std::size_t connections_cap = 10'000;  // what the descriptors of this machine allow

  static std::expected<BrokerConfig, std::string> make(StaticConfig settings, const MachineFacts& machine);
};

}  // namespace milena::broker
