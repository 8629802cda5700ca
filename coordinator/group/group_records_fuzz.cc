// A log of anything: replaying it ends, and the machine works afterwards.
//
// Input: a FuzzedLog.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "coordinator/group/group_machine.h"
#include "coordinator/group/testing/fake_metadata.h"
#include "coordinator/runtime/testing/fuzzed_log.h"

namespace {

using namespace milena;               // NOLINT(google-build-using-namespace)
using namespace milena::coordinator;  // NOLINT(google-build-using-namespace)

void use(GroupMachine& machine) {
  Now now{Instant{1'000}, 1'700'000'000'000};
  GroupOutcome out;
  protocol::Offset offset = 1'000'000;
  // As a shard does, with a log that never fails.
  const auto settle = [&] {
    for (;;) {
      for (const EncodedRecord& record : out.records()) {
        machine.replay({++offset, protocol::kNoProducerId, record.key, record.value});
      }
      const auto next = out.take_next();
      if (!next) return;
      next(out);
    }
  };
  machine.loaded(now, out);
  settle();
  const RequestContext context{9, "client", "/127.0.0.1", nullptr};
  std::vector<std::string> groups;
  for (const Group* group : machine.groups().sorted()) groups.push_back(group->id);
  for (const std::string& id : groups) {
    std::string_view topics[] = {"t"};
    protocol::ConsumerGroupHeartbeatRequest beat;
    beat.group_id = id;
    beat.member_id = "m";
    beat.rebalance_timeout_ms = 1'000;
    beat.subscribed_topic_names = std::span(topics);
    beat.topic_partitions.emplace();
    machine.handle(now, 1, {1, "client", "/127.0.0.1", nullptr}, beat, out);
    settle();
    protocol::JoinGroupRequest::JoinGroupRequestProtocol protocols[] = {{"range", {}}};
    protocol::JoinGroupRequest join;
    join.group_id = id;
    join.session_timeout_ms = 10'000;
    join.protocol_type = "consumer";
    join.protocols = protocols;
    machine.handle(now, 2, {3, "client", "/127.0.0.1", nullptr}, join, out);
    settle();
    std::string_view ids[] = {id};
    machine.handle(now, 3, context, protocol::DescribeGroupsRequest{.groups = ids}, out);
    settle();
    machine.handle(now, 4, context, protocol::ConsumerGroupDescribeRequest{.group_ids = ids}, out);
    settle();
  }
  machine.handle(now, 5, context, protocol::ListGroupsRequest{}, out);
  settle();
  for (int i = 0; i < 200; ++i) {
    const auto next = machine.next_deadline();
    if (!next) break;
    const Instant by = std::max(*next - now.instant, Instant{0});
    now.instant += by;
    now.wall_ms += by.count();
    while (machine.fire(now, out)) settle();
  }
  machine.release(ErrorCode::kNotCoordinator, out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  testing_support::FuzzedLog log(std::as_bytes(std::span(data, size)));
  auto metadata = std::make_shared<testing_support::FakeMetadata>();
  metadata->add("t", 3).add("u", 1);
  SeededRng rng(1);
  GroupMachine machine(std::make_shared<GroupConfig>(), metadata, rng);
  while (auto record = log.next()) {
    if (record->offset.value % 7 == 6) record->producer = 1;
    machine.replay(*record);
  }
  machine.replay_marker(1, true);
  use(machine);
  return 0;
}
