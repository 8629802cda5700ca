// Subscribers: how many members of a consumer group name a topic, or a regular expression. Kept while members
// come and go, so that nobody has to ask each of them which topics the group reads.
//
// Always: what nobody names is not listed.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace milena::coordinator {

using TopicNames = std::set<std::string, std::less<>>;

// Text: std::string, or std::string_view of names that live elsewhere.
template <class Text>
class Subscribers {
 public:
  using Counts = std::map<Text, std::size_t, std::less<>>;

  Subscribers() = default;
  template <class Other>
  explicit Subscribers(const Subscribers<Other>& other)
      : topics_(other.topics().begin(), other.topics().end()),
        regexes_(other.regexes().begin(), other.regexes().end()) {}

  const Counts& topics() const { return topics_; }
  const Counts& regexes() const { return regexes_; }

  // A member subscribes to these from now on; an empty `regex` is none.
  void add(const TopicNames& topics, std::string_view regex) {
    for (const std::string& topic : topics) ++at(topics_, topic);
    if (!regex.empty()) ++at(regexes_, regex);
  }
  // One that did so does not any more.
  void remove(const TopicNames& topics, std::string_view regex) {
    for (const std::string& topic : topics) drop(topics_, topic);
    if (!regex.empty()) drop(regexes_, regex);
  }

 private:
  static std::size_t& at(Counts& counts, std::string_view name) {
    const auto known = counts.find(name);
    return known != counts.end() ? known->second : counts.emplace(name, 0).first->second;
  }
  static void drop(Counts& counts, std::string_view name) {
    const auto known = counts.find(name);
    if (known != counts.end() && --known->second == 0) counts.erase(known);
  }

  Counts topics_;
  Counts regexes_;
};

}  // namespace milena::coordinator
