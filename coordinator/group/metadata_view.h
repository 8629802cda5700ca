// MetadataView: what groups need to know about topics. The broker adapts its metadata image to this.
//
// A view is an immutable snapshot: machines share it and replace it whole. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/uuid.h"

namespace milena::coordinator {

class MetadataView {
 public:
  struct Topic {
    Uuid id;
    std::string_view name;  // as long as the view
    std::int32_t partitions = 0;
  };

  virtual ~MetadataView() = default;

  // Grows with every change: the offset of the metadata log that the snapshot reflects.
  virtual std::int64_t version() const = 0;
  virtual std::optional<Topic> topic(std::string_view name) const = 0;
  virtual std::optional<Topic> topic(const Uuid& id) const = 0;
  virtual void for_each_topic(const std::function<void(const Topic&)>& visit) const = 0;
  // The racks of the brokers that hold a replica of the partition, in any order, possibly repeated; brokers
  // without a rack are left out. Empty for what does not exist.
  virtual std::vector<std::string_view> racks(const Uuid& topic_id, std::int32_t partition) const = 0;
};

// A view of nothing, for before the first metadata arrives.
class NoMetadata final : public MetadataView {
 public:
  std::int64_t version() const override { return 0; }
  std::optional<Topic> topic(std::string_view) const override { return std::nullopt; }
  std::optional<Topic> topic(const Uuid&) const override { return std::nullopt; }
  void for_each_topic(const std::function<void(const Topic&)>&) const override {}
  std::vector<std::string_view> racks(const Uuid&, std::int32_t) const override { return {}; }
};

}  // namespace milena::coordinator
