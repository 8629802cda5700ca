// Names of metadata snapshots: `%020d-%010d.checkpoint`, the offset behind the last record and that record's
// epoch.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/types.h"

namespace milena::controller {

struct SnapshotId {
  protocol::Offset end_offset = 0;  // exclusive
  protocol::LeaderEpoch epoch = 0;  // of the last record that the snapshot contains

  // The one that formatting a directory makes: it precedes the log and is not a state of it.
  bool is_bootstrap() const { return end_offset == 0 && epoch == 0; }
  std::string file_name() const;
  // Empty for anything but a finished snapshot: `.part` and `.deleted` files are not.
  static std::optional<SnapshotId> parse(std::string_view file_name);

  auto operator<=>(const SnapshotId&) const = default;
};

}  // namespace milena::controller
