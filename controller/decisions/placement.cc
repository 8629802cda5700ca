#include "controller/decisions/placement.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace milena::controller {
namespace {

template <class T>
void shuffle_with(std::vector<T>& items, Rng& rng) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[rng.below(i)]);
}

}  // namespace

std::optional<BrokerId> ReplicaPlacer::Stripe::next(std::size_t for_partition) {
  if (brokers.empty()) return std::nullopt;
  if (partition != for_partition) {
    partition = for_partition;
    used = 0;
    start = (start + 1) % brokers.size();
  }
  if (used == brokers.size()) return std::nullopt;
  return brokers[(start + used++) % brokers.size()];
}

ReplicaPlacer::ReplicaPlacer(const MetadataImage& image, Rng& rng) : rng_(rng) {
  for (const auto& [id, broker] : image.brokers) {
    if (broker->in_controlled_shutdown || !broker->has_uncordoned_dirs()) continue;
    const std::optional<std::string_view> name(broker->rack);
    auto rack = std::ranges::lower_bound(racks_, name, {}, &Rack::name);
    if (rack == racks_.end() || rack->name != name) rack = racks_.insert(rack, Rack{.name = name});
    (broker->fenced ? rack->fenced : rack->unfenced).brokers.push_back(id);
    ++broker_count_;
    if (!broker->fenced) ++unfenced_count_;
  }
  for (Rack& rack : racks_) {
    for (Stripe* stripe : {&rack.fenced, &rack.unfenced}) {
      if (!stripe->brokers.empty()) stripe->start = rng_.below(stripe->brokers.size());
    }
  }
  if (!racks_.empty()) first_rack_ = rng_.below(racks_.size());
}

Decided<void> ReplicaPlacer::check(std::int32_t replication_factor) const {
  if (replication_factor <= 0) {
    return refuse(ErrorCode::kInvalidReplicationFactor,
                  fmt::format("Invalid replication factor {}: the replication factor must be positive.",
                              replication_factor));
  }
  if (unfenced_count_ == 0) {
    return refuse(ErrorCode::kInvalidReplicationFactor,
                  "All brokers are currently fenced, or have all their log directories cordoned.");
  }
  if (static_cast<std::size_t>(replication_factor) > broker_count_) {
    return refuse(
        ErrorCode::kInvalidReplicationFactor,
        fmt::format("The target replication factor of {} cannot be reached because only {} broker(s) are "
                    "registered or some brokers have all their log directories cordoned.",
                    replication_factor, broker_count_));
  }
  return {};
}

std::vector<BrokerId> ReplicaPlacer::place(std::int32_t replication_factor) {
  // After as many partitions as there are leaders the stripes would repeat themselves.
  if (since_shuffle_ == unfenced_count_ && unfenced_count_ > 1) shuffle();
  const auto wanted = static_cast<std::size_t>(replication_factor);
  std::vector<BrokerId> replicas;
  replicas.reserve(wanted);
  // The leader's rack is passed over once: it has had its turn.
  std::optional<std::size_t> had_its_turn = leader_rack(replicas);
  for (std::size_t rack = first_rack_; replicas.size() < wanted; rack = (rack + 1) % racks_.size()) {
    if (rack == had_its_turn) {
      had_its_turn.reset();
      continue;
    }
    auto broker = racks_[rack].unfenced.next(partition_);
    if (!broker) broker = racks_[rack].fenced.next(partition_);
    if (broker) replicas.push_back(*broker);
  }
  ++partition_;
  ++since_shuffle_;
  first_rack_ = (first_rack_ + 1) % racks_.size();
  return replicas;
}

// Adds the leader: an unfenced broker of the first rack that has one. Returns that rack.
std::size_t ReplicaPlacer::leader_rack(std::vector<BrokerId>& replicas) {
  for (std::size_t rack = first_rack_;; rack = (rack + 1) % racks_.size()) {
    if (const auto leader = racks_[rack].unfenced.next(partition_)) {
      replicas.push_back(*leader);
      return rack;
    }
  }
}

void ReplicaPlacer::shuffle() {
  shuffle_with(racks_, rng_);
  for (Rack& rack : racks_) {
    shuffle_with(rack.unfenced.brokers, rng_);
    shuffle_with(rack.fenced.brokers, rng_);
  }
  since_shuffle_ = 0;
}

}  // namespace milena::controller
