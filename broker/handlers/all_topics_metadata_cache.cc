#include "broker/handlers/all_topics_metadata_cache.h"

#include <algorithm>

namespace milena::broker {
namespace {

constexpr std::size_t kOwnBytes = 8;  // size and correlation id: the only ones that differ between requests

bool is_of(const std::weak_ptr<const controller::MetadataImage>& kept,
           const controller::MetadataImagePtr& image) {
  return !kept.owner_before(image) && !image.owner_before(kept);
}

}  // namespace

AllTopicsMetadataCache::Asked AllTopicsMetadataCache::asked(const Call& call,
                                                            const protocol::MetadataRequest& request) {
  return {.version = call.version,
          .listener = std::string(call.listener),
          .host = std::string(call.advertised.host),
          .port = call.advertised.port,
          .topic_operations = request.include_topic_authorized_operations,
          .cluster_operations = request.include_cluster_authorized_operations};
}

std::optional<protocol::Encoded> AllTopicsMetadataCache::find(const Call& call,
                                                              const protocol::MetadataRequest& request,
                                                              const controller::MetadataImagePtr& image) {
  std::shared_ptr<const std::vector<std::byte>> whole;
  {
    const Asked wanted = asked(call, request);
    const MutexLock lock(mutex_);
    const auto found = std::ranges::find_if(
        answers_, [&](const Answer& answer) { return answer.asked == wanted && is_of(answer.image, image); });
    if (found == answers_.end()) return std::nullopt;
    whole = found->frame;
  }
  const BytesView rest = BytesView(*whole).subspan(kOwnBytes);
  protocol::Encoded frame{.buffer = call.arena.bytes(kOwnBytes),
                          .splices = call.arena.array<protocol::Encoded::Splice>(1),
                          .spliced_size = rest.size()};
  std::ranges::copy(BytesView(*whole).first(kOwnBytes), frame.buffer.begin());
  store_be(frame.buffer.data() + 4, call.request.header().correlation_id);
  frame.splices[0] = {.at = kOwnBytes, .records = {.bytes = rest}};
  call.request.pin(std::move(whole));
  return frame;
}

void AllTopicsMetadataCache::keep(const Call& call, const protocol::MetadataRequest& request,
                                  const controller::MetadataImagePtr& image, const protocol::Encoded& frame) {
  const BytesView bytes = frame.head();
  if (bytes.size() < kMinCachedBytes) return;
  Answer answer{asked(call, request), image,
                std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end())};
  const MutexLock lock(mutex_);
  for (Answer& other : answers_)
    if (!is_of(other.image, image)) other = {};
  std::swap(answers_[next_], answer);
  next_ = (next_ + 1) % kAnswers;
}

}  // namespace milena::broker
