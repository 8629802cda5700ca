// WireClient: one request at a time, for everything before and between measurements, and for members of
// groups.
//
// Blocks. A connection that breaks or an answer that cannot be read ends the run; error codes are the
// caller's to look at.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "bench/load/fail.h"
#include "bench/load/sockets.h"
#include "protocol/frame.h"

namespace milena::bench {

inline constexpr std::string_view kClientId = "load";

class WireClient {
 public:
  explicit WireClient(const Address& address) : socket_(connect_to(address)) {}
  ~WireClient();
  WireClient(const WireClient&) = delete;
  WireClient& operator=(const WireClient&) = delete;

  // The answer lives until the next request.
  template <class Response, class Request>
  Response call(const Request& request, int version) {
    send(request, version);
    return receive<Response>(version);
  }

  // The two halves of call().
  template <class Request>
  void send(const Request& request, int version) {
    arena_.reset();
    send_all(socket_,
             protocol::flatten(
                 protocol::encode_request(request, version, ++correlation_id_, kClientId, arena_), arena_));
  }
  template <class Response>
  Response receive(int version) {
    const BytesView answer = receive_frame();
    const auto response = protocol::parse_response(answer, *protocol::find_api(Response::kInfo.key), version);
    if (!response || response->correlation_id != correlation_id_)
      fail_run("{}: answers no request", Response::kInfo.name);
    const auto message = protocol::decode<Response>(response->body, version, arena_);
    if (!message) fail_run("{}: malformed: {}", Response::kInfo.name, message.error().why);
    return *message;
  }

 private:
  // Without its size.
  BytesView receive_frame();

  int socket_;
  std::int32_t correlation_id_ = 0;
  Arena arena_;
  std::vector<std::byte> answer_;
};

// Ends the run unless the code is kNone.
void require_success(std::string_view what, ErrorCode code);
// The same, but false for an error that may pass: ask again.
bool has_succeeded(std::string_view what, ErrorCode code);

}  // namespace milena::bench
