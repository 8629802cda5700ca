// ControllerRig: a controller with a log in memory, for tests.
//
// Starts as a broker does: bootstrap, one registered and unfenced broker or more. What a verb decides is
// appended and replayed by commit(). A second loader follows the bytes of the log, as another node would.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "controller/controller.h"

namespace milena::controller::test_support {

inline constexpr FeatureLevel kRigKraftVersion = 1;

ControllerSettings rig_settings();
// What the rig's controller and brokers support: everything that Kafka 4.3 has.
FeatureRanges rig_features();

class ControllerRig {
 public:
  // `bootstrap`: what the cluster starts with; metadata.version alone unless given.
  explicit ControllerRig(ControllerSettings with = rig_settings(),
                         const FeatureLevels& bootstrap = {{std::string(kMetadataVersion),
                                                            kNewestMetadataVersion}},
                         std::uint64_t seed = 1);
  ControllerRig(const ControllerRig&) = delete;
  ControllerRig& operator=(const ControllerRig&) = delete;

  // Appends and replays; a failure to do so fails the test at once.
  void commit(std::span<const MetadataRecord> records);

  // Commits and hands the response on. Views stay valid as long as the rig.
  template <class T>
  T commit(const Outcome<T>& outcome) {
    commit(outcome.records);
    return outcome.response;
  }

  // A broker with `directories`, or with one of its own if none are given. Returns its epoch.
  std::int64_t register_broker(BrokerId id, std::string_view rack = "", std::int64_t previous_epoch = -1,
                               std::span<const Uuid> directories = {});
  void unfence(BrokerId id);
  // Registers and unfences.
  void add_broker(BrokerId id, std::string_view rack = "");
  protocol::BrokerHeartbeatResponse heartbeat(BrokerId id, bool want_fence, bool want_shut_down,
                                              std::span<const Uuid> failed_directories = {});
  // A heartbeat that changes nothing but this.
  void fail_directories(BrokerId id, std::initializer_list<Uuid> directories);
  // The broker reports where its replica of a partition lies; the error of that partition.
  ErrorCode assign_directory(BrokerId id, std::string_view topic, PartitionId index, const Uuid& directory);

  // Creates a topic that must be creatable.
  const Topic& create_topic(std::string_view name, std::int32_t partitions, std::int16_t replication_factor);

  const MetadataImage& image() const { return *controller.image(); }
  const std::vector<std::vector<std::byte>>& log() const { return log_; }
  // A new controller over the same log, as after a restart; not active yet.
  ControllerRig restarted() const { return ControllerRig(settings, log_, now_ms); }

  Arena arena;  // of all requests and responses
  SeededRng rng;
  ControllerSettings settings;
  Controller controller;
  std::int64_t now_ms = 1'000;

 private:
  ControllerRig(const ControllerSettings& with, const std::vector<std::vector<std::byte>>& log,
                std::int64_t now);

  MetadataLoader follower_;
  std::vector<std::vector<std::byte>> log_;
};

// The lists that requests are made of, in an arena.
template <class T>
std::span<T> list_of(Arena& arena, std::initializer_list<T> items) {
  const std::span<T> list = arena.array<T>(items.size());
  std::copy(items.begin(), items.end(), list.begin());
  return list;
}

}  // namespace milena::controller::test_support
