// Hostile snapshot files. Checksums are made right first, so that mutations reach what lies behind them.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "controller/snapshot/metadata_snapshot.h"
#include "protocol/record_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace milena;
  using namespace milena::controller;
  std::vector<std::byte> file(reinterpret_cast<const std::byte*>(data),
                              reinterpret_cast<const std::byte*>(data) + size);
  MutableBytes rest = file;
  while (const auto batch = protocol::RecordBatchView::parse(rest)) {
    protocol::set_crc(rest.first(batch->size_in_bytes()));
    rest = rest.subspan(batch->size_in_bytes());
  }
  const auto read = read_snapshot(file, {.end_offset = 100, .epoch = 1});
  if (!read) return 0;
  std::vector<std::byte> again;
  const Status status = write_snapshot(read->image, read->quorum, 0, [&](BytesView batch) -> Status {
    again.insert(again.end(), batch.begin(), batch.end());
    return {};
  });
  MILENA_ASSERT(status, "every image can be written");
  MILENA_ASSERT(read_snapshot(again, snapshot_id(read->image)), "what was written can be read");
  return 0;
}
