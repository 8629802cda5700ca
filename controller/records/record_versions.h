// Which version of a record may be written at a metadata.version: a reader of that version must understand
// it.
//
// The numbers are Kafka's. Record types that are not listed have had one version only, or pick theirs by the
// fields they set.
#pragma once

#include <cstdint>

namespace milena::controller {

using FeatureLevel = std::int16_t;

// The metadata.version of the releases whose names matter here.
inline constexpr FeatureLevel kMetadataVersion33Iv3 = 7;   // the oldest that 4.x reads
inline constexpr FeatureLevel kMetadataVersion36Iv1 = 13;  // transactions
inline constexpr FeatureLevel kMetadataVersion37Iv0 = 15;  // RegisterController
inline constexpr FeatureLevel kMetadataVersion37Iv2 = 17;  // replicas are assigned to directories
inline constexpr FeatureLevel kMetadataVersion40Iv1 = 23;  // eligible leader replicas
inline constexpr FeatureLevel kMetadataVersion43Iv0 = 30;  // cordoned directories
inline constexpr FeatureLevel kOldestMetadataVersion = kMetadataVersion33Iv3;
inline constexpr FeatureLevel kNewestMetadataVersion = kMetadataVersion43Iv0;

// PartitionRecord and PartitionChangeRecord.
constexpr std::int16_t partition_record_version(FeatureLevel metadata_version) {
  return metadata_version >= kMetadataVersion40Iv1 ? 2 : metadata_version >= kMetadataVersion37Iv2 ? 1 : 0;
}

constexpr std::int16_t register_broker_record_version(FeatureLevel metadata_version) {
  if (metadata_version >= kMetadataVersion43Iv0) return 4;
  if (metadata_version >= kMetadataVersion37Iv2) return 3;
  return metadata_version >= 8 ? 2 : 1;
}

}  // namespace milena::controller
