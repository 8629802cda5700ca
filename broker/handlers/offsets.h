// OffsetCommit 2-10, OffsetFetch 1-10, OffsetDelete 0: the committed offsets of groups.
//
// Here topics are checked and named: from version 10 on they come by id. An unknown id is UNKNOWN_TOPIC_ID; a
// commit or a deletion for what does not exist is UNKNOWN_TOPIC_OR_PARTITION, while a fetch does not ask
// whether it does. The rest is the group machine's.
#pragma once

#include "broker/coordinators/group_coordinator.h"
#include "broker/handlers/call.h"
#include "broker/metadata/metadata_source.h"

namespace milena::broker {

class OffsetHandlers {
 public:
  OffsetHandlers(GroupCoordinator& groups, const MetadataSource& metadata)
      : groups_(groups), metadata_(metadata) {}

  void commit(Call& call, const protocol::OffsetCommitRequest& request, Responder responder);
  void fetch(Call& call, const protocol::OffsetFetchRequest& request, Responder responder);
  void remove(Call& call, const protocol::OffsetDeleteRequest& request, Responder responder);

 private:
  GroupCoordinator& groups_;
  const MetadataSource& metadata_;
};

}  // namespace milena::broker
