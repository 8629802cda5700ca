#include "sim/scripts.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>
#include <vector>

#include "protocol/delete_topics.gen.h"
#include "protocol/error_code.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/metadata.gen.h"
#include "sim/client.h"
#include "sim/requests.h"

namespace milena::sim {
namespace {

using History = sim::History;

constexpr Instant kBetweenTries{20};
// Frames of a connection that was given up have been handled by then.
constexpr Instant kAfterLoss{50};

}  // namespace

Co<bool> make_topics(World& world, Client& client) {
  for (const auto& [topic, partitions] : World::kTopics) {
    Arena arena;
    const auto made = co_await client.ask<protocol::CreateTopicsResponse>(
        create_topic(arena, topic, partitions), kCreateVersion);
    if (!made) co_return false;
    const auto code = made->topics[0].error_code;
    if (code != ErrorCode::kNone && code != ErrorCode::kTopicAlreadyExists) co_return false;
    world.history().created(std::string(topic));
  }
  // The topics of the coordinators are made when somebody asks for one.
  for (const std::int8_t type : {std::int8_t{0}, std::int8_t{1}}) {
    Arena arena;
    protocol::FindCoordinatorRequest request{.key_type = type};
    request.coordinator_keys = arena.array<std::string_view>(1);
    request.coordinator_keys[0] = "anybody";
    const auto found = co_await client.ask<protocol::FindCoordinatorResponse>(request, 4);
    if (!found || found->coordinators[0].error_code != ErrorCode::kNone) co_return false;
  }
  co_return true;
}

Co<> set_up(World& world) {
  Client client(world.network(), "set-up");
  if (!co_await make_topics(world, client)) world.history().fail("the topics cannot be made");
}

// The same batch once more, as from a client that has not got the answer: it is the same answer.
Co<> send_again(World& world, Client& client, const protocol::ProduceRequest& request, Offset base) {
  const auto answer = co_await client.ask<protocol::ProduceResponse>(request, kProduceVersion);
  if (!answer) co_return;
  const auto& told = answer->responses[0].partition_responses[0];
  if (told.error_code == ErrorCode::kNone && told.base_offset != base && !world.has_lost_power())
    world.history().fail(
        fmt::format("a batch lies at {}, and sent again at {}", base.value, told.base_offset.value));
}

Co<> producer(World& world, std::string name, bool is_idempotent) {
  Client client(world.network(), name);
  ProducerIdentity identity;
  std::map<std::int32_t, std::int32_t> sequences;
  for (int n = 0; !world.is_closing(); ++n) {
    while (is_idempotent && identity.id == protocol::kNoProducerId && !world.is_closing()) {
      const auto answer = co_await client.ask<protocol::InitProducerIdResponse>(
          protocol::InitProducerIdRequest{.transaction_timeout_ms = 60'000}, 4);
      if (answer && answer->error_code == ErrorCode::kNone) {
        identity = {answer->producer_id, answer->producer_epoch};
        world.history().gave(History::Giver::kController, identity);
        sequences.clear();
      } else {
        co_await client.sleep(kBetweenTries);
      }
    }
    const std::int32_t partition = world.one_of(World::kOrdersPartitions);
    std::vector<std::string> values;
    const std::int32_t count = 1 + world.one_of(3);
    for (std::int32_t i = 0; i < count; ++i) values.push_back(fmt::format("{}-{}-{}", name, n, i));
    for (bool again = true; again;) {
      Arena arena;
      const auto request = produce(arena, World::kOrders, partition, values, world.wall_ms(), identity,
                                   is_idempotent ? sequences[partition] : protocol::kNoSequence);
      const auto answer = co_await client.ask<protocol::ProduceResponse>(request, kProduceVersion);
      const auto code =
          answer ? answer->responses[0].partition_responses[0].error_code : ErrorCode::kNetworkException;
      if (code == ErrorCode::kNone) {
        const auto base = answer->responses[0].partition_responses[0].base_offset;
        for (std::int32_t i = 0; i < count; ++i) {
          world.history().acknowledged({std::string(World::kOrders), partition}, base + i,
                                       values[static_cast<std::size_t>(i)], world.now());
        }
        if (is_idempotent && world.rng().one_in(8)) co_await send_again(world, client, request, base);
      }
      const bool has_lost_state = code == ErrorCode::kOutOfOrderSequenceNumber ||
                                  code == ErrorCode::kUnknownProducerId ||
                                  code == ErrorCode::kInvalidProducerEpoch;
      if (has_lost_state) {
        if (world.is_strong()) world.history().fail(fmt::format("{}: {}", name, error_name(code)));
        identity = {};
      }
      again = is_idempotent && !has_lost_state && code != ErrorCode::kNone &&
              code != ErrorCode::kDuplicateSequenceNumber;
      if (code != ErrorCode::kNone) co_await client.sleep(kAfterLoss);
    }
    if (is_idempotent) sequences[partition] += count;
    co_await client.sleep(world.up_to(40));
  }
}

Co<> consumer(World& world, std::string name) {
  Client client(world.network(), name);
  const std::int32_t partition = world.one_of(World::kOrdersPartitions);
  const History::Place place{std::string(World::kOrders), partition};
  constexpr std::array<std::int32_t, 3> kWaits{0, 300, 4000};
  // A frame is under way for less than the latency; the rest is for what the disk is asked meanwhile.
  const Instant slack = world.network().latency_below + Instant{40};
  std::int64_t offset = 0;
  while (!world.is_closing()) {
    Arena arena;
    const auto wait = kWaits[world.rng().below(kWaits.size())];
    const auto request = fetch(arena, World::kOrders, partition, offset, wait, false);
    const auto answer = co_await client.ask<protocol::FetchResponse>(request, kFetchVersion);
    if (!answer || answer->responses.empty()) {
      co_await client.sleep(kBetweenTries);
      continue;
    }
    const auto& told = answer->responses[0].partitions[0];
    if (told.error_code == ErrorCode::kOffsetOutOfRange) {
      if (world.is_strong()) world.history().fail(fmt::format("{}: {} is out of range", name, offset));
      offset = 0;
    } else if (told.error_code == ErrorCode::kNone) {
      const auto fetched = records_of(told, offset);
      if (fetched.is_damaged) world.history().fail(fmt::format("{}: damaged records at {}", name, offset));
      for (const auto& [at, value] : fetched.records) world.history().seen(place, at, value);
      if (fetched.next_offset == offset && world.now() > slack)
        world.history().saw_nothing(place, offset, world.now() - slack, world.now());
      offset = fetched.next_offset;
      if (world.rng().one_in(20)) offset = 0;
    } else {
      co_await client.sleep(kBetweenTries);
    }
  }
}

Co<> committer(World& world, std::string name) {
  Client client(world.network(), name);
  for (std::int64_t offset = 1; !world.is_closing(); ++offset) {
    {
      Arena arena;
      world.history().commits({name, 0}, offset);
      const auto answer = co_await client.ask<protocol::OffsetCommitResponse>(
          commit(arena, name, World::kOrders, 0, offset), kCommitVersion);
      if (!answer) co_await client.sleep(kAfterLoss);
      if (answer && answer->topics[0].partitions[0].error_code == ErrorCode::kNone)
        world.history().has_committed({name, 0}, offset);
    }
    if (world.rng().one_in(4)) {
      Arena arena;
      const auto answer = co_await client.ask<protocol::OffsetFetchResponse>(
          committed(arena, name, World::kOrders, 0), kOffsetFetchVersion);
      if (answer && answer->error_code == ErrorCode::kNone && !answer->topics.empty() &&
          answer->topics[0].partitions[0].error_code == ErrorCode::kNone)
        world.history().saw_committed({name, 0}, answer->topics[0].partitions[0].committed_offset.value);
    }
    co_await client.sleep(world.up_to(60));
  }
}

}  // namespace milena::sim
