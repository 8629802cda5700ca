// load_metadata: what the files of the metadata log add up to at a start.
//
// Blocks, and changes nothing.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "base/log.h"
#include "broker/metadata/metadata_store.h"
#include "controller/decisions/bootstrap.h"
#include "controller/image/metadata_loader.h"
#include "controller/raft/quorum_config.h"

namespace milena::broker {

struct LoadedMetadata {
  controller::MetadataLoader loader;
  controller::QuorumConfig quorum;                 // with its voters
  std::optional<controller::Bootstrap> bootstrap;  // what formatting chose, if the cluster has not begun
};

// The newest snapshot, the log behind it, and for a cluster that has not begun what formatting wrote down.
// Where nothing names the voters, `self` is the only one. The error is a sentence for the operator: the log
// cannot be understood, or its cluster uses features that are not `supported`. Features that are kept but not
// served are named in the log.
std::expected<LoadedMetadata, std::string> load_metadata(MetadataStore& store, const controller::Voter& self,
                                                         const controller::FeatureRanges& supported,
                                                         const Logger& log);

}  // namespace milena::broker
