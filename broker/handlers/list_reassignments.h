// ListPartitionReassignments, version 0: the partitions whose replicas are being moved (KIP-455). Those of a
// list that do not exist, or are not being moved, are left out. Nothing on a single node moves one; a
// directory that comes from a cluster may hold some.
#pragma once

#include "base/arena.h"
#include "controller/image/metadata_image.h"
#include "protocol/list_partition_reassignments.gen.h"

namespace milena::broker {

// Views point into the image, the request and the arena.
protocol::ListPartitionReassignmentsResponse list_reassignments(
    const protocol::ListPartitionReassignmentsRequest& request, const controller::MetadataImage& image,
    Arena& arena);

}  // namespace milena::broker
