// ClientSoftware: how many open connections there are of each client library and version.
//
// Shared by the handlers of all loops; thread-safe. A client says what it is once for each connection
// (ApiVersions), so a lock is cheap enough. Names come from clients: at most `limit` pairs of name and
// version are told apart, for as long as they have connections; the others are one, "other".
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "broker/metrics/registry.h"

namespace milena::broker {

class ClientSoftware {
 public:
  static constexpr std::size_t kTextMax = 64;  // bytes of a name or version; more are cut off

  explicit ClientSoftware(std::size_t limit) : counts_(std::make_shared<Counts>(limit)) {}

  // A connection of this software; until the result is gone, which may outlive this object.
  std::shared_ptr<const void> count(std::string_view name, std::string_view version);

  std::unique_ptr<MetricSource> source() const;

 private:
  class Source;
  using Key = std::pair<std::string, std::string>;
  struct Counts {
    explicit Counts(std::size_t limit_) : limit(limit_) {}
    const std::size_t limit;
    Mutex mutex;
    std::map<Key, std::size_t> open MILENA_GUARDED_BY(mutex);
  };

  const std::shared_ptr<Counts> counts_;
};

}  // namespace milena::broker
