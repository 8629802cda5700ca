// UpdateFeatures: which levels of which features the cluster uses, metadata.version among them.
#pragma once

#include "controller/decisions/decision.h"
#include "protocol/update_features.gen.h"

namespace milena::controller {

// All updates or none. `kraft_version` is the quorum's, which has its own records and cannot be changed here;
// naming the level it has succeeds. `api_version`: up to 1 the answer lists every feature, from 2 on only
// failures are told.
Outcome<protocol::UpdateFeaturesResponse> update_features(const DecisionContext& context,
                                                          const protocol::UpdateFeaturesRequest& request,
                                                          int api_version, FeatureLevel kraft_version);

}  // namespace milena::controller
