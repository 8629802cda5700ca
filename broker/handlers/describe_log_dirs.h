// DescribeLogDirs, versions 1-5: the log directories of this node, what each partition occupies in them, and
// the space on their volumes (KIP-113, KIP-827, KIP-1066).
//
// - A directory that cannot be used: KAFKA_STORAGE_ERROR, and no partitions.
// - Topics that are asked for and are not here are left out; every directory is answered all the same.
// - *-stray directories are listed under their own names, so that an operator sees what they hold.
#pragma once

#include "broker/handlers/call.h"
#include "broker/partition/partition_manager.h"
#include "protocol/describe_log_dirs.gen.h"

namespace milena::broker {

class DescribeLogDirsHandler {
 public:
  explicit DescribeLogDirsHandler(PartitionManager& partitions) : partitions_(partitions) {}
  // Answers from the worker pool: the volumes are asked for their space.
  void handle(Call& call, const protocol::DescribeLogDirsRequest& request, Responder responder);

 private:
  PartitionManager& partitions_;
};

}  // namespace milena::broker
