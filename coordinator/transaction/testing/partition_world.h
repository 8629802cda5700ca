// PartitionWorld: the partitions that transactions write to, as far as a coordinator's tests need them: who
// has data open where, which markers came, and what clients were told about their transactions.
//
// A transaction is known by a serial number that only the test has, so that a marker that hits the wrong one
// is noticed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace milena::coordinator::testing_support {

class PartitionWorld {
 public:
  using Serial = std::uint64_t;
  using Producer = std::pair<std::int64_t, int>;  // id and epoch

  // How many markers of the producer the partition has seen: an append that was verified before the last one
  // is void (KIP-890).
  std::uint64_t guard(const std::string& partition, std::int64_t producer_id) {
    return at(partition, producer_id).markers;
  }
  void write(const std::string& partition, Producer producer, Serial serial, std::uint64_t guard) {
    State& state = at(partition, producer.first);
    if (state.markers != guard || producer.second < state.epoch) return;
    state.epoch = producer.second;
    state.open.insert(serial);
    if (state.open.size() > 1) broken_ = "two transactions open at once on " + partition;
  }
  // False: the marker is of an earlier coordinator, or an earlier epoch.
  bool mark(const std::string& partition, Producer producer, bool commit, int coordinator_epoch) {
    State& state = at(partition, producer.first);
    if (coordinator_epoch < state.coordinator_epoch || producer.second < state.epoch) return false;
    state.coordinator_epoch = coordinator_epoch;
    state.epoch = producer.second;
    ++state.markers;
    for (const Serial serial : state.open) {
      const auto [outcome, is_first] = outcomes_.emplace(serial, commit);
      if (outcome->second != commit) broken_ = "T1: a torn transaction: " + std::to_string(serial);
      const auto told = told_.find(serial);
      if (told != told_.end() && told->second != commit) broken_ = "T1: not what the client was told";
    }
    state.open.clear();
    return true;
  }
  // A client heard that its transaction ended this way.
  void told(Serial serial, bool commit) {
    told_[serial] = commit;
    const auto outcome = outcomes_.find(serial);
    if (outcome != outcomes_.end() && outcome->second != commit) broken_ = "T1: not what had happened";
  }

  // Transactions that wrote something, and whose markers came.
  std::size_t ended() const { return outcomes_.size(); }
  // Transactions with data that no marker has ended.
  std::size_t open() const {
    std::size_t count = 0;
    for (const auto& [key, state] : states_) count += state.open.size();
    return count;
  }
  const std::string& broken() const { return broken_; }

 private:
  struct State {
    int epoch = -1;
    int coordinator_epoch = -1;
    std::uint64_t markers = 0;
    std::set<Serial> open;
  };
  State& at(const std::string& partition, std::int64_t producer_id) {
    return states_[{partition, producer_id}];
  }

  std::map<std::pair<std::string, std::int64_t>, State> states_;
  std::map<Serial, bool> outcomes_;
  std::map<Serial, bool> told_;
  std::string broken_;
};

}  // namespace milena::coordinator::testing_support
