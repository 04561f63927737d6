"""A road to a server that is cut at a word: whatever the server replies to it is lost."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread


class CutRoad:
    """Forwards connections to a local port. When the client has said `word`, the server gets it, and neither hears of
    the other any more; `port` is where to connect."""

    def __init__(self, to: int, word: bytes) -> None:
        self._to = to
        self._word = word
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it; back when nothing is forwarded any more."""
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                with client, socket.create_connection(("127.0.0.1", self._to)) as server:
                    self._forward(client, server)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        back = Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        said = b""
        while piece := client.recv(4096):
            said += piece
            if self._word in said:
                client.shutdown(socket.SHUT_RDWR)
                server.sendall(piece)
                server.settimeout(None)
                break
            server.sendall(piece)
        if self._word in said:
            server.shutdown(socket.SHUT_WR)  # the server does what it was told, then sees that nobody is there
        else:
            server.shutdown(socket.SHUT_RDWR)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(4096):
            with suppress(OSError):
                sink.sendall(piece)
