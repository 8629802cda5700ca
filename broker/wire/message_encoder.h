// JSON to bytes: writes what MessagePrinter prints with `is_raw`, by the same tables.
//
// A field that is not there has its default; one that the message does not have is an error, but for the
// names that are printed beside numbers. A tagged field is written if it is there. Pure functions; any
// thread. Errors are sentences.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/schema_table.h"

namespace milena::wire {

using Encoding = std::expected<std::vector<std::byte>, std::string>;

Encoding encode_message(const protocol::SchemaMessage& message, int version, const boost::json::value& json);

// A line of print_requests() or print_responses(): the frame with its size in front.
Encoding encode_frame(const boost::json::value& line);
// All values in a text.
Encoding encode_frames(std::string_view text);

}  // namespace milena::wire
