// SimBroker: a whole broker in a simulated world: one thread, a virtual clock, a disk in memory, no sockets.
//
// start() and what follows from it as often as wanted; each start is a new process on the same disk. Not
// thread-safe. The runtime and the disk outlive it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async/testing/sim_runtime.h"
#include "base/mem_fs.h"
#include "base/rng.h"
#include "broker/broker.h"
#include "broker/net/frame_server.h"

namespace milena::broker::testing {

class SimBroker {
 public:
  static constexpr std::uint16_t kPort = 9092;

  // `settings` are "key=value", stronger than the defaults.
  SimBroker(SimRuntime& runtime, MemFs& disk, std::vector<std::string> settings);
  ~SimBroker();

  // Why it did not start; empty if it did.
  std::string start();
  bool is_up() const { return server_ != nullptr; }
  // As SIGTERM does. Blocks for virtual time.
  void stop();
  // Ends like kill -9, or like a power cut that loses what `loss` says. Whoever is connected hears nothing
  // more.
  void crash(MemFs::Loss loss);

  // Null while it is down.
  std::shared_ptr<FrameConnection> connect(std::shared_ptr<FramePeer> peer);

  // The lines of its log, of all starts.
  const std::string& lines() const { return lines_; }
  // Whether the broker itself has asked to be stopped.
  bool has_given_up() const { return has_given_up_; }

 private:
  void end();
  void boot();  // the system starts: a killed process leaves the page cache, a power cut does not
  static void keep_line(void* self, LogLevel level, std::string_view line);

  SimRuntime& runtime_;
  MemFs& disk_;
  int boots_ = 0;
  const std::vector<std::string> settings_;
  SeededRng rng_;
  std::string lines_;
  Logger log_{LogLevel::kInfo, &keep_line, this};
  std::unique_ptr<Broker> broker_;
  FrameServer* server_ = nullptr;  // the broker's
  bool has_given_up_ = false;
};

}  // namespace milena::broker::testing
