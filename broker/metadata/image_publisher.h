// ImagePublisher: committed batches of the metadata log in, images of the cluster out.
//
// Owned by ClusterMetadata. image() from any thread; the rest on the metadata thread.
// Always: an image is made of committed batches only. Subscribers have followed a change before image() shows
// it: whoever sees a topic in the image finds its partitions.
// Fails: at a batch that does not fit (CORRUPT_MESSAGE): the image stays as it is, for good. A snapshot that
// cannot be written is named in the log, and tried again when the next one is due.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/metadata/metadata_source.h"
#include "broker/metadata/metadata_store.h"
#include "controller/image/metadata_loader.h"
#include "controller/raft/quorum_config.h"
#include "controller/snapshot/metadata_snapshot.h"

namespace milena::broker {

class ImagePublisher final : public MetadataSource {
 public:
  // Told of every change, in the order of the log.
  using Subscriber = std::function<void(const controller::MetadataImagePtr& before,
                                        const controller::MetadataImagePtr& after,
                                        const controller::MetadataChanges& changes)>;

  // Goes on behind what `loader` and `quorum` have read. The store keeps the snapshots.
  ImagePublisher(controller::MetadataLoader loader, controller::QuorumConfig quorum, MetadataStore& store,
                 const controller::SnapshotTrigger::Limits& snapshots, const Clock& clock, const Logger& log);

  // From now on; after those that have subscribed before.
  void subscribe(Subscriber subscriber);
  // The batches that follow those before; each is seen by subscribers, then by everyone.
  Status publish(std::span<const std::vector<std::byte>> batches);
  // Everything below is published.
  protocol::Offset next_offset() const { return loader_.next_offset(); }
  const controller::MetadataLoader& loader() const { return loader_; }

  void write_snapshot_if_due();

  controller::MetadataImagePtr image() const override;

 private:
  Status publish(BytesView batch);

  MetadataStore& store_;
  const Clock& clock_;
  const Logger& log_;
  controller::MetadataLoader loader_;
  controller::QuorumConfig quorum_;
  controller::SnapshotTrigger snapshot_trigger_;
  std::vector<Subscriber> subscribers_;
  bool is_broken_ = false;

  mutable Mutex mutex_;
  controller::MetadataImagePtr image_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
