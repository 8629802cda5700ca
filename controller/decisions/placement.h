// ReplicaPlacer: spreads the replicas of new partitions over brokers and racks.
//
// Kafka's striped placement. Partition after partition the first replica moves on by one rack, and within a
// rack by one broker; the other replicas take the racks that follow, so that racks hold equally many replicas
// and no two partitions in a row have the same leader. Leaders are unfenced; fenced brokers are taken as
// followers where a rack has no other. Where to begin is random. Lives for one request.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "controller/decisions/decision.h"

namespace milena::controller {

class ReplicaPlacer {
 public:
  // Knows the brokers that may be given replicas: registered, not shutting down, and with a directory to use.
  ReplicaPlacer(const MetadataImage& image, Rng& rng);

  // As many replicas as can be placed, if those are fewer.
  std::int32_t capped(std::int32_t replication_factor) const {
    return std::min(replication_factor, static_cast<std::int32_t>(broker_count_));
  }
  // INVALID_REPLICATION_FACTOR when `replication_factor` replicas cannot be placed.
  Decided<void> check(std::int32_t replication_factor) const;

  // The replicas of the next partition, leader first; check() has passed.
  std::vector<BrokerId> place(std::int32_t replication_factor);

 private:
  // Brokers of one rack and one state, handed out round-robin from a start that moves with each partition.
  struct Stripe {
    std::vector<BrokerId> brokers{};
    std::size_t used = 0;
    std::size_t start = 0;
    std::size_t partition = 0;

    std::optional<BrokerId> next(std::size_t for_partition);
  };
  struct Rack {
    std::optional<std::string_view> name{};
    Stripe unfenced{};
    Stripe fenced{};
  };

  std::size_t leader_rack(std::vector<BrokerId>& replicas);
  void shuffle();

  Rng& rng_;
  std::vector<Rack> racks_;  // by name, those without first
  std::size_t broker_count_ = 0;
  std::size_t unfenced_count_ = 0;
  std::size_t partition_ = 0;  // placed so far
  std::size_t since_shuffle_ = 0;
  std::size_t first_rack_ = 0;
};

}  // namespace milena::controller
