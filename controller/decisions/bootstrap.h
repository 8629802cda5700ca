// What the active controller writes first: into an empty log the features the cluster starts with, into any
// other the end of what its predecessor left open.
#pragma once

#include <optional>
#include <vector>

#include "controller/decisions/decision.h"

namespace milena::controller {

// What a cluster begins with: this node's own choice, or what formatting the directory wrote down.
struct Bootstrap {
  FeatureLevels features{};  // metadata.version among them
  PersistentMap<ScramKey, Shared<ScramCredential>> scram{};
};

// The levels at which Kafka 4.3 starts a cluster, as far as this node supports them. A feature that the node
// does not list stays off, and can be turned on later with UpdateFeatures.
FeatureLevels default_bootstrap_features(const FeatureRanges& supported);

// `transaction_start`: of an open metadata transaction, which nobody is going to end any more.
// `bootstrap` is used only when the log has no metadata.version yet, and must name one. The records may point
// into it.
std::vector<MetadataRecord> activation_records(const DecisionContext& context,
                                               std::optional<Offset> transaction_start,
                                               const Bootstrap& bootstrap);

}  // namespace milena::controller
