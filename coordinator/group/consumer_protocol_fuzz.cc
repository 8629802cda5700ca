// The blobs of consumers: whatever they hold, reading them ends, and what was read can be written and read
// again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "coordinator/group/consumer_protocol.h"
#include "coordinator/group/testing/fake_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace milena;               // NOLINT(google-build-using-namespace)
  using namespace milena::coordinator;  // NOLINT(google-build-using-namespace)
  const std::string_view blob(reinterpret_cast<const char*>(data), size);
  testing_support::FakeMetadata metadata;
  metadata.add("t", 3).add("u", 1);
  Arena arena;
  subscribes(blob, "t");
  if (const auto subscription = read_subscription(blob, arena)) {
    MILENA_ASSERT(subscribes(blob, "t").has_value(), "the topics come first in every version");
  }
  if (const auto read = read_assignment(blob, arena)) {
    const Assignment assignment = to_assignment(*read, metadata);
    const std::string again = write_assignment(assignment, metadata, *consumer_protocol_version(blob));
    const auto reread = read_assignment(again, arena);
    MILENA_ASSERT(reread && to_assignment(*reread, metadata) == assignment,
                  "an assignment survives being written");
  }
  return 0;
}
