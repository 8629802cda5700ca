// Regular expressions that consumers subscribe with (SubscribedTopicRegex, KIP-848); see runtime/regex.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "coordinator/group/consumer_group.h"
#include "coordinator/group/metadata_view.h"
#include "coordinator/group/request_context.h"

namespace milena::coordinator {

// What is wrong with the expression; nothing if it can be used.
std::optional<std::string> regex_problem(std::string_view regex);

// The topics that exist, match, and that the asking principal may describe. None for an unusable expression.
TopicNames resolve_regex(std::string_view regex, const MetadataView& metadata, const TopicFilter* filter);

}  // namespace milena::coordinator
