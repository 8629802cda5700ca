// What an interrupted roll, deletion or compaction leaves behind in a partition directory, and how a start
// resolves it to exactly one state (R4).
//
// Only names that a partition's files have; others, and KRaft's *.checkpoint.deleted, stay.
//
//   *.deleted   renamed away before being unlinked: unlinked now
//   *.tmp       a checkpoint that was not finished: unlinked
//   *.cleaned   a compaction was writing: unlinked
//   *.swap      a compaction had finished: replaces the segments it covers. A .swap at or above the lowest
//               .cleaned belongs to an unfinished replacement and is unlinked instead (KAFKA-6264).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "storage/segment.h"

namespace milena::storage {

// Resolves them, and says whether the directory was changed. `names` holds the files there before and after.
Result<bool> resolve_leftovers(const SegmentPlace& place, std::vector<std::string>& names);

}  // namespace milena::storage
