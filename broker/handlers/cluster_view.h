// ClusterView: brokers and topics of a metadata image as one client should see them.
//
// A value for the time of one request. This node's own address depends on how the client reached it (see
// Call::advertised); other nodes' come from their registration for the same listener.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "broker/handlers/call.h"
#include "controller/image/metadata_image.h"
#include "protocol/error_code.h"

namespace milena::broker {

using protocol::BrokerId;
using protocol::PartitionId;

struct Node {
  BrokerId id;
  std::string_view host;
  std::int32_t port = 0;
  std::optional<std::string_view> rack;
};

class ClusterView {
 public:
  ClusterView(const controller::MetadataImage& image, BrokerId self, const Call& call)
      : image_(image), self_(self), call_(call) {}

  const controller::MetadataImage& image() const { return image_; }

  // Where this client reaches the broker; none when it is unknown, or has no such listener.
  std::optional<Node> node(BrokerId id) const;
  bool is_alive(BrokerId id) const;  // registered, not fenced, and has the listener

  struct PartitionView {
    ErrorCode error = ErrorCode::kNone;
    BrokerId leader = protocol::kNoBroker;
    std::span<BrokerId> replicas;
    std::span<BrokerId> isr;
    std::span<BrokerId> offline_replicas;
  };
  // `list_unreachable`: replicas on brokers that are not alive stay in the lists (everything but Metadata v0
  // wants that); otherwise they are left out and the error says so.
  PartitionView partition(const controller::Partition& partition, bool list_unreachable) const;

 private:
  std::span<BrokerId> filtered(std::span<const BrokerId> ids, bool keep_all) const;

  const controller::MetadataImage& image_;
  const BrokerId self_;
  const Call& call_;
};

}  // namespace milena::broker
