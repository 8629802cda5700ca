"""How each kind of workload is measured: (fleet, workload, contestant) to the figures of one measurement, {key: number}.

A contestant is "milena", a rival's name, or "plain": ours with the workload's other load. A measure that finds a floor by
itself hands it over as RIVAL.KEY, such as "raw.seconds".
"""

import time

import start
import transactions
from lib import api

from pairs import files, targets

START_LIMIT = 600.0
IDLE_SECONDS = 2.0
TRANSACTION_CLIENT = "Java, TV2"


def measure(fleet, workload, contestant):
    return MEASURES[workload.measure](fleet, workload, contestant)


def target_of(contestant):
    return "milena" if contestant == "plain" else contestant


def _load(fleet, workload, contestant):
    with fleet.serving(target_of(contestant), workload.properties, workload.alone) as server:
        if workload.prepare:
            server.load(workload.prepare)
        return server.load(workload.plain if contestant == "plain" else workload.load)


def _compressed(fleet, workload, contestant):
    """The null broker does not look into batches: its floor becomes whole with what decompressing them costs."""
    with fleet.serving(contestant) as server:
        figures = server.load(workload.load)
        if contestant == "null":
            written = next(path for path in server.broker.data.rglob("*") if path.is_file() and path.stat().st_size)
            figures["cpu_s_per_gb"] += files.decompress_seconds_per_gb(written, workload.arguments["codec"])
        return figures


def _catch_up(fleet, workload, contestant):
    with fleet.serving(contestant) as server:
        server.load(workload.prepare)
        if not workload.arguments["cold"]:
            return server.load(workload.load)
        paths = files.segments(server.broker.data, server.topic)
        files.drop_from_cache(paths)
        figures = server.load(workload.load)
        if contestant == "milena":
            files.drop_from_cache(paths)
            size, seconds = files.read_all(paths)
            figures["raw.mb_per_s"] = size / seconds / 1e6
        return figures


def _memory(fleet, workload, contestant):
    with fleet.serving(contestant, workload.properties) as server:
        server.load(workload.load)
        return {"rss_kb": server.broker.rss_kib()}


def _start(fleet, workload, contestant):
    """Unpinned: starting is the one thing that Apache Kafka does on all cores."""
    with fleet.new(contestant, workload.properties, pinned=False).prepared() as broker:
        _, produced = start.first_produce(broker)
        time.sleep(IDLE_SECONDS)
        return {"seconds": produced, "idle_rss_kb": broker.rss_kib()}


def _kill(fleet, workload, contestant):
    """Unpinned, like a start. The raw scan is one thread's."""
    with fleet.serving(contestant, workload.properties, alone=True) as server:
        server.load(workload.load)
        broker = server.broker
        broker.kill()
        broker.cores = targets.ALL_CORES
        paths = files.segments(broker.data, server.topic)
        started = time.monotonic()
        broker.spawn()
        partitions = {int(path.parent.name.rpartition("-")[2]) for path in paths}
        _fetch_each(broker, server.topic, partitions, started + START_LIMIT)
        figures = {"seconds": time.monotonic() - started}
        if contestant == "milena":
            figures["raw.seconds"] = files.scan_all(paths)[1]
        return figures


def _fetch_each(broker, topic, partitions, deadline):
    """Fetches until every partition has answered with records."""
    left = set(partitions)
    while left:
        if time.monotonic() > deadline or not broker.alive():
            raise RuntimeError(f"{len(left)} partitions of {topic} answer no fetch; the log ends:\n{broker.log_tail()}")
        try:
            with api.Client(broker.address, timeout=START_LIMIT) as client:
                while left:
                    answers = {p: client.fetch(topic, p, 0, partition_max_bytes=1, max_bytes=1) for p in left}
                    left -= {p for p, answer in answers.items() if not answer["error_code"] and answer["records"]}
        except (OSError, ValueError, api.Closed):
            time.sleep(0.001)


def _transactions(fleet, workload, contestant):
    with fleet.serving(contestant) as server:
        with api.Client(server.broker.address, timeout=30.0) as client:
            client.make_topic(transactions.TOPIC, transactions.PARTITIONS)
        return transactions.measure(server.broker, TRANSACTION_CLIENT, **workload.arguments)


MEASURES = {
    "load": _load,
    "compressed": _compressed,
    "catch_up": _catch_up,
    "memory": _memory,
    "start": _start,
    "kill": _kill,
    "transactions": _transactions,
}
