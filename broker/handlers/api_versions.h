// ApiVersions, versions 0-4: what this broker serves, and which features it supports and has finalized
// (KIP-35, KIP-584).
//
// - A version that is not served is answered with a version 0 body, UNSUPPORTED_VERSION and the whole list:
// old and
//   new clients find their way down from there.
// - From v3 on the client names its software; a name outside [a-zA-Z0-9] and inner [-.] is INVALID_REQUEST
// (KIP-511).
// - Finalized features that are kept for others and not served here are left out (finalized_features.h).
// - Features whose lowest level is 0 are left out before v4, whose readers reject them (KAFKA-17011).
#pragma once

#include <vector>

#include "broker/handlers/call.h"
#include "broker/handlers/router.h"
#include "broker/metadata/metadata_source.h"
#include "broker/metrics/client_software.h"
#include "protocol/api_versions.gen.h"

namespace milena::broker {

class ApiVersionsHandler {
 public:
  static constexpr std::int16_t kMaxVersion = 4;

  ApiVersionsHandler(std::vector<ServedApi> apis, controller::FeatureRanges supported,
                     const MetadataSource& metadata, ClientSoftware& client_software)
      : apis_(std::move(apis)),
        supported_(std::move(supported)),
        metadata_(metadata),
        client_software_(client_software) {}

  // Takes the request undecoded: its version may be one that nobody here knows.
  void handle(Call& call, Responder responder) const;

 private:
  protocol::ApiVersionsResponse answer(Call& call) const;

  const std::vector<ServedApi> apis_;
  const controller::FeatureRanges supported_;
  const MetadataSource& metadata_;
  ClientSoftware& client_software_;
};

}  // namespace milena::broker
