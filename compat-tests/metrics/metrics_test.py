#!/usr/bin/env python3
"""Metrics and health checks over HTTP: promtool reads what is scraped, and rude clients of that port harm nobody.

Apache Kafka has no such port: --target kafka is skipped.
"""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import api, broker, cache, records  # noqa: E402
from lib.report import Report, Skipped  # noqa: E402

# What promtool finds fault with and dashboards want all the same, a name of Apache Kafka's MBeans.
ALLOWED_LINT = {
    'kafka_server_socket_server_metrics_connection_count non-histogram and non-summary metrics should not have "_count" suffix',
}


class Metrics:
    """A broker that serves metrics, started."""

    def __init__(self, target):
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(target.process.stdout.fileno(), 1)
            assert byte, "the broker has ended"
            line += byte
        name, _, address = line.decode().strip().partition("=")
        assert name == "METRICS", f"{line!r} instead of METRICS=HOST:PORT"
        host, _, port = address.rpartition(":")
        self.address = host, int(port)

    def request(self, path, method="GET", **options):
        """Status and body."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, **options)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def scrape(self):
        status, body = self.request("/metrics")
        assert status == 200, f"status {status}"
        return body

    def connect(self):
        return socket.create_connection(self.address, timeout=20)


@contextlib.contextmanager
def served(pattern):
    with pattern.sibling({"milena.metrics.listener": "127.0.0.1:0"}) as target:
        yield target, Metrics(target)


def promtool():
    """The program of Debian's package, which is unpacked and not installed: that would start a server."""
    if found := shutil.which("promtool"):
        return found
    folder = cache.cache_dir() / "prometheus"
    program = folder / "usr/bin/promtool"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        log = cache.logs_dir("setup") / "promtool.log"
        cache.run_logged(["apt-get", "download", "prometheus"], log, cwd=folder)
        package = next(folder.glob("prometheus_*.deb"))
        cache.run_logged(["dpkg-deb", "-x", str(package), str(folder)], log)
    return str(program)


def lint(text):
    """What promtool says that is not allowed."""
    done = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode().strip().splitlines()
    # 0: fine; 3: names that could be better; 1: not the text format.
    assert done.returncode in (0, 3), "\n".join(said)

    return [line for line in said if line not in ALLOWED_LINT]


def use(target):
    """Something for every metric to tell."""
    with api.Client(target.address) as client:
        client.make_topic("letters", 3)
        for partition in range(3):
            client.produce("letters", partition, records.batch([b"Dear Milena"]))
        client.fetch("letters", 0, 0, max_wait_ms=0)
        client.fetch("letters", 1, 99, max_wait_ms=0)


def check_promtool_fresh(pattern):
    with served(pattern) as (_, metrics):
        found = lint(metrics.scrape())
        assert not found, "\n".join(found)


def check_promtool_used(pattern):
    with served(pattern) as (target, metrics):
        use(target)
        text = metrics.scrape()
        found = lint(text)
        assert not found, "\n".join(found)
        assert b'kafka_topic_partition_current_offset{topic="letters",partition="2"} 1\n' in text
        assert b'kafka_network_requestmetrics_errors_total{request="Fetch",error="OFFSET_OUT_OF_RANGE"} 1\n' in text


def check_health(pattern):
    with served(pattern) as (_, metrics):
        assert metrics.request("/health/live") == (200, b"live\n")
        assert metrics.request("/health/ready") == (200, b"ready\n")
        assert metrics.request("/")[0] == 404
        assert metrics.request("/metrics", "POST", body=b"x" * 5000)[0] == 405
        assert metrics.request("/metrics", headers={"X-Long": "x" * 9000})[0] == 431
        status, body = metrics.request("/metrics", "HEAD")
        assert status == 200 and not body


def check_bad_methods(pattern):
    with served(pattern) as (_, metrics):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
            assert metrics.request("/metrics", method)[0] == 405, method
        with metrics.connect() as connection:  # a Kafka client that has the wrong port
            connection.sendall(bytes.fromhex("0000001a") + bytes(26))
            assert connection.recv(4096).startswith(b"HTTP/1.1 400")
        assert metrics.request("/health/ready")[0] == 200


def check_slow_client(pattern):
    with served(pattern) as (target, metrics), metrics.connect() as slow:
        slow.sendall(b"GET /metr")
        began = time.monotonic()
        assert slow.recv(1) == b"", "it is still served"
        assert time.monotonic() - began < 15
        use(target)
        assert metrics.request("/health/ready")[0] == 200


def check_hundred_connections(pattern):
    with served(pattern) as (target, metrics), contextlib.ExitStack() as stack:
        for number in range(100):
            connection = stack.enter_context(metrics.connect())
            if number % 2:
                connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")  # and never reads
        use(target)
        assert metrics.request("/health/ready")[0] == 200
        assert b"kafka_brokers 1\n" in metrics.scrape()


def check_long_scrapes_beside_clients(pattern):
    """A scrape of many partitions does not make clients wait."""
    with served(pattern) as (target, metrics), api.Client(target.address, timeout=60.0) as client:
        for topic in range(4):
            client.make_topic(f"many-{topic}", 500)
        began = time.monotonic()
        text = metrics.scrape()
        one_scrape = time.monotonic() - began
        assert text.count(b"\nkafka_log_log_size{") == 2000
        with metrics.connect() as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
            slowest = 0.0
            for _ in range(20):
                began = time.monotonic()
                client.produce("many-0", 0, records.batch([b"x"]))
                slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1, f"a produce took {slowest:.2f} s, a scrape takes {one_scrape:.2f} s"


CHECKS = {
    "promtool reads a fresh broker": check_promtool_fresh,
    "promtool reads a used broker": check_promtool_used,
    "health checks, unknown and refused requests": check_health,
    "methods and protocols that are none": check_bad_methods,
    "a slow client": check_slow_client,
    "a hundred connections": check_hundred_connections,
    "scrapes of 2,000 partitions beside clients": check_long_scrapes_beside_clients,
}


def skip_on_kafka(*_):
    raise Skipped("Kafka has no such port")


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--only", help="checks whose name contains one of these, separated by commas")
    arguments = parser.parse_args()
    pattern = broker.from_arguments(arguments, "metrics")
    report = Report("metrics", arguments.only)
    for name, check in CHECKS.items():
        report.run(name, check if arguments.target == "milena" else skip_on_kafka, pattern)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
