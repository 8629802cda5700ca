// Any bytes as a request frame: whatever parses must encode to bytes that parse to the same again, and
// decoding must not take more memory than docs/formats/schema.md promises.
#include <string>

#include "base/assert.h"
#include "protocol/frame.h"
#include "protocol/message_table.h"
#include "protocol/testing/check_stable.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace milena;
  using namespace milena::protocol;
  const BytesView frame{reinterpret_cast<const std::byte*>(data), size};
  const auto start = read_request_start(frame);
  const auto request = parse_request(frame);
  if (request) {
    MILENA_ASSERT(start.key == request->api->key && start.client_id == request->client_id,
                  "both readers of a header see the same");
  }
  if (!request || !request->version_served) return 0;
  // The body may as well be taken for a response: brokers read those too.
  for (const char* kind : {"Request", "Response"}) {
    const MessageEntry* entry = find_message(std::string(request->api->name) + kind);
    MILENA_ASSERT(entry != nullptr, "an API without messages");
    check_stable(*entry, request->body, request->version);
  }
  return 0;
}
