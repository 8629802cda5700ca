// Reads all partitions of "orders" in a fetch session (KIP-227), which tells only what has changed.
#include <fmt/format.h>

#include <array>
#include <vector>

#include "protocol/error_code.h"
#include "sim/client.h"
#include "sim/requests.h"
#include "sim/scripts.h"

namespace milena::sim {
namespace {

constexpr Instant kBetweenTries{20};

class SessionConsumer {
 public:
  SessionConsumer(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  Client& client() { return client_; }
  // False: the session is over, and begins anew.
  Co<bool> fetch_once();

 private:
  using PartitionAnswer = protocol::FetchResponse::FetchableTopicResponse::PartitionData;
  struct Position {
    std::int64_t offset = 0;
    bool is_told = false;  // the session knows the offset
    bool is_well = true;   // the session has not told of an error
  };

  protocol::FetchRequest request(Arena& arena) const;
  void take(Position& position, const PartitionAnswer& told);
  History::Place place(std::size_t partition) const {
    return {std::string(World::kOrders), static_cast<std::int32_t>(partition)};
  }

  World& world_;
  const std::string name_;
  Client client_{world_.network(), name_};
  std::array<Position, World::kOrdersPartitions> positions_;
  std::int32_t session_ = 0, epoch_ = 0;
};

protocol::FetchRequest SessionConsumer::request(Arena& arena) const {
  constexpr std::array<std::int32_t, 3> kWaits{0, 300, 4000};
  auto out = fetch(arena, World::kOrders, 0, 0, kWaits[world_.rng().below(kWaits.size())], false);
  out.session_id = session_;
  out.session_epoch = epoch_;
  std::vector<std::int32_t> changed;
  for (std::size_t i = 0; i < positions_.size(); ++i) {
    if (!positions_[i].is_told) changed.push_back(static_cast<std::int32_t>(i));
  }
  if (changed.empty()) {
    out.topics = {};
    return out;
  }
  out.topics[0].partitions = arena.array<protocol::FetchRequest::FetchTopic::FetchPartition>(changed.size());
  for (std::size_t i = 0; i < changed.size(); ++i) {
    auto& asked = out.topics[0].partitions[i];
    asked.partition = changed[i];
    asked.fetch_offset = positions_[static_cast<std::size_t>(changed[i])].offset;
    asked.partition_max_bytes = 1 << 20;
  }
  return out;
}

void SessionConsumer::take(Position& position, const PartitionAnswer& told) {
  const auto before = position.offset;
  position.is_well = told.error_code == ErrorCode::kNone;
  if (told.error_code == ErrorCode::kOffsetOutOfRange) {
    if (world_.is_strong()) world_.history().fail(fmt::format("{}: {} is out of range", name_, before));
    position.offset = 0;
  } else if (position.is_well) {
    const auto fetched = records_of(told, before);
    if (fetched.is_damaged) world_.history().fail(fmt::format("{}: damaged records at {}", name_, before));
    const auto at_place = place(static_cast<std::size_t>(told.partition_index.value));
    for (const auto& [at, value] : fetched.records) world_.history().seen(at_place, at, value);
    position.offset = fetched.next_offset;
  }
  position.is_told = position.offset == before;
}

Co<bool> SessionConsumer::fetch_once() {
  Arena arena;
  const auto asked = positions_;
  const auto answer = co_await client_.ask<protocol::FetchResponse>(request(arena), kFetchVersion);
  if (!answer || answer->error_code != ErrorCode::kNone) {
    session_ = epoch_ = 0;
    for (auto& position : positions_) position.is_told = false;
    co_return false;
  }
  session_ = answer->session_id;
  epoch_ = session_ == 0 ? 0 : epoch_ + 1;
  for (auto& position : positions_) position.is_told = session_ != 0;
  for (const auto& topic : answer->responses) {
    for (const auto& told : topic.partitions)
      take(positions_[static_cast<std::size_t>(told.partition_index.value)], told);
  }
  const Instant slack = world_.network().latency_below + Instant{40};
  for (std::size_t i = 0; i < positions_.size(); ++i) {
    const bool has_nothing = positions_[i].is_well && positions_[i].offset == asked[i].offset;
    if (has_nothing && world_.now() > slack)
      world_.history().saw_nothing(place(i), Offset{asked[i].offset}, world_.now() - slack, world_.now());
  }
  co_return true;
}

}  // namespace

Co<> session_consumer(World& world, std::string name) {
  SessionConsumer self(world, name);
  while (!world.is_closing()) {
    if (!co_await self.fetch_once()) co_await self.client().sleep(kBetweenTries);
  }
}

}  // namespace milena::sim
