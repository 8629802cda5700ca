"""The floors that need no broker: reading the files of a log from the cache or the disk, scanning and decompressing them."""

import ctypes
import os
import time

READ_BYTES = 1 << 20
BATCH_LENGTH_AT = 8  # of a record batch, format 2: its length counts what follows the first 12 bytes
BATCH_LENGTH_FROM = 12
RECORDS_AT = 61
MOST_RECORD_BYTES = 64 << 20
DECOMPRESS_SECONDS = 0.3


def segments(data, topic):
    """The segment files of the topic in a broker's data directory."""
    found = sorted(data.glob(f"{topic}-*/*.log"))
    if not found:
        raise RuntimeError(f"no segment of {topic} in {data}")
    return found


def drop_from_cache(paths):
    """Leaves nothing of these files in the page cache. They are synced first: dirty pages would stay."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def read_all(paths, each=None):
    """Reads the files once from start to end; (bytes, seconds). `each(address, count)` sees every piece."""
    buffer = bytearray(READ_BYTES)
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    total = 0
    started = time.monotonic()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
                if each:
                    each(address, count)
    return total, time.monotonic() - started


def scan_all(paths):
    """Reads the files once and computes CRC-32C over all they hold, with ISA-L: the least that a recovery does."""
    crc = ctypes.CDLL("libisal.so.2").crc32_iscsi
    crc.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint]
    return read_all(paths, lambda address, count: crc(address, count, 0))


def decompress_seconds_per_gb(path, codec):
    """Processor seconds to decompress one GB of compressed records, measured with the first batch of a file of batches."""
    with open(path, "rb") as file:
        head = file.read(RECORDS_AT)
        length = int.from_bytes(head[BATCH_LENGTH_AT:BATCH_LENGTH_FROM], "big") + BATCH_LENGTH_FROM
        compressed = file.read(length - RECORDS_AT)
    decompress = {"lz4": _lz4, "zstd": _zstd}[codec](compressed)
    decompress()
    rounds = 0
    started = time.process_time()
    while (took := time.process_time() - started) < DECOMPRESS_SECONDS:
        decompress()
        rounds += 1
    return took / (rounds * length) * 1e9


def _zstd(compressed):
    library = ctypes.CDLL("libzstd.so.1")
    for function in (library.ZSTD_decompressDCtx, library.ZSTD_createDCtx):
        function.restype = ctypes.c_size_t if function is library.ZSTD_decompressDCtx else ctypes.c_void_p
    context = ctypes.c_void_p(library.ZSTD_createDCtx())
    out = ctypes.create_string_buffer(MOST_RECORD_BYTES)

    def decompress():
        size = library.ZSTD_decompressDCtx(context, out, ctypes.c_size_t(len(out)), compressed, ctypes.c_size_t(len(compressed)))
        if library.ZSTD_isError(ctypes.c_size_t(size)):
            raise RuntimeError("the batch is no zstd")

    return decompress


def _lz4(compressed):
    library = ctypes.CDLL("liblz4.so.1")
    library.LZ4F_decompress.restype = ctypes.c_size_t
    context = ctypes.c_void_p()
    library.LZ4F_createDecompressionContext(ctypes.byref(context), ctypes.c_uint(100))
    out = ctypes.create_string_buffer(MOST_RECORD_BYTES)

    def decompress():
        written, read = ctypes.c_size_t(len(out)), ctypes.c_size_t(len(compressed))
        left = library.LZ4F_decompress(context, out, ctypes.byref(written), compressed, ctypes.byref(read), None)
        if left or read.value != len(compressed):
            raise RuntimeError("the batch is not one frame of lz4")

    return decompress
