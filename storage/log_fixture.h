// What the tests of this folder share: batches to append, and a log directory over MemFs that can be closed,
// killed and opened again.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/mem_fs.h"
#include "protocol/control_record.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"
#include "protocol/record_batch_records.h"
#include "storage/log_directory.h"

namespace milena::storage {

using Bytes = std::vector<std::byte>;

struct BatchSpec {
  int records = 1;
  std::int64_t timestamp = 1000;  // of the first record; the others follow by one
  std::size_t value_size = 10;
  ProducerId producer_id = protocol::kNoProducerId;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  bool transactional = false;
  Offset base_offset = 0;         // for followers
  LeaderEpoch leader_epoch = -1;  // for followers
  std::uint64_t seed = 0;         // of the values
  protocol::CompressionType compression = protocol::CompressionType::kNone;
};

// Values are not compressible and never zero, so that damage shows.
Bytes batch_of(const BatchSpec& spec);
Bytes marker_of(ProducerId producer_id, std::int16_t producer_epoch, bool commit,
                std::int32_t coordinator_epoch = 0, std::int64_t timestamp = 1000);

// One record as a reader sees it.
struct ReadRecord {
  Offset offset;
  std::int64_t timestamp = -1;
  std::string value;
  bool operator==(const ReadRecord&) const = default;
};
std::ostream& operator<<(std::ostream& out, const ReadRecord& record);

// What a consumer gets from a slice: no control records, and no batch that is cut off at the end.
struct ReadRecords {
  std::vector<ReadRecord> records;
  Offset first_offset = protocol::kNoOffset;  // of the first batch
  Offset next_offset = protocol::kNoOffset;   // after the last whole batch; none if there is none
};
ReadRecords records_of(const FileSlice& slice);
// Every record from the log start to `bound` (the log end by default).
std::vector<ReadRecord> read_all(Log& log, Offset bound = protocol::kNoOffset);

class LogFixture {
 public:
  explicit LogFixture(std::uint64_t seed = 1, LogConfig config = {});

  // Opens the directory and the log; false, with error(), when the log is refused.
  bool open();
  // Drops the log and the directory without closing them, then the file system forgets.
  bool crash(MemFs::Loss loss);
  // A clean shutdown and a start.
  bool restart();
  Status close();

  Log& log() { return *log_; }
  bool has_log() const { return log_ != nullptr; }
  LogDirectory& directory() { return *directory_; }
  MemFs& fs() { return fs_; }
  const Error& error() const { return error_; }
  const TopicPartition& partition() const { return partition_; }
  std::string path(std::string_view name) const { return "/data/topic-0/" + std::string(name); }
  LogConfig& config() { return config_; }  // for the next open()

  // Appends as the leader; the high watermark follows.
  Result<AppendInfo> append(Bytes batch, AppendOptions options = {});
  Result<AppendInfo> append(const BatchSpec& spec, AppendOptions options = {}) {
    return append(batch_of(spec), options);
  }
  Status truncate_to(Offset offset);
  // Notes where the log stands and writes the checkpoints, as the broker does now and then.
  Status checkpoint();
  void flip(const std::string& path, std::size_t at, std::uint8_t bits = 0xff);
  void cut(const std::string& path, std::size_t size);
  std::size_t size_of(const std::string& path);

  // The system starts, as it does after a crash that loses something.
  void boot();

  std::int64_t now_ms = 1'000'000;

 private:
  MemFs fs_;
  LogConfig config_;
  TopicPartition partition_{"topic", 0};
  std::unique_ptr<LogDirectory> directory_;
  std::unique_ptr<Log> log_;
  Error error_;
  int boots_ = 0;
};

}  // namespace milena::storage
