// A log of anything: replaying it ends, and the machine works afterwards.
//
// Input: records, one after the other. Key size u8, key; value size u16 (65535: a tombstone), value.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "coordinator/group/group_machine.h"
#include "coordinator/group/testing/fake_metadata.h"

namespace {

using namespace milena;               // NOLINT(google-build-using-namespace)
using namespace milena::coordinator;  // NOLINT(google-build-using-namespace)

// Bytes from the front; fewer if there are not as many.
BytesView take(BytesView& rest, std::size_t n) {
  const BytesView taken = rest.first(std::min(n, rest.size()));
  rest = rest.subspan(taken.size());
  return taken;
}

std::size_t take_size(BytesView& rest, std::size_t width) {
  std::size_t size = 0;
  for (const std::byte each : take(rest, width)) size = size << 8 | std::to_integer<std::size_t>(each);
  return size;
}

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
  BytesView rest = std::as_bytes(std::span(data, size));
  auto metadata = std::make_shared<testing_support::FakeMetadata>();
  metadata->add("t", 3).add("u", 1);
  SeededRng rng(1);
  GroupMachine machine(std::make_shared<GroupConfig>(), metadata, rng);
  for (std::int64_t offset = 0; !rest.empty(); ++offset) {
    const BytesView key = take(rest, take_size(rest, 1));
    const std::size_t value_size = take_size(rest, 2);
    std::optional<BytesView> value;
    if (value_size != 0xffff) value = take(rest, value_size);
    machine.replay({offset, offset % 7 == 6 ? protocol::ProducerId{1} : protocol::kNoProducerId, key, value});
  }
  machine.replay_marker(1, true);
  use(machine);
  return 0;
}
