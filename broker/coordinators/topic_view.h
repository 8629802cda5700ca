// TopicView: a metadata image as the group machine wants to see it.
//
// Immutable, any thread; keeps the image alive.
#pragma once

#include <utility>

#include "controller/image/metadata_image.h"
#include "coordinator/group/metadata_view.h"

namespace milena::broker {

class TopicView final : public coordinator::MetadataView {
 public:
  explicit TopicView(controller::MetadataImagePtr image) : image_(std::move(image)) {}

  std::int64_t version() const override { return image_->provenance.offset.value; }
  std::optional<Topic> topic(std::string_view name) const override;
  std::optional<Topic> topic(const Uuid& id) const override;
  void for_each_topic(const std::function<void(const Topic&)>& visit) const override;
  std::vector<std::string_view> racks(const Uuid& topic_id, std::int32_t partition) const override;

 private:
  controller::MetadataImagePtr image_;
};

}  // namespace milena::broker
