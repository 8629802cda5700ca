#include "coordinator/group/offsets.h"

#include <utility>

namespace milena::coordinator {
namespace {

template <class T>
const T* find_in(const GroupOffsets::ByTopic<T>& topics, std::string_view topic, std::int32_t partition) {
  const auto partitions = topics.find(topic);
  if (partitions == topics.end()) return nullptr;
  const auto at = partitions->second.find(partition);
  return at == partitions->second.end() ? nullptr : &at->second;
}

template <class T>
T& slot_in(GroupOffsets::ByTopic<T>& topics, std::string_view topic, std::int32_t partition) {
  auto partitions = topics.find(topic);
  if (partitions == topics.end()) partitions = topics.try_emplace(std::string(topic)).first;
  return partitions->second[partition];
}

template <class T>
void remove_in(GroupOffsets::ByTopic<T>& topics, std::string_view topic, std::int32_t partition) {
  const auto partitions = topics.find(topic);
  if (partitions == topics.end()) return;
  partitions->second.erase(partition);
  if (partitions->second.empty()) topics.erase(partitions);
}

}  // namespace

const CommittedOffset* GroupOffsets::find(std::string_view topic, std::int32_t partition) const {
  return find_in(committed_, topic, partition);
}

bool GroupOffsets::is_pending(std::string_view topic, std::int32_t partition) const {
  return find_in(pending_, topic, partition) != nullptr;
}

void GroupOffsets::commit(std::string_view topic, std::int32_t partition, CommittedOffset offset) {
  slot_in(committed_, topic, partition) = std::move(offset);
}

void GroupOffsets::hold(protocol::ProducerId producer, std::string_view topic, std::int32_t partition,
                        CommittedOffset offset) {
  slot_in(pending_, topic, partition)[producer] = std::move(offset);
}

void GroupOffsets::end_transaction(protocol::ProducerId producer, bool commit) {
  for (auto topic = pending_.begin(); topic != pending_.end();) {
    for (auto partition = topic->second.begin(); partition != topic->second.end();) {
      if (auto held = partition->second.extract(producer); held && commit) {
        CommittedOffset& now = slot_in(committed_, topic->first, partition->first);
        if (held.mapped().record_offset > now.record_offset) now = std::move(held.mapped());
      }
      partition = partition->second.empty() ? topic->second.erase(partition) : std::next(partition);
    }
    topic = topic->second.empty() ? pending_.erase(topic) : std::next(topic);
  }
}

void GroupOffsets::remove(std::string_view topic, std::int32_t partition) {
  remove_in(committed_, topic, partition);
  remove_in(pending_, topic, partition);
}

}  // namespace milena::coordinator
