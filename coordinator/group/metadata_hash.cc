#include "coordinator/group/metadata_hash.h"

#include <algorithm>
#include <concepts>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "coordinator/runtime/java_string.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace milena::coordinator {
namespace {

// The bytes that Kafka's hash library feeds: numbers little-endian, a string as its UTF-16 units and their
// count.
class HashInput {
 public:
  void byte(std::uint8_t value) { bytes_.push_back(value); }
  template <std::integral T>
  void number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(static_cast<std::uint8_t>(static_cast<std::make_unsigned_t<T>>(value) >> (8 * i)));
    }
  }
  void text(std::string_view utf8) {
    std::int32_t units = 0;
    for_each_utf16_unit(utf8, [&](std::uint16_t unit) {
      number(unit);
      ++units;
    });
    number(units);
  }
  std::int64_t hash() const { return static_cast<std::int64_t>(XXH3_64bits(bytes_.data(), bytes_.size())); }

 private:
  std::vector<std::uint8_t> bytes_;
};

constexpr std::uint8_t kTopicHashMagic = 0;

}  // namespace

std::int64_t topic_hash(std::string_view name, const MetadataView& metadata) {
  const auto topic = metadata.topic(name);
  if (!topic) return 0;
  HashInput input;
  input.byte(kTopicHashMagic);
  input.number(load_be<std::int64_t>(topic->id.bytes.data()));
  input.number(load_be<std::int64_t>(topic->id.bytes.data() + 8));
  input.text(topic->name);
  input.number(topic->partitions);
  for (std::int32_t partition = 0; partition < topic->partitions; ++partition) {
    input.number(partition);
    auto racks = metadata.racks(topic->id, partition);
    std::ranges::sort(racks);
    for (const std::string_view rack : racks) {
      input.number(static_cast<std::int32_t>(java_string_length(rack)));
      input.text(rack);
    }
  }
  return input.hash();
}

std::int64_t group_hash(const std::map<std::string_view, std::int64_t>& hashes) {
  if (hashes.empty()) return 0;
  HashInput input;
  for (const auto& [topic, hash] : hashes) input.number(hash);
  return input.hash();
}

std::int64_t TopicHashes::of(std::string_view topic, const MetadataView& metadata) {
  const auto known = hashes_.find(topic);
  if (known != hashes_.end()) return known->second;
  return hashes_.emplace(topic, topic_hash(topic, metadata)).first->second;
}

void TopicHashes::forget(std::string_view topic) {
  if (const auto known = hashes_.find(topic); known != hashes_.end()) hashes_.erase(known);
}

}  // namespace milena::coordinator
