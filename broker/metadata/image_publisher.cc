#include "broker/metadata/image_publisher.h"

#include <utility>

#include "base/arena.h"
#include "controller/records/metadata_batch.h"
#include "protocol/error_code.h"

namespace milena::broker {

using controller::MetadataImagePtr;

ImagePublisher::ImagePublisher(controller::MetadataLoader loader, controller::QuorumConfig quorum,
                               MetadataStore& store, const controller::SnapshotTrigger::Limits& snapshots,
                               const Clock& clock, const Logger& log)
    : store_(store),
      clock_(clock),
      log_(log),
      loader_(std::move(loader)),
      quorum_(std::move(quorum)),
      snapshot_trigger_(snapshots, clock.now().count()),
      image_(loader_.image()) {}

MetadataImagePtr ImagePublisher::image() const {
  const MutexLock lock(mutex_);
  return image_;
}

void ImagePublisher::subscribe(Subscriber subscriber) { subscribers_.push_back(std::move(subscriber)); }

Status ImagePublisher::publish(std::span<const std::vector<std::byte>> batches) {
  for (const auto& batch : batches) {
    if (is_broken_) return fail(ErrorCode::kCorruptMessage, "an earlier batch could not be read");
    if (const auto published = publish(batch); !published) {
      is_broken_ = true;
      log_.error("the metadata log cannot be followed any further: {}", published.error().why);
      return published;
    }
  }
  return {};
}

Status ImagePublisher::publish(BytesView bytes) {
  MILENA_TRY(const auto view, protocol::RecordBatchView::parse(bytes));
  Arena arena;
  MILENA_TRY(const auto batch, controller::decode_metadata_batch(view, arena));
  const MetadataImagePtr before = loader_.image();
  MILENA_TRY(const auto update, loader_.load(batch));
  quorum_.observe(batch);
  snapshot_trigger_.on_batch(bytes.size());
  if (!update) return {};
  for (const Subscriber& subscriber : subscribers_) subscriber(before, update->image, update->changes);
  const MutexLock lock(mutex_);
  image_ = update->image;
  return {};
}

void ImagePublisher::write_snapshot_if_due() {
  const auto now_ms = clock_.now().count();
  if (is_broken_ || !snapshot_trigger_.is_due(now_ms)) return;
  snapshot_trigger_.reset(now_ms);
  if (const auto done = store_.write_snapshot(*image(), quorum_, clock_.wall_ms()); !done) {
    log_.error("no metadata snapshot could be written: {}", done.error().why);
  }
}

}  // namespace milena::broker
