"""Feature levels: what a broker tells of them, and how a metadata log comes to hold one that no build knows yet."""

import struct
from pathlib import Path

from lib import api, records
from lib.wire import Reader, Writer

KEPT = {"share.version", "streams.version"}  # what a directory of Kafka's has and ours does not serve
FEATURE_LEVEL_RECORD = 12
_SUPPORTED, _FINALIZED = 0, 2  # tags of the ApiVersions response


def supported(broker):
    """{feature: highest level}"""
    return _told(broker, _SUPPORTED, 2)


def finalized(broker):
    """{feature: level}"""
    return _told(broker, _FINALIZED, 1)


def _told(broker, tag, which):
    with api.Client(broker.address) as client:
        client.send(api.request("ApiVersions"))
        reader = Reader(client.receive()[1])
    reader.i16()
    reader.compact_array(lambda r: (r.i16(), r.i16(), r.i16(), r.tags()))
    reader.i32()
    tags = reader.tags()
    found = Reader(tags.get(tag, b"\x01")).compact_array(lambda r: (r.compact_string(), r.i16(), r.i16(), r.tags()))
    return {entry[0]: entry[which] for entry in found}


def check_kept(broker):
    """After the last start one warning named the features that are kept, and clients are not told of them."""
    told = broker.log.read_text()
    warnings = [line for line in told.splitlines() if " W " in line and all(name in line for name in KEPT)]
    assert len(warnings) == 1, f"not one warning that names {KEPT}:\n{told}"
    advertised = supported(broker) | finalized(broker)
    assert not KEPT & set(advertised), f"advertised: {advertised}"


def append_level(data, feature, level):
    """Appends the record that gives the cluster this level to the metadata log of a stopped broker."""
    segment = max(Path(data, "__cluster_metadata-0").glob("*.log"))
    log = segment.read_bytes()
    at, end, epoch = 0, 0, 0
    while at + records.BATCH_HEADER_SIZE <= len(log) and log[at + 16] == 2:
        base, length, epoch = struct.unpack_from(">qii", log, at)
        end = base + struct.unpack_from(">i", log, at + 23)[0] + 1
        at += 12 + length
    value = Writer().uvarint(1).uvarint(FEATURE_LEVEL_RECORD).uvarint(0).compact_string(feature).i16(level).tags().bytes()
    segment.write_bytes(log[:at] + records.batch([value], base_offset=end, leader_epoch=epoch))
