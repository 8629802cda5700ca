#include "bench/load/coordinators.h"

#include <array>

#include "bench/load/retry.h"
#include "protocol/describe_groups.gen.h"
#include "protocol/find_coordinator.gen.h"

namespace milena::bench {

void await_coordinator(WireClient& client, CoordinatorType type, std::string_view key) {
  std::array<std::string_view, 1> keys{key};
  protocol::FindCoordinatorRequest request;
  request.key_type = static_cast<std::int8_t>(type);
  request.coordinator_keys = keys;
  retry_until_ready("no coordinator", [&] {
    const auto response = client.call<protocol::FindCoordinatorResponse>(request, 4);
    return has_succeeded("FindCoordinator", response.coordinators[0].error_code);
  });
}

void await_group(WireClient& client, std::string_view group) {
  await_coordinator(client, CoordinatorType::kGroup, group);
  std::array<std::string_view, 1> groups{group};
  protocol::DescribeGroupsRequest request;
  request.groups = groups;
  retry_until_ready("the coordinator loads for ever", [&] {
    const auto response = client.call<protocol::DescribeGroupsResponse>(request, 5);
    return has_succeeded("DescribeGroups", response.groups[0].error_code);
  });
}

}  // namespace milena::bench
