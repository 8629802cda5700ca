#include "bench/load/wire_client.h"

#include <unistd.h>

#include <array>

#include "protocol/error_code.h"

namespace milena::bench {

WireClient::~WireClient() { ::close(socket_); }

BytesView WireClient::receive_frame() {
  std::array<std::byte, protocol::kFrameSizeBytes> size;
  receive_all(socket_, size);
  answer_.resize(load_be<std::uint32_t>(size.data()));
  receive_all(socket_, answer_);
  return answer_;
}

void require_success(std::string_view what, ErrorCode code) {
  if (code != ErrorCode::kNone) fail_run("{}: {}", what, error_name(code));
}

bool has_succeeded(std::string_view what, ErrorCode code) {
  if (is_retriable(code)) return false;
  require_success(what, code);
  return true;
}

}  // namespace milena::bench
