// MetadataLoader: batches of the metadata log in, images out.
//
// A value, as cheap to copy as its image; not thread-safe. Feeds a delta record by record and publishes at
// batch boundaries. Metadata transactions (records between BeginTransaction and EndTransaction) become
// visible all at once at their end, or never. An error means that the log cannot be understood from there on:
// the loader stays where it was and the node has to stop.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "controller/image/metadata_delta.h"
#include "controller/image/metadata_image.h"
#include "controller/records/metadata_batch.h"

namespace milena::controller {

struct MetadataUpdate {
  MetadataImagePtr image;
  MetadataChanges changes;  // since the update before
};

class MetadataLoader {
 public:
  MetadataLoader() : MetadataLoader(MetadataImage{}) {}
  // Continues behind a snapshot.
  explicit MetadataLoader(MetadataImage image);

  // Applies the next batch; it starts at next_offset(), else kCorruptMessage. Empty while a transaction is
  // open.
  Result<std::optional<MetadataUpdate>> load(const MetadataBatch& batch);

  // As last published; ends on a batch boundary and never inside a transaction.
  const MetadataImagePtr& image() const { return image_; }
  // Of the batch that comes next.
  Offset next_offset() const { return last_.offset + 1; }
  // Where the open transaction began, if one is open.
  std::optional<Offset> transaction_start() const { return transaction_start_; }

 private:
  Status replay(const MetadataRecord& record, const Provenance& at);
  void fold(const Provenance& at);

  MetadataImagePtr image_;
  Provenance last_;                     // of the last batch, visible or not
  MetadataImage base_;                  // everything outside the open transaction
  std::optional<MetadataDelta> delta_;  // records on top of base_
  MetadataChanges changes_;             // of base_, not yet published
  std::optional<Offset> transaction_start_;
};

}  // namespace milena::controller
