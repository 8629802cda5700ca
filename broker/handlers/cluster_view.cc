#include "broker/handlers/cluster_view.h"

#include <algorithm>

namespace milena::broker {

std::optional<Node> ClusterView::node(BrokerId id) const {
  const auto* broker = image_.broker(id);
  if (broker == nullptr) return std::nullopt;
  std::optional<std::string_view> rack;
  if (broker->rack) rack = *broker->rack;
  if (id == self_) return Node{id, call_.advertised.host, call_.advertised.port, rack};
  const auto endpoint = std::ranges::find(broker->endpoints, call_.listener, &controller::Endpoint::name);
  if (endpoint == broker->endpoints.end()) return std::nullopt;
  return Node{id, endpoint->host, endpoint->port, rack};
}

bool ClusterView::is_alive(BrokerId id) const {
  const auto* broker = image_.broker(id);
  return broker != nullptr && !broker->fenced && node(id).has_value();
}

std::span<BrokerId> ClusterView::filtered(std::span<const BrokerId> ids, bool keep_all) const {
  auto out = call_.arena.array<BrokerId>(ids.size());
  std::size_t kept = 0;
  for (const BrokerId id : ids) {
    if (keep_all || is_alive(id)) out[kept++] = id;
  }
  return out.first(kept);
}

ClusterView::PartitionView ClusterView::partition(const controller::Partition& partition,
                                                  bool list_unreachable) const {
  PartitionView view;
  view.replicas = filtered(partition.replicas(), list_unreachable);
  view.isr = filtered(partition.isr(), list_unreachable);

  auto offline = call_.arena.array<BrokerId>(partition.replicas().size());
  std::size_t offline_count = 0;
  for (const BrokerId id : partition.replicas()) {
    const auto* broker = image_.broker(id);
    if (!is_alive(id) || !broker->has_online_dir(partition.directory_of(id))) offline[offline_count++] = id;
  }
  view.offline_replicas = offline.first(offline_count);

  if (!node(partition.leader())) {
    const bool registered = image_.broker(partition.leader()) != nullptr;
    view.error = registered ? ErrorCode::kListenerNotFound : ErrorCode::kLeaderNotAvailable;
    return view;
  }
  view.leader = partition.leader();
  if (view.replicas.size() < partition.replicas().size() || view.isr.size() < partition.isr().size()) {
    view.error = ErrorCode::kReplicaNotAvailable;
  }
  return view;
}

}  // namespace milena::broker
