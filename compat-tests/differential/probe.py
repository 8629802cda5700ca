"""Drives KafkaProbe.java: requests as JSON in Kafka's own terms, answers normalised so that two brokers compare."""

import base64
import json
import re
import subprocess
from pathlib import Path

from lib import kafka_jars, records

SOURCE = Path(__file__).with_name("KafkaProbe.java")

# Fields whose values are a broker's own affair: replaced by a word when they are set at all. Some in one API only.
_OWN = {
    "clusterId": "CLUSTER", "host": "HOST", "port": "PORT", "brokerEpoch": "EPOCH", "sessionId": "SESSION", "producerId": "PRODUCER",
    "finalizedFeaturesEpoch": "EPOCH", "errorMessage": "MESSAGE", "batchIndexErrorMessage": "MESSAGE", "logAppendTimeMs": "TIME",
}  # fmt: skip
_OWN_IN = {
    "CreateTopics": {"topicId": "SOME ID"},  # Kafka's other requests may not know the topic yet
    "DescribeQuorum": {
        "highWatermark": "OFFSET", "logEndOffset": "OFFSET", "leaderEpoch": "EPOCH", "lastFetchTimestamp": "TIME",
        "lastCaughtUpTimestamp": "TIME", "replicaDirectoryId": "DIRECTORY",
    },
}  # fmt: skip
_GENERATED_MEMBER_ID = re.compile(r"(differential|desk-\d)-[0-9a-f]{8}-[0-9a-f-]{27}|[\w-]{22}")
_UNSET = (None, "", -1, 0, "AAAAAAAAAAAAAAAAAAAAAA")
# Lists whose order means nothing: sorted by their text.
_UNORDERED = {"apiKeys", "topics", "configs", "synonyms", "supportedFeatures", "finalizedFeatures", "brokers", "partitions", "responses", "groups", "members", "results", "configResources", "replicaElectionResults"}


class Probe:
    """One Java process that talks to any number of brokers."""

    def __init__(self):
        command = ["java", "-cp", f"{kafka_jars.libs()}/*", str(SOURCE)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self):
        self._process.stdin.close()
        self._process.wait(30)

    def ask(self, address, api, version, body):
        """The answer as a dict: {"body": ...}, {"closed": True}, {"silent": True}; RuntimeError if the request is none."""
        answer = self._exchange({"to": address, "api": api, "version": version, "body": body})
        if "error" in answer:
            raise RuntimeError(f"{api} v{version} {body}: {answer['error']}")
        return answer

    def versions(self, api):
        """The versions of an API that Kafka serves."""
        answer = self._exchange({"api": api, "versions": True})
        return range(answer["min"], answer["max"] + 1)

    def key(self, api):
        """An API's number."""
        return self._exchange({"api": api, "versions": True})["key"]

    def _exchange(self, ask):
        self._process.stdin.write(json.dumps(ask) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("KafkaProbe.java has ended; is a JDK installed?")
        return json.loads(line)


def normalise(value, api, names, kept, key=None):
    """`value` without what two brokers may tell differently; `names` maps topic ids to names, `kept` values to theirs."""
    if isinstance(value, dict):
        return {name: normalise(part, api, names, kept, name) for name, part in value.items()}
    if isinstance(value, list):
        parts = [normalise(part, api, names, kept) for part in value]
        return sorted(parts, key=lambda part: json.dumps(part, sort_keys=True)) if key in _UNORDERED else parts
    if isinstance(value, str) and value in kept:
        return kept[value]
    if key in ("memberId", "leader") and _GENERATED_MEMBER_ID.fullmatch(str(value)):
        return "A NEW MEMBER ID"
    own = _OWN_IN.get(api, {}).get(key) or _OWN.get(key)
    if own and value not in _UNSET:
        return own
    if key == "topicId" and value not in _UNSET:
        return f"ID OF {names[value]}" if value in names else "SOME ID"
    if key == "records" and value:
        return _batches(base64.b64decode(value))
    return value


def _batches(data):
    """Record bytes as a list of batches; the codecs that Python lacks as their size only."""
    try:
        return [
            f"{b.base_offset}-{b.last_offset} epoch {b.leader_epoch} attributes {b.attributes} " + " ".join(f"{r.key}={r.value}@{r.timestamp}" for r in b.records)
            for b in records.read_batches(data)
        ]
    except ValueError as error:
        return f"{len(data)} bytes: {error}"


def differences(left, right, path=""):
    """[(path, left value, right value)] where two normalised answers differ. Saying more than the left in an error text is no difference."""
    if path == "" and left.keys() != right.keys():  # one was answered, the other was not
        return [("the answer", *("answered" if "body" in side else next(iter(side)) for side in (left, right)))]
    if path.endswith("errorMessage") and left in (None, "") and right == "MESSAGE":
        return []
    if isinstance(left, dict) and isinstance(right, dict):
        found = []
        for name in left | right:
            found += differences(left.get(name, "absent"), right.get(name, "absent"), f"{path}.{name}" if path else name)
        return found
    if isinstance(left, list) and isinstance(right, list):
        named = _by_name(left), _by_name(right)
        if all(named):
            return [found for name in named[0] | named[1] for found in differences(*(side.get(name, "absent") for side in named), f"{path}[{name}]")]
        if len(left) == len(right):
            return [found for n, pair in enumerate(zip(left, right)) for found in differences(*pair, f"{path}[{n}]")]
    return [] if left == right else [(path, left, right)]


def _by_name(elements):
    """{name: element} for a list of structs that have a name each and no name twice; else None."""
    names = [element.get("name") for element in elements if isinstance(element, dict)]
    return dict(zip(names, elements)) if names and None not in names and len(set(names)) == len(elements) else None
