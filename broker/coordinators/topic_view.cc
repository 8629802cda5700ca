#include "broker/coordinators/topic_view.h"

namespace milena::broker {
namespace {

using Topic = coordinator::MetadataView::Topic;

Topic described(const controller::Topic& topic) {
  return {topic.id, topic.name, static_cast<std::int32_t>(topic.partitions.size())};
}

std::optional<Topic> described(const controller::Topic* topic) {
  if (topic == nullptr) return std::nullopt;
  return described(*topic);
}

}  // namespace

std::optional<Topic> TopicView::topic(std::string_view name) const { return described(image_->topic(name)); }

std::optional<Topic> TopicView::topic(const Uuid& id) const { return described(image_->topic(id)); }

void TopicView::for_each_topic(const std::function<void(const Topic&)>& visit) const {
  for (const auto& [id, topic] : image_->topics) visit(described(*topic));
}

std::vector<std::string_view> TopicView::racks(const Uuid& topic_id, std::int32_t partition) const {
  std::vector<std::string_view> racks;
  const auto* topic = image_->topic(topic_id);
  const auto* state = topic == nullptr ? nullptr : topic->partition(partition);
  if (state == nullptr) return racks;
  for (const auto id : state->replicas()) {
    const auto* broker = image_->broker(id);
    if (broker != nullptr && broker->rack) racks.emplace_back(*broker->rack);
  }
  return racks;
}

}  // namespace milena::broker
