// MarkerWriter: puts the end of transactions into the partitions that took part and that this node leads.
//
// Owned by Broker, and outlives the event loops. Thread-safe. Used by the transaction coordinator of this
// node and by WriteTxnMarkers, its remote form.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/async/loop.h"
#include "base/clock.h"
#include "broker/coordinators/group_coordinator.h"
#include "broker/partition/partition_finder.h"
#include "protocol/error_code.h"
#include "protocol/types.h"

namespace milena::broker {

struct TransactionMarker {
  protocol::ProducerId producer_id;
  std::int16_t producer_epoch = -1;
  std::int32_t coordinator_epoch = -1;
  bool commit = false;
  std::int16_t transaction_version = 0;  // from 2 on the epoch is above that of the records (KIP-890)
};

class MarkerWriter {
 public:
  using Done = std::move_only_function<void(ErrorCode)>;

  // `loop` runs the callbacks of markers that have to wait.
  MarkerWriter(PartitionFinder& partitions, const GroupCoordinator& groups, Loop& loop, const Clock& clock)
      : partitions_(partitions), groups_(groups), loop_(loop), clock_(clock) {}

  // Appends the marker; `done` is called once, when it is committed or will not be: at once on this thread,
  // or later on the loop.
  //   UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, INVALID_PRODUCER_EPOCH,
  //   TRANSACTION_COORDINATOR_FENCED, KAFKA_STORAGE_ERROR
  void write(const TransactionMarker& marker, std::string_view topic, protocol::PartitionId partition,
             Done done);

 private:
  Result<Partition::Appended> append(const TransactionMarker& marker, Partition& partition);

  PartitionFinder& partitions_;
  const GroupCoordinator& groups_;
  Loop& loop_;
  const Clock& clock_;
};

}  // namespace milena::broker
