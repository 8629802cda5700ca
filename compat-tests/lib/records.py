"""Record batches v2 by hand: build them, well-formed or not, and read them back. CRC-32C in plain Python."""

import gzip
import struct
import time
from dataclasses import dataclass, field

from lib.wire import Reader, Writer

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
CODECS = {"none": NONE, "gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD}
TIMESTAMP_TYPE_BIT, TRANSACTIONAL_BIT, CONTROL_BIT = 1 << 3, 1 << 4, 1 << 5
BATCH_HEADER_SIZE = 61


def _crc_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC_TABLE = _crc_table()


def crc32c(data):
    table = _CRC_TABLE
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


@dataclass
class Record:
    value: bytes | None
    key: bytes | None = None
    headers: list = field(default_factory=list)
    timestamp: int = 0
    offset: int = -1


def encode_record(index, record, base_timestamp=0):
    """One record of a batch, with its length in front."""
    body = Writer().i8(0).varint(record.timestamp - base_timestamp).varint(index)
    for part in (record.key, record.value):
        body.varint(-1 if part is None else len(part)).raw(part or b"")
    body.varint(len(record.headers))
    for key, value in record.headers:
        body.varint(len(key)).raw(key).varint(-1 if value is None else len(value)).raw(value or b"")
    return Writer().varint(len(body.data)).raw(body.data).bytes()


def batch(values, timestamp=None, codec=NONE, **fields):
    """A batch of `values` (bytes, None or Record), stamped now. Keyword arguments override header fields: see `raw_batch`.

    The time matters: a broker forgets a producer whose newest batch is older than producer.id.expiration.ms.
    """
    if timestamp is None:
        timestamp = int(time.time() * 1000)
    records = [value if isinstance(value, Record) else Record(value, timestamp=timestamp) for value in values]
    first = records[0].timestamp if records else timestamp
    body = b"".join(encode_record(index, record, first) for index, record in enumerate(records))
    if codec == GZIP:
        body = gzip.compress(body, 1)
    elif codec != NONE:
        raise ValueError("only gzip can be written by the standard library; pass other codecs to raw_batch")
    defaults = {
        "attributes": codec,
        "base_timestamp": first,
        "max_timestamp": max((record.timestamp for record in records), default=timestamp),
        "last_offset_delta": len(records) - 1,
        "count": len(records),
    }
    return raw_batch(body, **{**defaults, **fields})


def raw_batch(
    body,
    base_offset=0,
    batch_length=None,
    leader_epoch=-1,
    magic=2,
    crc=None,
    attributes=0,
    last_offset_delta=0,
    base_timestamp=1_700_000_000_000,
    max_timestamp=1_700_000_000_000,
    producer_id=-1,
    producer_epoch=-1,
    base_sequence=-1,
    count=1,
):
    """A batch around the (perhaps compressed) records `body`; every header field as told, length and CRC computed if None."""
    after_crc = struct.pack(
        ">hiqqqhii", attributes, last_offset_delta, base_timestamp, max_timestamp, producer_id, producer_epoch, base_sequence, count
    )
    after_crc += body
    if crc is None:
        crc = crc32c(after_crc)
    if batch_length is None:
        batch_length = 4 + 1 + 4 + len(after_crc)
    return struct.pack(">qiibI", base_offset, batch_length, leader_epoch, magic, crc) + after_crc


@dataclass
class Batch:
    """A decoded batch; `records` carry their absolute offsets."""

    base_offset: int
    last_offset: int
    leader_epoch: int
    attributes: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: list


def read_batches(data, check_crc=True):
    """The whole batches in a Fetch answer, oldest first; a cut-off last one is left out. ValueError on a bad CRC."""
    at = 0
    while at + BATCH_HEADER_SIZE <= len(data):
        base_offset, length, epoch, magic, crc = struct.unpack_from(">qiibI", data, at)
        end = at + 12 + length
        if end > len(data):
            return
        if magic != 2:
            raise ValueError(f"magic {magic} at {base_offset}")
        if check_crc and crc32c(data[at + 21 : end]) != crc:
            raise ValueError(f"bad CRC at offset {base_offset}")
        yield _read_batch(data, at, end, base_offset, epoch)
        at = end


def codecs_in(data):
    """The codecs of the batches in a Fetch answer, without reading their records."""
    found, at = set(), 0
    while at + BATCH_HEADER_SIZE <= len(data):
        length, attributes = struct.unpack_from(">i", data, at + 8)[0], struct.unpack_from(">h", data, at + 21)[0]
        found.add(attributes & 7)
        at += 12 + length
    return found


def _read_batch(data, at, end, base_offset, epoch):
    attributes, last_delta, base_timestamp, _, producer_id, producer_epoch, sequence, count = struct.unpack_from(">hiqqqhii", data, at + 21)
    body = data[at + BATCH_HEADER_SIZE : end]
    if attributes & 7 == GZIP:
        body = gzip.decompress(body)
    elif attributes & 7 != NONE:
        raise ValueError("only gzip can be read by the standard library")
    reader = Reader(body)
    records = [_read_record(reader, base_offset, base_timestamp) for _ in range(count)]
    if reader.left():
        raise ValueError(f"{reader.left()} bytes left over in the batch at {base_offset}")
    return Batch(base_offset, base_offset + last_delta, epoch, attributes, producer_id, producer_epoch, sequence, records)


def _read_record(reader, base_offset, base_timestamp):
    reader.varint()
    reader.i8()
    timestamp = base_timestamp + reader.varint()
    offset = base_offset + reader.varint()
    key = _read_bytes(reader)
    value = _read_bytes(reader)
    headers = [(_read_bytes(reader), _read_bytes(reader)) for _ in range(reader.varint())]
    return Record(value, key, headers, timestamp, offset)


def _read_bytes(reader):
    size = reader.varint()
    return None if size < 0 else bytes(reader.raw(size))
