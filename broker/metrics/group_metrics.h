// GroupMetrics: groups, what they have committed and how far behind they are; and transactions.
//
// Asks the coordinators at each scrape; see coordinators/coordinator_status.h for how long that holds their
// locks.
#pragma once

#include <functional>

#include "broker/coordinators/coordinator_status.h"
#include "broker/metrics/registry.h"
#include "broker/metrics/topics.h"

namespace milena::broker {

class GroupMetrics final : public MetricSource {
 public:
  struct Sources {
    std::function<GroupsStatus(const GroupsStatus::Limits&)> groups;
    std::function<TransactionsStatus()> transactions;
    std::function<controller::MetadataImagePtr()> image;
    PartitionRegistry& registry;  // outlives it
    MetricLimits limits;
  };
  explicit GroupMetrics(Sources sources) : sources_(std::move(sources)) {}

  void write(Exposition& out) override;

 private:
  static void write_states(Exposition& out, const GroupsStatus& status);
  void write_offsets(Exposition& out, const GroupsStatus& status) const;
  void write_transactions(Exposition& out) const;

  const Sources sources_;
};

}  // namespace milena::broker
