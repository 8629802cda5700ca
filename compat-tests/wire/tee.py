"""A TCP proxy that writes down what passes: two files for each connection, one for each direction."""

import socket
import threading
from pathlib import Path


class Tee:
    """Listens on a free port of 127.0.0.1 and forwards to `target` (HOST, PORT). Use as a context manager."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.target = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = []
        self._connections = 0

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def captures(self):
        """The files of all connections, (requests, responses), once all of them are closed."""
        for thread in self._threads[1:]:
            thread.join(30)
            assert not thread.is_alive(), "a connection stays open"
        return [(self.folder / f"{n}.requests", self.folder / f"{n}.responses") for n in range(self._connections)]

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            broker = socket.create_connection(self.target)
            stem = self.folder / str(self._connections)
            self._start(_copy, client, broker, stem.with_suffix(".requests"))
            self._start(_copy, broker, client, stem.with_suffix(".responses"))
            self._connections += 1


def _copy(source, sink, path):
    """Until the source ends; what cannot be delivered any more is written down all the same."""
    with open(path, "wb") as file:
        while True:
            try:
                data = source.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                break
            file.write(data)
            try:
                sink.sendall(data)
            except OSError:
                pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
