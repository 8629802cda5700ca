// PartitionMetrics: what a partition tells about itself to whoever reads metrics, without its mutex.
//
// Owned by the partition, which is the only writer, but for the counts of requests. Any thread may read.
#pragma once

#include <cstdint>

#include "broker/metrics/counter.h"

namespace milena::broker {

struct PartitionMetrics {
  // Written under the partition's mutex.
  Published<std::int64_t> log_start_offset;
  Published<std::int64_t> high_watermark;
  Published<std::uint64_t> log_bytes;
  Published<std::uint64_t> messages_in;
  Published<std::uint64_t> bytes_in;
  Published<std::uint64_t> fetches;
  Published<std::uint64_t> failed_fetches;
  // Written by the handlers.
  SharedCounter produces;
  SharedCounter failed_produces;
  SharedCounter bytes_out;
};

}  // namespace milena::broker
