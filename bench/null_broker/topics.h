// Topics: the names the null broker knows, and the partitions of each. One thread, no limits.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/null_broker/partition_file.h"

namespace milena::bench {

class Topics {
 public:
  using Partitions = std::vector<std::unique_ptr<PartitionFile>>;

  explicit Topics(std::string directory) : directory_(std::move(directory)) {}

  // False when the name is taken. The name becomes part of file names.
  bool create(std::string_view name, std::size_t partitions) {
    const auto [place, is_new] = topics_.try_emplace(std::string(name));
    if (!is_new) return false;
    for (std::size_t i = 0; i < partitions; ++i) {
      const std::string path = directory_ + "/" + std::string(name) + "-" + std::to_string(i);
      place->second.push_back(std::make_unique<PartitionFile>(path));
    }
    return true;
  }

  // nullptr when there is none.
  PartitionFile* find(std::string_view name, std::int32_t partition) {
    const auto place = topics_.find(name);
    if (place == topics_.end() || partition < 0) return nullptr;
    const auto index = static_cast<std::size_t>(partition);
    return index < place->second.size() ? place->second[index].get() : nullptr;
  }

  const std::map<std::string, Partitions, std::less<>>& all() const { return topics_; }

 private:
  std::string directory_;
  std::map<std::string, Partitions, std::less<>> topics_;
};

}  // namespace milena::bench
