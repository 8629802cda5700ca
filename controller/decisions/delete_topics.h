// DeleteTopics: by name or by id, never by both.
#pragma once

#include "controller/decisions/decision.h"
#include "protocol/delete_topics.gen.h"

namespace milena::controller {

struct DeleteTopicsAccess {
  TopicPredicate may_describe{};  // else the answer does not tell whether the topic exists
  TopicPredicate may_delete{};
};

// Every topic that the request names gets an answer of its own. `api_version`: before 3 a client cannot be
// told that deletion is disabled, and before 6 topics are in topic_names.
Outcome<protocol::DeleteTopicsResponse> delete_topics(const DecisionContext& context,
                                                      const protocol::DeleteTopicsRequest& request,
                                                      int api_version, const DeleteTopicsAccess& access);

}  // namespace milena::controller
