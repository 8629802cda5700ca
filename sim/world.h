// World: the stage of a run: a broker on a disk in memory, its clients and what they were told. All of it
// follows from a seed.
//
// Not thread-safe. Who has it turns it: the calls that wait let virtual time pass. What befalls it is for
// others to decide (run.h, power_cut_test.cc).
#pragma once

#include <array>
#include <cstdint>
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

class World {
 public:
  struct Options {
    std::uint64_t seed = 1;
    bool is_fsync = true;
    // Nothing befalls this run that could cost what is acknowledged.
    bool is_strong = true;
    std::vector<std::string> settings{};  // besides those of every run
  };

  explicit World(Options options);
  ~World();

  // --- turning it

  void start_broker();
  // For a start that is not meant to last. Why it failed; empty if it did not.
  std::string try_start();
  void stop_broker();
  // The broker ends like kill -9, or like a power cut. What may be lost is not claimed any more.
  void crash(MemFs::Loss loss);
  // Starts the broker again in a little while. What was lost is looked at before clients go on.
  void restart();
  // Adds a client.
  void add(std::string name, Co<> script);
  // Tells the clients to finish, and waits for all of them.
  void close();
  // Whether the script came to its end.
  bool finish(const std::string& name, Co<> script);
  // No client is left, and no broker.
  void end();
  void run_for(Instant duration);
  void note(std::string what);

  bool is_well() const { return history_.failure().empty(); }
  // What befell the broker, a line each.
  const std::string& events() const { return events_; }
  broker::testing::SimBroker& broker() { return broker_; }
  MemFs& disk() { return disk_; }

  // --- for the scripts

  static constexpr std::string_view kOrders = "orders", kPayments = "payments", kDiary = "diary";
  static constexpr std::int32_t kOrdersPartitions = 3, kPaymentsPartitions = 2;
  static constexpr std::array<std::pair<std::string_view, std::int32_t>, 3> kTopics{
      {{kOrders, kOrdersPartitions}, {kPayments, kPaymentsPartitions}, {kDiary, 1}}};
  static constexpr std::int32_t kConsumerSessionMs = 1000;

  SimRuntime& runtime() { return runtime_; }
  Rng& rng() { return runtime_.rng(); }
  Network& network() { return network_; }
  History& history() { return history_; }
  // Less than that.
  Instant up_to(std::int64_t ms) {
    return Instant{static_cast<std::int64_t>(rng().below(static_cast<std::uint64_t>(ms)))};
  }
  std::int32_t one_of(std::int32_t count) { return static_cast<std::int32_t>(up_to(count).count()); }
  std::int64_t wall_ms() { return runtime_.clock().wall_ms(); }
  Instant now() { return runtime_.clock().now(); }
  bool is_fsync() const { return options_.is_fsync; }
  // Whether all that is acknowledged survives whatever befalls this run.
  bool is_strong() const { return options_.is_strong; }
  // Clients finish what they are at, and come to an end.
  bool is_closing() const { return is_closing_; }
  // Power was lost, and records with it, maybe those that would end a transaction: it stays open.
  bool has_lost_power() const { return has_lost_power_; }

 private:
  struct Running {
    std::string name;
    Co<> script;
  };

  std::vector<std::string> settings() const;

  const Options options_;
  SimRuntime runtime_;
  MemFs disk_;
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
