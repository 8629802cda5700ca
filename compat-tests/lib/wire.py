"""Kafka's wire format by hand: primitives, frames, and a connection that sends exactly the bytes it is told to.

It is deliberately dumb: no negotiation, no retries, no metadata, so that hostile input and crash tests decide
every byte. Requests by name are in lib/api.py.
"""

import socket
import struct


class Closed(Exception):
    """The broker closed the connection (or reset it) instead of answering."""


class Writer:
    """Builds a message body; every method returns the writer."""

    def __init__(self):
        self.data = bytearray()

    def raw(self, data):
        self.data += data
        return self

    def i8(self, value):
        return self.raw(struct.pack(">b", value))

    def i16(self, value):
        return self.raw(struct.pack(">h", value))

    def i32(self, value):
        return self.raw(struct.pack(">i", value))

    def i64(self, value):
        return self.raw(struct.pack(">q", value))

    def boolean(self, value):
        return self.raw(b"\x01" if value else b"\x00")

    def uvarint(self, value):
        return self.raw(uvarint(value))

    def varint(self, value):
        return self.raw(uvarint((value << 1) ^ (value >> 63)))

    def string(self, value):
        """A STRING or NULLABLE_STRING: 16-bit length."""
        if value is None:
            return self.i16(-1)
        data = _utf8(value)
        return self.i16(len(data)).raw(data)

    def compact_string(self, value):
        if value is None:
            return self.uvarint(0)
        data = _utf8(value)
        return self.uvarint(len(data) + 1).raw(data)

    def compact_bytes(self, value):
        if value is None:
            return self.uvarint(0)
        return self.uvarint(len(value) + 1).raw(value)

    def compact_array(self, items, write):
        """`write(writer, item)` for each item; None is the null array."""
        if items is None:
            return self.uvarint(0)
        self.uvarint(len(items) + 1)
        for item in items:
            write(self, item)
        return self

    def array(self, items, write):
        if items is None:
            return self.i32(-1)
        self.i32(len(items))
        for item in items:
            write(self, item)
        return self

    def tags(self):
        """An empty section of tagged fields."""
        return self.uvarint(0)

    def bytes(self):
        return bytes(self.data)


class Reader:
    """Reads a message body; raises ValueError on a short or malformed one."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def raw(self, size):
        if size < 0 or self.at + size > len(self.data):
            raise ValueError(f"{size} bytes wanted at {self.at} of {len(self.data)}")
        self.at += size
        return self.data[self.at - size : self.at]

    def _unpack(self, form, size):
        return struct.unpack(form, self.raw(size))[0]

    def i8(self):
        return self._unpack(">b", 1)

    def i16(self):
        return self._unpack(">h", 2)

    def i32(self):
        return self._unpack(">i", 4)

    def u32(self):
        return self._unpack(">I", 4)

    def i64(self):
        return self._unpack(">q", 8)

    def boolean(self):
        return self.i8() != 0

    def uuid(self):
        return bytes(self.raw(16))

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.raw(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("varint too long")

    def varint(self):
        value = self.uvarint()
        return (value >> 1) ^ -(value & 1)

    def string(self):
        size = self.i16()
        return None if size < 0 else self.raw(size).decode("utf-8", "replace")

    def compact_string(self):
        size = self.uvarint()
        return None if size == 0 else self.raw(size - 1).decode("utf-8", "replace")

    def compact_bytes(self):
        size = self.uvarint()
        return None if size == 0 else bytes(self.raw(size - 1))

    def compact_array(self, read):
        count = self.uvarint()
        return None if count == 0 else [read(self) for _ in range(count - 1)]

    def array(self, read):
        count = self.i32()
        return None if count < 0 else [read(self) for _ in range(count)]

    def tags(self):
        """Skips tagged fields; returns {tag: bytes}."""
        found = {}
        for _ in range(self.uvarint()):
            tag = self.uvarint()
            found[tag] = bytes(self.raw(self.uvarint()))
        return found

    def left(self):
        return len(self.data) - self.at


def uvarint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def frame(payload):
    """A payload behind its 32-bit size."""
    return struct.pack(">i", len(payload)) + payload


def header(api_key, version, correlation_id=1, client_id="compat", flexible=False):
    """A request header v1, or v2 when the request is flexible; `client_id` may be text, bytes or None."""
    writer = Writer().i16(api_key).i16(version).i32(correlation_id).string(client_id)
    if flexible:
        writer.tags()
    return writer.bytes()


class Connection:
    """One TCP connection. Times out rather than waiting for ever (`timeout` in seconds)."""

    def __init__(self, address, timeout=10.0, receive_buffer=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """All of `data`; Closed if the broker has gone."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from error

    def receive_exactly(self, size):
        parts = []
        while size:
            try:
                part = self.socket.recv(min(size, 1 << 20))
            except ConnectionResetError as error:
                raise Closed(str(error)) from error
            if not part:
                raise Closed("end of stream")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def receive(self):
        """The next response: (correlation id, the bytes after it). Closed if the broker hangs up first."""
        size = struct.unpack(">i", self.receive_exactly(4))[0]
        payload = self.receive_exactly(size)
        return struct.unpack(">i", payload[:4])[0], payload[4:]

    def closes(self):
        """Whether the broker hangs up before the time-out; answers that come first are skipped."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True


def _utf8(value):
    return value if isinstance(value, bytes) else value.encode()
