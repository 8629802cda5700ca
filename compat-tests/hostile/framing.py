"""Frames, headers and versions: F1 to F8 of the catalogue."""

import random
import struct
import time

from lib import api
from lib.report import Skipped
from lib.wire import Reader, frame, header

from ground import ANSWERED, CLOSED, kind

API_VERSIONS_V0 = header(18, 0)
MAX_REQUEST = 104857600  # socket.request.max.bytes


def sizes_that_close(ground):
    cases = {f"size {size}": struct.pack(">i", size) for size in (-1, -(2**31), 2**31 - 1, MAX_REQUEST + 1)}
    cases |= {f"a frame of {size} bytes": frame(bytes(size)) for size in range(8)}
    ground.expect_closed(cases)


def largest_announced_frame(ground):
    """Exactly the maximum is not an error by itself; only bytes that came may cost memory."""
    with ground.connect(timeout=1.0) as connection:
        connection.send(struct.pack(">i", MAX_REQUEST) + b"\0\0")
        ground.expect({"exactly the maximum": False}, {"exactly the maximum": connection.closes()})


def half_frames(ground):
    """2,000 connections announce 1 MB each and send two bytes of it."""
    held = []
    try:
        for _ in range(2000):
            connection = ground.connect()
            connection.send(struct.pack(">i", 1 << 20) + b"\0\0")
            held.append(connection)
        time.sleep(1.0)
        ground.check_aftermath()
    finally:
        for connection in held:
            connection.close()


def slow_bytes(ground):
    with ground.connect() as connection:
        for byte in frame(API_VERSIONS_V0):
            connection.send(bytes([byte]))
            time.sleep(0.02)
        assert connection.receive()[0] == 1


def many_frames_in_one_segment(ground):
    frames = [frame(header(18, 0, correlation_id=n)) for n in range(200)]
    with ground.connect() as connection:
        connection.send(b"".join(frames))
        assert [connection.receive()[0] for _ in frames] == list(range(200)), "answers out of order"


def frames_split_anywhere(ground):
    data = frame(API_VERSIONS_V0)
    with ground.connect() as connection:
        for cut in range(1, len(data)):
            connection.send(data[:cut])
            time.sleep(0.002)
            connection.send(data[cut:])
            assert connection.receive()[0] == 1, f"split at byte {cut}"


def other_protocols(ground):
    tls = bytes.fromhex("16030100c8010000c40303") + bytes(189)
    cases = {
        "HTTP GET": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "TLS ClientHello": tls,
        "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
        "PostgreSQL": struct.pack(">ii", 8, 80877103),
        "Redis": b"*1\r\n$4\r\nPING\r\n",
    }
    ground.expect_closed(cases, half_close=True)


def random_bytes(ground):
    generator = random.Random(20)
    for _ in range(300):
        data = generator.randbytes(generator.randrange(1, 4000))
        if generator.random() < 0.7:  # let the frame be whole, so that the bytes reach the parsers
            key, version = generator.randrange(-1, 95), generator.randrange(-1, 16)
            data = frame(struct.pack(">hhi", key, version, 7) + data)
        ground.exchange(data, half_close=True)


def unknown_apis(ground):
    ground.expect_closed({f"api key {key}": frame(header(key, 0)) for key in (-1, 93, 9999, 32767, -32768)})


def unknown_versions(ground):
    cases = {
        "Metadata v-1": header(3, -1),
        "Metadata v14": header(3, 14, flexible=True),
        "Fetch v3": header(1, 3),
        "Fetch v19": header(1, 19, flexible=True),
        "ListOffsets v0": header(2, 0),
        "CreateTopics v1": header(19, 1),
        "Produce v14": header(0, 14, flexible=True),
        "Produce v2, advertised but retired": header(0, 2),
        "LeaderAndIsr": header(4, 7, flexible=True),
    }
    ground.expect_closed({name: frame(data + bytes(100)) for name, data in cases.items()})


def unknown_version_of_api_versions(ground):
    """The one request that is answered whatever its version: a v0 body with error 35 and the range of ApiVersions."""
    for version in (5, 99, 32767, -1):
        reader = Reader(ground.exchange(frame(header(18, version, flexible=True) + bytes(20))))
        error, keys = reader.i16(), reader.array(lambda r: (r.i16(), r.i16(), r.i16()))
        assert error == 35, f"version {version}: error {error}"
        assert (18, 0, 4) in keys, f"version {version}: {keys}"
        assert reader.left() == 0, f"version {version}: {reader.left()} bytes left over"


def refusals_in_the_log(ground):
    """A client whose requests are not served is named in the log with what it asked for: once, however often it asks."""
    if ground.target.data is None:
        raise Skipped("the broker's log is not ours to read")
    time.sleep(1.1)  # the broker writes ten such lines a second, and the checks before this one have had theirs
    for _ in range(3):
        for key, version in ((3, 99), (999, 7)):
            with ground.client() as client:
                client.call("ApiVersions", client_software_name="nosy", client_software_version="1.2")
                client.send(frame(header(key, version, correlation_id=2, client_id="nosy-1", flexible=True)))
                assert client.closes(), f"API {key} version {version} is served"
    log = ground.target.log.read_text(errors="replace").splitlines()
    for request in ("Metadata (3) version 99", "unknown API (999) version 7"):
        lines = [line for line in log if f"{request} is not served here; client id nosy-1, software nosy 1.2" in line]
        assert len(lines) == 1, f"{len(lines)} lines about {request}"


def header_only(ground):
    """Requests whose body is missing."""
    ground.expect_closed({f"{name} without a body": _header_of(name) for name in api.APIS if name != "ApiVersions"})


def truncated_bodies(ground):
    """Each request cut at every byte: its connection closes, whatever the cut left of it."""
    requests = {
        "Metadata": {"topics": [{"name": "hostile"}]},
        "CreateTopics": {"topics": [{"name": "cut", "configs": [{"name": "a", "value": "b"}]}], "validate_only": True},
        "ListOffsets": {"topics": [{"name": "hostile", "partitions": [{"timestamp": -1}]}]},
        "Fetch": {"topics": [{"topic": "hostile", "partitions": [{"fetch_offset": 0}]}], "max_wait_ms": 0},
        "Produce": {"topics": [{"name": "hostile", "partitions": [{"records": b"\0" * 61}]}]},
        "InitProducerId": {},
    }
    for name, fields in requests.items():
        payload = api.request_payload(name, **fields)
        start = len(_header_payload(name))
        cases = {f"{name} cut at {cut}": frame(payload[:cut]) for cut in range(start, len(payload))}
        ground.expect_closed(cases)


def trailing_bytes(ground):
    """Bytes behind a whole body do no harm: they are ignored or the connection closes, and nothing else."""
    answer = ground.exchange(frame(api.request_payload("Metadata", topics=[]) + b"\x01\x02\x03"))
    ground.expect({"trailing bytes": {ANSWERED, CLOSED}}, {"trailing bytes": kind(answer)})


def correlation_ids(ground):
    ids = [-1, -(2**31), 2**31 - 1, 0, 5, 5, 5]
    with ground.connect() as connection:
        for correlation_id in ids:
            connection.send(frame(header(18, 0, correlation_id=correlation_id)))
        assert [connection.receive()[0] for _ in ids] == ids


def client_ids(ground):
    """Any client id is served, and none can forge a line in the log or colour the terminal of who reads it."""
    forged = b"x\nFORGED by a client id\x1b[31m"
    for client_id in (None, b"", b"c" * 32767, b"\xff\xfe\xc3(", b"\x1b[2J", forged):
        answer = ground.exchange(frame(header(18, 0, client_id=client_id)))
        assert not isinstance(answer, str), f"client id {client_id!r}: {answer}"
        ground.exchange(frame(header(3, 99, client_id=client_id) + bytes(30)))  # something worth a log line
    log = ground.target.log_tail(10_000)
    assert "\nFORGED" not in log and "\x1b[2J" not in log and "\x1b[31m" not in log, "a client id went into the log unescaped"


def software_names(ground):
    wanted, observed = {}, {}
    for name, code in (("ok-1.2", 0), ("a", 0), ("", 42), ("-a", 42), ("a-", 42), ("a b", 42), ("é", 42), ("a\n", 42), ("x" * 5000, 0)):
        data = frame(api.request_payload("ApiVersions", client_software_name=name))
        case = f"software name {name[:10]!r}"
        wanted[case], observed[case] = code, Reader(ground.exchange(data)).i16()
    ground.expect(wanted, observed)


def silence(ground):
    """A client that connects and says nothing, or stops inside a header, is left alone."""
    for data in (b"", b"\0", b"\0\0\0"):
        with ground.connect(timeout=0.5) as connection:
            connection.send(data)
            assert not connection.closes(), f"closed after {len(data)} bytes"


def _header_payload(name):
    key, version, _, _ = api.APIS[name]
    return header(key, version, flexible=True)


def _header_of(name):
    return frame(_header_payload(name))


CHECKS = {
    "F1 frame sizes that close": sizes_that_close,
    "F1 the largest frame announced": largest_announced_frame,
    "F2 2,000 half frames of 1 MB": half_frames,
    "F2 silence": silence,
    "F3 one byte at a time": slow_bytes,
    "F3 many frames in one segment": many_frames_in_one_segment,
    "F3 frames split at every byte": frames_split_anywhere,
    "F4 other protocols": other_protocols,
    "F4 random bytes": random_bytes,
    "F5 unknown APIs": unknown_apis,
    "F5 unknown and retired versions": unknown_versions,
    "F5 unknown version of ApiVersions": unknown_version_of_api_versions,
    "F5 refusals in the log": refusals_in_the_log,
    "F6 header only": header_only,
    "F6 truncated bodies": truncated_bodies,
    "F6 trailing bytes": trailing_bytes,
    "F7 correlation ids": correlation_ids,
    "F7 client ids": client_ids,
    "F8 software names": software_names,
}
NOT_FOR_KAFKA = {
    "F2 2,000 half frames of 1 MB": "it stops Apache Kafka, which allocates the announced 2 GB",
    "F5 refusals in the log": "Kafka's lines read otherwise",
}
