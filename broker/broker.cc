#include "broker/broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>
#include <utility>

#include "base/async/loop.h"
#include "base/async/worker_pool.h"
#include "base/jump_detecting_clock.h"
#include "base/limited_fs.h"
#include "broker/admin/admin_port.h"
#include "broker/config/connection_limits.h"
#include "broker/config/dynamic_config.h"
#include "broker/coordinators/coordinator_status.h"
#include "broker/coordinators/group_coordinator.h"
#include "broker/coordinators/group_settings.h"
#include "broker/coordinators/marker_writer.h"
#include "broker/coordinators/producer_ids.h"
#include "broker/coordinators/transaction_coordinator.h"
#include "broker/fetch/fetch_sessions.h"
#include "broker/handlers/advertised_address.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/broker_lifecycle.h"
#include "broker/metadata/cluster_metadata.h"
#include "broker/metadata/metadata_store.h"
#include "broker/metrics/broker_metrics.h"
#include "broker/net/listener.h"
#include "broker/net/server.h"
#include "broker/node_settings.h"
#include "broker/partition/log_dirs.h"
#include "broker/partition/partition_registry.h"
#include "protocol/error_code.h"
#include "storage/log_directory.h"

namespace milena::broker {
namespace {

using storage::LogDirectory;

std::unexpected<std::string> sentence(std::string what) { return std::unexpected(std::move(what)); }

LogDirs::Options log_dirs_options(const BrokerConfig& config) {
  return {.paths = config.log_dirs,
          .metadata_path = config.metadata_log_dir,
          .node_id = config.node_id,
          .cluster_id = config.cluster_id,
          .lost = config.lost_log_dirs};
}

std::string as_reached_from_here(const std::string& host, std::uint16_t port) {
  const bool any = host.empty() || host == "0.0.0.0" || host == "::";
  return Address{any ? "127.0.0.1" : host, port}.to_string();
}

std::shared_ptr<const storage::LogConfig> metadata_log_config() {
  auto config = std::make_shared<storage::LogConfig>();
  config->retention_ms = -1;  // only snapshots trim it
  return config;
}

}  // namespace

struct Broker::Parts {
  Parts(BrokerConfig config_, World world_)
      : config(std::move(config_)),
        fs(world_.fs, {.files = config.open_files_max, .mappings = config.mapped_files_max}, world_.clock,
           world_.log),
        clock(world_.clock, world_.log),
        world{fs, clock, world_.rng, world_.log, world_.runtime, world_.make_server, world_.on_fatal},
        configuration(config.settings, config.node_id, world.log) {
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
  std::expected<void, std::string> open_admin_port();
  void follow_configuration();
  std::expected<void, std::string> open_metadata();
  std::expected<void, std::string> register_with_controller();
  std::expected<void, std::string> open_partitions();
  void open_missing_partitions();
  void gather_metrics();
  std::optional<std::string> why_not_ready() const;

  const BrokerConfig config;
  std::vector<ListenerConfig> client_listeners;
  LimitedFs fs;              // around the world's
  JumpDetectingClock clock;  // around the world's
  const World world;
  DynamicConfig configuration;
  std::string cluster_id;

  std::vector<std::unique_ptr<Loop>> loops;
  std::unique_ptr<WorkerPool> workers;
  PartitionRegistry registry;
  std::unique_ptr<LogDirs> dirs;
  std::unique_ptr<ClusterMetadata> metadata;
  std::unique_ptr<BrokerLifecycle> lifecycle;
  std::unique_ptr<PartitionManager> partitions;
  std::unique_ptr<GroupCoordinator> groups;
  std::unique_ptr<MarkerWriter> markers;
  std::unique_ptr<ProducerIds> producer_ids;
  std::unique_ptr<TransactionCoordinator> transactions;
  std::unique_ptr<Handlers> handlers;
  std::unique_ptr<BrokerMetrics> metrics;
  std::unique_ptr<Server> server;
  std::vector<std::uint16_t> ports;
  std::unique_ptr<AdminPort> admin_port;
  bool started = false;
  std::atomic<bool> is_serving = false;  // from the first accepted connection until stop()
};

Broker::Broker(BrokerConfig config, World world)
    : parts_(std::make_unique<Parts>(std::move(config), world)) {}

Broker::~Broker() { stop(); }

const std::string& Broker::cluster_id() const { return parts_->cluster_id; }

std::vector<std::string> Broker::addresses() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < parts_->ports.size(); ++i) {
    out.push_back(as_reached_from_here(parts_->client_listeners[i].host, parts_->ports[i]));
  }
  return out;
}

std::string Broker::metrics_address() const {
  const auto& port = parts_->admin_port;
  return port == nullptr ? "" : as_reached_from_here(parts_->config.metrics_listener->host, port->port());
}

std::expected<void, std::string> Broker::start() { return parts_->open(); }

std::expected<void, std::string> Broker::Parts::open() {
  MILENA_TRY(dirs, LogDirs::open(log_dirs_options(config), world.fs, world.rng, world.log));
  cluster_id = dirs->cluster_id();

  constexpr std::size_t kBlockingQueue = 10'000;
  const auto threads = static_cast<std::size_t>(config.settings.number("background.threads"));
  workers = world.runtime.make_pool("blocking", threads, kBlockingQueue);
  for (std::size_t i = 0; i < config.network_threads; ++i) {
    loops.push_back(world.runtime.make_loop(world.clock, fmt::format("loop-{}", i)));
  }
  handlers = std::make_unique<Handlers>(config, world.clock, world.rng, registry);
  metrics = std::make_unique<BrokerMetrics>(handlers->router(), borrowed_loops(), world.fs, world.clock);
  MILENA_CHECK(bind());
  MILENA_CHECK(open_admin_port());
  MILENA_CHECK(open_metadata());
  MILENA_CHECK(register_with_controller());
  MILENA_CHECK(open_partitions());
  const CoordinatorServices services{.self = config.node_id,
                                     .partitions = registry,
                                     .loops = borrowed_loops(),
                                     .runner = [this](auto job) { partitions->run_blocking(std::move(job)); },
                                     .clock = world.clock,
                                     .log = world.log};
  groups = std::make_unique<GroupCoordinator>(
      services, world.rng, group_config(config.settings, metadata->source()), group_shard_options(config),
      static_cast<std::int32_t>(config.settings.number("offsets.topic.num.partitions")));
  markers = std::make_unique<MarkerWriter>(registry, *groups, *loops.front(), world.clock);
  producer_ids = std::make_unique<ProducerIds>(metadata->controller(), config.node_id,
                                               [this] { return lifecycle->broker_epoch(); });
  transactions =
      std::make_unique<TransactionCoordinator>(services,
                                               TransactionCoordinator::Needs{.markers = *markers,
                                                                             .producer_ids = *producer_ids,
                                                                             .metadata = metadata->source(),
                                                                             .loop = *loops.front()},
                                               config.settings, transaction_shard_options(config));
  follow_configuration();
  groups->start(metadata->source().image());
  transactions->follow(*metadata->source().image());
  metadata->start(world.runtime.make_pool("metadata", 1, 1),
                  [this](const auto& before, const auto& after, const auto& changes) {
                    configuration.follow(*after);
                    metrics->metadata_changed(*before, *after, changes);
                    partitions->apply(*before, *after, changes);
                    groups->apply(*before, after, changes);
                    transactions->follow(*after);
                  });
  handlers->serve({.cluster_id = cluster_id,
                   .metadata = metadata->source(),
                   .controller = metadata->controller(),
                   .quorum = metadata->quorum(),
                   .configuration = configuration,
                   .partitions = *partitions,
                   .groups = *groups,
                   .markers = *markers,
                   .transactions = *transactions,
                   .producer_ids = *producer_ids,
                   .client_software = metrics->client_software(),
                   .loops = borrowed_loops(),
                   .client_ports = ports});
  partitions->start_maintenance(*loops.front());
  for (const auto& loop : loops) loop->start();
  server->start();
  started = true;
  gather_metrics();
  is_serving = true;
  return {};
}

std::expected<void, std::string> Broker::Parts::open_admin_port() {
  if (!config.metrics_listener) return {};
  const auto& [host, port] = *config.metrics_listener;
  if (!is_loopback(host)) {
    world.log.warn("metrics are served on {} to whoever can reach it, without authentication", host);
  }
  const AdminPort::Pages pages{.metrics = [this]() -> std::optional<HttpServer::Response> {
                                 if (!is_serving) return std::nullopt;
                                 return HttpServer::Response{
                                     .content_type = std::string(BrokerMetrics::kContentType),
                                     .body = metrics->scrape()};
                               },
                               .why_not_ready = [this] { return why_not_ready(); }};
  MILENA_TRY(admin_port, AdminPort::open(host, port, pages, {world.clock, world.log, world.runtime}));
  return {};
}

std::optional<std::string> Broker::Parts::why_not_ready() const {
  if (!is_serving) return "the broker starts or stops";
  if (partitions->all_directories_offline()) return "every log directory has failed";
  return std::nullopt;
}

void Broker::Parts::gather_metrics() {
  metrics->gather({.self = config.node_id,
                   .file_config = partition_options(config, *configuration.current()).file_config,
                   .server = *server,
                   .loops = borrowed_loops(),
                   .workers = *workers,
                   .dirs = *dirs,
                   .registry = registry,
                   .flush_times = partitions->flush_times(),
                   .metadata = metadata->source(),
                   .groups = [this](const auto& limits) { return status_of_groups(*groups, limits); },
                   .transactions = [this] { return status_of_transactions(*transactions); }});
}

// What may change while the broker runs, and who applies it.
void Broker::Parts::follow_configuration() {
  configuration.subscribe([this](const ConfigValues& now) {
    workers->resize(static_cast<std::size_t>(now.number("background.threads")));
    if (auto limits = connection_limits(now, config.connections_cap)) {
      server->set_connection_limits(*std::move(limits));
    }
    partitions->set_producer_expiration(now.number("producer.id.expiration.ms"));
    groups->configure(group_config(now, metadata->source()));
    handlers->configure(now);
  });
}

std::expected<void, std::string> Broker::Parts::bind() {
  server = world.make_server(world.runtime, borrowed_loops(), config.net, metrics->requests(), world.log);
  for (const auto& listener : client_listeners) {
    auto port = server->open({.name = listener.name, .host = listener.host, .port = listener.port});
    if (!port) return std::unexpected(port.error());
    ports.push_back(*port);
  }
  return {};
}

std::expected<void, std::string> Broker::Parts::open_metadata() {
  if (!dirs->can_serve()) return sentence(dirs->why_none_can_be_used());
  dirs->use_metadata();
  LogDirectory& directory = dirs->metadata();
  auto store = MetadataStore::open(world.fs, directory, metadata_log_config(), world.clock.wall_ms());
  if (!store) {
    return sentence(
        fmt::format("the metadata log in {} cannot be opened: {}", directory.path(), store.error()));
  }
  if ((*store)->is_empty() && dirs->has_history()) {
    return sentence(
        fmt::format("the metadata log in {} is empty, but this node had topics before: put its "
                    "__cluster_metadata-0 back",
                    directory.path()));
  }
  MILENA_CHECK(dirs->check_current(
      {.end = (*store)->end_offset(),
       .record_at = [&](protocol::Offset offset) { return (*store)->record_at(offset); },
       .was_registered_after =
           [&](protocol::Offset offset) { return (*store)->was_registered_after(offset, config.node_id); }}));
  auto settings = controller_settings(config, cluster_id, configuration);
  const auto bootstrap = controller::default_bootstrap_features(settings.supported_features);
  ClusterMetadata::Options options{
      .self = {.key = {config.node_id, directory.meta_properties()->directory_id}},
      .controller = std::move(settings),
      .bootstrap = bootstrap,
      .snapshots = snapshot_limits(config)};
  auto opened =
      ClusterMetadata::open(std::move(options), *std::move(store), world.clock, world.rng, world.log);
  if (!opened) {
    return sentence(fmt::format("the metadata log in {} cannot be used: {}{}", directory.path(),
                                why_of(opened.error(), directory), dirs->former_place_of_metadata()));
  }
  metadata = *std::move(opened);
  configuration.follow(*metadata->source().image());
  dirs->format_rest(*metadata->source().image());
  dirs->use_rest();
  if (dirs->usable().empty()) return sentence(dirs->why_none_can_be_used());
  return {};
}

std::expected<void, std::string> Broker::Parts::open_partitions() {
  partitions = std::make_unique<PartitionManager>(
      partition_options(config, *configuration.current()), *dirs, registry, world.runtime, *workers,
      world.clock, world.rng, world.log,
      PartitionManager::ControllerNews{
          .assign = [this](auto assignments) { lifecycle->assign(std::move(assignments)); },
          .directories_failed = [this](auto failed) { lifecycle->report_failed(std::move(failed)); },
          .directories_cordoned = [this](auto ids) { lifecycle->report_cordoned(std::move(ids)); },
          .all_directories_failed = [this] { world.on_fatal(); },
          .open_missing = [this] { open_missing_partitions(); }});
  const auto before = metadata->source().image();
  // Where no topic is, nothing can be deleted for its age.
  const auto last_seen = partitions->last_seen_ms();
  if (last_seen || !before->topics.empty()) clock.resume_from(last_seen);
  partitions->note_time();
  dirs->note_followed(*before);
  partitions->open(*before);
  if (partitions->all_directories_offline()) {
    return sentence(
        fmt::format("every log directory has failed: {}", dirs->usable().front()->health().reason()));
  }
  // What the controller has made of the directories that it was told of.
  const auto after = metadata->source().image();
  if (after == before) return {};
  controller::MetadataChanges changes;
  for (const auto& [id, topic] : after->topics) changes.topics[id];
  partitions->apply(*before, *after, changes);
  return {};
}

// The disk may have room again for partitions that could not be made.
void Broker::Parts::open_missing_partitions() {
  metadata->run([this] {
    const auto image = metadata->source().image();
    partitions->open_missing(*image);
    groups->start(image);  // a log that was missing may be a coordinator's
    transactions->follow(*image);
  });
}

std::expected<void, std::string> Broker::Parts::register_with_controller() {
  using protocol::BrokerRegistrationRequest;
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
  request.previous_broker_epoch = dirs->previous_broker_epoch();
  const auto ids = dirs->ids();
  request.log_dirs = arena.array<Uuid>(ids.size());
  std::ranges::copy(ids, request.log_dirs.begin());
  lifecycle = std::make_unique<BrokerLifecycle>(metadata->controller(), metadata->source(), config.node_id,
                                                world.log);
  return lifecycle->start(request);
}

void Broker::stop() {
  auto& parts = *parts_;
  parts.is_serving = false;
  // First of all, so that those who wait for their group are told before their connections close.
  if (parts.transactions != nullptr) parts.transactions->stop();
  if (parts.groups != nullptr) parts.groups->stop();
  if (parts.server != nullptr && parts.started) parts.server->stop();
  parts.admin_port.reset();
  if (parts.metadata != nullptr) parts.metadata->stop();
  for (const auto& loop : parts.loops) loop->stop();
  for (const auto& loop : parts.loops) loop->join();
  if (parts.workers != nullptr) parts.workers->stop();
  if (parts.partitions != nullptr) parts.partitions->stop_maintenance();
  if (parts.partitions != nullptr) {
    parts.dirs->note_followed(*parts.metadata->source().image());
    parts.partitions->close(parts.lifecycle->broker_epoch(), parts.metadata->storage_log());
  }
  parts.started = false;
  parts.server.reset();
  parts.metrics.reset();
  parts.handlers.reset();
  parts.partitions.reset();
  parts.lifecycle.reset();
  parts.metadata.reset();
  parts.loops.clear();
  parts.transactions.reset();
  parts.producer_ids.reset();
  parts.markers.reset();
  parts.groups.reset();
  parts.dirs.reset();  // gives the locks on the directories back
}

}  // namespace milena::broker
