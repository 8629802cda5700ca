// DirectoryModel: where replicas lie and which log directories are online, for a model test of the
// controller.
//
// Maps, filled from what the test asked for. Every broker has two directories.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <tuple>

#include "controller/image/metadata_image.h"

namespace milena::controller::test_support {

class DirectoryModel {
 public:
  static Uuid directory(BrokerId broker, std::size_t which) {
    return Uuid::from_halves(0xd1, 1'000 + static_cast<std::uint64_t>(broker.value) * 10 + which);
  }

  // The broker has registered with these.
  void registered(BrokerId broker, const std::set<Uuid>& directories) { online_[broker] = directories; }
  // No longer online. Not the last one: a broker without a directory stops.
  void failed(BrokerId broker, const Uuid& directory) { online_[broker].erase(directory); }
  const std::set<Uuid>& online(BrokerId broker) const { return online_.at(broker); }

  // A topic has new partitions, from `first` on. Where they lie is known for a broker with one directory
  // only.
  void created(const Topic& topic, PartitionId first) {
    for (const auto& [index, partition] : topic.partitions) {
      if (index < first) continue;
      for (const BrokerId broker : partition->replicas()) {
        const std::set<Uuid>& online = online_.at(broker);
        places_[{topic.id, index, broker}] = online.size() == 1 ? *online.begin() : kUnassignedDirectory;
      }
    }
  }

  // nullptr when the broker holds no replica of the partition.
  Uuid* place(const Uuid& topic, PartitionId index, BrokerId broker) {
    const auto at = places_.find({topic, index, broker});
    return at != places_.end() ? &at->second : nullptr;
  }

  bool is_online(BrokerId broker, const Uuid& directory) const {
    const auto at = online_.find(broker);
    return directory == kUnassignedDirectory || (at != online_.end() && at->second.contains(directory));
  }

 private:
  std::map<BrokerId, std::set<Uuid>> online_;  // of every broker that was ever registered
  std::map<std::tuple<Uuid, PartitionId, BrokerId>, Uuid> places_;  // of every replica that ever was
};

}  // namespace milena::controller::test_support
