#include "coordinator/group/topic_regex.h"

#include "coordinator/runtime/regex.h"

namespace milena::coordinator {

std::optional<std::string> regex_problem(std::string_view regex) { return Regex(regex).problem(); }

TopicNames resolve_regex(std::string_view regex, const MetadataView& metadata, const TopicFilter* filter) {
  TopicNames topics;
  const Regex compiled(regex);
  metadata.for_each_topic([&](const MetadataView::Topic& topic) {
    if (!compiled.matches(topic.name)) return;
    if (filter == nullptr || filter->may_describe(topic.name)) topics.emplace(topic.name);
  });
  return topics;
}

}  // namespace milena::coordinator
