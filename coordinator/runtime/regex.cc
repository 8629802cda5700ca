#include "coordinator/runtime/regex.h"

#include <re2/re2.h>

namespace milena::coordinator {
namespace {

// Of one compiled expression and its match tables. Larger programs are refused; tables that would grow
// further are dropped and built anew.
constexpr std::int64_t kMaxMemoryBytes = 1 << 20;

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemoryBytes);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Regex::Regex(std::string_view expression) : compiled_(std::make_unique<RE2>(piece(expression), options())) {}

Regex::~Regex() = default;

std::optional<std::string> Regex::problem() const {
  if (compiled_->ok()) return std::nullopt;
  return compiled_->error();
}

bool Regex::matches(std::string_view name) const {
  return compiled_->ok() && RE2::FullMatch(piece(name), *compiled_);
}

}  // namespace milena::coordinator
