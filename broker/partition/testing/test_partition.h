// TestPartitions: a topic with real partitions over an in-memory file system, for tests of what reads and
// writes them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limited_fs.h"
#include "base/log.h"
#include "base/mem_fs.h"
#include "base/rng.h"
#include "broker/partition/partition_registry.h"
#include "storage/log_directory.h"

namespace milena::broker {

class TestPartitions final : public PartitionFinder, public FlushScheduler {
 public:
  explicit TestPartitions(int count, Durability durability = Durability::kPageCache,
                          std::size_t open_files_max = 10'000);
  ~TestPartitions() override;

  const Uuid& topic_id() const { return topic_->id; }
  const std::string& topic_name() const { return topic_->name; }
  Partition& at(int partition) { return *partitions_[static_cast<std::size_t>(partition)]; }
  std::shared_ptr<Partition> shared(int partition) {
    return partitions_[static_cast<std::size_t>(partition)];
  }

  // Appends one batch of `records` records with `value_bytes` each.
  Result<Partition::Appended> append(int partition, int records, std::size_t value_bytes = 10);
  // What the flush scheduler was asked for.
  void run_flushes();
  MemFs& disk() { return fs_; }
  const LimitedFs& files() const { return limited_; }
  // Closes every partition and forgets the topic.
  void remove_topic();
  // A topic of the same name and another id takes the place of the one that was removed.
  void create_topic_anew();

  std::shared_ptr<Partition> find(std::string_view topic, PartitionId partition) override {
    return registry_.find(topic, partition);
  }
  std::shared_ptr<Partition> find(const Uuid& topic_id, PartitionId partition) override {
    return registry_.find(topic_id, partition);
  }
  std::shared_ptr<const TopicIdentity> topic(const Uuid& topic_id) override {
    return registry_.topic(topic_id);
  }
  void schedule_flush(std::shared_ptr<Partition> partition) override {
    flushes_.push_back(std::move(partition));
  }
  void expect_overdue_flush() override { expects_overdue_flush_ = true; }
  bool expects_overdue_flush() const { return expects_overdue_flush_; }

 private:
  const int count_;
  const Durability durability_;
  MemFs fs_;
  ManualClock clock_;
  Logger log_{LogLevel::kError};
  LimitedFs limited_;
  std::vector<std::unique_ptr<storage::LogDirectory>>
      directories_;  // one for each time the topic was created
  std::shared_ptr<const TopicIdentity> topic_;
  PartitionRegistry registry_;
  std::vector<std::shared_ptr<Partition>> partitions_;
  std::vector<std::shared_ptr<Partition>> flushes_;
  bool expects_overdue_flush_ = false;
};

}  // namespace milena::broker
