#include "coordinator/group/topic_regex.h"

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

std::optional<std::string> regex_problem(std::string_view regex) {
  const RE2 compiled(piece(regex), options());
  if (compiled.ok()) return std::nullopt;
  return compiled.error();
}

TopicNames resolve_regex(std::string_view regex, const MetadataView& metadata, const TopicFilter* filter) {
  TopicNames topics;
  const RE2 compiled(piece(regex), options());
  if (!compiled.ok()) return topics;
  metadata.for_each_topic([&](const MetadataView::Topic& topic) {
    if (!RE2::FullMatch(piece(topic.name), compiled)) return;
    if (filter == nullptr || filter->may_describe(topic.name)) topics.emplace(topic.name);
  });
  return topics;
}

}  // namespace milena::coordinator
