// CreateTopics 2-7, DeleteTopics 1-6, CreatePartitions 0-3, ElectLeaders 0-2, IncrementalAlterConfigs 0-1,
// AlterConfigs 0-2, UpdateFeatures 0-2: requests that the controller decides. What they accept and refuse is
// documented there (controller/decisions); here they are handed over, and the missing topics of a Metadata
// request become one of them.
//
// CreateTopics and DeleteTopics are done when they are answered: partitions exist, leaders are known, and a
// topic that was deleted is gone from Metadata.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "broker/config/static_config.h"
#include "broker/handlers/call.h"
#include "broker/handlers/metadata.h"
#include "broker/handlers/whole_metadata.h"
#include "broker/metadata/metadata_log.h"
#include "protocol/alter_configs.gen.h"
#include "protocol/create_partitions.gen.h"
#include "protocol/create_topics.gen.h"
#include "protocol/delete_topics.gen.h"
#include "protocol/elect_leaders.gen.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "protocol/metadata.gen.h"
#include "protocol/update_features.gen.h"

namespace milena::broker {

class ControllerHandlers {
 public:
  ControllerHandlers(MetadataLog& metadata, const MetadataHandler& metadata_answers,
                     const StaticConfig& settings)
      : metadata_(metadata),
        metadata_answers_(metadata_answers),
        settings_(settings),
        auto_create_topics_(settings.flag("auto.create.topics.enable")) {}

  void create_topics(Call& call, const protocol::CreateTopicsRequest& request, Responder responder);
  void delete_topics(Call& call, const protocol::DeleteTopicsRequest& request, Responder responder);
  void create_partitions(Call& call, const protocol::CreatePartitionsRequest& request, Responder responder);
  void incremental_alter_configs(Call& call, const protocol::IncrementalAlterConfigsRequest& request,
                                 Responder responder);
  void alter_configs(Call& call, const protocol::AlterConfigsRequest& request, Responder responder);
  void elect_leaders(Call& call, const protocol::ElectLeadersRequest& request, Responder responder);
  void update_features(Call& call, const protocol::UpdateFeaturesRequest& request, Responder responder);
  void metadata(Call& call, const protocol::MetadataRequest& request, Responder responder);

 private:
  void all_metadata(Call& call, const protocol::MetadataRequest& request,
                    const controller::MetadataImagePtr& image, Responder responder);

  MetadataLog& metadata_;
  const MetadataHandler& metadata_answers_;
  const StaticConfig& settings_;
  const bool auto_create_topics_;
  WholeMetadata whole_metadata_;
};

}  // namespace milena::broker
