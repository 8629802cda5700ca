"""Record batches that break the rules: F14 to F19 of the catalogue.

CASES is data: what is produced and the error code that must come back. The codes are Apache Kafka's own answers.
"""

import struct
import time

from lib import api, records
from lib.records import GZIP, LZ4, SNAPPY, ZSTD, Record, encode_record, raw_batch
from lib.wire import Writer

import bombs
from ground import CLOSED, OPEN, TOPIC

OK, CORRUPT, INVALID = 0, api.ERROR["CORRUPT_MESSAGE"], api.ERROR["INVALID_RECORD"]
TOO_LARGE, BAD_TIME = api.ERROR["MESSAGE_TOO_LARGE"], api.ERROR["INVALID_TIMESTAMP"]
NOT_YOUR_TRANSACTION = 53  # TRANSACTIONAL_ID_AUTHORIZATION_FAILED
REFUSED = frozenset({CORRUPT, INVALID, TOO_LARGE, api.ERROR["UNSUPPORTED_COMPRESSION_TYPE"]})  # any refusal that a client can act on
MAX_BATCH = 1048588  # message.max.bytes
NOW = int(time.time() * 1000)
YEAR = 365 * 86_400_000


def one(**fields):
    """A batch of one good record with header fields replaced."""
    return records.batch([b"value"], timestamp=NOW, **fields)


def record(length=None, attributes=0, timestamp_delta=0, offset_delta=0, key=(-1, b""), value=(1, b"v"), headers=0, tail=b""):
    """One record with every part as told; (length, bytes) for key and value; the right length in front if None."""
    body = Writer().i8(attributes).varint(timestamp_delta).varint(offset_delta)
    for size, data in (key, value):
        body.varint(size).raw(data)
    body.varint(headers).raw(tail)
    return Writer().varint(len(body.data) if length is None else length).raw(body.data).bytes()


def of(body, count=1, **fields):
    """A batch around hand-made records."""
    return raw_batch(body, count=count, last_offset_delta=fields.pop("last_offset_delta", count - 1), base_timestamp=NOW, max_timestamp=NOW, **fields)


GOOD = one()
TWO = records.batch([b"a", b"b"], timestamp=NOW)
HEADER_CASES = {
    "a good batch": (GOOD, OK),
    "no bytes": (b"", INVALID),
    "null records": (None, REFUSED),
    "60 bytes": (GOOD[:60], INVALID),
    "17 bytes": (GOOD[:17], INVALID),
    "cut short by a byte": (GOOD[:-1], INVALID),
    "a byte too many": (GOOD + b"\0", OK),
    "batch length -1": (one(batch_length=-1), CORRUPT),
    "batch length INT_MIN": (one(batch_length=-(2**31)), CORRUPT),
    "batch length 0": (one(batch_length=0), CORRUPT),
    "batch length 48": (one(batch_length=48), CORRUPT),
    "batch length INT_MAX": (one(batch_length=2**31 - 1), REFUSED),
    "batch length one too large": (one(batch_length=len(GOOD) - 11), INVALID),
    "two batches": (GOOD + GOOD, INVALID),
    "base offset 7": (one(base_offset=7), INVALID),
    "base offset -1": (one(base_offset=-1), INVALID),
    "base offset LONG_MAX": (one(base_offset=2**63 - 1), INVALID),
    "leader epoch 77": (one(leader_epoch=77), OK),
    "last offset delta 1 for one record": (one(last_offset_delta=1), INVALID),
    "last offset delta -1": (one(last_offset_delta=-1), INVALID),
    "last offset delta INT_MAX": (one(last_offset_delta=2**31 - 1), INVALID),
    "last offset delta 0 for two records": (records.batch([b"a", b"b"], timestamp=NOW, last_offset_delta=0), INVALID),
    "count -1": (one(count=-1), INVALID),
    "count 0": (one(count=0), INVALID),
    "count 2 for one record": (one(count=2, last_offset_delta=1), INVALID),
    "count 1 for two records": (records.batch([b"a", b"b"], timestamp=NOW, count=1, last_offset_delta=0), INVALID),
    "count INT_MAX": (one(count=2**31 - 1, last_offset_delta=2**31 - 2), INVALID),
    "no records, count 0, delta -1": (raw_batch(b"", count=0, last_offset_delta=-1), INVALID),
    "no records, count 0, delta 0": (raw_batch(b"", count=0, last_offset_delta=0), INVALID),
    "wrong CRC": (one(crc=12345), CORRUPT),
    "magic 0": (one(magic=0), INVALID),
    "magic 1": (one(magic=1), INVALID),
    "magic 3": (one(magic=3), CORRUPT),
    "magic -1": (one(magic=-1), CORRUPT),
}
FIELD_CASES = {
    "reserved attribute bits": (one(attributes=0x7F80 - 0x8000), OK),
    "codec 5": (one(attributes=5), REFUSED),
    "codec 7": (one(attributes=7), REFUSED),
    "gzip said, not compressed": (one(attributes=GZIP), REFUSED),
    "snappy said, not compressed": (one(attributes=SNAPPY), REFUSED),
    "lz4 said, not compressed": (one(attributes=LZ4), REFUSED),
    "zstd said, not compressed": (one(attributes=ZSTD), REFUSED),
    "a control batch": (one(attributes=records.CONTROL_BIT), INVALID),
    "a transactional batch without a producer": (one(attributes=records.TRANSACTIONAL_BIT), NOT_YOUR_TRANSACTION),
    "log append time said by the client": (one(attributes=records.TIMESTAMP_TYPE_BIT), OK),
    "producer id without an epoch": (one(producer_id=5, producer_epoch=-1, base_sequence=0), REFUSED),
    "producer id without a sequence": (one(producer_id=5, producer_epoch=0, base_sequence=-1), INVALID),
    "sequence -2": (one(producer_id=5, producer_epoch=0, base_sequence=-2), INVALID),
    "a sequence that wraps": (records.batch([b"a", b"b"], timestamp=NOW, producer_id=70001, producer_epoch=0, base_sequence=2**31 - 1), OK),
    "an epoch without a producer id": (one(producer_epoch=3), OK),
    "a sequence without a producer id": (one(base_sequence=3), OK),
}
RECORD_CASES = {
    "record length -1": (of(record(length=-1)), INVALID),
    "record length 0": (of(record(length=0)), INVALID),
    "record length one too small": (of(record(length=6)), INVALID),
    "record length one too large": (of(record(length=8)), INVALID),
    "record length INT_MAX": (of(record(length=2**31 - 1)), INVALID),
    "record attributes 0xff": (of(record(attributes=-1)), OK),
    "offset delta 1 for the first": (of(record(offset_delta=1)), REFUSED),
    "offset delta -1": (of(record(offset_delta=-1)), REFUSED),
    "the same offset delta twice": (of(record() + record(), count=2), REFUSED),
    "timestamp delta LONG_MAX": (of(record(timestamp_delta=2**63 - 1)), BAD_TIME),
    "key length -2": (of(record(key=(-2, b""))), REFUSED),
    "key length INT_MAX": (of(record(key=(2**31 - 1, b""))), INVALID),
    "value length -2": (of(record(value=(-2, b""))), REFUSED),
    "value length one too large": (of(record(value=(2, b"v"))), INVALID),
    "null key and value": (of(record(value=(-1, b""))), OK),
    "header count -1": (of(record(headers=-1)), INVALID),
    "10^7 headers": (of(record(headers=10_000_000)), INVALID),
    "a header without a key": (of(record(headers=1, tail=Writer().varint(-1).varint(-1).bytes())), INVALID),
    "a header key longer than the record": (of(record(headers=1, tail=Writer().varint(99).bytes())), INVALID),
    "bytes behind the headers": (of(record(tail=b"xyz")), INVALID),
    "bytes behind the last record": (of(record() + b"xyz"), INVALID),
    "half a record": (of(record()[:4]), INVALID),
}
TIME_CASES = {
    "timestamp -1": (records.batch([b"v"], timestamp=-1), OK),
    "timestamp LONG_MIN": (records.batch([b"v"], timestamp=-(2**63)), BAD_TIME),
    "timestamp 0": (records.batch([b"v"], timestamp=0), OK),
    "timestamp LONG_MAX": (records.batch([b"v"], timestamp=2**63 - 1), BAD_TIME),
    "timestamp in ten years": (records.batch([b"v"], timestamp=NOW + 10 * YEAR), BAD_TIME),
    "timestamp ten years ago": (records.batch([b"v"], timestamp=NOW - 10 * YEAR), OK),
    "max timestamp below the base": (one(max_timestamp=NOW - 5), OK),
    "max timestamp far above the records": (one(max_timestamp=NOW + 10 * YEAR), OK),
}
# The largest allowed batch: 61 bytes of header, and a record with a length, six bytes of fields and the value.
_SPARE = records.BATCH_HEADER_SIZE + len(encode_record(0, Record(b"x" * (MAX_BATCH - 200)))) - (MAX_BATCH - 200)
SIZE_CASES = {
    "a batch of exactly message.max.bytes": (records.batch([b"x" * (MAX_BATCH - _SPARE)], timestamp=NOW), OK),
    "a batch one byte larger": (records.batch([b"x" * (MAX_BATCH - _SPARE + 1)], timestamp=NOW), TOO_LARGE),
    "a key of 900 KiB": (records.batch([Record(b"v", key=b"k" * 921_600, timestamp=NOW)]), OK),
    "100,000 tiny records": (records.batch([b""] * 100_000, timestamp=NOW), OK),
}


def run_cases(cases):
    def check(ground):
        wanted, observed = {}, {}
        for name, (batch, code) in cases.items():
            wanted[name], observed[name] = code, produce(ground, batch)
        ground.expect(wanted, observed)

    return check


def produce(ground, batch, timeout=5.0):
    """The error code for one batch, CLOSED or OPEN."""
    try:
        with ground.client(timeout) as client:
            return client.produce(TOPIC, 0, batch)["error_code"]
    except api.Closed:
        return CLOSED
    except TimeoutError:
        return OPEN


def still_readable(ground):
    """After all that, the log holds whole, valid batches only, and offsets without gaps."""
    expected = 0
    with ground.client(30.0) as client:
        end = client.offset(TOPIC, 0)["offset"]
        while expected < end:
            data = client.fetch(TOPIC, 0, expected)["records"]
            for batch in records.read_batches(data):
                assert batch.base_offset == expected, f"{batch.base_offset} after {expected - 1}"
                expected = batch.last_offset + 1


def decompression_bombs(ground):
    """Each batch fits in message.max.bytes and decompresses to as much as its codec can, inside one record.

    Snappy cannot shrink anything more than about 21 times, so 20 MiB is all a batch can become: it may be stored.
    """
    bomb_of = {
        "a gzip bomb": (GZIP, bombs.gzip, 1000 << 20),
        "a zstd bomb": (ZSTD, bombs.zstd, 1000 << 20),
        "an lz4 bomb": (LZ4, bombs.lz4, 200 << 20),
        "a snappy bomb": (SNAPPY, bombs.snappy, 20 << 20),
    }
    observed = {}
    for name, (codec, compress, size) in bomb_of.items():
        stream = compress(_start_of_record(size), size)
        assert len(stream) < MAX_BATCH, f"{name} has {len(stream)} bytes"
        observed[name] = produce(ground, of(stream, attributes=codec), timeout=30.0)
    expected = {name: REFUSED | {CLOSED} for name in bomb_of}
    expected["a snappy bomb"] = expected["a snappy bomb"] | {OK}
    ground.expect(expected, observed)


def _start_of_record(size):
    """The start of one valid record that goes on with `size` zero bytes: its value, and the zero of no headers."""
    fields = Writer().i8(0).varint(0).varint(0).varint(-1).varint(size - 1).bytes()
    return Writer().varint(len(fields) + size).raw(fields).bytes()


def lying_streams(ground):
    """Compressed data that claims sizes it does not have, wants too much memory, is cut off or goes on behind its end."""
    good = encode_record(0, Record(b"value"))
    cases = {
        "snappy that claims 4 GiB": (SNAPPY, bombs.snappy_that_lies((1 << 32) - 1)),
        "snappy that claims 100 MiB": (SNAPPY, bombs.snappy_that_lies(100 << 20)),
        "a snappy chunk of negative size": (SNAPPY, b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, -1) + b"abc"),
        "a snappy chunk of INT_MAX bytes": (SNAPPY, b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, 2**31 - 1) + b"abc"),
        "a zstd window of 2^31": (ZSTD, bombs.zstd(good, 1 << 20, window_log=31)),
        "zstd with a dictionary": (ZSTD, struct.pack("<IBBI", 0xFD2FB528, 3, 56, 77) + struct.pack("<I", 1)[:3]),
        "an lz4 frame with a bad header checksum": (LZ4, b"\x04\x22\x4d\x18\x60\x70\x00" + struct.pack("<I", 0)),
        "an lz4 frame with a block of 2 GiB": (LZ4, bombs.lz4(good, 0)[:7] + struct.pack("<I", 0x7FFFFFFF) + b"abc"),
        "gzip cut off": (GZIP, bombs.gzip(good, 1 << 20)[:-30]),
        "gzip of nothing": (GZIP, bombs.gzip(b"", 0)),
        "no compressed bytes at all": (GZIP, b""),
        "random bytes as gzip": (GZIP, b"\x1f\x8b\x08\0" + bytes(range(200))),
        "random bytes as zstd": (ZSTD, b"\x28\xb5\x2f\xfd" + bytes(range(200))),
        "random bytes as lz4": (LZ4, b"\x04\x22\x4d\x18" + bytes(range(200))),
        "random bytes as snappy": (SNAPPY, bytes(range(1, 200))),
    }
    observed = {name: produce(ground, of(stream, attributes=codec)) for name, (codec, stream) in cases.items()}
    ground.expect({name: REFUSED | {CLOSED} for name in cases}, observed)


def nested_batch(ground):
    """A compressed batch as the value of a record is just bytes."""
    inner = records.batch([b"inner"], codec=GZIP)
    with ground.client() as client:
        answer = client.produce(TOPIC, 0, records.batch([inner]))
        assert answer["error_code"] == 0, answer
        fetched = client.fetch(TOPIC, 0, answer["base_offset"])
        (batch,) = records.read_batches(fetched["records"])
        assert batch.records[0].value == inner


CHECKS = {
    "F14 batch headers": run_cases(HEADER_CASES),
    "F15 attributes and producer fields": run_cases(FIELD_CASES),
    "F16 records": run_cases(RECORD_CASES),
    "F17 timestamps": run_cases(TIME_CASES),
    "F19 sizes": run_cases(SIZE_CASES),
    "F14-F19 the log is still whole": still_readable,
    "F18 decompression bombs": decompression_bombs,
    "F18 compressed streams that lie": lying_streams,
    "F18 a batch inside a record": nested_batch,
}
NOT_FOR_KAFKA = {}
