#include "protocol/frame.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "protocol/api.gen.h"
#include "protocol/request_header.gen.h"
#include "protocol/response_header.gen.h"

namespace milena::protocol {
namespace {

constexpr std::int16_t kApiVersionsKey = static_cast<std::int16_t>(ApiKey::kApiVersions);

int response_header_version(std::int16_t key, bool flexible) {
  return key != kApiVersionsKey && flexible ? 1 : 0;
}
int request_header_version(bool flexible) { return flexible ? 2 : 1; }

}  // namespace

Result<std::size_t> parse_request_size(BytesView prefix, std::int32_t max) {
  MILENA_ASSERT(prefix.size() == kFrameSizeBytes, "a frame's size has four bytes");
  const auto size = load_be<std::int32_t>(prefix.data());
  if (size < kMinRequestSize) return fail(ErrorCode::kInvalidRequest, "frame size too small");
  if (size > max) return fail(ErrorCode::kInvalidRequest, "frame size too large");
  return static_cast<std::size_t>(size);
}

Result<Request> parse_request(BytesView frame) {
  if (frame.size() < 4) return fail(ErrorCode::kInvalidRequest, "no room for a header");
  const auto key = load_be<std::int16_t>(frame.data());
  const auto version = load_be<std::int16_t>(frame.data() + 2);
  const ApiInfo* api = find_api(key);
  if (api == nullptr) return fail(ErrorCode::kUnsupportedVersion, "unknown API key");
  const bool served = api->serves(version);
  if (!served && key != kApiVersionsKey) return fail(ErrorCode::kUnsupportedVersion, "version not served");
  Arena unused;  // a header holds no arrays
  BytesView rest = frame;
  MILENA_TRY(const RequestHeader header,
             decode_front<RequestHeader>(rest, request_header_version(api->flexible(version)), unused));
  return Request{.api = api,
                 .version = version,
                 .version_served = served,
                 .correlation_id = header.correlation_id,
                 .client_id = header.client_id.value_or(std::string_view()),
                 .body = rest};
}

RequestStart read_request_start(BytesView frame) {
  constexpr std::size_t kClientIdSizeAt = 8;  // behind key, version and correlation id
  constexpr std::size_t kClientIdAt = 10;
  RequestStart start;
  if (frame.size() >= 4) {
    start.key = load_be<std::int16_t>(frame.data());
    start.version = load_be<std::int16_t>(frame.data() + 2);
  }
  if (frame.size() < kClientIdAt) return start;
  const auto size = load_be<std::int16_t>(frame.data() + kClientIdSizeAt);
  if (size > 0 && frame.size() - kClientIdAt >= static_cast<std::size_t>(size)) {
    start.client_id = as_text(frame.subspan(kClientIdAt, static_cast<std::size_t>(size)));
  }
  return start;
}

Result<Response> parse_response(BytesView frame, const ApiInfo& api, int version) {
  Arena unused;
  BytesView rest = frame;
  MILENA_TRY(
      const ResponseHeader header,
      decode_front<ResponseHeader>(rest, response_header_version(api.key, api.flexible(version)), unused));
  return Response{.correlation_id = header.correlation_id, .body = rest};
}

namespace detail {

BytesView encode_response_header(const MessageInfo& info, int version, std::int32_t correlation_id,
                                 Arena& arena) {
  const ResponseHeader header{.correlation_id = correlation_id};
  return encode(header, response_header_version(info.key, info.flexible(version)), arena).head();
}

BytesView encode_request_header(const MessageInfo& info, int version, std::int32_t correlation_id,
                                std::string_view client_id, Arena& arena) {
  const RequestHeader header{.request_api_key = info.key,
                             .request_api_version = static_cast<std::int16_t>(version),
                             .correlation_id = correlation_id,
                             .client_id = client_id};
  return encode(header, request_header_version(info.flexible(version)), arena).head();
}

Encoded prepend(BytesView header, Encoded encoded) {
  MILENA_ASSERT(encoded.headroom == kFrameSizeBytes + header.size(),
                "the headroom is that of another header");
  const std::size_t size = header.size() + encoded.size();
  MILENA_ASSERT(size <= std::numeric_limits<std::int32_t>::max(), "a frame holds less than 2 GiB");
  store_be(encoded.buffer.data(), static_cast<std::int32_t>(size));
  std::ranges::copy(header, encoded.buffer.data() + kFrameSizeBytes);
  for (Encoded::Splice& splice : encoded.splices) splice.at += encoded.headroom;
  encoded.headroom = 0;
  return encoded;
}

}  // namespace detail
}  // namespace milena::protocol
