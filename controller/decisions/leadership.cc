#include "controller/decisions/leadership.h"

#include <algorithm>
#include <utility>

#include "controller/decisions/partition_change.h"

namespace milena::controller {
namespace {

// Effective settings of a topic that decide elections.
struct ElectionSettings {
  std::size_t min_isr = 1;
  bool unclean = false;
};

ElectionSettings election_settings(const DecisionContext& context, const Topic& topic) {
  const ConfigLayers layers =
      topic_layers(context, context.image.config(ConfigResourceType::kTopic, topic.name));
  const auto value = [&](std::string_view name) {
    return effective_topic_value(*find_topic_config(name), layers);
  };
  const auto min_isr = static_cast<std::size_t>(std::get<std::int64_t>(value(kMinInsyncReplicas)));
  const Partition* first = topic.partition(0);
  return {.min_isr = first != nullptr ? std::min(min_isr, first->replicas().size()) : min_isr,
          .unclean = std::get<bool>(value("unclean.leader.election.enable"))};
}

bool is_concerned(const Partition& partition, const BrokerEvent& event) {
  if (event.joining != kNoBroker) return !partition.has_leader();
  if (event.leaving != kNoBroker) return partition.in_isr(event.leaving);
  return partition.in_isr(event.unclean_shutdown) ||
         std::ranges::find(partition.elr(), event.unclean_shutdown) != partition.elr().end();
}

}  // namespace

void append_leadership_changes(const DecisionContext& context, const BrokerEvent& event,
                               std::vector<MetadataRecord>& records) {
  for (const auto& [id, topic] : context.image.topics) {
    std::optional<ElectionSettings> settings;
    for (const auto& [index, partition] : topic->partitions) {
      if (!is_concerned(*partition, event)) continue;
      if (!settings) settings = election_settings(context, *topic);
      const auto may_lead = [&](BrokerId broker) {
        if (broker == event.leaving || broker == event.unclean_shutdown) return false;
        const BrokerRegistration* registered = context.image.broker(broker);
        if (registered == nullptr || !registered->has_online_dir(partition->directory_of(broker)))
          return false;
        return broker == event.joining || registered->is_active();
      };
      PartitionChange change{.current = *partition,
                             .topic = id,
                             .index = index,
                             .metadata_version = context.image.metadata_version(),
                             .min_isr = settings->min_isr,
                             .elr_enabled = elr_enabled(context.image),
                             .unclean_election = settings->unclean,
                             .may_lead = may_lead,
                             .target_isr = {partition->isr().begin(), partition->isr().end()},
                             .unclean_shutdown = event.unclean_shutdown};
      std::erase_if(change.target_isr, [&](BrokerId broker) {
        return broker == event.leaving || broker == event.unclean_shutdown;
      });
      if (auto record = change.to_record(context.arena)) records.push_back(*record);
    }
  }
}

bool has_leaderships(const MetadataImage& image, BrokerId broker) {
  return std::ranges::any_of(image.topics, [&](const auto& entry) {
    return std::ranges::any_of(entry.value->partitions,
                               [&](const auto& at) { return at.value->leader() == broker; });
  });
}

}  // namespace milena::controller
