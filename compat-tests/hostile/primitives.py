"""Numbers, strings, arrays and tagged fields that lie: F9 to F13 of the catalogue."""

import struct

from lib import api
from lib.wire import Reader, Writer, frame, header, uvarint

from ground import ANSWERED, CLOSED, TOPIC, kind

# The first array in the flexible requests: (request, what stands before the array).
FIRST_ARRAYS = {
    "Metadata": b"",
    "CreateTopics": b"",
    "DeleteTopics": b"",
    "DeleteRecords": b"",
    "Produce": b"\0" + struct.pack(">hi", -1, 1000),
    "Fetch": struct.pack(">iiiibii", -1, 0, 1, 1 << 20, 0, 0, -1),
    "ListOffsets": struct.pack(">ib", -1, 0),
    "OffsetForLeaderEpoch": struct.pack(">i", -2),
}
PADDING = bytes(200)


def request(name, body):
    key, version, _, _ = api.APIS[name]
    return frame(header(key, version, flexible=True) + body)


def metadata_topic(name_bytes):
    """A Metadata request for one topic whose encoded name is `name_bytes`."""
    return request("Metadata", uvarint(2) + api.ZERO_UUID + name_bytes + PADDING)


def expect_harmless(ground, cases):
    """Oddities that Kafka reads in its own way: answered or closed, both are right, as long as nobody suffers."""
    observed = {name: kind(ground.exchange(data, timeout=20.0)) for name, data in cases.items()}
    ground.expect({name: {ANSWERED, CLOSED} for name in cases}, observed)


def varints(ground):
    """Variable-length numbers that never end, are too long or too large."""
    ground.expect_closed(
        {
            "a varint of six bytes": request("Metadata", b"\x80\x80\x80\x80\x80\x01" + PADDING),
            "a varint without an end": request("Metadata", b"\xff" * 200),
            "a varint cut off": request("Metadata", b"\x80"),
            "a string length of six bytes": metadata_topic(b"\x81\x80\x80\x80\x80\x00"),
        }
    )
    overlong = uvarint(2) + api.ZERO_UUID + b"\x88\x80\x00" + TOPIC.encode() + b"\0\0\0\0"  # 8 in three bytes
    expect_harmless(ground, {"an overlong varint": request("Metadata", overlong)})


def strings(ground):
    ground.expect_closed(
        {
            "a compact string longer than its frame": metadata_topic(uvarint(5000) + b"abc"),
            "a compact string of 2^31 bytes": metadata_topic(uvarint(1 << 31) + b"abc"),
            "a compact string of 2^32-1 bytes": metadata_topic(uvarint((1 << 32) - 1) + b"abc"),
            "a compact string of more than 32,767 bytes": metadata_topic(uvarint(40_001) + b"x" * 40_000 + bytes(4)),
            "a null topic name where none may be": request("CreateTopics", uvarint(2) + uvarint(0) + PADDING),
            "a string of length -2": frame(header(3, 1) + struct.pack(">ih", 1, -2) + PADDING),
            "a null string where none may be": frame(header(3, 1) + struct.pack(">ih", 1, -1)),
            "a client id longer than its frame": frame(struct.pack(">hhih", 18, 0, 1, 30_000) + b"abc"),
        }
    )
    expect_harmless(ground, {"a client id of length -2": frame(struct.pack(">hhih", 18, 0, 1, -2))})


def array_counts(ground):
    """Arrays that claim more elements than their bytes can hold: 2^31 of them, or just one too many."""
    cases = {}
    for count in (1 << 31, (1 << 32) - 1, (1 << 31) - 1, 1_000_000_000, 100_000):
        cases |= {f"{name}: {count - 1} elements": request(name, before + uvarint(count) + PADDING) for name, before in FIRST_ARRAYS.items()}
    for count in (-2, -(2**31), 2**31 - 1, 1_000_000):
        cases[f"Metadata v1: {count} elements"] = frame(header(3, 1) + struct.pack(">i", count) + PADDING)
        cases[f"CreateTopics v2: {count} elements"] = frame(header(19, 2) + struct.pack(">i", count) + PADDING)
    cases["a null array where none may be"] = request("CreateTopics", uvarint(0) + struct.pack(">i?", 1000, False) + b"\0")
    # An array that may be null: any negative count can pass for null.
    nullable = [name for name in cases if name in ("Metadata: 4294967294 elements", "Metadata v1: -2 elements", "Metadata v1: -2147483648 elements")]
    expect_harmless(ground, {name: cases.pop(name) for name in nullable})
    ground.expect_closed(cases)


def nested_arrays(ground):
    """Each array within the frame's bytes, but their product is not."""
    topic = Writer().compact_string("t").uvarint(1_000_000).bytes()
    cases = {name: request(name, before + uvarint(200_001) + topic * 30_000) for name, before in FIRST_ARRAYS.items() if name != "Metadata"}
    ground.expect_closed(cases)


def tagged_fields(ground):
    """Unknown tags are skipped whatever their number; impossible ones close the connection; none costs memory."""
    body = uvarint(1) + b"\0\0"  # Metadata: no topics, two booleans
    ground.expect_closed(
        {
            "2^31-1 tagged fields": request("Metadata", body + uvarint((1 << 31) - 1) + PADDING[:5]),
            "a tagged field longer than the frame": request("Metadata", body + uvarint(1) + uvarint(9) + uvarint(1000)),
            "a tagged field of 2^31 bytes": request("Metadata", body + uvarint(1) + uvarint(9) + uvarint(1 << 31)),
            "a known tag of the wrong size": request("Fetch", _fetch_body() + uvarint(1) + uvarint(0) + uvarint(1) + uvarint(60)),
        }
    )
    tags = b"".join(uvarint(tag) + b"\0" for tag in range(1_000_000))
    harmless = {
        "2^31 tagged fields": request("Metadata", body + uvarint(1 << 31) + PADDING),
        "2^32-1 tagged fields in the header": frame(header(3, 12) + uvarint((1 << 32) - 1) + PADDING),
        "a million empty tags": request("Metadata", body + uvarint(1_000_000) + tags),
        "a million empty tags in the header": frame(header(3, 12) + uvarint(1_000_000) + tags + body + b"\0"),
        "one tag a thousand times": request("Metadata", body + uvarint(1000) + (uvarint(7) + b"\0") * 1000),
        "tags out of order": request("Metadata", body + uvarint(2) + uvarint(9) + b"\0" + uvarint(7) + b"\0"),
        "one large tag": request("Metadata", body + uvarint(1) + uvarint(7) + uvarint(5_000_000) + bytes(5_000_000)),
    }
    expect_harmless(ground, harmless)
    answer = ground.exchange(request("Metadata", body + uvarint(2) + uvarint(100) + b"\2ab" + uvarint(2000) + b"\0"))
    assert kind(answer) == ANSWERED, f"two unknown tags: {answer}"


def topic_ids(ground):
    """Metadata by id: an unknown one, none at all, and both id and name."""
    cases = {
        "an unknown topic id": (b"\x55" * 16, None),
        "neither id nor name": (api.ZERO_UUID, None),
        "both id and name": (b"\x55" * 16, TOPIC),
    }
    wanted = {"an unknown topic id": 100, "neither id nor name": {-1, 100, 3, 17, 42, CLOSED}, "both id and name": {3, 42, 100, 0, CLOSED}}
    observed = {}
    for name, (topic_id, topic) in cases.items():
        answer = ground.exchange(api.request("Metadata", topics=[{"topic_id": topic_id, "name": topic}]))
        observed[name] = answer if isinstance(answer, str) else api.decode("Metadata", answer)["topics"][0]["error_code"]
    ground.expect(wanted, observed)


def odd_booleans_and_enums(ground):
    """A boolean of 2 is true; an unknown isolation level is refused (Kafka: as an unknown error), never served."""
    answer = ground.exchange(request("Metadata", uvarint(1) + b"\x02\xff" + b"\0"))
    assert kind(answer) == ANSWERED, f"booleans 2 and -1: {answer}"
    fetched = ground.exchange(api.request("Fetch", isolation_level=2, max_wait_ms=0, topics=[{"topic": TOPIC, "partitions": [{}]}]))
    code = fetched if isinstance(fetched, str) else api.decode("Fetch", fetched)["error_code"]
    listed = ground.exchange(api.request("ListOffsets", isolation_level=9, topics=[{"name": TOPIC, "partitions": [{"timestamp": -1}]}]))
    listed = listed if isinstance(listed, str) else api.decode("ListOffsets", listed)["topics"][0]["partitions"][0]["error_code"]
    ground.expect(
        {"Fetch with isolation level 2": {-1, 42, CLOSED}, "ListOffsets with isolation level 9": {-1, 42, CLOSED}},
        {"Fetch with isolation level 2": code, "ListOffsets with isolation level 9": listed},
    )


def _fetch_body():
    return FIRST_ARRAYS["Fetch"] + uvarint(1) + uvarint(1) + uvarint(1)


CHECKS = {
    "F9 varints": varints,
    "F9 F12 strings": strings,
    "F10 arrays of 2^31 elements": array_counts,
    "F10 nested arrays": nested_arrays,
    "F11 tagged fields": tagged_fields,
    "F12 topic ids": topic_ids,
    "F13 booleans and enums": odd_booleans_and_enums,
}
NOT_FOR_KAFKA = {}
