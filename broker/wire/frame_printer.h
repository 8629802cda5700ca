// Prints requests and responses as one JSON object a line.
//
// A request says what it is. A response does not: its API and version are told, or are those of the request
// with the same correlation id. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "broker/wire/frame_source.h"
#include "broker/wire/input.h"
#include "broker/wire/json_writer.h"
#include "broker/wire/message_printer.h"

namespace milena::wire {

struct ApiVersion {
  std::int16_t key = 0;
  std::int16_t version = 0;
};

struct FrameOptions {
  Framing framing = Framing::kDetect;
  PrintOptions print;
};

// Both return in how many places something is wrong, which is said there. After a frame that is not
// understood, the next one is read.
std::size_t print_requests(Input& input, JsonWriter& json, const FrameOptions& options);
std::size_t print_responses(Input& input, JsonWriter& json, const FrameOptions& options, ApiVersion api);
// The other direction of the connection: `requests` says what the responses answer.
std::size_t print_responses_to(Input& requests, Input& input, JsonWriter& json, const FrameOptions& options);

// Prints the fields of one request, or one response, into an open object: what is behind the frame's size.
std::optional<PrintError> print_request(JsonWriter& json, const PrintOptions& options, ByteReader in,
                                        std::size_t& damaged_batches);
std::optional<PrintError> print_response(JsonWriter& json, const PrintOptions& options, ApiVersion api,
                                         ByteReader in, std::size_t& damaged_batches);

}  // namespace milena::wire
