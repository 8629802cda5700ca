#include "broker/handlers/describe_log_dirs.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;
using Result = DescribeLogDirsResponse::DescribeLogDirsResult;
using Topic = Result::DescribeLogDirsTopic;

// What is asked for: none for everything.
using Wanted = std::optional<std::set<storage::TopicPartition>>;

Wanted wanted_of(const DescribeLogDirsRequest& request) {
  if (!request.topics) return std::nullopt;
  std::set<storage::TopicPartition> out;
  for (const auto& topic : *request.topics) {
    for (const auto partition : topic.partitions) out.insert({std::string(topic.topic), partition});
  }
  return out;
}

using Sizes = std::map<storage::TopicPartition, std::uint64_t>;

std::span<Topic> topics_of(const Sizes& sizes, Arena& arena) {
  std::map<std::string_view, std::vector<Topic::DescribeLogDirsPartition>> by_topic;
  for (const auto& [name, bytes] : sizes) {
    by_topic[name.topic].push_back(
        {.partition_index = name.partition, .partition_size = static_cast<std::int64_t>(bytes)});
  }
  const auto topics = arena.array<Topic>(by_topic.size());
  std::size_t at = 0;
  for (const auto& [name, partitions] : by_topic) {
    auto& topic = topics[at++];
    topic.name = arena.text(name);
    topic.partitions = arena.array<Topic::DescribeLogDirsPartition>(partitions.size());
    std::ranges::copy(partitions, topic.partitions.begin());
  }
  return topics;
}

std::string_view absolute(const std::string& path, Arena& arena) {
  std::error_code error;
  const auto full = std::filesystem::absolute(path, error);
  return arena.text(error ? path : full.string());
}

DescribeLogDirsResponse describe(PartitionManager& partitions, const Wanted& wanted, Arena& arena) {
  std::map<const storage::LogDirectory*, Sizes> sizes;
  for (const auto& partition : partitions.registry().all()) {
    const auto name = partition->name();
    if (partition->directory() == nullptr || (wanted && !wanted->contains(name))) continue;
    sizes[partition->directory()][name] = partition->size_bytes();
  }
  for (const auto& stray : partitions.strays()) {
    if (!wanted) sizes[stray.directory][{stray.name, 0}] = stray.bytes;
  }
  const auto& dirs = partitions.dirs();
  DescribeLogDirsResponse response;
  response.results = arena.array<Result>(dirs.usable().size() + dirs.unusable().size());
  std::size_t at = 0;
  for (const auto& directory : dirs.usable()) {
    auto& result = response.results[at++];
    result.log_dir = absolute(directory->path(), arena);
    result.is_cordoned = partitions.is_cordoned(*directory);
    if (directory->health().offline()) {
      result.error_code = ErrorCode::kKafkaStorageError;
      continue;
    }
    result.topics = topics_of(sizes[directory.get()], arena);
    const auto space = directory->space();
    if (!space) continue;
    result.total_bytes = static_cast<std::int64_t>(space->total_bytes);
    result.usable_bytes = static_cast<std::int64_t>(space->usable_bytes);
  }
  for (const auto& unusable : dirs.unusable()) {
    auto& result = response.results[at++];
    result.log_dir = absolute(unusable.path, arena);
    result.error_code = ErrorCode::kKafkaStorageError;
  }
  return response;
}

}  // namespace

void DescribeLogDirsHandler::handle(Call&, const DescribeLogDirsRequest& request, Responder responder) {
  partitions_.run_blocking([this, wanted = wanted_of(request), responder = std::move(responder)]() mutable {
    responder.send(describe(partitions_, wanted, responder.request().arena()));
  });
}

}  // namespace milena::broker
