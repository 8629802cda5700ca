#include "broker/config/broker_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/result.h"
#include "broker/config/connection_limits.h"
#include "broker/config/cross_checks.h"
#include "broker/config/log_dir_paths.h"

namespace milena::broker {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

std::optional<std::string> text_or_null(const StaticConfig& settings, std::string_view key) {
  if (settings.is_null(key)) return std::nullopt;
  return settings.text(key);
}

// The rest of the descriptors is for log files.
std::size_t descriptors_for_connections(const MachineFacts& machine) {
  return machine.descriptors_max / 4 * 3;
}

std::expected<std::set<Uuid>, std::string> read_lost_log_dirs(const StaticConfig& settings) {
  std::set<Uuid> lost;
  for (const std::string& text : settings.list("milena.lost.log.dirs")) {
    const auto id = Uuid::parse(text);
    if (!id) {
      return std::unexpected(
          fmt::format("milena.lost.log.dirs: {} is not a directory.id, as meta.properties has it", text));
    }
    lost.insert(*id);
  }
  return lost;
}

std::expected<NetLimits, std::string> net_limits(const StaticConfig& settings, const MachineFacts& machine) {
  constexpr std::uint64_t kLeastRequestBytes = 32 * kMiB, kMostRequestBytes = 256 * kMiB;
  NetLimits limits;
  const auto number = [&](std::string_view key) { return settings.number(key); };
  limits.frame_bytes_max = static_cast<std::int32_t>(number("socket.request.max.bytes"));
  const std::int64_t queued = number("queued.max.request.bytes");
  limits.request_bytes_max =
      queued > 0 ? static_cast<std::size_t>(queued)
                 : std::clamp(machine.memory_bytes / 4, kLeastRequestBytes, kMostRequestBytes);
  limits.partial_bytes_max = std::min(limits.partial_bytes_max, limits.request_bytes_max / 2);
  // The rest of the descriptors is for log files: see files_left_for_logs().
  MILENA_TRY(limits.connections, connection_limits(settings, descriptors_for_connections(machine)));
  limits.idle_max = Instant{std::max<std::int64_t>(number("connections.max.idle.ms"), 0)};
  limits.partial_frame_max = Instant{number("milena.partial.request.timeout.ms")};
  limits.in_flight_max = static_cast<std::size_t>(number("milena.in.flight.requests.max"));
  if (settings.is_set("socket.send.buffer.bytes")) {
    limits.send_buffer_bytes = static_cast<int>(number("socket.send.buffer.bytes"));
  }
  if (settings.is_set("socket.receive.buffer.bytes")) {
    limits.receive_buffer_bytes = static_cast<int>(number("socket.receive.buffer.bytes"));
  }
  if (settings.is_set("socket.listen.backlog.size"))
    limits.backlog = static_cast<int>(number("socket.listen.backlog.size"));
  return limits;
}

// The descriptors that no connection may take, but for those of the process itself: listeners, event loops,
// locks, files that are open for a moment.
std::size_t files_left_for_logs(std::size_t descriptors, std::size_t connections, bool serves_http) {
  constexpr std::size_t kOthers = 48, kHttp = 40, kLeast = 16;
  const std::size_t left = descriptors - connections;
  const std::size_t others = kOthers + (serves_http ? kHttp : 0);
  return left > others + kLeast ? left - others : kLeast;
}

std::expected<std::string, std::string> find_inter_broker_listener(
    const StaticConfig& settings, const std::vector<ListenerConfig>& listeners) {
  const auto named = text_or_null(settings, "inter.broker.listener.name");
  if (named && settings.is_set("security.inter.broker.protocol")) {
    return std::unexpected(
        "Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.");
  }
  std::string wanted = named.value_or(settings.text("security.inter.broker.protocol"));
  std::ranges::transform(wanted, wanted.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const auto is_it = [&](const ListenerConfig& listener) {
    return listener.name == wanted && !listener.for_controllers;
  };
  if (std::ranges::any_of(listeners, is_it)) return wanted;
  std::string options;
  for (const ListenerConfig& listener : listeners) {
    if (!listener.for_controllers) options += (options.empty() ? "" : ",") + listener.name;
  }
  if (!named &&
      !settings.is_set("security.inter.broker.protocol")) {  // nobody asked; a single node does not need one
    return options.substr(0, options.find(','));
  }
  return std::unexpected(fmt::format(
      "inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options "
      "based on currently configured listeners are {}",
      options));
}

LogLevel log_level_named(std::string_view text) {
  switch (text.empty() ? 'I' : text.front()) {
    case 'T':
    case 't':
    case 'D':
    case 'd':
      return LogLevel::kDebug;
    case 'W':
    case 'w':
      return LogLevel::kWarn;
    case 'E':
    case 'e':
    case 'F':
    case 'f':
    case 'O':
    case 'o':
      return LogLevel::kError;
    default:
      return LogLevel::kInfo;
  }
}

}  // namespace

std::expected<BrokerConfig, std::string> BrokerConfig::make(StaticConfig settings,
                                                            const MachineFacts& machine) {
  MILENA_CHECK(check_together(settings));
  constexpr std::size_t kLeastDescriptors = 64;
  if (machine.descriptors_max < kLeastDescriptors) {
    return std::unexpected(
        fmt::format("this process may open {} files, and needs {}: raise the limit (ulimit -n)",
                    machine.descriptors_max, kLeastDescriptors));
  }

  BrokerConfig config;
  config.node_id = static_cast<std::int32_t>(settings.number("node.id"));
  config.rack = text_or_null(settings, "broker.rack");
  config.cluster_id = text_or_null(settings, "milena.cluster.id").value_or("");

  ListenerSettings where{.listeners = settings.list("listeners"),
                         .advertised = std::nullopt,
                         .protocol_map = settings.text("listener.security.protocol.map"),
                         .protocol_map_is_default = !settings.is_set("listener.security.protocol.map"),
                         .controller_names = settings.list("controller.listener.names")};
  if (!settings.is_null("advertised.listeners")) where.advertised = settings.list("advertised.listeners");
  MILENA_TRY(config.listeners, parse_listeners(where));
  for (const ListenerConfig& listener : config.listeners) {
    if (listener.protocol != SecurityProtocol::kPlaintext) {
      return std::unexpected(fmt::format("Listener {} wants {}, but this version speaks PLAINTEXT only",
                                         listener.name, to_string(listener.protocol)));
    }
  }
  MILENA_CHECK(check_cluster_keys(settings, config.listeners, machine.is_this_machine));
  MILENA_TRY(config.inter_broker_listener, find_inter_broker_listener(settings, config.listeners));

  for (const std::string& directory : configured_log_dirs(settings)) {
    if (std::ranges::find(config.log_dirs, directory) == config.log_dirs.end())
      config.log_dirs.push_back(directory);
  }
  if (config.log_dirs.empty()) {
    return std::unexpected("At least one log directory must be defined via log.dirs or log.dir.");
  }
  config.metadata_log_dir = text_or_null(settings, "metadata.log.dir");
  if (config.metadata_log_dir == "") return std::unexpected("metadata.log.dir names no directory");
  MILENA_TRY(config.lost_log_dirs, read_lost_log_dirs(settings));
  config.durability =
      settings.text("milena.durability") == "fsync" ? Durability::kFsync : Durability::kPageCache;
  if (const auto listener = settings.text("milena.metrics.listener"); !listener.empty()) {
    auto address = *parse_host_port(listener);
    config.metrics_listener = {.host = address.first.empty() ? "127.0.0.1" : std::move(address.first),
                               .port = address.second};
  }
  config.log_level = log_level_named(settings.text("milena.log.level"));

  const auto threads = static_cast<std::size_t>(settings.number("num.network.threads"));
  const std::size_t processors = std::max<std::size_t>(machine.processors, 1);
  constexpr std::size_t kPerProcessor = 32;  // of more, each would only wait for the others
  config.network_threads =
      std::min(threads, settings.is_set("num.network.threads") ? processors * kPerProcessor : processors);
  config.connections_cap = descriptors_for_connections(machine);
  MILENA_TRY(config.net, net_limits(settings, machine));
  config.open_files_max = files_left_for_logs(machine.descriptors_max, config.net.connections.all.max,
                                              config.metrics_listener.has_value());
  config.mapped_files_max = machine.mappings_max / 2;
  config.settings = std::move(settings);
  return config;
}

}  // namespace milena::broker
