#include "controller/image/metadata_loader.h"

#include <utility>
#include <variant>

#include "protocol/error_code.h"

namespace milena::controller {

MetadataLoader::MetadataLoader(MetadataImage image)
    : image_(std::make_shared<const MetadataImage>(std::move(image))),
      last_(image_->provenance),
      base_(*image_) {}

// Makes the records on top of base_ part of it.
void MetadataLoader::fold(const Provenance& at) {
  if (!delta_) return;
  changes_.merge(delta_->changes());
  base_ = std::move(*delta_).finish(at);
  delta_.reset();
}

Status MetadataLoader::replay(const MetadataRecord& record, const Provenance& at) {
  if (std::holds_alternative<protocol::BeginTransactionRecord>(record.body)) {
    if (transaction_start_) return fail(ErrorCode::kCorruptMessage, "a transaction begins inside another");
    fold(at);
    transaction_start_ = at.offset;
    return {};
  }
  const bool ends = std::holds_alternative<protocol::EndTransactionRecord>(record.body);
  const bool aborts = std::holds_alternative<protocol::AbortTransactionRecord>(record.body);
  if (ends || aborts) {
    if (!transaction_start_) return fail(ErrorCode::kCorruptMessage, "a transaction ends that never began");
    transaction_start_.reset();
    if (aborts) delta_.reset();
    fold(at);
    return {};
  }
  if (!delta_) delta_.emplace(base_);
  return delta_->replay(record);
}

Result<std::optional<MetadataUpdate>> MetadataLoader::load(const MetadataBatch& batch) {
  if (batch.position.base_offset != next_offset()) {
    return fail(ErrorCode::kCorruptMessage, "a batch of the metadata log is missing");
  }
  last_ = {.offset = batch.position.base_offset,
           .epoch = batch.position.epoch,
           .log_timestamp_ms = batch.position.timestamp_ms};
  for (const MetadataRecord& record : batch.records) {
    MILENA_CHECK(replay(record, last_));
    last_.offset += 1;
  }
  last_.offset = batch.last_offset;
  if (transaction_start_) return std::nullopt;
  fold(last_);
  base_.provenance = last_;
  image_ = std::make_shared<const MetadataImage>(base_);
  return MetadataUpdate{.image = image_, .changes = std::exchange(changes_, {})};
}

}  // namespace milena::controller
