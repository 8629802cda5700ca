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
  // What is asked about brokers is found out here, once: an answer may have thousands of partitions.
  ClusterView(const controller::MetadataImage& image, BrokerId self, const Call& call);

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
  struct Broker {
    BrokerId id;
    const controller::BrokerRegistration* registration = nullptr;
    std::optional<Node> node;
    bool alive = false;
  };
  std::optional<Node> locate(const controller::BrokerRegistration& broker, BrokerId self) const;
  const Broker* find(BrokerId id) const;  // null: not registered
  std::span<BrokerId> filtered(std::span<const BrokerId> ids, bool keep_all) const;
  std::span<BrokerId> offline(const controller::Partition& partition) const;

  const controller::MetadataImage& image_;
  const Call& call_;
  std::span<Broker> brokers_;  // by id; in the arena
};

}  // namespace milena::broker
