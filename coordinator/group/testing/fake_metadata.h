// FakeMetadata: topics as a test wants them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/group/metadata_view.h"

namespace milena::coordinator::testing_support {

class FakeMetadata final : public MetadataView {
 public:
  struct Entry {
    Uuid id;
    std::int32_t partitions = 0;
    std::map<std::int32_t, std::vector<std::string>> racks;
  };

  // The id of the n-th topic that a test makes.
  static Uuid id_of(std::uint64_t n) { return Uuid::from_halves(0x1111111111111111, n); }

  FakeMetadata& add(const std::string& name, std::int32_t partitions) {
    topics_[name] = {id_of(++created_), partitions, {}};
    ++version_;
    return *this;
  }
  FakeMetadata& grow(const std::string& name, std::int32_t partitions) {
    topics_[name].partitions = partitions;
    ++version_;
    return *this;
  }
  FakeMetadata& set_racks(const std::string& name, std::int32_t partition, std::vector<std::string> racks) {
    topics_[name].racks[partition] = std::move(racks);
    ++version_;
    return *this;
  }
  FakeMetadata& erase(const std::string& name) {
    topics_.erase(name);
    ++version_;
    return *this;
  }
  const std::map<std::string, Entry>& topics() const { return topics_; }

  std::int64_t version() const override { return version_; }
  std::optional<Topic> topic(std::string_view name) const override {
    const auto at = topics_.find(std::string(name));
    if (at == topics_.end()) return std::nullopt;
    return Topic{at->second.id, at->first, at->second.partitions};
  }
  std::optional<Topic> topic(const Uuid& id) const override {
    for (const auto& [name, entry] : topics_) {
      if (entry.id == id) return Topic{id, name, entry.partitions};
    }
    return std::nullopt;
  }
  void for_each_topic(const std::function<void(const Topic&)>& visit) const override {
    for (const auto& [name, entry] : topics_) visit({entry.id, name, entry.partitions});
  }
  std::vector<std::string_view> racks(const Uuid& topic_id, std::int32_t partition) const override {
    for (const auto& [name, entry] : topics_) {
      if (entry.id != topic_id) continue;
      const auto at = entry.racks.find(partition);
      if (at != entry.racks.end()) return {at->second.begin(), at->second.end()};
    }
    return {};
  }

 private:
  std::map<std::string, Entry> topics_;
  std::uint64_t created_ = 0;
  std::int64_t version_ = 1;
};

}  // namespace milena::coordinator::testing_support
