#include <fmt/format.h>

#include <map>
#include <set>

#include "protocol/error_code.h"
#include "protocol/metadata.gen.h"
#include "sim/client.h"
#include "sim/requests.h"
#include "sim/scripts.h"

namespace milena::sim {
namespace {

constexpr Instant kBetweenTries{20};

struct Read {
  std::map<std::int64_t, std::string> records;
  std::int64_t start = 0;
  std::int64_t end = -1;     // the high watermark when the reading began
  std::int64_t stable = -1;  // the last stable offset, at its end
};

Co<std::int64_t> start_of(World& world, Client& client, const History::Place& place) {
  for (;;) {
    Arena arena;
    const auto least = world.history().start_of(place).first;
    const auto answer = co_await client.ask<protocol::ListOffsetsResponse>(
        earliest(arena, place.first, place.second), kListVersion);
    if (answer && answer->topics[0].partitions[0].error_code == ErrorCode::kNone) {
      const auto start = answer->topics[0].partitions[0].offset;
      world.history().saw_start(place, start, least);
      co_return start.value;
    }
    co_await client.sleep(kBetweenTries);
  }
}

// A partition from its start to where its high watermark was.
Co<Read> read_all(World& world, Client& client, const History::Place& place, bool committed_only) {
  Read out;
  out.start = co_await start_of(world, client, place);
  for (std::int64_t offset = out.start;;) {
    Arena arena;
    const auto answer = co_await client.ask<protocol::FetchResponse>(
        fetch(arena, place.first, place.second, offset, 0, committed_only), kFetchVersion);
    const auto error = answer && !answer->responses.empty() ? answer->responses[0].partitions[0].error_code
                                                            : ErrorCode::kNetworkException;
    if (error != ErrorCode::kNone) {
      co_await client.sleep(kBetweenTries);
      // The beginning may be deleted meanwhile.
      if (error == ErrorCode::kOffsetOutOfRange)
        offset = std::max(offset, co_await start_of(world, client, place));
      continue;
    }
    const auto& told = answer->responses[0].partitions[0];
    if (out.end < 0) out.end = told.high_watermark.value;
    out.stable = told.last_stable_offset.value;
    const auto fetched = records_of(told, offset);
    if (fetched.is_damaged) world.history().fail(fmt::format("{}-{}: damaged", place.first, place.second));
    for (const auto& [at, value] : fetched.records) out.records[at] = value;
    const bool is_done = fetched.next_offset >= out.end ||
                         (committed_only && fetched.next_offset >= out.stable && out.stable >= out.end);
    if (is_done) co_return out;
    if (fetched.next_offset == offset) co_await client.sleep(kBetweenTries);
    offset = fetched.next_offset;
  }
}

Co<std::int64_t> committed_offset(Client& client, History::Committed where) {
  for (;;) {
    Arena arena;
    const auto answer = co_await client.ask<protocol::OffsetFetchResponse>(
        committed(arena, where.first, World::kOrders, where.second), kOffsetFetchVersion);
    if (answer && answer->error_code == ErrorCode::kNone && !answer->topics.empty() &&
        answer->topics[0].partitions[0].error_code == ErrorCode::kNone)
      co_return answer->topics[0].partitions[0].committed_offset.value;
    co_await client.sleep(kBetweenTries);
  }
}

}  // namespace

Co<> auditor(World& world, bool is_final) {
  Client client(world.network(), "auditor", true);
  std::set<std::string> values;
  for (const auto& [topic, partitions] : World::kTopics) {
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
      const History::Place place{std::string(topic), partition};
      const auto least_end = world.history().least_end(place);
      const Read all = co_await read_all(world, client, place, false);
      world.history().audited(place, all.records, least_end, all.start, all.end);
      if (!is_final || world.has_lost_power()) continue;
      const Read stable = co_await read_all(world, client, place, true);
      for (const auto& [offset, value] : stable.records) values.insert(value);
    }
  }
  if (is_final && !world.has_lost_power()) {
    world.history().audited_committed(values);
    for (const auto& where : world.history().all_committed())
      world.history().saw_committed(where, co_await committed_offset(client, where));
  }
}

}  // namespace milena::sim
