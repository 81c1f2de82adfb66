"""What stands in front of a server and counts the bytes that clients bring it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Meter:
    """Hands connections on to a port of the loopback."""

    def __init__(self, port: int) -> None:
        self.brought_bytes = 0
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._counting = threading.Lock()
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Until it is closed."""
        threads = []
        with self._listener, suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threads.append(threading.Thread(target=self._connect, args=(client,)))
                threads[-1].start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.shutdown(socket.SHUT_RDWR)

    def _connect(self, client: socket.socket) -> None:
        """Hand on what is said in both directions, until both ends have said all."""
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as server:
            answering = threading.Thread(target=self._hand_on, args=(server, client, False))
            answering.start()
            self._hand_on(client, server, True)
            answering.join()

    def _hand_on(self, reader: socket.socket, writer: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := reader.recv(1 << 16):
                if counts:
                    with self._counting:
                        self.brought_bytes += len(data)
                writer.sendall(data)
        for end in (reader, writer):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def a_meter(port: int) -> Iterator[Meter]:
    """One that serves."""
    meter = Meter(port)
    serving = threading.Thread(target=meter.serve, daemon=True)
    serving.start()
    try:
        yield meter
    finally:
        meter.close()
        serving.join(5)
