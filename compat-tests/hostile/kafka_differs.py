"""Where Apache Kafka's own outcome is not the one we hold ourselves to: {case: (what Kafka does, why we do not)}."""

_UNKNOWN = (-1, "Kafka's decoder throws past its error handling; a client cannot act on UNKNOWN_SERVER_ERROR")
_SILENT = ("no answer", "Kafka's handler dies on it and the client waits until its own time-out")
_UNCHECKED = (0, "Kafka does not look at it and stores the batch as it is")
_BOMB = (0, "Kafka puts no limit on what a batch decompresses to")

OUTCOMES = {
    "null records": _SILENT,
    "batch length INT_MAX": _UNKNOWN,
    "codec 5": _UNKNOWN,
    "codec 7": _UNKNOWN,
    "gzip said, not compressed": _UNKNOWN,
    "snappy said, not compressed": _UNKNOWN,
    "lz4 said, not compressed": _UNKNOWN,
    "zstd said, not compressed": _UNKNOWN,
    "producer id without an epoch": _UNCHECKED,
    "offset delta 1 for the first": _UNCHECKED,
    "offset delta -1": _UNCHECKED,
    "the same offset delta twice": _UNCHECKED,
    "key length -2": _UNCHECKED,
    "value length -2": _UNCHECKED,
    "partition bytes -1": _UNKNOWN,
    "max bytes -1": _UNKNOWN,
    "name 'xxxxxxxxxxxx' of 32767": _UNKNOWN,
    "a gzip bomb": _BOMB,
    "a zstd bomb": _BOMB,
    "an lz4 bomb": _BOMB,
    "a snappy bomb": _BOMB,
    "snappy that claims 4 GiB": _UNKNOWN,
    "snappy that claims 100 MiB": _UNKNOWN,
    "a snappy chunk of negative size": _UNKNOWN,
    "a snappy chunk of INT_MAX bytes": _UNKNOWN,
    "a zstd window of 2^31": _UNKNOWN,
    "zstd with a dictionary": _UNKNOWN,
    "an lz4 frame with a bad header checksum": _UNKNOWN,
    "an lz4 frame with a block of 2 GiB": _UNKNOWN,
    "no compressed bytes at all": _UNKNOWN,
    "random bytes as gzip": _UNKNOWN,
    "random bytes as zstd": _UNKNOWN,
    "random bytes as lz4": _UNKNOWN,
    "random bytes as snappy": _UNKNOWN,
}
