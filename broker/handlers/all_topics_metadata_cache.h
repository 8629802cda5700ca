// AllTopicsMetadataCache: the last large answers to Metadata requests about all topics, encoded. Thousands of
// partitions change seldom, and monitoring, consumers of patterns and admin tools ask for all of them again
// and again.
//
// Owned by MetadataHandler, used by every event loop; thread-safe.
// Always: an answer is given again only for the image that it was made from, and to a client that would get
// the same bytes: the same version, listener, address of this node, and the same operations asked for. At
// most kAnswers are kept; those of other images go with the next one that comes.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "broker/handlers/call.h"
#include "controller/image/metadata_image.h"
#include "protocol/codec.h"
#include "protocol/metadata.gen.h"

namespace milena::broker {

class AllTopicsMetadataCache {
 public:
  static constexpr std::size_t kAnswers = 4;
  static constexpr std::size_t kMinCachedBytes = 16 * 1024;  // bytes; below, encoding is as cheap as keeping

  // The frame of the answer, in the request's arena and pinned by it; none: it has to be made.
  std::optional<protocol::Encoded> find(const Call& call, const protocol::MetadataRequest& request,
                                        const controller::MetadataImagePtr& image);
  // `frame` was made for this request, with protocol::encode_response, from this image.
  void keep(const Call& call, const protocol::MetadataRequest& request,
            const controller::MetadataImagePtr& image, const protocol::Encoded& frame);

 private:
  struct Asked {
    std::int16_t version = -1;
    std::string listener;
    std::string host;
    std::int32_t port = 0;
    bool topic_operations = false;
    bool cluster_operations = false;
    bool operator==(const Asked&) const = default;
  };
  struct Answer {
    Asked asked;
    std::weak_ptr<const controller::MetadataImage> image;
    std::shared_ptr<const std::vector<std::byte>> frame;
  };
  static Asked asked(const Call& call, const protocol::MetadataRequest& request);

  Mutex mutex_;
  std::array<Answer, kAnswers> answers_ MILENA_GUARDED_BY(mutex_);
  std::size_t next_ MILENA_GUARDED_BY(mutex_) = 0;
};

}  // namespace milena::broker
