#include "broker/coordinators/group_coordinator.h"

#include <utility>

#include "broker/coordinators/internal_topics.h"
#include "broker/coordinators/topic_view.h"
#include "coordinator/runtime/java_string.h"

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

GroupCoordinator::GroupCoordinator(protocol::BrokerId self, Services services,
                                   std::shared_ptr<const coordinator::GroupConfig> config,
                                   ShardHostOptions options)
    : self_(self),
      services_(std::move(services)),
      config_(std::move(config)),
      options_(options),
      hosts_(std::make_shared<const Hosts>()),
      view_(std::make_shared<const coordinator::NoMetadata>()) {}

void GroupCoordinator::start(const MetadataImagePtr& image) {
  set_view(image);
  follow_offsets_topic(*image);
}

void GroupCoordinator::apply(const MetadataImage& before, const MetadataImagePtr& after,
                             const MetadataChanges& changes) {
  set_view(after);
  if (const auto change = change_for_groups(before, *after, changes, view())) {
    const auto shared = std::make_shared<const Host::Change>(
        [change](coordinator::Now now, GroupMachine& machine, coordinator::GroupOutcome& out) {
          machine.metadata_changed(now, *change, out);
        });
    for (const auto& host : *hosts()) host->apply(shared);
  }
  follow_offsets_topic(*after);
}

void GroupCoordinator::follow_offsets_topic(const MetadataImage& image) {
  const auto* topic = image.topic(kOffsetsTopic);
  if (topic_id_ != (topic == nullptr ? Uuid{} : topic->id)) {
    for (const auto& host : all_) host->unload(ErrorCode::kNotCoordinator);
    led_.clear();
    topic_id_ = topic == nullptr ? Uuid{} : topic->id;
  }
  const std::size_t count = topic == nullptr ? 0 : topic->partitions.size();
  led_.resize(count, protocol::kNoLeaderEpoch);
  while (all_.size() < count) all_.push_back(make_host(all_.size()));
  const Hosts now(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(count));
  {
    const MutexLock lock(mutex_);
    hosts_ = std::make_shared<const Hosts>(now);
  }
  if (topic == nullptr) return;
  for (const auto& [index, state] : topic->partitions) {
    const auto at = static_cast<std::size_t>(index.value);
    const bool leads = state->leader() == self_;
    if (!leads && led_[at] != protocol::kNoLeaderEpoch) {
      led_[at] = protocol::kNoLeaderEpoch;
      now[at]->unload(ErrorCode::kNotCoordinator);
    } else if (leads && led_[at] < state->leader_epoch()) {
      auto partition = services_.partitions.find(topic->id, index);
      if (partition == nullptr) continue;  // its directory is offline
      led_[at] = state->leader_epoch();
      now[at]->lead(std::move(partition), services_.runner);
    }
  }
}

void GroupCoordinator::stop() {
  for (const auto& host : *hosts()) host->unload(ErrorCode::kNotCoordinator);
}

std::shared_ptr<GroupCoordinator::Host> GroupCoordinator::make_host(std::size_t partition) {
  return std::make_shared<Host>(
      [this] { return std::make_unique<GroupMachine>(config_, view(), services_.rng); },
      *services_.loops[partition % services_.loops.size()], services_.clock, services_.log, options_);
}

std::shared_ptr<GroupCoordinator::Host> GroupCoordinator::host_of(std::string_view group_id) const {
  const auto all = hosts();
  if (all->empty()) return nullptr;
  const auto at = coordinator::partition_for_key(group_id, static_cast<std::int32_t>(all->size()));
  return (*all)[static_cast<std::size_t>(at)];
}

std::shared_ptr<const GroupCoordinator::Hosts> GroupCoordinator::hosts() const {
  const MutexLock lock(mutex_);
  return hosts_;
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

}  // namespace milena::broker
