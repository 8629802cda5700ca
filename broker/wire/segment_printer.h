// Prints a segment of a log, or a snapshot of the metadata, as one JSON object a line for each batch.
//
// One batch is in memory at a time. Damage is a line of its own; reading goes on at the next batch whose
// checksum is right. Zeros up to the end of the file are space that was reserved, and no damage. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "broker/wire/input.h"
#include "broker/wire/json_writer.h"
#include "broker/wire/message_printer.h"

namespace milena::wire {

// What the records of this file mean, by the name of its directory, or of itself: *.checkpoint.
LogKind log_kind_of(const std::string& path);

// How many places are damaged, the error being said there.
std::size_t print_segment(Input& input, JsonWriter& json, LogKind log);

}  // namespace milena::wire
