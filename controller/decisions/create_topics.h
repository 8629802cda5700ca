// CreateTopics and CreatePartitions: names, counts, assignments and configuration in; Topic, Config and
// Partition records out.
//
// Errors, messages and order of checks are Kafka's (ReplicationControlManager). Topics fail one by one,
// except that a request for more than 10,000 partitions or records is refused as a whole with
// POLICY_VIOLATION.
#pragma once

#include "controller/decisions/decision.h"
#include "controller/decisions/topic_names.h"
#include "protocol/create_partitions.gen.h"
#include "protocol/create_topics.gen.h"

namespace milena::controller {

struct CreateTopicsAccess {
  TopicPredicate may_create{};
  TopicPredicate may_describe_configs{};
};

Outcome<protocol::CreateTopicsResponse> create_topics(const DecisionContext& context,
                                                      const TopicNameIndex& names,
                                                      const protocol::CreateTopicsRequest& request,
                                                      const CreateTopicsAccess& access);

Outcome<protocol::CreatePartitionsResponse> create_partitions(
    const DecisionContext& context, const protocol::CreatePartitionsRequest& request,
    const TopicPredicate& may_alter);

}  // namespace milena::controller
