#include "controller/decisions/leadership.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "controller/decisions/partition_change.h"

namespace milena::controller {
namespace {

bool contains(std::span<const Uuid> directories, const Uuid& directory) {
  return std::ranges::find(directories, directory) != directories.end();
}

bool is_concerned(const Partition& partition, const BrokerEvent& event) {
  if (event.joining != kNoBroker && !partition.has_leader()) return true;
  if (event.leaving != kNoBroker && partition.in_isr(event.leaving)) return true;
  if (event.unclean_shutdown != kNoBroker &&
      (partition.in_isr(event.unclean_shutdown) ||
       std::ranges::find(partition.elr(), event.unclean_shutdown) != partition.elr().end())) {
    return true;
  }
  return std::ranges::any_of(partition.directories(), [&](const Uuid& directory) {
    return contains(event.failed_directories, directory);
  });
}

// Does the event take this replica away?
bool leaves(const Partition& partition, const BrokerEvent& event, BrokerId broker) {
  return broker == event.leaving || broker == event.unclean_shutdown ||
         contains(event.failed_directories, partition.directory_of(broker));
}

PartitionChange change_of(const DecisionContext& context, const BrokerEvent& event, const Topic& topic,
                          PartitionId index, const Partition& partition, const ElectionSettings& settings) {
  const auto may_lead = [&context, &event, &partition](BrokerId broker) {
    if (leaves(partition, event, broker)) return false;
    const Uuid directory = partition.directory_of(broker);
    if (broker != event.joining) return may_lead_from(context.image, broker, directory);
    const BrokerRegistration* registered = context.image.broker(broker);
    return registered != nullptr && registered->has_online_dir(directory);
  };
  PartitionChange change{.current = partition,
                         .topic = topic.id,
                         .index = index,
                         .metadata_version = context.image.metadata_version(),
                         .min_isr = settings.min_isr,
                         .elr_enabled = elr_enabled(context.image),
                         .unclean_election = settings.unclean,
                         .may_lead = may_lead,
                         .unclean_shutdown = event.unclean_shutdown};
  std::ranges::copy_if(partition.isr(), std::back_inserter(change.target_isr),
                       [&](BrokerId broker) { return !leaves(partition, event, broker); });
  return change;
}

}  // namespace

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

void append_leadership_changes(const DecisionContext& context, const BrokerEvent& event,
                               std::vector<MetadataRecord>& records) {
  for (const auto& [id, topic] : context.image.topics) {
    std::optional<ElectionSettings> settings;
    for (const auto& [index, partition] : topic->partitions) {
      if (!is_concerned(*partition, event)) continue;
      if (!settings) settings = election_settings(context, *topic);
      const PartitionChange change = change_of(context, event, *topic, index, *partition, *settings);
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

bool may_lead_from(const MetadataImage& image, BrokerId broker, const Uuid& directory) {
  const BrokerRegistration* registered = image.broker(broker);
  return registered != nullptr && registered->is_active() && registered->has_online_dir(directory);
}

}  // namespace milena::controller
