// The records that describe an image: what a snapshot holds, and what decisions write about single things.
//
// The records of to_record() are wholly in the arena, where it takes one. A field that the finalized
// metadata.version cannot express is left out.
#pragma once

#include <functional>

#include "base/arena.h"
#include "base/result.h"
#include "controller/image/metadata_image.h"
#include "controller/records/metadata_record.h"

namespace milena::controller {

MetadataRecord to_record(const BrokerRegistration& broker, FeatureLevel metadata_version, Arena& arena);
MetadataRecord to_record(const ControllerRegistration& controller, Arena& arena);
// Points into its arguments.
MetadataRecord to_record(const ScramKey& key, const ScramCredential& credential);
MetadataRecord to_record(const Uuid& topic, PartitionId index, const PartitionFields& partition,
                         FeatureLevel metadata_version, Arena& arena);

// Hands out every record of the image, in the order in which Kafka's snapshots have them, until the sink
// fails. Replaying them into an empty image makes an equal one. A record is valid until the sink returns.
Status for_each_record(const MetadataImage& image, const std::function<Status(const MetadataRecord&)>& sink);

}  // namespace milena::controller
