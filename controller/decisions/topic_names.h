// Which names topics may have.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace milena::controller {

inline constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";

// The sentence that goes with INVALID_TOPIC_EXCEPTION, or nullopt: 1 to 249 of the characters a-z A-Z 0-9 . _
// -, and neither "." nor "..".
std::optional<std::string> topic_name_error(std::string_view name);

// Topics by their names with '.' read as '_': metrics cannot tell a.b from a_b, so only one of them may
// exist. Derived from the image; owned by the controller.
class TopicNameIndex {
 public:
  void add(std::string_view name);
  void remove(std::string_view name);
  // Another topic (or the same) that looks like `name`; nullptr if there is none.
  const std::string* colliding(std::string_view name) const;

 private:
  std::map<std::string, std::set<std::string, std::less<>>> names_;
};

}  // namespace milena::controller
