"""Differences from Apache Kafka that are meant, each with its reason: (scenario, API, path) as regular expressions."""

import re

ALLOWED = [
    ("api versions", "ApiVersions", r"apiKeys.*", "an API is in our answer only when its handler is complete; the ranges are compared in compare_served_apis"),
]


def reason_for(scenario, api, path):
    """Why this difference is allowed, or None."""
    for scenario_pattern, api_pattern, path_pattern, reason in ALLOWED:
        if all(re.fullmatch(*pair) for pair in ((scenario_pattern, scenario), (api_pattern, api), (path_pattern, path))):
            return reason
    return None
