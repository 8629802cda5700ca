#include "broker/coordinators/shard_log.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "protocol/error_code.h"

namespace milena::broker {

void ShardLog::open(std::shared_ptr<Partition> partition, std::weak_ptr<Wakeable> owner) {
  MILENA_ASSERT(partition_ == nullptr, "a shard has one log");
  partition_ = std::move(partition);
  owner_ = std::move(owner);
  awaited_.store(kNothing);
  partition_->attach(*this);
  const auto offsets = partition_->offsets(protocol::kNoLeaderEpoch);
  high_watermark_.store(offsets ? offsets->high_watermark : Offset{0});
}

void ShardLog::close() {
  if (partition_ == nullptr) return;
  partition_->detach(*this);
  partition_.reset();
}

bool ShardLog::has_more(Offset from) const {
  const auto offsets = partition_->offsets(protocol::kNoLeaderEpoch);
  return !offsets || std::max(from, offsets->log_start) < offsets->log_end;
}

Result<coordinator::PartitionWriter::Appended> ShardLog::append(MutableBytes batch,
                                                                std::optional<std::uint64_t> consent) {
  MILENA_TRY(const Partition::Appended appended,
             partition_->append(batch, {.origin = storage::AppendOrigin::kCoordinator,
                                        .verification = consent,
                                        .now_ms = clock_.wall_ms()}));
  const Offset end = appended.info.last_offset + 1;
  return Appended{appended.info.first_offset, appended.committed ? end : high_watermark()};
}

std::size_t ShardLog::max_batch_bytes() const {
  return static_cast<std::size_t>(partition_->settings()->batch_rules.max_message_bytes);
}

bool ShardLog::await(std::optional<Offset> offset) {
  awaited_.store(offset.value_or(kNothing));
  return offset && high_watermark() >= *offset;
}

void ShardLog::changed(const PartitionChange& change, WakeList& wakes) {
  high_watermark_.store(change.high_watermark);
  if (change.high_watermark < awaited_.load() || !ask_for_visit()) return;
  if (auto owner = owner_.lock()) wakes.add(std::move(owner));
}

Result<bool> read_log(Partition& partition, Offset from, std::size_t max_bytes,
                      std::vector<std::byte>& into) {
  MILENA_TRY(const auto offsets, partition.offsets(protocol::kNoLeaderEpoch));
  from = std::max(from, offsets.log_start);
  if (from >= offsets.log_end) return false;
  MILENA_TRY(const auto read, partition.fetch({.fetch_offset = from,
                                               .max_bytes = static_cast<std::uint32_t>(max_bytes),
                                               .min_one_message = true,
                                               .to_log_end = true}));
  into.resize(read.records.size);
  if (into.empty()) return false;
  const auto count = read.records.file->read_at(read.records.position, into);
  if (!count || *count != into.size()) return fail(ErrorCode::kKafkaStorageError, "the log cannot be read");
  return true;
}

}  // namespace milena::broker
