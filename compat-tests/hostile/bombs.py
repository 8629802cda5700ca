"""Small compressed data that decompresses to a great deal, written by hand for each codec. No libraries but zlib's.

Each function gives a stream of `prefix` and `size` zero bytes; `size` is a multiple of 4 MiB.
"""

import struct
import zlib

from lib.wire import uvarint

ZSTD_BLOCK = 128 << 10
LZ4_BLOCK = 4 << 20


def gzip(prefix, size):
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [compressor.compress(prefix)]
    chunk = bytes(1 << 20)
    parts += [compressor.compress(chunk) for _ in range(size // len(chunk))]
    return b"".join(parts) + compressor.flush()


def zstd(prefix, size, window_log=17):
    """One raw block, then blocks of one repeated byte: 4 bytes stand for 128 KiB."""
    frame = struct.pack("<IBB", 0xFD2FB528, 0, (window_log - 10) << 3)
    frame += _zstd_block(0, len(prefix)) + prefix
    blocks = size // ZSTD_BLOCK
    repeated = _zstd_block(1, ZSTD_BLOCK) + b"\0"
    return frame + repeated * (blocks - 1) + _zstd_block(1, ZSTD_BLOCK, last=True) + b"\0"


def _zstd_block(kind, size, last=False):
    return struct.pack("<I", size << 3 | kind << 1 | last)[:3]


def lz4(prefix, size):
    """Blocks of 4 MiB: one literal, then a match whose length is told in bytes of 255."""
    descriptor = bytes([0x60, 0x70])  # version 1, independent blocks, blocks of up to 4 MiB
    frame = struct.pack("<I", 0x184D2204) + descriptor + bytes([xxh32(descriptor) >> 8 & 0xFF])
    frame += struct.pack("<I", len(prefix) | 1 << 31) + prefix  # stored, not compressed
    block = _lz4_block(LZ4_BLOCK)
    return frame + (struct.pack("<I", len(block)) + block) * (size // LZ4_BLOCK) + struct.pack("<I", 0)


def _lz4_block(size):
    match = size - 1 - 5  # one literal before it, five after it
    length = match - 19
    block = bytes([0x1F]) + b"\0" + struct.pack("<H", 1) + b"\xff" * (length // 255) + bytes([length % 255])
    return block + bytes([0x50]) + bytes(5)


def snappy(prefix, size):
    """The framing of the Java library: chunks of raw snappy, each a literal and copies of it."""
    out = b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1)
    out += _snappy_chunk(prefix, 0)
    chunk = _snappy_chunk(bytes(64), (1 << 20) - 64)
    return out + chunk * (size >> 20)


def _snappy_chunk(literal, copied):
    """`copied`, a multiple of 64, is how many bytes to repeat of the literal's last one."""
    block = uvarint(len(literal) + copied) + _snappy_literal(literal)
    block += (bytes([63 << 2 | 2]) + struct.pack("<H", 1)) * (copied // 64)
    return struct.pack(">i", len(block)) + block


def _snappy_literal(data):
    if len(data) <= 60:
        return bytes([(len(data) - 1) << 2]) + data
    return bytes([61 << 2]) + struct.pack("<H", len(data) - 1) + data


def snappy_that_lies(claimed):
    """A chunk that claims to decompress to `claimed` bytes and holds five."""
    block = uvarint(claimed) + _snappy_literal(b"hello")
    return b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1) + struct.pack(">i", len(block)) + block


def xxh32(data):
    """xxHash, 32 bits, seed 0, of fewer than 16 bytes: the header checksum of an LZ4 frame."""
    prime_1, prime_3, prime_4, prime_5, prime_2 = 2654435761, 3266489917, 668265263, 374761393, 2246822519
    mask = 0xFFFFFFFF
    value = (prime_5 + len(data)) & mask
    at = 0
    while at + 4 <= len(data):
        value = (value + struct.unpack_from("<I", data, at)[0] * prime_3) & mask
        value = (value << 17 | value >> 15) * prime_4 & mask
        at += 4
    for byte in data[at:]:
        value = (value + byte * prime_5) & mask
        value = ((value << 11 | value >> 21) & mask) * prime_1 & mask
    value ^= value >> 15
    value = value * prime_2 & mask
    value ^= value >> 13
    value = value * prime_3 & mask
    return value ^ value >> 16
