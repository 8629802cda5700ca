// DeleteRecords, versions 0-2: raises the log start offset of partitions (KIP-107).
//
// - Offset -1 means the high watermark. Beyond it, or below -1: OFFSET_OUT_OF_RANGE.
// - Internal topics keep their records: INVALID_TOPIC_EXCEPTION, except for __admin_client, as in Kafka.
// - A topic that only compacts keeps its records, too: POLICY_VIOLATION.
// - The answer leaves when the new log start is on stable storage, so that it survives a crash.
#pragma once

#include "broker/handlers/call.h"
#include "broker/partition/partition_manager.h"
#include "protocol/delete_records.gen.h"

namespace milena::broker {

class DeleteRecordsHandler {
 public:
  DeleteRecordsHandler(PartitionFinder& partitions, PartitionManager& manager)
      : partitions_(partitions), manager_(manager) {}
  void handle(Call& call, const protocol::DeleteRecordsRequest& request, Responder responder);

 private:
  PartitionFinder& partitions_;
  PartitionManager& manager_;
};

}  // namespace milena::broker
