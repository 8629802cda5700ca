// The text of recovery-point-offset-checkpoint, log-start-offset-checkpoint and
// replication-offset-checkpoint: an offset for each partition (docs/formats/checkpoints.md). One more line
// carries a checksum of the others, as if it were a partition; Kafka reads it as the offset of a partition it
// does not have.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/types.h"

namespace milena::storage {

// By directory name ("topic-0").
using OffsetCheckpoint = std::map<std::string, protocol::Offset, std::less<>>;

std::string encode_offset_checkpoint(const OffsetCheckpoint& offsets);
// None when the text is damaged. A file that Kafka wrote has no checksum and is believed.
std::optional<OffsetCheckpoint> decode_offset_checkpoint(std::string_view text);

}  // namespace milena::storage
