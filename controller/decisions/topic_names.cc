#include "controller/decisions/topic_names.h"

#include <fmt/core.h>

#include <algorithm>

namespace milena::controller {
namespace {

constexpr std::size_t kMaxNameLength = 249;

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

bool can_collide(std::string_view name) { return name.find_first_of("._") != std::string_view::npos; }

std::string unified(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '.', '_');
  return text;
}

}  // namespace

std::optional<std::string> topic_name_error(std::string_view name) {
  if (name.empty()) return "Topic name is invalid: the empty string is not allowed";
  if (name == "." || name == "..") return fmt::format("Topic name is invalid: '{}' is not allowed", name);
  if (name.size() > kMaxNameLength) {
    return fmt::format("Topic name is invalid: the length of '{}' is longer than the max allowed length {}",
                       name, kMaxNameLength);
  }
  if (!std::ranges::all_of(name, is_legal)) {
    return fmt::format(
        "Topic name is invalid: '{}' contains one or more characters other than ASCII alphanumerics, '.', "
        "'_' and '-'",
        name);
  }
  return std::nullopt;
}

void TopicNameIndex::add(std::string_view name) {
  if (can_collide(name)) names_[unified(name)].emplace(name);
}

void TopicNameIndex::remove(std::string_view name) {
  if (!can_collide(name)) return;
  const auto at = names_.find(unified(name));
  if (at == names_.end()) return;
  if (const auto exact = at->second.find(name); exact != at->second.end()) at->second.erase(exact);
  if (at->second.empty()) names_.erase(at);
}

const std::string* TopicNameIndex::colliding(std::string_view name) const {
  if (!can_collide(name)) return nullptr;
  const auto at = names_.find(unified(name));
  return at != names_.end() ? &*at->second.begin() : nullptr;
}

}  // namespace milena::controller
