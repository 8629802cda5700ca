// Metadata, versions 0-13: brokers and topics.
//
// - Topics: v0 lists all for an empty array; from v1 on null asks for all and an empty array for none. Topic
// ids may
//   be asked from v12 on; v10 and v11 carry the field, and asking with it is INVALID_REQUEST.
// - A topic that is missing is created when the client allows it (always before v4) and
// auto.create.topics.enable is
//   on; the answer is given when the topic exists, with its leader.
// - The controller id is that of an alive broker, as in KRaft: clients send admin requests there.
// - Without an authorizer everybody may do everything: authorized operations list all operations when asked
// for.
#pragma once

#include <string>
#include <vector>

#include "broker/handlers/call.h"
#include "broker/handlers/cluster_view.h"
#include "protocol/metadata.gen.h"

namespace milena::broker {

class MetadataHandler {
 public:
  MetadataHandler(std::string cluster_id, BrokerId self) : cluster_id_(std::move(cluster_id)), self_(self) {}

  static bool asks_for_all(const Call& call, const protocol::MetadataRequest& request);

  // INVALID_REQUEST for a request that its version does not allow.
  static Status check(const Call& call, const protocol::MetadataRequest& request);

  // The answer to such a request: the error for every topic.
  protocol::MetadataResponse refusal(Call& call, const protocol::MetadataRequest& request,
                                     ErrorCode error) const;

  // Valid names that the request asks for and the image lacks, internal topics aside; views into the request.
  static std::vector<std::string_view> missing_topics(const Call& call,
                                                      const protocol::MetadataRequest& request,
                                                      const controller::MetadataImage& image);

  // What creating a missing topic came to, when it failed.
  struct Refusal {
    std::string topic;
    ErrorCode error;
  };
  protocol::MetadataResponse answer(Call& call, const protocol::MetadataRequest& request,
                                    const controller::MetadataImage& image,
                                    const std::vector<Refusal>& refusals) const;

 private:
  const std::string cluster_id_;
  const BrokerId self_;
};

}  // namespace milena::broker
