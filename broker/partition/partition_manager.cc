#include "broker/partition/partition_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "protocol/error_code.h"

namespace milena::broker {

using controller::MetadataImage;
using protocol::PartitionId;
using storage::LogDirectory;
using storage::TopicPartition;

namespace {

// work(0) ... work(count - 1), each once, on the calling thread and as many others as make `threads`.
template <class Work>
void in_parallel(std::size_t threads, std::size_t count, const Work& work) {
  std::atomic<std::size_t> next = 0;
  const auto some = [&] {
    for (std::size_t at = next++; at < count; at = next++) work(at);
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(some);
  some();
  for (auto& thread : others) thread.join();
}

// What went wrong, and what the disk said if it has failed for good.
std::string told(const Error& error, LogDirectory& home) {
  const std::string disk = home.health().reason();
  return disk.empty() ? error.why : fmt::format("{}: {}", error.why, disk);
}

}  // namespace

// A chore comes due on the loop and runs on the worker pool; it is due again a period after it ended. The one
// under way when maintenance stops comes to its end, and is not due again.
struct PartitionManager::Chores {
  struct Chore : std::enable_shared_from_this<Chore> {
    Chore(PartitionManager& owner, Loop& loop, Instant period, void (PartitionManager::*what)())
        : timer([this] { due(); }), owner(owner), loop(loop), period(period), what(what) {}
    void wait() { loop.arm(timer, loop.now() + period); }
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

PartitionManager::PartitionManager(Options options, std::vector<std::unique_ptr<LogDirectory>> directories,
                                   PartitionRegistry& registry, WorkerPool& workers, const Clock& clock,
                                   Rng& rng, const Logger& log)
    : options_(std::move(options)),
      directories_(std::move(directories)),
      registry_(registry),
      workers_(workers),
      clock_(clock),
      rng_(rng),
      log_(log) {}

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

std::map<TopicPartition, PartitionManager::Found> PartitionManager::survey() {
  std::map<TopicPartition, Found> found;
  std::vector<std::pair<const TopicPartition, Found>*> live;
  for (const auto& home : directories_) {
    const auto names = home->partitions();
    if (!names) {
      log_.error("{}: cannot be listed: {}", home->path(), told(names.error(), *home));
      continue;
    }
    for (const auto& name : *names) {
      using State = storage::PartitionName::State;
      if (name.partition.topic == "__cluster_metadata") continue;
      if (name.state == State::kDeleted) {
        run_blocking(
            [&home = *home, path = join(home->path(), name.name)] { (void)home.remove_deleted(path); });
      } else if (name.state == State::kLive) {
        live.push_back(&*found.insert_or_assign(name.partition, Found{home.get(), {}}).first);
      }
    }
  }
  in_parallel(options_.recovery_threads, live.size(), [&](std::size_t at) {
    auto& [partition, directory] = *live[at];
    if (const auto id = directory.home->topic_id(partition); id && *id) directory.topic_id = **id;
  });
  return found;
}

Status PartitionManager::open(const MetadataImage& image) {
  const auto found = survey();
  // What no topic of the image owns: deleted, or made again under the same name, while this node was down.
  for (const auto& [name, directory] : found) {
    const auto* topic = image.topic(name.topic);
    const bool owned =
        topic != nullptr && topic->id == directory.topic_id && topic->partition(name.partition) != nullptr;
    if (owned) continue;
    log_.info("{}: no topic owns it any more, deleting it", storage::directory_name(name));
    delete_directory(*directory.home, name);
  }

  std::vector<const controller::Topic*> topics;
  for (const auto& [id, topic] : image.topics) topics.push_back(&*topic);
  struct Job {
    const controller::Topic* topic;
    std::shared_ptr<const TopicIdentity> identity;
    std::shared_ptr<const TopicSettings> settings;
    TopicPartitions partitions;
  };
  std::vector<Job> jobs;
  std::vector<std::pair<std::size_t, PartitionId>> work;
  for (const auto* topic : topics) {
    Job job{topic, std::make_shared<const TopicIdentity>(TopicIdentity{topic->name, topic->id}),
            settings_of(image, topic->name), TopicPartitions(topic->partitions.size())};
    for (const auto& [index, state] : topic->partitions) {
      if (state->is_replica(options_.self)) work.emplace_back(jobs.size(), index);
    }
    jobs.push_back(std::move(job));
  }

  in_parallel(options_.recovery_threads, work.size(), [&](std::size_t at) {
    const auto [job, index] = work[at];
    const auto directory = found.find({jobs[job].topic->name, index});
    auto* home = directory != found.end() && directory->second.topic_id == jobs[job].topic->id
                     ? directory->second.home
                     : nullptr;
    jobs[job].partitions[static_cast<std::size_t>(index.value)] = open_partition(
        jobs[job].identity, jobs[job].settings, index, *jobs[job].topic->partition(index), home);
  });

  for (const auto& [job, index] : work) {
    if (jobs[job].partitions[static_cast<std::size_t>(index.value)] == nullptr)
      refused_.insert({jobs[job].identity->id, index});
  }
  for (auto& job : jobs) registry_.publish(job.identity, std::move(job.partitions));
  for (const auto& home : directories_) MILENA_CHECK(home->recovery_done());
  return {};
}

std::shared_ptr<Partition> PartitionManager::open_partition(
    const std::shared_ptr<const TopicIdentity>& topic, const std::shared_ptr<const TopicSettings>& settings,
    PartitionId index, const controller::Partition& state, LogDirectory* home) {
  const TopicPartition name{topic->name, index};
  auto opened = [&]() -> Result<std::unique_ptr<storage::Log>> {
    if (home == nullptr) {
      home = &emptiest_directory();
      MILENA_CHECK(home->create_partition(name, topic->id));
    }
    return home->open_log(name, settings->log, clock_.wall_ms());
  }();
  if (!opened) {
    log_.error("{}: its log cannot be opened: {}", storage::directory_name(name),
               told(opened.error(), *home));
    return nullptr;
  }
  {
    const MutexLock lock(load_mutex_);
    ++load_[home];
  }
  auto partition = std::make_shared<Partition>(topic, index, *home, *std::move(opened), settings,
                                               options_.durability, *this);
  if (state.leader() == options_.self) partition->become_leader(state.leader_epoch());
  return partition;
}

LogDirectory& PartitionManager::emptiest_directory() {
  const MutexLock lock(load_mutex_);
  auto* best = directories_.front().get();
  for (const auto& home : directories_) {
    if (home->health().offline()) continue;
    if (best->health().offline() || load_[home.get()] < load_[best]) best = home.get();
  }
  return *best;
}

void PartitionManager::apply(const MetadataImage& before, const MetadataImage& after,
                             const controller::MetadataChanges& changes) {
  for (const auto& [id, partitions] : changes.topics) {
    if (after.topic(id) == nullptr && before.topic(id) != nullptr) delete_topic(id);
  }
  for (const auto& [id, partitions] : changes.topics) {
    if (const auto* topic = after.topic(id)) update_topic(after, *topic);
  }
  std::set<Uuid> configured;
  for (const auto& resource : changes.configs) {
    if (resource.type == controller::ConfigResourceType::kTopic) {
      if (const auto* topic = after.topic(resource.name)) configured.insert(topic->id);
    } else if (resource.type == controller::ConfigResourceType::kBroker) {
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
}

void PartitionManager::update_topic(const MetadataImage& image, const controller::Topic& topic) {
  const auto known = registry_.partitions_of(topic.id);
  TopicPartitions partitions = known == nullptr ? TopicPartitions{} : *known;
  partitions.resize(topic.partitions.size());
  const auto identity = std::make_shared<const TopicIdentity>(TopicIdentity{topic.name, topic.id});
  const auto settings = settings_of(image, topic.name);
  bool missing = false;
  for (const auto& [index, state] : topic.partitions) {
    if (!state->is_replica(options_.self) || refused_.contains({topic.id, index})) continue;
    auto& partition = partitions[static_cast<std::size_t>(index.value)];
    if (partition == nullptr) {
      partition = open_partition(identity, settings, index, *state, nullptr);
      missing = missing || partition == nullptr;
    } else if (state->leader() == options_.self) {
      partition->become_leader(state->leader_epoch());
    }
  }
  registry_.publish(identity, std::move(partitions));
  if (missing) missing_.insert(topic.id);
  if (!missing) missing_.erase(topic.id);
  any_missing_ = !missing_.empty();
}

void PartitionManager::open_missing(const MetadataImage& image) {
  for (const auto& id : std::set(missing_)) {
    if (const auto* topic = image.topic(id)) update_topic(image, *topic);
  }
}

void PartitionManager::delete_topic(const Uuid& id) {
  std::erase_if(refused_, [&](const auto& partition) { return partition.first == id; });
  missing_.erase(id);
  any_missing_ = !missing_.empty();
  for (const auto& partition : registry_.remove(id)) {
    if (partition == nullptr) continue;
    if (auto log = partition->close()) log->retire();
    {
      const MutexLock lock(load_mutex_);
      --load_[&partition->home()];
    }
    delete_directory(partition->home(), partition->name());
  }
}

void PartitionManager::delete_directory(LogDirectory& home, const TopicPartition& partition) {
  auto renamed = home.mark_for_deletion(partition, rng_);
  if (!renamed) {
    log_.error("{}: cannot be deleted: {}", storage::directory_name(partition), told(renamed.error(), home));
    return;
  }
  run_blocking([&home, path = *std::move(renamed)] { (void)home.remove_deleted(path); });
}

void PartitionManager::schedule_flush(std::shared_ptr<Partition> partition) {
  run_blocking([this, partition = std::move(partition)] {
    if (const auto done = partition->flush(); !done) {
      log_.error("{}: flush failed: {}", storage::directory_name(partition->name()),
                 told(done.error(), partition->home()));
    }
  });
}

void PartitionManager::expect_overdue_flush() { any_unflushed_ = true; }

void PartitionManager::run_blocking(std::move_only_function<void()> job) {
  auto shared = std::make_shared<std::move_only_function<void()>>(std::move(job));
  if (!workers_.try_run([shared] { (*shared)(); })) (*shared)();
}

Status PartitionManager::write_noted_checkpoints() {
  for (const auto& home : directories_) {
    if (!home->health().offline()) MILENA_CHECK(home->write_checkpoints());
  }
  return {};
}

void PartitionManager::start_maintenance(Loop& loop, std::function<void()> call_open_missing) {
  constexpr Instant kFlushCheck{1000};
  constexpr Instant kMissingCheck{5000};
  constexpr Instant kIdleFiles{30'000};
  call_open_missing_ = std::move(call_open_missing);
  chores_ = std::make_unique<Chores>();
  auto add = [&](Instant period, void (PartitionManager::*chore)()) {
    chores_->all.push_back(std::make_shared<Chores::Chore>(*this, loop, period, chore));
    chores_->all.back()->wait();
  };
  add(options_.retention_check, &PartitionManager::enforce_retention);
  add(options_.checkpoint_interval, &PartitionManager::checkpoint);
  add(options_.producer_check, &PartitionManager::expire_producers);
  add(kFlushCheck, &PartitionManager::flush_overdue);
  add(kMissingCheck, &PartitionManager::ask_for_missing);
  add(kIdleFiles, &PartitionManager::release_idle_files);
}

void PartitionManager::stop_maintenance() { chores_.reset(); }

void PartitionManager::ask_for_missing() {
  if (any_missing_) call_open_missing_();
}

void PartitionManager::enforce_retention() {
  for (const auto& partition : registry_.all()) {
    if (auto job = partition->delete_old_segments(clock_.wall_ms())) job->run();
  }
}

void PartitionManager::checkpoint() {
  for (const auto& partition : registry_.all()) partition->note_checkpoint();
  if (const auto done = write_noted_checkpoints(); !done)
    log_.error("checkpoints could not be written: {}", done.error().why);
}

void PartitionManager::expire_producers() {
  for (const auto& partition : registry_.all()) {
    partition->expire_producers(clock_.wall_ms(), options_.producer_expiration_ms);
  }
}

void PartitionManager::flush_overdue() {
  if (!any_unflushed_.exchange(false)) return;
  for (const auto& partition : registry_.all()) {
    if (partition->flush_overdue(clock_.now())) (void)partition->flush();
  }
}

void PartitionManager::release_idle_files() {
  for (const auto& partition : registry_.all()) partition->release_idle_files();
}

void PartitionManager::close(std::int64_t broker_epoch, storage::Log& metadata_log) {
  std::map<LogDirectory*, std::vector<std::unique_ptr<storage::Log>>> logs;
  for (const auto& partition : registry_.all()) {
    partition->note_checkpoint();
    if (auto log = partition->close()) logs[&partition->home()].push_back(std::move(log));
  }
  for (const auto& home : directories_) {
    std::vector<storage::Log*> borrowed;
    if (home == directories_.front()) borrowed.push_back(&metadata_log);
    for (const auto& log : logs[home.get()]) borrowed.push_back(log.get());
    if (const auto done = home->close(borrowed, broker_epoch); !done) {
      log_.error("{}: not closed cleanly: {}", home->path(), told(done.error(), *home));
    }
  }
}

}  // namespace milena::broker
