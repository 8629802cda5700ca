// Frames: what travels on a connection. A 4-byte size, a header, a message (docs/formats/frame.md).
//
// Everything here works on bytes that are already in memory; reading and writing sockets is the caller's
// part. Pure functions, callable from any thread. Requests come from strangers: every function that parses
// refuses malformed input with kInvalidRequest, after which the connection must be closed, as in Kafka.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/api.h"
#include "protocol/codec.h"

namespace milena::protocol {

inline constexpr std::size_t kFrameSizeBytes = 4;
// The smallest request: API key, version, correlation id and the length of a null client id.
inline constexpr std::int32_t kMinRequestSize = 10;

// The size that a frame announces, without the size field itself. Checked before anything is allocated for
// it. prefix holds kFrameSizeBytes; max is socket.request.max.bytes, or less before authentication.
Result<std::size_t> parse_request_size(BytesView prefix, std::int32_t max);

struct Request {
  const ApiInfo* api;  // one of kApis
  std::int16_t version;
  // False only for an ApiVersions request of a version that is not served: its body has not been looked at,
  // and the answer is UNSUPPORTED_VERSION in version 0, from which the client learns what to use (KIP-511).
  bool version_served;
  std::int32_t correlation_id;  // whatever the client chose; the response repeats it
  std::string_view
      client_id;  // of the client's choosing, up to 32767 bytes; empty when null. Escape it in logs.
  BytesView body;
};

// Splits a frame (without its size) into header and body. Views point into the frame.
// Errors: kUnsupportedVersion when the API is unknown or the version not served; kInvalidRequest when the
// header is malformed. Both close the connection. Whether the API is served on this listener is the
// caller's question.
Result<Request> parse_request(BytesView frame);

// What every request begins with, whatever its API and version: for a line about one that is refused. What is
// not there is -1 or empty. The view points into the frame.
struct RequestStart {
  std::int16_t key = -1;
  std::int16_t version = -1;
  std::string_view client_id;
};
RequestStart read_request_start(BytesView frame);

// A response frame, size field included, ready to be sent. `version` is the version of the request.
// The header is version 1 for flexible responses and 0 for others. ApiVersions responses always have header
// version 0, because the client cannot know yet which one the broker understands (KIP-511).
template <class M>
Encoded encode_response(const M& response, int version, std::int32_t correlation_id, Arena& arena);

// The other direction, for requests that a broker sends: the header is version 2 for flexible requests,
// else 1.
template <class M>
Encoded encode_request(const M& request, int version, std::int32_t correlation_id, std::string_view client_id,
                       Arena& arena);

struct Response {
  std::int32_t correlation_id;
  BytesView body;
};

// Splits a response frame (without its size). `api` and `version` are those of the request with the same
// place in the order of the connection: responses come in order, and the header does not say what it answers.
// Errors: kInvalidRequest.
Result<Response> parse_response(BytesView frame, const ApiInfo& api, int version);

namespace detail {
BytesView encode_response_header(const MessageInfo& info, int version, std::int32_t correlation_id,
                                 Arena& arena);
BytesView encode_request_header(const MessageInfo& info, int version, std::int32_t correlation_id,
                                std::string_view client_id, Arena& arena);
// Writes size and header into the headroom, which was asked for to hold just them.
Encoded prepend(BytesView header, Encoded encoded);
}  // namespace detail

template <class M>
Encoded encode_response(const M& response, int version, std::int32_t correlation_id, Arena& arena) {
  static_assert(M::kInfo.kind == MessageKind::kResponse);
  const BytesView header = detail::encode_response_header(M::kInfo, version, correlation_id, arena);
  return detail::prepend(header, encode(response, version, arena, kFrameSizeBytes + header.size()));
}

template <class M>
Encoded encode_request(const M& request, int version, std::int32_t correlation_id, std::string_view client_id,
                       Arena& arena) {
  static_assert(M::kInfo.kind == MessageKind::kRequest);
  const BytesView header = detail::encode_request_header(M::kInfo, version, correlation_id, client_id, arena);
  return detail::prepend(header, encode(request, version, arena, kFrameSizeBytes + header.size()));
}

}  // namespace milena::protocol
