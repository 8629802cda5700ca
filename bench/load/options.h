// The command line of the generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bench/load/sample_records.h"
#include "bench/load/sockets.h"

namespace milena::bench {

// When a measured stretch is over: after so many bytes of batches, or so many seconds. The other one is 0.
struct Extent {
  std::uint64_t bytes = 0;
  double seconds = 0;
};

struct Options {
  enum class Mode { kProduce, kFetch, kLatency, kIdle, kMetadata, kPartitions, kGroup };
  Mode mode = Mode::kProduce;

  Address broker;
  std::optional<int> pid;  // of the broker, to measure it
  std::string topic = "bench";
  int partitions = 1;
  bool create = false;
  int connections = 0;
  std::uint64_t warmup_bytes = 0;
  Extent extent;

  // produce, latency
  int in_flight = 5;
  BatchShape shape;
  int acks = 1;
  bool idempotent = false;
  int transactional_ms = 0;  // how long transactions are open; 0: none
  double rate = 0;           // records per second over all connections; 0: as fast as it goes

  // fetch
  int max_bytes = 1 << 20;
  int partition_max_bytes = 1 << 20;
  int max_wait_ms = 500;
  bool sessions = false;
  bool from_latest = false;

  // group
  bool consumer_protocol = false;  // KIP-848; else classic
  int rounds = 5;
};

// Ends the program when the command line is wrong or asks for help.
Options parse_options(int argc, char** argv);

}  // namespace milena::bench
