// RandomLog: a metadata log of random but consistent records, for tests and corpora.
//
// The same seed gives the same log. Every record type occurs; transactions end or are aborted; batches cut
// anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/rng.h"
#include "controller/image/metadata_image.h"
#include "controller/records/metadata_batch.h"

namespace milena::controller::test_support {

class RandomLog {
 public:
  explicit RandomLog(std::uint64_t seed);

  // Appends one batch and returns its bytes.
  const std::vector<std::byte>& append_batch();

  const std::vector<std::vector<std::byte>>& batches() const { return batches_; }
  // What a reader of all batches must have seen, as of the last one that left no transaction open.
  const MetadataImage& image() const { return visible_; }
  bool in_transaction() const { return before_transaction_.has_value(); }

 private:
  MetadataRecord next();
  MetadataRecord random_change();
  MetadataRecord topic_change();
  MetadataRecord partition_change(const Topic& topic);
  MetadataRecord broker_change();
  MetadataRecord credential_change();
  MetadataRecord config_change();
  MetadataRecord quota_change();
  std::string_view name(std::string_view prefix, std::uint64_t count);
  std::span<BrokerId> some_brokers(std::size_t at_most);

  template <class Map>
  auto pick(const Map& map) {
    auto at = map.begin();
    for (std::uint64_t skip = rng_.below(map.size()); skip > 0; --skip) ++at;
    return *at;
  }

  SeededRng rng_;
  Arena arena_;          // of the batch in the making
  MetadataImage state_;  // after the last record, open transaction included
  MetadataImage visible_;
  std::optional<MetadataImage> before_transaction_;
  std::vector<std::vector<std::byte>> batches_;
  Offset next_offset_ = 0;
  std::uint64_t ids_ = 0;
};

}  // namespace milena::controller::test_support
