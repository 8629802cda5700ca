#include "broker/metadata/cluster_metadata.h"

#include <utility>

#include "broker/metadata/metadata_loading.h"

namespace milena::broker {

std::expected<std::unique_ptr<ClusterMetadata>, std::string> ClusterMetadata::open(
    Options options, std::unique_ptr<MetadataStore> store, const Clock& clock, Rng& rng, const Logger& log) {
  MILENA_TRY(LoadedMetadata loaded,
             load_metadata(*store, options.self, options.controller.supported_features, log));
  auto quorum = QuorumDriver::open(options.self, loaded.quorum, *store, clock, log);
  if (!quorum) return std::unexpected(quorum.error().why);
  std::unique_ptr<ClusterMetadata> metadata(new ClusterMetadata(
      std::move(store), *std::move(quorum), std::move(loaded.loader), loaded.quorum, options, clock, log));
  const auto bootstrap =
      std::move(loaded.bootstrap).value_or(controller::Bootstrap{.features = options.bootstrap});
  if (const auto begun = metadata->begin(std::move(options), bootstrap, clock, rng, log); !begun) {
    return std::unexpected(begun.error().why);
  }
  return metadata;
}

ClusterMetadata::ClusterMetadata(std::unique_ptr<MetadataStore> store, std::unique_ptr<QuorumDriver> quorum,
                                 controller::MetadataLoader loader, const controller::QuorumConfig& config,
                                 const Options& options, const Clock& clock, const Logger& log)
    : store_(std::move(store)),
      quorum_(std::move(quorum)),
      publisher_(std::move(loader), config, *store_, options.snapshots, clock, log) {}

ClusterMetadata::~ClusterMetadata() { stop(); }

// The controller begins where the first batch of its epoch is committed: so is everything before it.
Status ClusterMetadata::begin(Options options, const controller::Bootstrap& bootstrap, const Clock& clock,
                              Rng& rng, const Logger& log) {
  MILENA_TRY(const auto committed, quorum_->start());
  MILENA_CHECK(publisher_.publish(committed));
  controller_ = std::make_unique<ActiveController>(
      controller::Controller(std::move(options.controller), publisher_.loader(), rng), *quorum_, publisher_,
      thread_, clock, log);
  return controller_->activate(bootstrap);
}

void ClusterMetadata::start(std::unique_ptr<WorkerPool> thread, ImagePublisher::Subscriber subscriber) {
  publisher_.subscribe(std::move(subscriber));
  thread_.start(std::move(thread));
}

void ClusterMetadata::stop() { thread_.stop(); }

}  // namespace milena::broker
