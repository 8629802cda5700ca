// Recovery from arbitrary files: no crash, no endless loop, no unbounded memory; what was recovered once is
// recovered again, and reads give whole batches.
//
// Input: one byte of flags, then pieces, each a length (u16) and bytes, for the files named below in turn.
// With flag 1 the checksums of the batches in .log pieces are made right, so that deeper code is reached.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>

#include "base/mem_fs.h"
#include "protocol/record_batch.h"
#include "storage/log.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

constexpr const char* kFiles[] = {
    "00000000000000000000.log",      "00000000000000000010.log",       "leader-epoch-checkpoint",
    "00000000000000000010.snapshot", "00000000000000000000.index",     "00000000000000000000.timeindex",
    "00000000000000000000.txnindex", "milena-index-checksums",         "00000000000000000003.log.swap",
    "00000000000000000010.index",    "00000000000000000010.timeindex", "00000000000000000020.log",
};

void require(bool condition, std::source_location at = std::source_location::current()) {
  if (condition) return;
  std::fprintf(stderr, "%s:%u\n", at.file_name(), at.line());
  std::abort();
}

void make_checksums_right(std::vector<std::byte>& bytes) {
  for (MutableBytes rest = bytes; !rest.empty();) {
    const auto batch = protocol::RecordBatchView::parse(rest);
    if (!batch) return;
    const std::size_t size = batch->size_in_bytes();
    protocol::set_crc(rest.first(size));
    rest = rest.subspan(size);
  }
}

std::unique_ptr<Log> open(MemFs& fs, DirectoryHealth& health, std::uint8_t flags) {
  LogConfig config;
  config.index_interval_bytes = 50;
  config.cleanup_compact = (flags & 2) != 0;
  auto log = Log::open(fs, health,
                       {.directory = "/data/t-0",
                        .config = std::make_shared<const LogConfig>(config),
                        .log_start_offset = (flags & 4) != 0 ? 5 : 0,
                        .recovery_point = (flags & 8) != 0 ? 3 : 0,
                        .high_watermark = 4,
                        .clean = (flags & 16) != 0,
                        .distrust_page_cache = (flags & 32) != 0,
                        .now_ms = 0});
  return log ? std::move(*log) : nullptr;
}

void use(Log& log) {
  require(log.log_start_offset() <= log.high_watermark() && log.high_watermark() <= log.log_end_offset());
  const Offset start = log.log_start_offset();
  const Offset end = log.log_end_offset();
  Offset next = start;
  for (int i = 0; i < 1000 && next < end; ++i) {
    const auto read = log.read(next, 200, end, true);
    if (!read || read->records.size == 0) break;
    std::vector<std::byte> bytes(read->records.size);
    require(read->records.file->read_at(read->records.position, bytes) == bytes.size());
    const auto batch = protocol::RecordBatchHeader::parse(bytes);
    require(batch && batch->last_offset() >= next);
    next = batch->last_offset() + 1;
  }
  (void)log.offset_for_timestamp(1000);
  (void)log.max_timestamp();
  (void)log.aborted_transactions(start, end);
  (void)log.end_offset_for_epoch(1);
  log.advance_high_watermark(end);
  require(log.last_stable_offset() >= start && log.last_stable_offset() <= end);
  (void)log.flush();
}

}  // namespace
}  // namespace milena::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace milena;
  using namespace milena::storage;
  if (size < 1) return 0;
  const std::uint8_t flags = data[0];
  BytesView rest = BytesView(reinterpret_cast<const std::byte*>(data), size).subspan(1);
  MemFs fs;
  if (!fs.make_directories("/data/t-0")) return 0;
  for (const char* name : kFiles) {
    if (rest.size() < 2) break;
    const std::size_t length = std::min<std::size_t>(load_be<std::uint16_t>(rest.data()), rest.size() - 2);
    std::vector<std::byte> bytes(rest.begin() + 2, rest.begin() + 2 + static_cast<std::ptrdiff_t>(length));
    rest = rest.subspan(2 + length);
    if (bytes.empty()) continue;
    if ((flags & 1) != 0 && std::string_view(name).find(".log") != std::string_view::npos)
      make_checksums_right(bytes);
    const auto file = fs.open(join("/data/t-0", name), OpenMode::kTruncate);
    require(file && (*file)->write_at(0, bytes));
  }
  DirectoryHealth health(fs, "/data");
  auto log = open(fs, health, flags);
  require(!health.offline());
  if (!log) return 0;
  const Offset end = log->log_end_offset();
  use(*log);
  log.reset();
  fs.crash(MemFs::Loss::kNothing);
  // Not clean any more, and the log may have been cut: but what was recovered stays.
  log = open(fs, health, static_cast<std::uint8_t>(flags & ~16));
  if ((flags & 16) == 0) require(log != nullptr && log->log_end_offset() == end);
  return 0;
}
