#include "broker/metadata/metadata_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "controller/image/metadata_loader.h"
#include "controller/snapshot/metadata_snapshot.h"
#include "protocol/error_code.h"
#include "storage/segment_names.h"

namespace milena::broker {
namespace {

using controller::SnapshotId;

constexpr std::size_t kFileBytesMax = std::size_t{4} << 30;

std::unexpected<Error> storage_error(const char* why) { return fail(ErrorCode::kKafkaStorageError, why); }

// Loads the batches of one segment; false at a torn tail.
Result<bool> load_segment(BytesView bytes, controller::MetadataLoader& loader) {
  Arena arena;
  protocol::BatchIterator batches(bytes);
  for (;;) {
    const auto batch = batches.next();
    if (!batch || (*batch && !(*batch)->crc_matches())) return false;
    if (!*batch) return batches.rest().empty();
    if ((*batch)->base_offset() < loader.next_offset()) continue;  // the snapshot has it
    arena.reset();
    MILENA_TRY(const auto decoded, controller::decode_metadata_batch(**batch, arena));
    MILENA_TRY(const auto update, loader.load(decoded));
    (void)update;
  }
}

}  // namespace

Result<controller::MetadataImagePtr> read_metadata(Fs& fs, const std::string& directory) {
  const auto entries = fs.list(directory);
  if (!entries) return storage_error("the metadata log cannot be listed");
  std::vector<SnapshotId> snapshots;
  std::vector<std::string> segments;  // in order, as the names have leading zeros
  for (const auto& entry : *entries) {
    if (const auto id = SnapshotId::parse(entry.name); id && !id->is_bootstrap()) snapshots.push_back(*id);
    const auto segment = storage::parse_segment_file_name(entry.name);
    if (segment && segment->suffix == storage::kLogSuffix) segments.push_back(entry.name);
  }
  controller::MetadataLoader loader;
  if (!snapshots.empty()) {
    const auto newest = std::ranges::max(snapshots);
    const auto bytes = read_file(fs, join(directory, newest.file_name()), kFileBytesMax);
    if (!bytes) return storage_error("the newest metadata snapshot cannot be read");
    MILENA_TRY(auto snapshot, controller::read_snapshot(*bytes, newest));
    loader = controller::MetadataLoader(std::move(snapshot.image));
  }
  for (const auto& name : segments) {
    const auto bytes = read_file(fs, join(directory, name), kFileBytesMax);
    if (!bytes) return storage_error("a segment of the metadata log cannot be read");
    MILENA_TRY(const bool whole, load_segment(*bytes, loader));
    if (!whole) break;
  }
  return loader.image();
}

}  // namespace milena::broker
