"""Topic names and the numbers of CreateTopics: F20 and F22 of the catalogue. The codes are Apache Kafka's own answers."""

from lib import api

from ground import CLOSED, kind

OK = 0
BAD_NAME = api.ERROR["INVALID_TOPIC_EXCEPTION"]
BAD_REQUEST = api.ERROR["INVALID_REQUEST"]
TOO_MANY = 44  # POLICY_VIOLATION: a request may create 10,000 partitions

NAMES = {
    "": BAD_NAME,
    ".": BAD_NAME,
    "..": BAD_NAME,
    "x" * 249: OK,
    "x" * 250: BAD_NAME,
    "x" * 32767: BAD_NAME,
    "a/b": BAD_NAME,
    "../../etc/passwd": BAD_NAME,
    "/etc/passwd": BAD_NAME,
    "a\\b": BAD_NAME,
    "a\0b": BAD_NAME,
    "a\nb": BAD_NAME,
    "\x1b[31m": BAD_NAME,
    "trailing ": BAD_NAME,
    "é": BAD_NAME,
    "é": BAD_NAME,
    "✉": BAD_NAME,
    b"\xff\xfe": BAD_NAME,
    "a:b": BAD_NAME,
    "a,b": BAD_NAME,
    "con": OK,
    "Case": OK,
    "cASE": OK,
    "...": OK,
    "-": OK,
    "_": OK,
    "a.b": OK,
    "a_b": BAD_NAME,  # its metrics would collide with those of a.b
    "__consumer_offsets": OK,
    "__cluster_metadata": BAD_REQUEST,
    "hostile": api.ERROR["TOPIC_ALREADY_EXISTS"],
}

PARTITIONS = {
    "0 partitions": ({"num_partitions": 0}, api.ERROR["INVALID_PARTITIONS"]),
    "-2 partitions": ({"num_partitions": -2}, api.ERROR["INVALID_PARTITIONS"]),
    "the default number of partitions": ({"num_partitions": -1}, OK),
    "INT_MAX partitions": ({"num_partitions": 2**31 - 1}, TOO_MANY),
    "1,000,000 partitions": ({"num_partitions": 1_000_000}, TOO_MANY),
    "replication factor 0": ({"replication_factor": 0}, api.ERROR["INVALID_REPLICATION_FACTOR"]),
    "replication factor -2": ({"replication_factor": -2}, api.ERROR["INVALID_REPLICATION_FACTOR"]),
    "the default replication factor": ({"replication_factor": -1}, OK),
    "replication factor 2": ({"replication_factor": 2}, api.ERROR["INVALID_REPLICATION_FACTOR"]),
    "replication factor 32767": ({"replication_factor": 32767}, api.ERROR["INVALID_REPLICATION_FACTOR"]),
}


def _assigned(*assignments, num_partitions=-1, replication_factor=-1):
    return {
        "num_partitions": num_partitions,
        "replication_factor": replication_factor,
        "assignments": [{"partition_index": partition, "broker_ids": brokers} for partition, brokers in assignments],
    }


BAD_ASSIGNMENT = api.ERROR["INVALID_REPLICA_ASSIGNMENT"]
ASSIGNMENTS = {
    "a good assignment": (_assigned((0, [1]), (1, [1])), OK),
    "an unknown broker": (_assigned((0, [9])), BAD_ASSIGNMENT),
    "a negative broker": (_assigned((0, [-1])), BAD_ASSIGNMENT),
    "one broker twice": (_assigned((0, [1, 1])), BAD_ASSIGNMENT),
    "no brokers": (_assigned((0, [])), BAD_ASSIGNMENT),
    "one partition twice": (_assigned((0, [1]), (0, [1])), BAD_ASSIGNMENT),
    "a hole in the partitions": (_assigned((0, [1]), (2, [1])), BAD_ASSIGNMENT),
    "not from partition 0": (_assigned((1, [1])), BAD_ASSIGNMENT),
    "a negative partition": (_assigned((-1, [1])), BAD_ASSIGNMENT),
    "partition INT_MAX": (_assigned((2**31 - 1, [1])), BAD_ASSIGNMENT),
    "an assignment and a partition count": (_assigned((0, [1]), num_partitions=1), BAD_REQUEST),
    "an assignment and a replication factor": (_assigned((0, [1]), replication_factor=1), BAD_REQUEST),
}


def _config(name, value):
    return {"configs": [{"name": name, "value": value}]}


BAD_CONFIG = api.ERROR["INVALID_CONFIG"]
CONFIGS = {
    "a known config": (_config("retention.ms", "1000"), OK),
    "an unknown config": (_config("no.such.config", "1"), BAD_CONFIG),
    "a config in capitals": (_config("RETENTION.MS", "1"), BAD_CONFIG),
    "an empty config name": (_config("", "1"), BAD_CONFIG),
    "a broker config": (_config("log.retention.ms", "1"), BAD_CONFIG),
    "no value": (_config("retention.ms", None), BAD_CONFIG),
    "an empty value": (_config("retention.ms", ""), BAD_CONFIG),
    "a word for a number": (_config("retention.ms", "soon"), BAD_CONFIG),
    "a number out of range": (_config("retention.ms", "99999999999999999999"), BAD_CONFIG),
    "a number below its minimum": (_config("segment.bytes", "13"), BAD_CONFIG),
    "a fraction for a whole number": (_config("segment.bytes", "1048576.5"), BAD_CONFIG),
    "spaces around a number": (_config("segment.bytes", " 1048576 "), OK),
    "an unknown cleanup policy": (_config("cleanup.policy", "shred"), BAD_CONFIG),
    "an empty cleanup policy": (_config("cleanup.policy", ""), OK),
    "an unknown compression type": (_config("compression.type", "rar"), BAD_CONFIG),
    "a value of 32 KB": (_config("cleanup.policy", "x" * 32_000), BAD_CONFIG),
    "min.insync.replicas 0": (_config("min.insync.replicas", "0"), BAD_CONFIG),
    "the same config twice": ({"configs": [{"name": "retention.ms", "value": "1"}, {"name": "retention.ms", "value": "2"}]}, OK),
}


def create(ground, name, **fields):
    """The error code of one CreateTopics for one topic, or CLOSED."""
    answer = ground.exchange(api.request("CreateTopics", topics=[{"name": name, **fields}]), timeout=10.0)
    return answer if isinstance(answer, str) else api.decode("CreateTopics", answer)["topics"][0]["error_code"]


def topic_names(ground):
    shown = {name: f"name {name[:12]!r} of {len(name)}" for name in NAMES}
    observed = {shown[name]: create(ground, name) for name in NAMES}
    ground.expect({shown[name]: code for name, code in NAMES.items()}, observed)


def names_elsewhere(ground):
    """The same names where a topic might be created on the way: Metadata with auto-creation, Produce, Fetch."""
    bad = [name for name, code in NAMES.items() if code == BAD_NAME and name != "a_b"]
    for name in bad:
        answer = ground.exchange(api.request("Metadata", topics=[{"name": name}], allow_auto_topic_creation=True))
        if answer != CLOSED:
            (topic,) = api.decode("Metadata", answer)["topics"]
            assert topic["error_code"] == BAD_NAME, f"Metadata of {name[:12]!r}: error {topic['error_code']}"
        partitions = [{"records": b"\0" * 61}]
        assert kind(ground.exchange(api.request("Produce", topics=[{"name": name, "partitions": partitions}]))) != "no answer"
        fetch = api.request("Fetch", topics=[{"topic": name, "partitions": [{}]}], max_wait_ms=0)
        assert kind(ground.exchange(fetch)) != "no answer"
    if ground.target.data is not None:
        strays = [path.name for path in ground.target.home.iterdir() if path.name not in ("data", "server.properties")]
        assert not strays, f"files outside the data directory: {strays}"


def _run_table(table, prefix):
    def check(ground):
        observed = {name: create(ground, f"{prefix}-{number}", **fields) for number, (name, (fields, _)) in enumerate(table.items())}
        ground.expect({name: code for name, (_, code) in table.items()}, observed)

    return check


def many_topics_at_once(ground):
    """100,000 topics in one request: every one gets an answer of its own, or the request is refused as a whole."""
    topics = [{"name": f"crowd-{n}", "num_partitions": 0} for n in range(100_000)]
    answer = ground.exchange(api.request("CreateTopics", topics=topics), timeout=60.0)
    if answer != CLOSED:
        codes = [topic["error_code"] for topic in api.decode("CreateTopics", answer)["topics"]]
        assert len(codes) == len(topics) and set(codes) <= {37, 42, 44}, f"{len(codes)} answers, codes {set(codes)}"


def one_topic_twice(ground):
    """A name that comes twice in one request is refused, and the others in it are not."""
    names = ["twice", "once", "twice"]
    answer = ground.exchange(api.request("CreateTopics", topics=[{"name": name} for name in names]))
    codes = {topic["name"]: topic["error_code"] for topic in api.decode("CreateTopics", answer)["topics"]}
    assert codes == {"twice": BAD_REQUEST, "once": OK}, codes


CHECKS = {
    "F20 topic names": topic_names,
    "F20 topic names in other requests": names_elsewhere,
    "F22 partitions and replication factors": _run_table(PARTITIONS, "numbers"),
    "F22 replica assignments": _run_table(ASSIGNMENTS, "assigned"),
    "F22 configs": _run_table(CONFIGS, "configured"),
    "F22 100,000 topics in one request": many_topics_at_once,
    "F22 one topic twice in a request": one_topic_twice,
}
NOT_FOR_KAFKA = {}
