#include "broker/coordinators/group_coordinator.h"

#include <utility>

#include "broker/coordinators/internal_topics.h"
#include "broker/coordinators/topic_view.h"

namespace milena::broker {

using controller::MetadataChanges;
using controller::MetadataImage;
using controller::MetadataImagePtr;
using coordinator::GroupMachine;
using coordinator::MetadataChange;

namespace {

// What the change means to groups; null when it means nothing to them.
std::shared_ptr<const MetadataChange> change_for_groups(
    const MetadataImage& before, const MetadataImage& after, const MetadataChanges& changes,
    const std::shared_ptr<const coordinator::MetadataView>& view) {
  auto change = std::make_shared<MetadataChange>();
  change->view = view;
  for (const auto& [id, partitions] : changes.topics) {
    const auto* old = before.topic(id);
    const auto* now = after.topic(id);
    if (old == nullptr && now == nullptr) continue;
    change->changed_topics.push_back(now == nullptr ? old->name : now->name);
    if (old == nullptr) change->topics_created = true;
    if (now == nullptr) change->deleted_topics.push_back({id, old->name});
  }
  if (change->changed_topics.empty()) return nullptr;
  return change;
}

}  // namespace

GroupCoordinator::GroupCoordinator(CoordinatorServices services, Rng& rng,
                                   std::shared_ptr<const coordinator::GroupConfig> config,
                                   ShardHostOptions options, std::int32_t offsets_partitions)
    : offsets_partitions_(offsets_partitions),
      view_(std::make_shared<const coordinator::NoMetadata>()),
      config_(std::move(config)),
      shards_(kOffsetsTopic, std::move(services), options, [this, &rng](const Partition&) {
        return std::make_unique<GroupMachine>(this->config(), view(), rng);
      }) {}

void GroupCoordinator::configure(std::shared_ptr<const coordinator::GroupConfig> config) {
  {
    const MutexLock lock(mutex_);
    config_ = config;
  }
  const auto change = std::make_shared<const Host::Change>(
      [config = std::move(config)](coordinator::Now, GroupMachine& machine, coordinator::GroupOutcome&) {
        machine.configure(config);
      });
  for (const auto& host : *shards_.hosts()) host->apply(change);
}

void GroupCoordinator::start(const MetadataImagePtr& image) {
  set_view(image);
  shards_.follow(*image);
}

void GroupCoordinator::apply(const MetadataImage& before, const MetadataImagePtr& after,
                             const MetadataChanges& changes) {
  set_view(after);
  if (const auto change = change_for_groups(before, *after, changes, view())) {
    const auto shared = std::make_shared<const Host::Change>(
        [change](coordinator::Now now, GroupMachine& machine, coordinator::GroupOutcome& out) {
          machine.metadata_changed(now, *change, out);
        });
    for (const auto& host : *shards_.hosts()) host->apply(shared);
  }
  shards_.follow(*after);
}

void GroupCoordinator::set_view(MetadataImagePtr image) {
  auto view = std::make_shared<const TopicView>(std::move(image));
  const MutexLock lock(mutex_);
  view_ = std::move(view);
}

std::shared_ptr<const coordinator::MetadataView> GroupCoordinator::view() const {
  const MutexLock lock(mutex_);
  return view_;
}

std::shared_ptr<const coordinator::GroupConfig> GroupCoordinator::config() const {
  const MutexLock lock(mutex_);
  return config_;
}

}  // namespace milena::broker
