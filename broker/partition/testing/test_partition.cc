#include "broker/partition/testing/test_partition.h"

#include <utility>

#include "base/assert.h"
#include "protocol/record_batch_builder.h"

namespace milena::broker {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

}  // namespace

TestPartitions::TestPartitions(int count, Durability durability, std::size_t open_files_max)
    : count_(count),
      durability_(durability),
      limited_(fs_, {.files = open_files_max, .mappings = open_files_max}, clock_, log_) {
  create_topic_anew();
}

void TestPartitions::create_topic_anew() {
  const auto generation = directories_.size();
  topic_ =
      std::make_shared<const TopicIdentity>(TopicIdentity{"letters", Uuid::from_halves(7, 7 + generation)});
  auto opened = storage::LogDirectory::open(limited_, "/data-" + std::to_string(generation));
  MILENA_ASSERT(opened.has_value(), "the in-memory directory opens");
  directories_.push_back(*std::move(opened));
  auto& directory = *directories_.back();
  partitions_.clear();
  const auto settings = std::make_shared<const TopicSettings>();
  for (int i = 0; i < count_; ++i) {
    const storage::TopicPartition name{topic_->name, i};
    MILENA_ASSERT(directory.create_partition(name, topic_->id).has_value(), "the partition is created");
    auto log = directory.open_log(name, settings->log, kNow);
    MILENA_ASSERT(log.has_value(), "the log opens");
    partitions_.push_back(
        std::make_shared<Partition>(topic_, i, directory, *std::move(log), settings, durability_, *this));
    partitions_.back()->become_leader(0);
  }
  registry_.publish(topic_, partitions_);
}

TestPartitions::~TestPartitions() {
  for (const auto& partition : partitions_) partition->close();
}

Result<Partition::Appended> TestPartitions::append(int partition, int records, std::size_t value_bytes) {
  protocol::RecordBatchBuilder builder;
  const std::string value(value_bytes, 'x');
  for (int i = 0; i < records; ++i) builder.append(kNow, std::nullopt, as_bytes(value));
  auto bytes = builder.build();
  return at(partition).append(bytes, {.now_ms = kNow});
}

void TestPartitions::run_flushes() {
  for (auto& partition : std::exchange(flushes_, {})) {
    MILENA_ASSERT(partition->flush().has_value(), "an in-memory flush succeeds");
  }
}

void TestPartitions::remove_topic() {
  for (const auto& partition : registry_.remove(topic_->id)) partition->close();
}

}  // namespace milena::broker
