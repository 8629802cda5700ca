// EpochCache: the first offset of every leader epoch in a log (KIP-101), so that replicas can find where
// their histories part.
//
// Owned by a Log; not thread-safe. Epochs and start offsets strictly increase.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/log_types.h"

namespace milena::storage {

class EpochCache {
 public:
  struct Entry {
    LeaderEpoch epoch;
    Offset start_offset;
    bool operator==(const Entry&) const = default;
  };

  std::span<const Entry> entries() const { return entries_; }
  LeaderEpoch latest() const { return entries_.empty() ? protocol::kNoLeaderEpoch : entries_.back().epoch; }

  // The epoch starts at this offset. Entries that contradict it (an epoch or a start at or above) are
  // dropped: the newest statement about the log wins. Does nothing when the epoch is already the latest one.
  void assign(LeaderEpoch epoch, Offset start_offset);

  // The largest known epoch at or below `epoch`, and where it ends; none for an epoch above all known ones
  // (OffsetsForLeaderEpoch answers UNDEFINED). `log_end` ends the latest epoch.
  std::optional<EpochEndOffset> end_offset_for(LeaderEpoch epoch, Offset log_end) const;
  // The epoch that `offset` was written in; kNoLeaderEpoch when it lies below the first entry.
  LeaderEpoch epoch_of(Offset offset) const;

  // Forgets epochs that start at or above `offset`.
  void truncate_from_end(Offset offset);
  // Forgets epochs that end at or below `offset`; the one that holds it then starts there.
  void truncate_from_start(Offset offset);
  void clear();

  // Whether the file is behind in what it says about the records below `log_end`. An epoch without records
  // need not be in it: every opening forgets it, and its leader says it again.
  bool behind(Offset log_end) const { return changed_from_ < log_end; }
  // encode() was written, or was not written after all.
  void set_written(bool written) { changed_from_ = written ? kNothing : 0; }

  // The text of leader-epoch-checkpoint (docs/formats/leader_epoch_checkpoint.md).
  std::string encode() const;
  // False, and no entries, when the text is not a checkpoint: the caller rebuilds the epochs from the log.
  bool decode(std::string_view text);

 private:
  static constexpr Offset kNothing = std::numeric_limits<std::int64_t>::max();
  void changed_from(Offset offset) { changed_from_ = std::min(changed_from_, offset); }

  std::vector<Entry> entries_;
  Offset changed_from_ = kNothing;  // up to here the file says what the entries do
};

}  // namespace milena::storage
