// Writes to a topic of its own, deletes the beginning of it, and reads what is left.
#include <fmt/format.h>

#include "protocol/delete_records.gen.h"
#include "protocol/error_code.h"
#include "sim/client.h"
#include "sim/requests.h"
#include "sim/scripts.h"

namespace milena::sim {
namespace {

constexpr int kDeleteVersion = 2;
constexpr Instant kAfterLoss{50};

class Diarist {
 public:
  Diarist(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  Client& client() { return client_; }
  // False: what became of it is not known, or it was refused.
  Co<bool> write();
  Co<bool> delete_some();
  Co<bool> read_some();

 private:
  std::int64_t some_offset() { return world_.up_to(end_ + 1).count(); }
  void fail(std::string_view what, std::int64_t offset) {
    world_.history().fail(fmt::format("{}: {} {}", name_, what, offset));
  }

  World& world_;
  const std::string name_;
  Client client_{world_.network(), name_};
  const History::Place place_{std::string(World::kDiary), 0};
  int pages_ = 0;
  std::int64_t end_ = 0;  // behind the last record that was acknowledged
};

Co<bool> Diarist::write() {
  Arena arena;
  const std::vector values{fmt::format("{}-{}", name_, ++pages_)};
  const auto answer = co_await client_.ask<protocol::ProduceResponse>(
      produce(arena, World::kDiary, 0, values, world_.wall_ms()), kProduceVersion);
  if (!answer) co_return false;
  const auto& told = answer->responses[0].partition_responses[0];
  if (told.error_code != ErrorCode::kNone) co_return false;
  world_.history().acknowledged(place_, told.base_offset, values[0], world_.now());
  end_ = told.base_offset.value + 1;
  co_return true;
}

Co<bool> Diarist::delete_some() {
  Arena arena;
  using Topic = protocol::DeleteRecordsRequest::DeleteRecordsTopic;
  const std::int64_t offset = some_offset();
  protocol::DeleteRecordsRequest request{.timeout_ms = 10'000};
  request.topics = arena.array<Topic>(1);
  request.topics[0].name = World::kDiary;
  request.topics[0].partitions = arena.array<Topic::DeleteRecordsPartition>(1);
  request.topics[0].partitions[0] = {0, offset};
  world_.history().deletes_before(place_, offset);
  const auto answer = co_await client_.ask<protocol::DeleteRecordsResponse>(request, kDeleteVersion);
  if (!answer) co_return false;
  const auto& told = answer->topics[0].partitions[0];
  if (told.error_code != ErrorCode::kNone) co_return false;
  if (told.low_watermark < offset) fail("the log start is below what was deleted:", told.low_watermark.value);
  world_.history().starts_at(place_, told.low_watermark);
  co_return true;
}

Co<bool> Diarist::read_some() {
  Arena arena;
  const std::int64_t offset = some_offset();
  const auto [start, latest_start] = world_.history().start_of(place_);
  const bool has_lost_power = world_.has_lost_power();
  const auto answer = co_await client_.ask<protocol::FetchResponse>(
      fetch(arena, World::kDiary, 0, offset, 0, false), kFetchVersion);
  if (!answer || answer->responses.empty()) co_return false;
  const auto& told = answer->responses[0].partitions[0];
  if (told.error_code == ErrorCode::kOffsetOutOfRange && offset >= latest_start && !has_lost_power)
    fail("out of range:", offset);
  if (told.error_code != ErrorCode::kNone) co_return true;
  if (offset < start) fail("there are records at a deleted offset:", offset);
  world_.history().saw_start(place_, told.log_start_offset, start);
  const auto fetched = records_of(told, offset);
  if (fetched.is_damaged) fail("damaged records at", offset);
  for (const auto& [at, value] : fetched.records) world_.history().seen(place_, at, value);
  co_return true;
}

}  // namespace

Co<> diarist(World& world, std::string name) {
  Diarist self(world, name);
  while (!world.is_closing()) {
    bool is_well = co_await self.write();
    if (is_well && world.rng().one_in(4)) is_well = co_await self.delete_some();
    if (is_well && world.rng().one_in(3)) is_well = co_await self.read_some();
    const Instant pause = world.up_to(80);
    co_await self.client().sleep(is_well ? pause : kAfterLoss);
  }
}

}  // namespace milena::sim
