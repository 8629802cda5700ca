// World: one run of the simulator: a broker on a disk in memory, its clients, and what befalls them. All of
// it follows from a seed.
//
// run() once. The outcome says whether any claim of a client was contradicted, and a hash of every frame: the
// same seed and the same program give the same hash.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async/testing/sim_runtime.h"
#include "base/mem_fs.h"
#include "broker/testing/sim_broker.h"
#include "sim/client.h"
#include "sim/co.h"
#include "sim/history.h"

namespace milena::sim {

struct Outcome {
  std::string failure;  // empty: all is well
  std::uint64_t hash = 0;
  std::uint64_t frames = 0, claims = 0, steps = 0;
  std::string events;  // what befell the broker, a line each
  std::string log;     // the broker's
};

class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();

  Outcome run();

  // --- for the scripts

  static constexpr std::string_view kOrders = "orders", kPayments = "payments";
  static constexpr std::int32_t kOrdersPartitions = 3, kPaymentsPartitions = 2;

  SimRuntime& runtime() { return runtime_; }
  Rng& rng() { return runtime_.rng(); }
  Network& network() { return network_; }
  History& history() { return history_; }
  std::int64_t wall_ms() { return runtime_.clock().wall_ms(); }
  Instant now() { return runtime_.clock().now(); }
  // Clients finish what they are at, and come to an end.
  bool is_closing() const { return is_closing_; }
  // Whether all that is acknowledged survives whatever befalls this run.
  bool is_strong() const { return is_strong_; }
  // Power was lost, and records with it, maybe those that would end a transaction: it stays open.
  bool has_lost_power() const { return has_lost_power_; }

 private:
  struct Running {
    std::string name;
    Co<> script;
  };

  void add(std::string name, Co<> script);
  bool finish(std::string name, Co<> script);
  void start_broker();
  void befall();
  void crash(MemFs::Loss loss, const char* what);
  void restart();
  void note(std::string what);
  std::vector<std::string> settings();

  SimRuntime runtime_;
  MemFs disk_;
  const bool is_fsync_;
  const bool is_strong_;
  broker::testing::SimBroker broker_;
  Network network_;
  History history_;
  bool is_closing_ = false;
  bool lost_power_ = false;      // and what was lost has not been looked at yet
  bool has_lost_power_ = false;  // ever
  std::string events_;
  std::vector<Running> scripts_;
};

}  // namespace milena::sim
