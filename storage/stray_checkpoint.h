// stray_checkpoint: the small file in a *-stray directory that keeps what the checkpoints of its log
// directory said of the partition, for when it is taken back (docs/formats/stray_checkpoint.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/log_types.h"

namespace milena::storage {

inline constexpr std::string_view kStrayCheckpointName = "milena-stray-checkpoint";

std::string encode_stray_checkpoint(const LogCheckpoint& checkpoint);
// None for anything that encode_stray_checkpoint() does not write.
std::optional<LogCheckpoint> decode_stray_checkpoint(std::string_view text);

}  // namespace milena::storage
