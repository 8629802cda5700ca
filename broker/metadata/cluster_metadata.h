// ClusterMetadata: the metadata of the cluster on this node: the log on its disk and all that works on it,
// joined.
//
//   ActiveController  decides and appends  ->  QuorumDriver  syncs and commits  ->  ImagePublisher  publishes
//
// Owned by the broker. open(), start() and stop() by whoever starts and stops the broker; they block. What
// the parts offer says who may call it. Between start() and stop() they work on one thread of their own, so
// that the event loops never wait for a disk; before and after, on the thread that asks.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "base/async/worker_pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "broker/metadata/active_controller.h"
#include "broker/metadata/image_publisher.h"
#include "broker/metadata/metadata_store.h"
#include "broker/metadata/metadata_thread.h"
#include "broker/metadata/quorum_driver.h"
#include "controller/decisions/decision.h"

namespace milena::broker {

class ClusterMetadata {
 public:
  struct Options {
    controller::Voter self;
    controller::ControllerSettings controller;
    controller::FeatureLevels bootstrap;  // what a new cluster starts with, unless formatting chose that
    controller::SnapshotTrigger::Limits snapshots;
  };

  // Reads snapshot and log, becomes leader of a new epoch and writes what a leader writes first. Error: the
  // sentence for the operator. Nothing is written if the log cannot be understood or its cluster uses
  // features that this node does not support.
  static std::expected<std::unique_ptr<ClusterMetadata>, std::string> open(
      Options options, std::unique_ptr<MetadataStore> store, const Clock& clock, Rng& rng, const Logger& log);
  ~ClusterMetadata();

  // `thread`: a pool of one thread with room for one job. `subscriber` hears of every change from now on.
  void start(std::unique_ptr<WorkerPool> thread, ImagePublisher::Subscriber subscriber);
  // Answers what waits, then ends the thread.
  void stop();

  ControllerGateway& controller() { return *controller_; }
  const MetadataSource& source() const { return publisher_; }
  const QuorumDriver& quorum() const { return *quorum_; }
  storage::Log& storage_log() { return store_->log(); }
  // Runs a job when no image is being published. Any thread.
  void run(MetadataThread::Job job) { thread_.post(std::move(job)); }

 private:
  ClusterMetadata(std::unique_ptr<MetadataStore> store, std::unique_ptr<QuorumDriver> quorum,
                  controller::MetadataLoader loader, const controller::QuorumConfig& config,
                  const Options& options, const Clock& clock, const Logger& log);
  Status begin(Options options, const controller::Bootstrap& bootstrap, const Clock& clock, Rng& rng,
               const Logger& log);

  const std::unique_ptr<MetadataStore> store_;
  const std::unique_ptr<QuorumDriver> quorum_;
  MetadataThread thread_;
  ImagePublisher publisher_;
  std::unique_ptr<ActiveController> controller_;
};

}  // namespace milena::broker
