"""Groups with committed offsets: memory, requests, what a commit writes, and restarts until the last group is loaded."""

import time

from lib import api, records

from curves.common import START_LIMIT, cpu_us, exchange, floor_us, in_a_row, produce_frame, settled, warm_up

OFFSETS = 6  # in each group
TOPIC = "offsets"
LOG_PARTITIONS = 50  # offsets.topic.num.partitions
WARM_GROUPS = 500
ASKED_AT_ONCE = 500  # groups of one OffsetFetch, while they are loaded
LABELS = {
    "groups": "groups",
    "rss_kb_each": f"memory each, with {OFFSETS} offsets, KB",
    "log_bytes_per_commit": f"__consumer_offsets, bytes a commit of {OFFSETS}",
    "start_killed_s": "exec until the last is loaded, after kill -9, s",
    "start_clean_s": "the same after a clean stop, s",
    "commit_cpu_us": f"OffsetCommit of {OFFSETS} round-robin, us of processor each",
    "floor_cpu_us": "a Produce of as many bytes at the null broker, us",
    "of_floor": "OffsetCommit / floor",
    "fetch_cpu_us": f"OffsetFetch of {OFFSETS} round-robin, us of processor each",
    "list_bytes": "ListGroups, bytes",
    "list_cpu_us": "ListGroups, us of processor",
}


def row(brokers, count):
    """Everything about one broker with `count` groups."""
    with brokers.new(properties={"num.network.threads": 1}) as target:
        found = {"groups": count}
        with api.Client(target.address, timeout=60.0) as client:
            warm_up(client)
            client.make_topic(TOPIC, OFFSETS)
            client.await_group("warm")
            commit_all(client, "warm", WARM_GROUPS)  # what the first groups of a broker cost beside themselves
            rss, log = settled(target), _log_bytes(target)
            commit_all(client, "many", count)
            found["rss_kb_each"] = (settled(target) - rss) / count
            found["log_bytes_per_commit"] = (_log_bytes(target) - log) / count
            answers = {request: exchange(client, request) for request in _fetch_frames(count)}
            client.call("DeleteGroups", groups_names=[f"warm-{n}" for n in range(WARM_GROUPS)])
        target.kill()
        found["start_killed_s"] = _start(target, answers)
        target.stop(timeout=START_LIMIT)
        found["start_clean_s"] = _start(target, answers)
        with api.Client(target.address, timeout=60.0) as client:
            commits = [_commit_frame(f"many-{n}") for n in range(count)]
            fetches = _fetch_frames(count, 1)
            everything = api.request("ListGroups")
            rounds = max(1000, min(count, 5000))
            found["commit_cpu_us"] = cpu_us(target, lambda n: exchange(client, commits[n % count]), rounds)
            found["fetch_cpu_us"] = cpu_us(target, lambda n: exchange(client, fetches[n % count]), rounds)
            answer = exchange(client, everything)
            listed = len(api.decode("ListGroups", answer)["groups"])
            if listed != count:
                raise RuntimeError(f"ListGroups: {listed} of {count} groups")
            found["list_bytes"] = len(answer)
            found["list_cpu_us"] = cpu_us(target, lambda n: exchange(client, everything), 20)
    found["floor_cpu_us"] = _floor_us(brokers, round(found["log_bytes_per_commit"]), rounds)
    found["of_floor"] = found["commit_cpu_us"] / found["floor_cpu_us"]
    return found


def _floor_us(brokers, size, rounds):
    """The floor of a commit: batches of that size, appended to as many partitions as there are of __consumer_offsets."""
    value = b"x" * (size - len(records.batch([b"x"])))
    frames = [produce_frame(TOPIC, n, records.batch([value])) for n in range(LOG_PARTITIONS)]
    return floor_us(brokers, TOPIC, LOG_PARTITIONS, lambda n: frames[n % LOG_PARTITIONS], rounds)


def commit_all(client, prefix, count):
    """Commits OFFSETS offsets in each of `count` groups."""

    def check(_, data):
        errors = {p["error_code"] for p in api.decode("OffsetCommit", data)["topics"][0]["partitions"]}
        if errors != {0}:
            raise RuntimeError(f"OffsetCommit: {errors}")

    in_a_row(client, count, lambda n: _commit_frame(f"{prefix}-{n}"), check)


def _commit_frame(group):
    partitions = [{"partition_index": p, "committed_offset": 1000 + p, "committed_metadata": ""} for p in range(OFFSETS)]
    return api.request("OffsetCommit", group_id=group, topics=[{"name": TOPIC, "partitions": partitions}])


def _fetch_frames(count, at_once=ASKED_AT_ONCE):
    """OffsetFetch of everything in each of `count` groups."""
    groups = [{"group_id": f"many-{n}", "topics": None} for n in range(count)]
    return [api.request("OffsetFetch", groups=groups[start : start + at_once]) for start in range(0, count, at_once)]


def _log_bytes(target):
    return sum(path.stat().st_size for path in target.data.glob("__consumer_offsets-*/*.log"))


def _start(target, answers):
    """Seconds from exec until the requests, {frame: answer}, are answered as before."""
    started = time.monotonic()
    target.start(timeout=START_LIMIT)
    with api.Client(target.address, timeout=30.0) as client:
        for request, answer in answers.items():
            while exchange(client, request) != answer:
                if time.monotonic() - started > START_LIMIT:
                    raise RuntimeError("a group is not loaded, or is not what it was")
                time.sleep(0.001)
    return time.monotonic() - started
