// Regex: an expression of a client (RE2), matched against whole names. Time is linear in the length of the
// input and memory bounded, whatever the expression.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace milena::coordinator {

class Regex {
 public:
  explicit Regex(std::string_view expression);
  ~Regex();

  // What is wrong with the expression; nothing if it can be used.
  std::optional<std::string> problem() const;
  // False for everything if the expression cannot be used.
  bool matches(std::string_view name) const;

 private:
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace milena::coordinator
