// The finalized features of a cluster, as a node that opens its metadata finds them: those it supports, those
// it only keeps, and those that it must not go on with.
//
// Pure functions; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "controller/image/metadata_image.h"

namespace milena::controller {

// Whether a feature does nothing but let clients form groups of another kind (share.version, KIP-932;
// streams.version, KIP-1071). A node without it keeps its level for those who have it: nothing that the node
// serves itself is stored or answered differently.
bool only_adds_groups(std::string_view feature);

// The levels that are kept without being supported; empty when all are supported. `kraft_version` is the
// quorum's. Error: the sentence for the operator, which names the feature, its level, what this node
// supports, and what to do.
std::expected<FeatureLevels, std::string> check_finalized(const FeatureLevels& finalized,
                                                          FeatureLevel kraft_version,
                                                          const FeatureRanges& supported);

}  // namespace milena::controller
