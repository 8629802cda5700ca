// FakeLog: an internal log in memory, for tests of machines. It keeps real record batches.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "coordinator/runtime/log_batch.h"
#include "coordinator/runtime/partition_writer.h"
#include "protocol/control_record.h"
#include "protocol/error_code.h"
#include "protocol/record_batch.h"
#include "protocol/record_batch_builder.h"

namespace milena::coordinator::testing_support {

class FakeLog final : public PartitionWriter {
 public:
  Result<Appended> append(MutableBytes batch, std::optional<std::uint64_t> /*consent*/) override {
    const auto view = protocol::RecordBatchView::parse(batch);
    if (!view) return std::unexpected(view.error());
    const auto error = std::exchange(fail_next_, std::nullopt);
    if (watch_) watch_(*view, !error.has_value());
    if (error) return fail(*error, "as the test wants");
    if (batch.size() > max_batch_bytes_) return fail(ErrorCode::kMessageTooLarge, "batch");
    const protocol::Offset first = end_;
    protocol::set_base_offset(batch, first);
    end_ = first + view->record_count();
    bytes_.insert(bytes_.end(), batch.begin(), batch.end());
    ++batch_count_;
    if (commit_on_append_) high_watermark_ = end_;
    return Appended{first, high_watermark_};
  }
  std::size_t max_batch_bytes() const override { return max_batch_bytes_; }

  // What a WriteTxnMarkers request does to the partition.
  void append_marker(protocol::ProducerId producer, std::int16_t epoch, bool commit) {
    protocol::BatchSettings settings;
    settings.base_offset = end_;
    settings.producer_id = producer;
    settings.producer_epoch = epoch;
    const auto type = commit ? protocol::ControlRecordType::kCommit : protocol::ControlRecordType::kAbort;
    const auto batch = protocol::build_end_txn_marker(settings, 0, type, 0);
    bytes_.insert(bytes_.end(), batch.begin(), batch.end());
    end_ += 1;
    if (commit_on_append_) high_watermark_ = end_;
  }

  const std::vector<std::byte>& bytes() const { return bytes_; }
  // What the log cleaner leaves: of every key its last record, at its offset; without tombstones if they are
  // old. For logs without transactions.
  std::vector<std::byte> compacted(bool keep_tombstones) const {
    std::map<std::string, protocol::Offset> last;
    for_each_record([&](const LogRecord& record) { last[std::string(as_text(record.key))] = record.offset; });
    protocol::RecordBatchBuilder builder;
    for_each_record([&](const LogRecord& record) {
      const bool is_last = last.at(std::string(as_text(record.key))) == record.offset;
      if (is_last && (record.value || keep_tombstones))
        builder.append_at(record.offset, 0, record.key, record.value);
    });
    if (end_ == protocol::Offset{0}) return {};
    builder.cover(end_ - 1, 0);
    return builder.build();
  }
  std::size_t batch_count() const { return batch_count_; }
  protocol::Offset end() const { return end_; }
  protocol::Offset high_watermark() const { return high_watermark_; }
  void commit_all() { high_watermark_ = end_; }
  // A change of leader: what is not committed is gone. For logs without markers.
  void lose_uncommitted() {
    std::size_t kept_bytes = 0;
    protocol::BatchIterator batches(bytes_);
    for (;;) {
      const auto batch = batches.next();
      MILENA_ASSERT(batch.has_value(), "a fake log is never damaged");
      if (!*batch || (*batch)->last_offset() >= high_watermark_) break;
      kept_bytes += (*batch)->size_in_bytes();
    }
    bytes_.resize(kept_bytes);
    end_ = high_watermark_;
  }
  void commit_on_append(bool on) { commit_on_append_ = on; }
  void fail_next(ErrorCode error) { fail_next_ = error; }
  // Called for every append: the batch, and whether it is going to succeed.
  void watch(std::function<void(const protocol::RecordBatchView&, bool)> watcher) {
    watch_ = std::move(watcher);
  }
  void set_max_batch_bytes(std::size_t bytes) { max_batch_bytes_ = bytes; }

 private:
  void for_each_record(const std::function<void(const LogRecord&)>& visit) const {
    protocol::Offset ignored = 0;
    const Status read =
        read_log_batches(bytes_, {.record = visit, .marker = [](protocol::ProducerId, bool) {}}, ignored);
    MILENA_ASSERT(read.has_value(), "a fake log is never damaged");
  }

  std::vector<std::byte> bytes_;
  std::size_t batch_count_ = 0;
  protocol::Offset end_ = 0;
  protocol::Offset high_watermark_ = 0;
  bool commit_on_append_ = false;
  std::optional<ErrorCode> fail_next_;
  std::function<void(const protocol::RecordBatchView&, bool)> watch_;
  std::size_t max_batch_bytes_ = 1'048'588;
};

}  // namespace milena::coordinator::testing_support
