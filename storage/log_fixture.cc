#include "storage/log_fixture.h"

#include "base/rng.h"

namespace milena::storage {

using protocol::BatchSettings;
using protocol::RecordBatchBuilder;

Bytes batch_of(const BatchSpec& spec) {
  RecordBatchBuilder builder({.base_offset = spec.base_offset,
                              .partition_leader_epoch = spec.leader_epoch,
                              .compression = spec.compression,
                              .compression_level = {},
                              .log_append_time_ms = {},
                              .delete_horizon_ms = {},
                              .producer_id = spec.producer_id,
                              .producer_epoch = spec.producer_epoch,
                              .base_sequence = spec.base_sequence,
                              .transactional = spec.transactional});
  SeededRng rng(spec.seed);
  std::string value(spec.value_size, ' ');
  for (int i = 0; i < spec.records; ++i) {
    for (char& c : value) c = static_cast<char>('!' + rng.below(90));
    builder.append(spec.timestamp + i, std::nullopt, as_bytes(value));
  }
  return builder.build();
}

Bytes marker_of(ProducerId producer_id, std::int16_t producer_epoch, bool commit,
                std::int32_t coordinator_epoch, std::int64_t timestamp) {
  BatchSettings settings;
  settings.producer_id = producer_id;
  settings.producer_epoch = producer_epoch;
  const auto type = commit ? protocol::ControlRecordType::kCommit : protocol::ControlRecordType::kAbort;
  return protocol::build_end_txn_marker(settings, timestamp, type, coordinator_epoch);
}

std::ostream& operator<<(std::ostream& out, const ReadRecord& record) {
  return out << record.offset.value << "@" << record.timestamp << " " << record.value.substr(0, 8);
}

ReadRecords records_of(const FileSlice& slice) {
  ReadRecords out;
  if (slice.size == 0) return out;
  Bytes bytes(slice.size);
  EXPECT_EQ(slice.file->read_at(slice.position, bytes), slice.size);
  protocol::BatchIterator batches(bytes);
  protocol::Decompressor decompressor;
  std::vector<std::byte> buffer;
  for (;;) {
    const auto batch = batches.next();
    EXPECT_TRUE(batch) << "no batch in a slice";
    if (!batch || !*batch) return out;
    EXPECT_TRUE((*batch)->crc_matches());
    if (out.first_offset == protocol::kNoOffset) out.first_offset = (*batch)->base_offset();
    out.next_offset = (*batch)->last_offset() + 1;
    if ((*batch)->is_control()) continue;
    auto records = protocol::read_records(**batch, decompressor, buffer);
    EXPECT_TRUE(records);
    for (auto record = records->next(); record && *record; record = records->next()) {
      out.records.push_back({(*record)->offset(**batch), (*record)->timestamp(**batch),
                             std::string(as_text((*record)->value.value_or(BytesView{})))});
    }
  }
}

std::vector<ReadRecord> read_all(Log& log, Offset bound) {
  if (bound == protocol::kNoOffset) bound = log.log_end_offset();
  std::vector<ReadRecord> out;
  Offset next = log.log_start_offset();
  while (next < bound) {
    const auto read = log.read(next, 1 << 20, bound, true);
    EXPECT_TRUE(read) << read.error().why;
    if (!read) return out;
    const auto [records, first_offset, next_offset] = records_of(read->records);
    if (next_offset == protocol::kNoOffset) return out;
    for (const auto& record : records)
      if (record.offset >= next) out.push_back(record);
    next = next_offset;
  }
  return out;
}

LogFixture::LogFixture(std::uint64_t seed, LogConfig config) : fs_(seed), config_(config) {
  SeededRng rng(seed);
  boot();
  {
    const auto directory = LogDirectory::open(fs_, "/data");
    EXPECT_TRUE(directory && (*directory)->create_partition(partition_, Uuid::random(rng)));
  }
  EXPECT_TRUE(open());
}

bool LogFixture::open() {
  log_.reset();
  directory_.reset();
  auto directory = LogDirectory::open(fs_, "/data");
  if (!directory) {
    error_ = directory.error();
    return false;
  }
  directory_ = std::move(*directory);
  if (const auto used = directory_->begin_use(); !used) {
    error_ = used.error();
    return false;
  }
  auto log = directory_->open_log(partition_, std::make_shared<const LogConfig>(config_), now_ms);
  if (!log) {
    error_ = log.error();
    return false;
  }
  log_ = std::move(*log);
  log_->advance_high_watermark(log_->log_end_offset());
  directory_->note(partition_, log_->checkpoint());
  const auto done = directory_->recovery_done();
  if (!done) error_ = done.error();
  return done.has_value();
}

bool LogFixture::crash(MemFs::Loss loss) {
  log_.reset();
  directory_.reset();
  fs_.crash(loss);
  if (loss != MemFs::Loss::kNothing) boot();
  return open();
}

void LogFixture::boot() {
  EXPECT_TRUE(fs_.make_directories(parent_directory(kBootIdPath)));
  const auto file = fs_.open(std::string(kBootIdPath), OpenMode::kTruncate);
  EXPECT_TRUE(file && (*file)->write_at(0, as_bytes(std::to_string(++boots_))));
}

Status LogFixture::close() {
  Log* const logs[] = {log_.get()};
  const Status closed = directory_->close(logs, 7);
  log_.reset();
  directory_.reset();
  return closed;
}

bool LogFixture::restart() {
  const Status closed = close();
  if (!closed) {
    error_ = closed.error();
    return false;
  }
  return open();
}

Result<AppendInfo> LogFixture::append(Bytes batch, AppendOptions options) {
  options.now_ms = now_ms;
  auto info = log_->append_as_leader(batch, options);
  if (info && !info->duplicate) log_->advance_high_watermark(log_->log_end_offset());
  return info;
}

Status LogFixture::truncate_to(Offset offset) {
  MILENA_TRY(const Offset end, log_->truncation_offset(offset));
  MILENA_TRY(const TruncationPermit permit, directory_->permit_truncation(partition_, end));
  return log_->truncate_to(offset, permit);
}

Status LogFixture::checkpoint() {
  directory_->note(partition_, log_->checkpoint());
  return directory_->write_checkpoints();
}

void LogFixture::flip(const std::string& path, std::size_t at, std::uint8_t bits) {
  auto file = std::move(*fs_.open(path, OpenMode::kReadWrite));
  std::byte byte{};
  ASSERT_EQ(file->read_at(at, {&byte, 1}), 1u);
  byte ^= static_cast<std::byte>(bits);
  ASSERT_TRUE(file->write_at(at, BytesView(&byte, 1)));
}

void LogFixture::cut(const std::string& path, std::size_t size) {
  ASSERT_TRUE((*fs_.open(path, OpenMode::kReadWrite))->truncate(size));
}

std::size_t LogFixture::size_of(const std::string& path) {
  return *(*fs_.open(path, OpenMode::kRead))->size();
}

}  // namespace milena::storage
