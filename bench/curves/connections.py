"""Connections: idle ones, which send one request and then hold still, and busy ones, which the load generator keeps asking.

The floor of the busy ones is the null broker. A broker that is pinned has a core of its own, and the load the other; one
that is not pinned shares both cores with the load, which stays on one.
"""

from lib import api
from lib.wire import Connection
from pairs import generator

from curves.common import cpu_us, exchange, idle_percent, settled, warm_up

BUSY = (
    "produce --connections {connections} --in-flight 1 --batch-bytes 0 --record-bytes 1024 --acks 1"
    " --seconds {seconds} --warmup-bytes 20M --create"
)
BUSY_SECONDS = 2
BUSY_ROUNDS = 2  # of all contestants in turn; the least processor time and the most requests count
LABELS = {
    "connections": "connections",
    "loops": "event loops",
    "rss_kb_each_idle": "memory each, KB",
    "idle_cpu_percent": "idle, % of a core",
    "request_cpu_us": "ApiVersions round-robin, us of processor each",
    "rss_kb_each_asked": "memory each after a second request, KB",
}
# {key: (broker, event loops, pinned)}; a floor is told no number of loops: it has one.
_CONTESTANTS = {
    "floor": ("null", None, True),
    "one": ("milena", 1, True),
    "free_floor": ("null", None, False),
    "two": ("milena", 2, False),
}
BUSY_LABELS = {
    "connections": "busy connections",
    "one_cpu_us": "1 event loop, pinned: us of processor a request",
    "floor_cpu_us": "null broker, pinned: the same",
    "one_of_floor": "ours / floor",
    "one_per_s": "1 event loop, pinned: requests a second",
    "floor_per_s": "null broker, pinned: the same",
    "two_cpu_us": "2 event loops: us of processor a request",
    "free_floor_cpu_us": "null broker, not pinned: the same",
    "two_of_floor": "ours / floor",
    "two_per_s": "2 event loops: requests a second",
    "free_floor_per_s": "null broker, not pinned: the same",
    "one_rss_kb_each": "1 event loop: memory each, KB",
}


def idle_row(brokers, count, loops):
    with brokers.new(properties={"num.network.threads": loops, "max.connections": count + 10}) as target:
        found = {"connections": count, "loops": loops}
        with api.Client(target.address) as client:
            warm_up(client)
            rss = settled(target)
            held = []
            request = api.request("ApiVersions")
            for _ in range(count):
                held.append(Connection(target.address, timeout=30.0))
                exchange(held[-1], request)
            found["rss_kb_each_idle"] = (settled(target) - rss) / count
            found["idle_cpu_percent"] = idle_percent(target)
            found["request_cpu_us"] = cpu_us(target, lambda n: exchange(held[n % count], request), max(2000, min(count, 10_000)))
            found["rss_kb_each_asked"] = (settled(target) - rss) / count
            for one in held:
                one.close()
        return found


def busy_row(brokers, count):
    """Ours and the floors, each a fresh process, in turn."""
    found = {"connections": count}
    for _ in range(BUSY_ROUNDS):
        for key, contestant in _CONTESTANTS.items():
            figures, rss = _busy(brokers, count, *contestant)
            found[f"{key}_cpu_us"] = min(figures["cpu_us_per_request"], found.get(f"{key}_cpu_us", float("inf")))
            found[f"{key}_per_s"] = max(figures["requests_per_s"], found.get(f"{key}_per_s", 0))
            found[f"{key}_rss_kb_each"] = (figures["broker_rss_kb"] - rss) / count
    found["one_of_floor"] = found["one_cpu_us"] / found["floor_cpu_us"]
    found["two_of_floor"] = found["two_cpu_us"] / found["free_floor_cpu_us"]
    return found


def _busy(brokers, count, name, loops, pinned):
    """(what the load generator found, resident KiB before)."""
    properties = {"num.network.threads": loops, "max.connections": count + 10} if loops else None
    with brokers.new(name, properties, pinned) as target:
        if loops:
            with api.Client(target.address) as client:
                warm_up(client)
        rss = settled(target)
        return generator.run(BUSY.format(connections=count, seconds=BUSY_SECONDS), target, "busy"), rss
