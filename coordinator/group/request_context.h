// RequestContext: what a group decision may know about who asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace milena::coordinator {

// Says which topics the asking principal may DESCRIBE; a regular expression never resolves to others.
class TopicFilter {
 public:
  virtual ~TopicFilter() = default;
  virtual bool may_describe(std::string_view topic) const = 0;
};

struct RequestContext {
  std::int16_t api_version = 0;
  std::string_view client_id{};
  std::string_view client_host{};          // as Java prints an address: "/127.0.0.1"
  const TopicFilter* topics = nullptr;     // none: all topics
  std::optional<std::uint64_t> consent{};  // of a TxnOffsetCommit: see TransactionalProducer
};

}  // namespace milena::coordinator
