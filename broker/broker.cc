#include "broker/broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/async/loop.h"
#include "base/async/worker_pool.h"
#include "broker/coordinators/group_coordinator.h"
#include "broker/coordinators/group_settings.h"
#include "broker/coordinators/marker_writer.h"
#include "broker/coordinators/producer_ids.h"
#include "broker/coordinators/transaction_coordinator.h"
#include "broker/fetch/fetch_sessions.h"
#include "broker/handlers/advertised_address.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/metadata_log.h"
#include "broker/metadata/metadata_store.h"
#include "broker/net/listener.h"
#include "broker/net/server.h"
#include "broker/node_settings.h"
#include "broker/partition/partition_registry.h"
#include "protocol/error_code.h"
#include "storage/log_directory.h"

namespace milena::broker {
namespace {

using storage::LogDirectory;
using Directories = std::vector<std::unique_ptr<LogDirectory>>;

std::unexpected<std::string> sentence(std::string what) { return std::unexpected(std::move(what)); }

// Opens the log directories and makes sure that they belong to one cluster and to this node.
std::expected<Directories, std::string> open_directories(const BrokerConfig& config, Fs& fs, Rng& rng,
                                                         std::string& cluster_id) {
  Directories directories;
  for (const auto& path : config.log_dirs) {
    auto opened = LogDirectory::open(fs, path);
    if (!opened) return sentence(fmt::format("{}: {}", path, opened.error().why));
    directories.push_back(*std::move(opened));
  }
  cluster_id = config.cluster_id;
  for (const auto& directory : directories) {
    const auto& known = directory->meta_properties();
    if (!known) continue;
    if (known->node_id != config.node_id) {
      return sentence(fmt::format("{}: belongs to node {}, and this is node {} (node.id)", directory->path(),
                                  known->node_id.value, config.node_id.value));
    }
    if (cluster_id.empty()) cluster_id = known->cluster_id;
    if (known->cluster_id != cluster_id) {
      return sentence(fmt::format("{}: belongs to cluster {}, not to {}", directory->path(),
                                  known->cluster_id, cluster_id));
    }
  }
  if (cluster_id.empty()) cluster_id = Uuid::random(rng).to_string();
  for (const auto& directory : directories) {
    if (directory->meta_properties()) continue;
    if (!directory->format({cluster_id, config.node_id, Uuid::random(rng)})) {
      return sentence(fmt::format("{}: {}", directory->path(), directory->health().reason()));
    }
  }
  return directories;
}

std::shared_ptr<const storage::LogConfig> metadata_log_config() {
  auto config = std::make_shared<storage::LogConfig>();
  config->retention_ms = -1;  // only snapshots trim it
  return config;
}

}  // namespace

struct Broker::Parts {
  Parts(BrokerConfig config_, World world_) : config(std::move(config_)), world(world_) {
    std::ranges::copy_if(config.listeners, std::back_inserter(client_listeners),
                         [](const ListenerConfig& listener) { return !listener.for_controllers; });
  }

  std::expected<void, std::string> open();
  std::vector<Loop*> borrowed_loops() const {
    std::vector<Loop*> borrowed;
    for (const auto& loop : loops) borrowed.push_back(loop.get());
    return borrowed;
  }
  std::expected<void, std::string> bind();
  std::expected<void, std::string> open_metadata(LogDirectory& home, const Directories& directories);
  std::expected<void, std::string> register_with_controller(const Directories& directories);

  const BrokerConfig config;
  std::vector<ListenerConfig> client_listeners;
  const World world;
  std::string cluster_id;
  std::int64_t broker_epoch = -1;

  std::vector<std::unique_ptr<Loop>> loops;
  std::unique_ptr<WorkerPool> workers;
  PartitionRegistry registry;
  std::unique_ptr<MetadataLog> metadata;
  std::unique_ptr<PartitionManager> partitions;
  std::unique_ptr<GroupCoordinator> groups;
  std::unique_ptr<MarkerWriter> markers;
  std::unique_ptr<ProducerIds> producer_ids;
  std::unique_ptr<TransactionCoordinator> transactions;
  std::unique_ptr<Handlers> handlers;
  std::unique_ptr<Server> server;
  std::vector<std::uint16_t> ports;
  bool started = false;
};

Broker::Broker(BrokerConfig config, World world)
    : parts_(std::make_unique<Parts>(std::move(config), world)) {}

Broker::~Broker() { stop(); }

const std::string& Broker::cluster_id() const { return parts_->cluster_id; }

std::vector<std::string> Broker::addresses() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < parts_->ports.size(); ++i) {
    const auto& host = parts_->client_listeners[i].host;
    const bool any = host.empty() || host == "0.0.0.0" || host == "::";
    out.push_back(Address{any ? "127.0.0.1" : host, parts_->ports[i]}.to_string());
  }
  return out;
}

std::expected<void, std::string> Broker::start() { return parts_->open(); }

std::expected<void, std::string> Broker::Parts::open() {
  auto directories = open_directories(config, world.fs, world.rng, cluster_id);
  if (!directories) return std::unexpected(directories.error());

  constexpr std::size_t kBlockingThreads = 4;
  constexpr std::size_t kBlockingQueue = 10'000;
  workers = std::make_unique<WorkerPool>("blocking", kBlockingThreads, kBlockingQueue);
  for (std::size_t i = 0; i < config.network_threads; ++i) {
    loops.push_back(std::make_unique<Loop>(world.clock, fmt::format("loop-{}", i)));
  }
  handlers = std::make_unique<Handlers>(config, world.clock, world.rng, registry);
  if (auto bound = bind(); !bound) return bound;
  if (auto opened = open_metadata(*directories->front(), *directories); !opened) return opened;

  partitions = std::make_unique<PartitionManager>(partition_options(config), *std::move(directories),
                                                  registry, *workers, world.clock, world.rng, world.log);
  if (const auto opened = partitions->open(*metadata->image()); !opened) {
    return sentence(fmt::format("the partitions cannot be opened: {}", opened.error().why));
  }
  const CoordinatorServices services{.self = config.node_id,
                                     .partitions = registry,
                                     .loops = borrowed_loops(),
                                     .runner = [this](auto job) { partitions->run_blocking(std::move(job)); },
                                     .clock = world.clock,
                                     .log = world.log};
  groups = std::make_unique<GroupCoordinator>(services, world.rng, group_config(config.settings, *metadata),
                                              group_shard_options(config));
  markers = std::make_unique<MarkerWriter>(registry, *groups, *loops.front(), world.clock);
  producer_ids = std::make_unique<ProducerIds>(*metadata, config.node_id, [this] { return broker_epoch; });
  transactions = std::make_unique<TransactionCoordinator>(
      services,
      TransactionCoordinator::Needs{
          .markers = *markers, .producer_ids = *producer_ids, .metadata = *metadata, .loop = *loops.front()},
      config.settings, transaction_shard_options(config));
  groups->start(metadata->image());
  transactions->follow(*metadata->image());
  metadata->start([this](const auto& before, const auto& after, const auto& changes) {
    partitions->apply(*before, *after, changes);
    groups->apply(*before, after, changes);
    transactions->follow(*after);
  });
  handlers->serve({.cluster_id = cluster_id,
                   .metadata = *metadata,
                   .partitions = *partitions,
                   .groups = *groups,
                   .markers = *markers,
                   .transactions = *transactions,
                   .producer_ids = *producer_ids,
                   .loops = borrowed_loops()});
  partitions->start_maintenance(*loops.front(), [this] {
    metadata->submit({.decide = [](auto&, auto) { return MetadataLog::Records{}; },
                      .done =
                          [this](const Status&) {
                            const auto image = metadata->image();
                            partitions->open_missing(*image);
                            groups->start(image);  // a log that was missing may be a coordinator's
                            transactions->follow(*image);
                          }});
  });
  for (const auto& loop : loops) loop->start();
  server->start();
  started = true;
  return {};
}

std::expected<void, std::string> Broker::Parts::bind() {
  server = std::make_unique<Server>(borrowed_loops(), config.net, handlers->router(), world.log);
  for (const auto& listener : client_listeners) {
    auto port = server->open({.name = listener.name, .host = listener.host, .port = listener.port});
    if (!port) return std::unexpected(port.error());
    ports.push_back(*port);
  }
  return {};
}

std::expected<void, std::string> Broker::Parts::open_metadata(LogDirectory& home,
                                                              const Directories& directories) {
  auto store = MetadataStore::open(world.fs, home, metadata_log_config(), world.clock.wall_ms());
  if (!store) {
    return sentence(
        fmt::format("the metadata log in {} cannot be opened: {}", home.path(), store.error().why));
  }
  auto settings = controller_settings(config, cluster_id);
  const auto bootstrap = controller::default_bootstrap_features(settings.supported_features);
  MetadataLog::Options log_options{.self = {.key = {config.node_id, home.meta_properties()->directory_id}},
                                   .controller = std::move(settings),
                                   .bootstrap = bootstrap,
                                   .snapshots = snapshot_limits(config)};
  auto opened =
      MetadataLog::open(std::move(log_options), *std::move(store), world.clock, world.rng, world.log);
  if (!opened) {
    return sentence(
        fmt::format("the metadata log in {} cannot be read: {}", home.path(), opened.error().why));
  }
  metadata = *std::move(opened);
  return register_with_controller(directories);
}

std::expected<void, std::string> Broker::Parts::register_with_controller(const Directories& directories) {
  using protocol::BrokerHeartbeatResponse;
  using protocol::BrokerRegistrationRequest;
  using protocol::BrokerRegistrationResponse;
  Arena arena;
  BrokerRegistrationRequest request;
  request.broker_id = config.node_id;
  request.cluster_id = cluster_id;
  request.incarnation_id = Uuid::random(world.rng);
  request.listeners = arena.array<BrokerRegistrationRequest::Listener>(client_listeners.size());
  for (std::size_t i = 0; i < client_listeners.size(); ++i) {
    const auto& listener = client_listeners[i];
    request.listeners[i].name = listener.name;
    request.listeners[i].host = listener.advertised_host ? *listener.advertised_host
                                : listener.host.empty()  ? std::string_view("localhost")
                                                         : std::string_view(listener.host);
    request.listeners[i].port = listener.advertised_port != 0 ? listener.advertised_port : ports[i];
    request.listeners[i].security_protocol = static_cast<std::int16_t>(listener.protocol);
  }
  const auto supported = supported_features();
  request.features = arena.array<BrokerRegistrationRequest::Feature>(supported.size());
  std::size_t at = 0;
  for (const auto& [name, range] : supported) {
    request.features[at++] = {
        .name = name, .min_supported_version = range.min, .max_supported_version = range.max};
  }
  if (config.rack) request.rack = *config.rack;
  // Of the last clean stop; after any other the controller takes this replica's tail for lost (KIP-966).
  request.previous_broker_epoch = directories.front()->previous_broker_epoch();
  request.log_dirs = arena.array<Uuid>(directories.size());
  for (std::size_t i = 0; i < directories.size(); ++i)
    request.log_dirs[i] = directories[i]->meta_properties()->directory_id;

  BrokerRegistrationResponse registered;
  Status committed;
  metadata->submit({.decide =
                        [&](controller::Controller& controller, std::int64_t now_ms) {
                          auto outcome = controller.register_broker(now_ms, request, kKRaftVersion, arena);
                          registered = outcome.response;
                          return std::move(outcome.records);
                        },
                    .done = [&](Status done) { committed = done; }});
  if (!committed || registered.error_code != ErrorCode::kNone) {
    return sentence(fmt::format("the controller refuses this broker: {}",
                                committed ? error_name(registered.error_code) : committed.error().why));
  }
  broker_epoch = registered.broker_epoch;

  BrokerHeartbeatResponse beat;
  metadata->submit({.decide =
                        [&](controller::Controller& controller, std::int64_t now_ms) {
                          auto outcome = controller.broker_heartbeat(
                              now_ms,
                              {.broker_id = config.node_id,
                               .broker_epoch = broker_epoch,
                               .current_metadata_offset = controller.next_offset().value - 1,
                               .want_fence = false},
                              arena);
                          beat = outcome.response;
                          return std::move(outcome.records);
                        },
                    .done = [&](Status done) { committed = done; }});
  if (!committed || beat.error_code != ErrorCode::kNone || beat.is_fenced) {
    return sentence("the controller does not unfence this broker");
  }
  return {};
}

void Broker::stop() {
  auto& parts = *parts_;
  // First of all, so that those who wait for their group are told before their connections close.
  if (parts.transactions != nullptr) parts.transactions->stop();
  if (parts.groups != nullptr) parts.groups->stop();
  if (parts.server != nullptr && parts.started) parts.server->stop();
  if (parts.metadata != nullptr) parts.metadata->stop();
  for (const auto& loop : parts.loops) loop->stop();
  if (parts.started) {
    for (const auto& loop : parts.loops) loop->join();
  }
  if (parts.workers != nullptr) parts.workers->stop();
  if (parts.partitions != nullptr) parts.partitions->stop_maintenance();
  if (parts.partitions != nullptr) parts.partitions->close(parts.broker_epoch, parts.metadata->storage_log());
  parts.started = false;
  parts.server.reset();
  parts.handlers.reset();
  parts.partitions.reset();
  parts.metadata.reset();
  parts.loops.clear();
  parts.transactions.reset();
  parts.producer_ids.reset();
  parts.markers.reset();
  parts.groups.reset();
}

}  // namespace milena::broker
