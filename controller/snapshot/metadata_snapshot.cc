#include "controller/snapshot/metadata_snapshot.h"

#include <optional>
#include <utility>
#include <variant>

#include "base/arena.h"
#include "controller/image/image_records.h"
#include "controller/image/metadata_delta.h"
#include "controller/records/metadata_batch.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"

namespace milena::controller {
namespace {

using protocol::RecordBatchBuilder;
using protocol::RecordBatchView;

// Batches stay far below the 8 MiB that Kafka accepts, so that a reader needs little memory at a time.
constexpr std::size_t kBatchBytes = std::size_t{256} * 1024;
constexpr std::int32_t kBatchRecords = 1024;

std::unexpected<Error> corrupt(const char* why) { return fail(ErrorCode::kCorruptMessage, why); }

// Numbers the batches and passes them on.
class BatchWriter {
 public:
  BatchWriter(const SnapshotId& id, std::int64_t now_ms, const std::function<Status(BytesView)>& sink)
      : next_{.base_offset = 0, .epoch = id.epoch, .timestamp_ms = now_ms},
        sink_(sink),
        builder_(settings()) {}

  Status control(std::span<const ControlRecord> records) {
    MILENA_CHECK(flush());
    MILENA_CHECK(sink_(encode_control_batch(records, next_)));
    next_.base_offset += static_cast<std::int64_t>(records.size());
    builder_.reset(settings());
    return {};
  }

  Status record(const MetadataRecord& record) {
    const BytesView value = encode_metadata_record(record, arena_);
    if (builder_.uncompressed_size() + value.size() > kBatchBytes ||
        builder_.record_count() == kBatchRecords) {
      MILENA_CHECK(flush());
    }
    builder_.append(next_.timestamp_ms, std::nullopt, value);
    arena_.reset();
    return {};
  }

  Status flush() {
    if (builder_.record_count() == 0) return {};
    const std::int32_t count = builder_.record_count();
    MILENA_CHECK(sink_(builder_.build()));
    next_.base_offset += count;
    builder_.reset(settings());
    return {};
  }

 private:
  protocol::BatchSettings settings() const {
    protocol::BatchSettings made;
    made.base_offset = next_.base_offset;
    made.partition_leader_epoch = next_.epoch;
    return made;
  }

  BatchPosition next_;
  const std::function<Status(BytesView)>& sink_;
  RecordBatchBuilder builder_;
  Arena arena_;
};

// Header first, footer last, and nothing else of the kind between them.
class Reader {
 public:
  explicit Reader(const SnapshotId& id) : id_(id), delta_(MetadataImage{}) {}

  Status add(const MetadataBatch& batch) {
    if (ended_) return corrupt("a snapshot goes on behind its footer");
    if (batch.position.base_offset != next_offset_) return corrupt("a batch of a snapshot is missing");
    if (batch.position.epoch != id_.epoch) return corrupt("a snapshot holds a batch of another epoch");
    next_offset_ = batch.last_offset + 1;
    for (const ControlRecord& record : batch.control) MILENA_CHECK(control(record));
    if (!batch.records.empty() && !begun_) return corrupt("a snapshot does not begin with its header");
    for (const MetadataRecord& record : batch.records) MILENA_CHECK(delta_.replay(record));
    quorum_.observe(batch);
    return {};
  }

  Result<LoadedSnapshot> finish() && {
    if (!ended_) return corrupt("a snapshot does not end with its footer");
    const Provenance at{
        .offset = id_.end_offset - 1, .epoch = id_.epoch, .log_timestamp_ms = log_timestamp_ms_};
    return LoadedSnapshot{.image = std::move(delta_).finish(at), .quorum = std::move(quorum_)};
  }

 private:
  Status control(const ControlRecord& record) {
    if (const auto* header = std::get_if<protocol::SnapshotHeaderRecord>(&record)) {
      if (begun_) return corrupt("a snapshot has two headers");
      begun_ = true;
      log_timestamp_ms_ = header->last_contained_log_timestamp;
      return {};
    }
    if (!begun_) return corrupt("a snapshot does not begin with its header");
    if (std::holds_alternative<protocol::SnapshotFooterRecord>(record)) ended_ = true;
    return {};
  }

  SnapshotId id_;
  MetadataDelta delta_;
  QuorumConfig quorum_;
  Offset next_offset_ = 0;
  std::int64_t log_timestamp_ms_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

SnapshotId snapshot_id(const MetadataImage& image) {
  return {.end_offset = image.provenance.offset + 1, .epoch = image.provenance.epoch};
}

Status write_snapshot(const MetadataImage& image, const QuorumConfig& quorum, std::int64_t now_ms,
                      const std::function<Status(BytesView)>& sink) {
  Arena arena;
  std::vector<ControlRecord> head{
      protocol::SnapshotHeaderRecord{.last_contained_log_timestamp = image.provenance.log_timestamp_ms}};
  const std::vector<ControlRecord> configuration = quorum.to_records(arena);
  head.insert(head.end(), configuration.begin(), configuration.end());
  const ControlRecord foot[] = {protocol::SnapshotFooterRecord{}};

  BatchWriter writer(snapshot_id(image), now_ms, sink);
  MILENA_CHECK(writer.control(head));
  MILENA_CHECK(for_each_record(image, [&](const MetadataRecord& record) { return writer.record(record); }));
  return writer.control(foot);
}

Result<LoadedSnapshot> read_snapshot(BytesView file, const SnapshotId& id) {
  Reader reader(id);
  Arena arena;
  while (!file.empty()) {
    const auto batch = RecordBatchView::parse(file);
    if (!batch) return corrupt(batch.error().why);
    MILENA_TRY(const MetadataBatch decoded, decode_metadata_batch(*batch, arena));
    MILENA_CHECK(reader.add(decoded));
    file = file.subspan(batch->size_in_bytes());
    arena.reset();
  }
  return std::move(reader).finish();
}

bool SnapshotTrigger::is_due(std::int64_t now_ms) const {
  if (bytes_ >= limits_.max_bytes) return true;
  return bytes_ > 0 && limits_.max_interval_ms != 0 && now_ms - last_ms_ >= limits_.max_interval_ms;
}

void SnapshotTrigger::reset(std::int64_t now_ms) {
  bytes_ = 0;
  last_ms_ = now_ms;
}

}  // namespace milena::controller
