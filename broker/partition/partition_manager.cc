#include "broker/partition/partition_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/saturating.h"
#include "protocol/error_code.h"

namespace milena::broker {

using controller::MetadataImage;
using protocol::PartitionId;
using storage::LogDirectory;
using storage::TopicPartition;

// A chore comes due on the loop and runs on the worker pool; it is due again a period after it ended. The one
// under way when maintenance stops comes to its end, and is not due again.
struct PartitionManager::Chores {
  struct Chore : std::enable_shared_from_this<Chore> {
    Chore(PartitionManager& owner, Loop& loop, Instant period, void (PartitionManager::*what)())
        : timer([this] { due(); }), owner(owner), loop(loop), period(period), what(what) {}
    void wait() {
      if (period > Instant{0}) loop.arm(timer, after(loop.now(), period));  // zero: never, as in Kafka
    }
    void due() {
      auto run = [&owner = owner, &loop = loop, what = what, self = weak_from_this()] {
        (owner.*what)();
        loop.post([self] {
          if (const auto chore = self.lock()) chore->wait();
        });
      };
      if (!owner.workers_.try_run(std::move(run))) wait();
    }
    Timer timer;
    PartitionManager& owner;
    Loop& loop;
    const Instant period;
    void (PartitionManager::* const what)();
  };
  std::vector<std::shared_ptr<Chore>> all;
};

PartitionManager::PartitionManager(Options options, LogDirs& dirs, PartitionRegistry& registry,
                                   Runtime& runtime, WorkerPool& workers, const Clock& clock, Rng& rng,
                                   const Logger& log, ControllerNews news)
    : options_(std::move(options)),
      dirs_(dirs),
      registry_(registry),
      runtime_(runtime),
      workers_(workers),
      clock_(clock),
      rng_(rng),
      log_(log),
      news_(std::move(news)),
      producer_expiration_ms_(options_.producer_expiration_ms) {}

PartitionManager::~PartitionManager() = default;

std::shared_ptr<const TopicSettings> PartitionManager::settings_of(const MetadataImage& image,
                                                                   std::string_view topic) const {
  using controller::ConfigResourceType;
  controller::ConfigLayers layers;
  layers.topic = image.config(ConfigResourceType::kTopic, topic);
  layers.broker = image.config(ConfigResourceType::kBroker, std::to_string(options_.self.value));
  layers.cluster = image.config(ConfigResourceType::kBroker, "");
  layers.file = &options_.file_config;
  return topic_settings(layers);
}

void PartitionManager::apply(const MetadataImage& before, const MetadataImage& after,
                             const controller::MetadataChanges& changes) {
  for (const auto& [id, partitions] : changes.topics) {
    if (after.topic(id) == nullptr && before.topic(id) != nullptr) delete_topic(id);
  }
  // Before there are records that only this metadata knows.
  if (!changes.topics.empty()) dirs_.note_followed(after);
  for (const auto& [id, partitions] : changes.topics) {
    if (const auto* topic = after.topic(id)) update_topic(after, *topic);
  }
  std::set<Uuid> configured;
  for (const auto& resource : changes.configs) {
    if (resource.type == controller::ConfigResourceType::kTopic) {
      if (const auto* topic = after.topic(resource.name)) configured.insert(topic->id);
    } else if (resource.type == controller::ConfigResourceType::kBroker) {
      cordon(after);
      for (const auto& [id, topic] : after.topics) configured.insert(id);
    }
  }
  for (const auto& id : configured) {
    const auto list = registry_.partitions_of(id);
    if (list == nullptr) continue;
    const auto settings = settings_of(after, after.topic(id)->name);
    for (const auto& partition : *list) {
      if (partition != nullptr) partition->set_settings(settings);
    }
  }
  report_directories();
}

void PartitionManager::update_topic(const MetadataImage& image, const controller::Topic& topic) {
  const auto known = registry_.partitions_of(topic.id);
  TopicPartitions partitions = known == nullptr ? TopicPartitions{} : *known;
  partitions.resize(topic.partitions.size());
  const auto identity = std::make_shared<const TopicIdentity>(TopicIdentity{topic.name, topic.id});
  const auto settings = settings_of(image, topic.name);
  for (const auto& [index, state] : topic.partitions) {
    if (!state->is_replica(options_.self)) continue;
    auto& partition = partitions[static_cast<std::size_t>(index.value)];
    if (partition == nullptr || missing_.contains({topic.id, index})) {
      const ReplicaPlacement placement{.action = ReplicaPlacement::Action::kCreate,
                                       .directory = dirs_.find(state->directory_of(options_.self))};
      auto opened = open_replica(*identity, *settings, index, *state, placement);
      partition = make_partition(identity, settings, index, *state, std::move(opened));
    } else if (state->leader() == options_.self) {
      partition->become_leader(state->leader_epoch());
    }
  }
  registry_.publish(identity, std::move(partitions));
  any_missing_ = !missing_.empty();
}

void PartitionManager::open_missing(const MetadataImage& image) {
  std::set<Uuid> topics;
  for (const auto& [id, index] : missing_) topics.insert(id);
  for (const auto& id : topics) {
    if (const auto* topic = image.topic(id)) update_topic(image, *topic);
  }
  report_directories();
}

void PartitionManager::delete_topic(const Uuid& id) {
  std::erase_if(missing_, [&](const auto& partition) { return partition.first == id; });
  any_missing_ = !missing_.empty();
  for (const auto& partition : registry_.remove(id)) {
    if (partition == nullptr) continue;
    auto* const directory = partition->directory();
    if (directory == nullptr) continue;  // when it is back, what lies in it is a stray
    if (auto log = partition->close()) log->retire();
    {
      const MutexLock lock(load_mutex_);
      --load_[directory];
    }
    delete_directory(*directory, partition->name());
  }
}

void PartitionManager::delete_directory(LogDirectory& directory, const TopicPartition& partition) {
  auto renamed = directory.mark_for_deletion(partition, rng_);
  if (!renamed) {
    log_.error("{}: cannot be deleted: {}", storage::directory_name(partition),
               why_of(renamed.error(), directory));
    return;
  }
  run_blocking([&directory, path = *std::move(renamed)] { (void)directory.remove_deleted(path); });
}

void PartitionManager::schedule_flush(std::shared_ptr<Partition> partition) {
  run_blocking([this, partition = std::move(partition)] {
    if (const auto done = flush(*partition); !done) {
      log_.error("{}: flush failed: {}", storage::directory_name(partition->name()),
                 why_of(done.error(), *partition->directory()));
    }
  });
}

Status PartitionManager::flush(Partition& partition) {
  const auto began_at = clock_.fine_now();
  auto done = partition.flush();
  flush_times_.add(clock_.fine_now() - began_at);
  return done;
}

void PartitionManager::expect_overdue_flush() { any_unflushed_ = true; }

void PartitionManager::run_blocking(std::move_only_function<void()> job) {
  auto shared = std::make_shared<std::move_only_function<void()>>(std::move(job));
  if (!workers_.try_run([shared] { (*shared)(); })) (*shared)();
}

Status PartitionManager::write_noted_checkpoints() {
  for (const auto& directory : dirs_.usable()) {
    if (!directory->health().offline()) MILENA_CHECK(directory->write_checkpoints());
  }
  return {};
}

void PartitionManager::start_maintenance(Loop& loop) {
  constexpr Instant kFlushCheck{1000};
  constexpr Instant kDirectoryCheck{500};
  constexpr Instant kMissingCheck{5000};
  constexpr Instant kIdleFiles{30'000};
  chores_ = std::make_unique<Chores>();
  auto add = [&](Instant period, void (PartitionManager::*chore)()) {
    chores_->all.push_back(std::make_shared<Chores::Chore>(*this, loop, period, chore));
    chores_->all.back()->wait();
  };
  add(options_.retention_check, &PartitionManager::enforce_retention);
  add(options_.checkpoint_interval, &PartitionManager::checkpoint);
  add(options_.producer_check, &PartitionManager::expire_producers);
  add(kFlushCheck, &PartitionManager::flush_overdue);
  add(kDirectoryCheck, &PartitionManager::report_failed_directories);
  add(kMissingCheck, &PartitionManager::ask_for_missing);
  add(kIdleFiles, &PartitionManager::release_idle_files);
}

void PartitionManager::stop_maintenance() { chores_.reset(); }

void PartitionManager::ask_for_missing() {
  if (any_missing_) news_.open_missing();
}

void PartitionManager::report_full_disks() {
  constexpr Instant kAgainAfter{60'000};
  std::set<LogDirectory*> all{&dirs_.metadata()};
  for (const auto& directory : dirs_.usable()) all.insert(directory.get());
  for (LogDirectory* const directory : all) {
    FullDisk& disk = full_disks_[directory];
    const std::uint64_t times = directory->health().times_full();
    const Instant now = clock_.now();
    if (times == disk.times || (disk.reported_at && now - *disk.reported_at < kAgainAfter)) continue;
    disk = {.times = times, .reported_at = now};
    log_.error(
        "log directory {}: the disk is full. Writes that find no room are answered KAFKA_STORAGE_ERROR, and "
        "succeed again when there is some",
        directory->path());
  }
}

void PartitionManager::report_failed_directories() {
  report_full_disks();
  for (const auto& directory : dirs_.usable()) {
    for (const std::string& fault : directory->health().take_faults())
      log_.error("{}. Its partition answers KAFKA_STORAGE_ERROR for what needs it", fault);
  }
  std::vector<Uuid> failed;
  for (const auto& directory : dirs_.usable()) {
    if (!directory->health().offline() || !reported_failed_.insert(directory.get()).second) continue;
    log_.error(
        "log directory {} has failed: {}. Its partitions answer KAFKA_STORAGE_ERROR until a restart finds it "
        "working",
        directory->path(), directory->health().reason());
    failed.push_back(directory->meta_properties()->directory_id);
  }
  if (failed.empty()) return;
  news_.directories_failed(std::move(failed));
  if (all_directories_offline()) news_.all_directories_failed();
}

bool PartitionManager::all_directories_offline() const {
  return std::ranges::all_of(dirs_.usable(),
                             [](const auto& directory) { return directory->health().offline(); });
}

// A start takes segments that are missing behind the checkpointed log start for lost: it is written first. If
// there is no room for it, deleting is what helps.
void PartitionManager::enforce_retention() {
  std::vector<std::shared_ptr<Partition>> expired;
  for (const auto& partition : registry_.all()) {
    if (!partition->expire_segments(trusted_wall_ms(clock_)).value_or(false)) continue;
    partition->note_checkpoint();
    expired.push_back(partition);
  }
  if (expired.empty()) return;
  if (const auto done = write_noted_checkpoints(); !done)
    log_.error("checkpoints could not be written: {}", done.error().why);
  for (const auto& partition : expired) {
    if (auto job = partition->delete_expired_segments()) job->run();
  }
}

void PartitionManager::checkpoint() {
  for (const auto& partition : registry_.all()) partition->note_checkpoint();
  if (const auto done = write_noted_checkpoints(); !done)
    log_.error("checkpoints could not be written: {}", done.error().why);
  constexpr Instant kNoteTimeEvery{600'000};
  if (clock_.now() - time_noted_at_ >= kNoteTimeEvery) note_time();
}

void PartitionManager::note_time() {
  const Instant now = clock_.now();
  const std::int64_t wall_ms = clock_.wall_ms();
  if (clock_.doubted_ms(now, wall_ms) > 0) return;  // what was noted before is nearer the truth
  time_noted_at_ = now;
  for (const auto& directory : dirs_.usable()) {
    if (!directory->health().offline()) directory->note_last_seen(wall_ms);
  }
}

std::optional<std::int64_t> PartitionManager::last_seen_ms() const {
  std::optional<std::int64_t> last;
  for (const auto& directory : dirs_.usable()) last = std::max(last, directory->last_seen_ms());
  return last;
}

void PartitionManager::expire_producers() {
  for (const auto& partition : registry_.all()) {
    partition->expire_producers(trusted_wall_ms(clock_), producer_expiration_ms_);
  }
}

void PartitionManager::flush_overdue() {
  if (!any_unflushed_.exchange(false)) return;
  for (const auto& partition : registry_.all()) {
    if (partition->flush_overdue(clock_.now())) (void)flush(*partition);
  }
}

void PartitionManager::release_idle_files() {
  for (const auto& partition : registry_.all()) partition->release_idle_files();
}

void PartitionManager::close(std::int64_t broker_epoch, storage::Log& metadata_log) {
  note_time();
  std::map<LogDirectory*, std::vector<std::unique_ptr<storage::Log>>> logs;
  for (const auto& directory : dirs_.usable()) logs[directory.get()];
  logs[&dirs_.metadata()];
  for (const auto& partition : registry_.all()) {
    partition->note_checkpoint();
    if (auto log = partition->close()) logs[partition->directory()].push_back(std::move(log));
  }
  for (const auto& [directory, owned] : logs) {
    std::vector<storage::Log*> borrowed;
    if (directory == &dirs_.metadata()) borrowed.push_back(&metadata_log);
    for (const auto& log : owned) borrowed.push_back(log.get());
    if (const auto done = directory->close(borrowed, broker_epoch); !done) {
      log_.error("{}: not closed cleanly: {}", directory->path(), why_of(done.error(), *directory));
    }
  }
}

}  // namespace milena::broker
