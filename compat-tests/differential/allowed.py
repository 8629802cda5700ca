"""Differences from Apache Kafka that are meant, each with its reason: (scenario, API, path) as regular expressions."""

import re

ALLOWED = [
    ("api versions", "ApiVersions", r"apiKeys.*", "an API is in our answer only when its handler is complete; the ranges are compared in compare_served_apis"),
    ("api versions", "ApiVersions", r"(supported|finalized)Features.*", "a feature is finalized with the code that serves it"),
    ("metadata creates an? .*topic", "Metadata", r"topics\[.*", "Kafka answers before the topic is there; ours is there at once"),
    ("metadata by id too early", "Metadata", r"clusterId", "an error of Kafka's leaves out what the answer has room for"),
    ("describe the quorum.*", "DescribeQuorum", r".*errorMessage", "no error: Kafka has an empty message or one for no error, we have none"),
    ("describe the quorum.*", "DescribeQuorum", r"nodes.*", "one process has no controller listener to tell of"),
    ("describe the quorum", "DescribeQuorum", r".*replicaDirectoryId", "a voter with a directory id, as in Kafka's dynamic quorums"),
    ("find .*coordinator.*", "FindCoordinator", r".*errorMessage", "a text beside a code that says it all; without an error Kafka's is NONE"),
    ("list broker loggers.*", "ListConfigResources", r"configResources.*", "there are no loggers whose level can be changed"),
    ("new members with an expression", "ConsumerGroupHeartbeat", r"memberEpoch|assignment.*", "Kafka looks the topics up later; ours are there at once"),
    ("fetch offsets as a member", "OffsetFetch", r"groups\[0\].errorCode", "Kafka fails with an unknown server error where an epoch comes without a member id"),
]


def reason_for(scenario, api, path):
    """Why this difference is allowed, or None."""
    for scenario_pattern, api_pattern, path_pattern, reason in ALLOWED:
        if all(re.fullmatch(*pair) for pair in ((scenario_pattern, scenario), (api_pattern, api), (path_pattern, path))):
            return reason
    return None
