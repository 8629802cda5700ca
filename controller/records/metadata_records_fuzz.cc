// Hostile metadata records: decode, replay, write down again.
//
// Input: records, each behind its length as a big-endian uint16. Whatever decodes must encode to bytes that
// decode to the same; whatever replays must leave an image that survives a snapshot.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "controller/image/metadata_delta.h"
#include "controller/records/metadata_record.h"
#include "controller/snapshot/metadata_snapshot.h"

namespace {

using namespace milena;
using namespace milena::controller;

void check_round_trip(const MetadataRecord& record, Arena& arena) {
  const BytesView once = encode_metadata_record(record, arena);
  const auto again = decode_metadata_record(once, arena);
  MILENA_ASSERT(again, "what was decoded and encoded can be decoded");
  MILENA_ASSERT(as_text(encode_metadata_record(*again, arena)) == as_text(once),
                "and encodes to the same bytes");
}

void check_snapshot(const MetadataImage& image) {
  std::vector<std::byte> file;
  const Status status = write_snapshot(image, {}, 0, [&](BytesView batch) -> Status {
    file.insert(file.end(), batch.begin(), batch.end());
    return {};
  });
  MILENA_ASSERT(status, "every image can be written");
  const auto read = read_snapshot(file, snapshot_id(image));
  MILENA_ASSERT(read, "what was written can be read");
  // Below this version records cannot express all of the image.
  if (image.metadata_version() == kNewestMetadataVersion)
    MILENA_ASSERT(read->image == image, "and is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BytesView rest(reinterpret_cast<const std::byte*>(data), size);
  MetadataImage image;
  while (rest.size() >= 2) {
    const std::size_t length = load_be<std::uint16_t>(rest.data());
    rest = rest.subspan(2);
    const BytesView value = rest.first(std::min(length, rest.size()));
    rest = rest.subspan(value.size());
    Arena arena;
    const auto record = decode_metadata_record(value, arena);
    if (!record) continue;
    check_round_trip(*record, arena);
    MetadataDelta delta(image);
    if (delta.replay(*record)) image = std::move(delta).finish({.offset = 5, .epoch = 1});
  }
  check_snapshot(image);
  return 0;
}
