// MetadataResponseBuilder: what a Metadata request asks for, and the response to it, made from an image.
//
// Immutable: any thread. Responses point into the request, the image and the request's arena.
//
// - The controller id is that of an alive broker, as in KRaft: clients send admin requests there.
// - Without an authorizer everybody may do everything: authorized operations list all operations when asked
//   for.
#pragma once

#include <string>
#include <vector>

#include "broker/handlers/call.h"
#include "broker/handlers/cluster_view.h"
#include "protocol/create_topics.gen.h"
#include "protocol/metadata.gen.h"

namespace milena::broker {

class MetadataResponseBuilder {
 public:
  MetadataResponseBuilder(std::string cluster_id, BrokerId self)
      : cluster_id_(std::move(cluster_id)), self_(self) {}

  static bool asks_for_all(const Call& call, const protocol::MetadataRequest& request);

  // INVALID_REQUEST for a request that its version does not allow.
  static Status check(const Call& call, const protocol::MetadataRequest& request);

  // The response to such a request: the error for every topic.
  protocol::MetadataResponse refusal(Call& call, const protocol::MetadataRequest& request,
                                     ErrorCode error) const;

  // Valid names that the request asks for and the image lacks, but the topic of share groups; views into the
  // request.
  static std::vector<std::string_view> missing_topics(const Call& call,
                                                      const protocol::MetadataRequest& request,
                                                      const controller::MetadataImage& image);

  // `created`: what creating the missing topics came to.
  protocol::MetadataResponse response(Call& call, const protocol::MetadataRequest& request,
                                      const controller::MetadataImage& image,
                                      const protocol::CreateTopicsResponse& created = {}) const;

 private:
  const std::string cluster_id_;
  const BrokerId self_;
};

}  // namespace milena::broker
