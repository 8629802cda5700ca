#include "broker/handlers/cluster_view.h"

#include <algorithm>

namespace milena::broker {

ClusterView::ClusterView(const controller::MetadataImage& image, BrokerId self, const Call& call)
    : image_(image), call_(call), brokers_(call.arena.array<Broker>(image.brokers.size())) {
  std::size_t at = 0;
  for (const auto& [id, broker] : image.brokers) {
    const auto node = locate(*broker, self);
    brokers_[at++] = {id, &*broker, node, !broker->fenced && node};
  }
}

std::optional<Node> ClusterView::locate(const controller::BrokerRegistration& broker, BrokerId self) const {
  std::optional<std::string_view> rack;
  if (broker.rack) rack = *broker.rack;
  if (broker.id == self) return Node{broker.id, call_.advertised.host, call_.advertised.port, rack};
  const auto endpoint = std::ranges::find(broker.endpoints, call_.listener, &controller::Endpoint::name);
  if (endpoint == broker.endpoints.end()) return std::nullopt;
  return Node{broker.id, endpoint->host, endpoint->port, rack};
}

const ClusterView::Broker* ClusterView::find(BrokerId id) const {
  const auto at = std::ranges::lower_bound(brokers_, id, {}, &Broker::id);
  return at != brokers_.end() && at->id == id ? &*at : nullptr;
}

std::optional<Node> ClusterView::node(BrokerId id) const {
  const Broker* broker = find(id);
  return broker == nullptr ? std::nullopt : broker->node;
}

bool ClusterView::is_alive(BrokerId id) const {
  const Broker* broker = find(id);
  return broker != nullptr && broker->alive;
}

std::span<BrokerId> ClusterView::filtered(std::span<const BrokerId> ids, bool keep_all) const {
  auto out = call_.arena.array<BrokerId>(ids.size());
  std::size_t kept = 0;
  for (const BrokerId id : ids) {
    if (keep_all || is_alive(id)) out[kept++] = id;
  }
  return out.first(kept);
}

// Mostly none, and nothing is allocated for them.
std::span<BrokerId> ClusterView::offline(const controller::Partition& partition) const {
  const auto is_offline = [&](BrokerId id) {
    const Broker* broker = find(id);
    return broker == nullptr || !broker->alive ||
           !broker->registration->has_online_dir(partition.directory_of(id));
  };
  const auto replicas = partition.replicas();
  if (std::ranges::none_of(replicas, is_offline)) return {};
  auto out = call_.arena.array<BrokerId>(replicas.size());
  const auto end = std::ranges::copy_if(replicas, out.begin(), is_offline).out;
  return out.first(static_cast<std::size_t>(end - out.begin()));
}

ClusterView::PartitionView ClusterView::partition(const controller::Partition& partition,
                                                  bool list_unreachable) const {
  PartitionView view;
  view.replicas = filtered(partition.replicas(), list_unreachable);
  const bool all_in_sync = std::ranges::equal(partition.isr(), partition.replicas());
  view.isr = all_in_sync ? view.replicas : filtered(partition.isr(), list_unreachable);
  view.offline_replicas = offline(partition);

  const Broker* leader = find(partition.leader());
  if (leader == nullptr || !leader->node) {
    view.error = leader != nullptr ? ErrorCode::kListenerNotFound : ErrorCode::kLeaderNotAvailable;
    return view;
  }
  view.leader = partition.leader();
  if (view.replicas.size() < partition.replicas().size() || view.isr.size() < partition.isr().size()) {
    view.error = ErrorCode::kReplicaNotAvailable;
  }
  return view;
}

}  // namespace milena::broker
