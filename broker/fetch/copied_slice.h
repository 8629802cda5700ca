// copied_beginning: records in memory instead of in a file that would have to stay open.
//
// A reply keeps the files of its slices open until it is written, and one Fetch may ask for more partitions
// than there may be files. Beyond the limit, records are copied when they are found. Blocks as a read does.
#pragma once

#include "base/fs.h"
#include "storage/log_types.h"

namespace milena::broker {

// The beginning of the slice, at least its first batch, at most 64 KiB else: the client comes back for the
// rest, as Kafka's do when a batch is cut off at the end.
IoResult<storage::FileSlice> copied_beginning(const storage::FileSlice& slice);

}  // namespace milena::broker
