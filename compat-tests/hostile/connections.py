"""Connections in numbers, floods, readers that do not read, and ends in the middle of things: F34 to F37 of the catalogue."""

import contextlib
import resource
import select
import socket
import struct
import threading
import time

from lib import api, records
from lib.report import Skipped
from lib.wire import Closed, frame, header

from ground import TOPIC

BIG = "hostile-big"
PIPELINED = 100_000


def idle_connections(ground):
    """10,000 connections that say nothing (fewer if the limit on open files is lower)."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    count = min(10_000, limit - 1000)
    with contextlib.ExitStack() as held:
        for _ in range(count):
            held.enter_context(ground.connect())
        time.sleep(1.0)
        with ground.client() as client:
            assert client.metadata([])["brokers"], "not served beside the idle ones"
        ground.check_aftermath()
    if count < 10_000:
        raise Skipped(f"the limit on open files allows {count} only; with those it passed")


def connection_storm(ground):
    """Connect and hang up, politely or with a reset, with and without a request on the way."""
    for number in range(5000):
        connection = ground.connect()
        if number % 2:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if number % 3:
            connection.send(frame(header(18, 0)))
        connection.close()


def idle_limit(ground):
    """connections.max.idle.ms closes the silent and those stuck in half a frame, and leaves the busy alone."""
    with ground.another_broker({"connections.max.idle.ms": 1000}) as address, contextlib.ExitStack() as held:
        silent = held.enter_context(api.Client(address, timeout=10.0))
        stuck = held.enter_context(api.Client(address, timeout=10.0))
        stuck.send(struct.pack(">i", 1000) + b"abc")
        busy = held.enter_context(api.Client(address))
        started = time.monotonic()
        gone = set()
        while len(gone) < 2 and time.monotonic() - started < 10:
            busy.call("ApiVersions")
            ready, _, _ = select.select([silent.socket, stuck.socket], [], [], 0.2)
            gone |= {found for found in ready if found.recv(1) == b""}
        assert len(gone) == 2, f"{2 - len(gone)} of the two are still there after 10 s"
        assert time.monotonic() - started > 0.8, "closed too early"
        busy.call("ApiVersions")


def connections_per_address(ground):
    """max.connections.per.ip holds: the one too many is closed, and a place becomes free again."""
    with ground.another_broker({"max.connections.per.ip": 10}) as address, contextlib.ExitStack() as held:
        first = [held.enter_context(_served_client(address)) for _ in range(10)]
        assert not _is_served(address), "an eleventh connection is served"
        first[0].close()
        deadline = time.monotonic() + 5
        while not _is_served(address):
            assert time.monotonic() < deadline, "the place that became free is not given away"
            time.sleep(0.05)


def pipelined_without_reading(ground):
    """100,000 requests before the first answer is read: all are answered, in order, without a queue that grows with them."""
    frames = b"".join(frame(header(18, 0, correlation_id=n)) for n in range(PIPELINED))
    with ground.connect(timeout=60.0) as connection:
        sender = threading.Thread(target=_send_quietly, args=(connection, frames), daemon=True)
        sender.start()
        time.sleep(3.0)  # let it run into whatever limit there is
        ground.check_aftermath()
        for expected in range(PIPELINED):
            assert connection.receive()[0] == expected, f"answer {expected} is out of order"
        sender.join(10)


def never_reads(ground):
    """Clients that ask for a lot and read nothing of it, by many small answers and by a few large ones."""
    _fill_big_topic(ground)
    asks = {
        "metadata": api.request("Metadata", topics=None),
        "fetch": api.request("Fetch", topics=[{"topic": BIG, "partitions": [{"partition_max_bytes": 50 << 20}]}]),
    }
    with contextlib.ExitStack() as held:
        for ask in asks.values():
            for _ in range(20):
                connection = held.enter_context(ground.connect(timeout=0.2, receive_buffer=4096))
                with contextlib.suppress(TimeoutError, Closed):
                    connection.send(ask * 500)
        time.sleep(2.0)
        ground.check_aftermath()


def reads_slowly(ground):
    """Twenty fetches of 50 MB that are read a few bytes at a time, then dropped in the middle."""
    _fill_big_topic(ground)
    ask = api.request("Fetch", topics=[{"topic": BIG, "partitions": [{"partition_max_bytes": 50 << 20}]}])
    with contextlib.ExitStack() as held:
        slow = [held.enter_context(ground.connect(receive_buffer=4096)) for _ in range(20)]
        for connection in slow:
            connection.send(ask)
        for _ in range(50):
            for connection in slow:
                connection.receive_exactly(7)
            time.sleep(0.02)
        ground.check_aftermath()
        for connection in slow[::2]:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _check_quiet(ground)


def parked_fetches(ground):
    """2,000 fetches that wait for data; their clients vanish, and nothing of them stays."""
    with ground.client() as client:
        end = client.offset(TOPIC, 0)["offset"]
    ask = api.request("Fetch", topics=[{"topic": TOPIC, "partitions": [{"fetch_offset": end}]}], max_wait_ms=60_000, min_bytes=1 << 20)
    with contextlib.ExitStack() as held:
        for _ in range(2000):
            held.enter_context(ground.connect()).send(ask)
        time.sleep(0.5)
        ground.check_aftermath()
    _check_quiet(ground)


def half_closed(ground):
    """A client that closes its sending side is still owed its answers, or is closed; the broker does not spin on it."""
    with ground.connect(timeout=5.0) as connection:
        connection.send(frame(header(18, 0)) * 3)
        connection.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(Closed):
            for _ in range(3):
                connection.receive()
        assert connection.closes(), "neither answered nor closed"
    with ground.client() as client:
        end = client.offset(TOPIC, 0)["offset"]
    ask = api.request("Fetch", topics=[{"topic": TOPIC, "partitions": [{"fetch_offset": end}]}], max_wait_ms=30_000, min_bytes=1 << 20)
    with contextlib.ExitStack() as held:
        for _ in range(20):
            connection = held.enter_context(ground.connect())
            connection.send(ask)
            connection.socket.shutdown(socket.SHUT_WR)
        _check_quiet(ground)


def out_of_file_descriptors(ground):
    """A broker with few file descriptors: it serves those it has, does not spin, and recovers when some become free."""
    with ground.another_broker({}, open_files=256) as address, contextlib.ExitStack() as held:
        kept = held.enter_context(api.Client(address))
        kept.call("ApiVersions")
        crowd = []
        for _ in range(400):
            with contextlib.suppress(OSError):
                crowd.append(api.Client(address, timeout=1.0))
        kept.call("ApiVersions")
        before = ground.other.cpu_seconds()
        time.sleep(2.0)
        used = ground.other.cpu_seconds() - before
        assert used < 0.5, f"{used:.2f} s of processor time in 2 s of doing nothing"
        for connection in crowd:
            connection.close()
        deadline = time.monotonic() + 10
        while not _is_served(address):
            assert time.monotonic() < deadline, "no new connection is served after the crowd has gone"
            time.sleep(0.05)


def _served_client(address, seconds=5.0):
    """A connection that is served; one that was just closed may still be counted, so it is tried for a while."""
    deadline = time.monotonic() + seconds
    while True:
        client = api.Client(address)
        try:
            client.call("ApiVersions")
            return client
        except (OSError, Closed):
            client.close()
            assert time.monotonic() < deadline, "not served within the limit"
            time.sleep(0.05)


def _is_served(address):
    try:
        with api.Client(address, timeout=1.0) as client:
            client.call("ApiVersions")
            return True
    except (OSError, Closed):
        return False


def _send_quietly(connection, data):
    with contextlib.suppress(OSError, Closed):
        connection.send(data)


def _fill_big_topic(ground):
    """100 MB to fetch, once."""
    with ground.client(30.0) as client:
        if client.metadata([BIG])["topics"][0]["error_code"] == 0:
            return
        client.make_topic(BIG)
        batch = records.batch([bytes(1_000_000)])
        for _ in range(100):
            answer = client.produce(BIG, 0, batch)
            assert answer["error_code"] == 0, answer


def _check_quiet(ground):
    """Asserts that the broker hardly works now (the bystander alone costs it next to nothing)."""
    if not hasattr(ground.target, "cpu_seconds") or ground.target.is_kafka:
        return
    time.sleep(0.5)
    before = ground.target.cpu_seconds()
    time.sleep(1.0)
    used = ground.target.cpu_seconds() - before
    assert used < 0.3, f"{used:.2f} s of processor time in 1 s of almost nothing to do"


CHECKS = {
    "F34 10,000 idle connections": idle_connections,
    "F34 connection storm": connection_storm,
    "F34 idle limit": idle_limit,
    "F34 connections per address": connections_per_address,
    "F35 100,000 requests before reading": pipelined_without_reading,
    "F35 clients that never read": never_reads,
    "F36 slow readers": reads_slowly,
    "F36 parked fetches": parked_fetches,
    "F36 half-closed connections": half_closed,
    "F37 out of file descriptors": out_of_file_descriptors,
}
NOT_FOR_KAFKA = {"F37 out of file descriptors": "a JVM does not start with so few"}
