"""What a paho client takes for its socket. It hides from paho that bytes come and go when the reactor has them."""

from __future__ import annotations

from typing import Any


class PlayedSocket:
    """What paho takes for its socket: bytes that have arrived, and the transport. What paho writes in one go goes to
    the transport in one piece: over TLS every piece is a record of its own."""

    def __init__(self) -> None:
        self.inbox = bytearray()
        self.outbox: list[bytes | bytearray] = []
        self.transport: Any = None
        self.is_full = False
        self.is_over = False
        self.is_polite = False

    def end(self) -> None:
        """The connection is gone: paho is to read its end."""
        self.is_over = True
        self.inbox.clear()

    def recv(self, size: int) -> bytes:
        """Up to so many of the bytes that have arrived; none of them at the end."""
        if self.is_over:
            return b""
        if not self.inbox:
            raise BlockingIOError
        taken = bytes(self.inbox[:size])
        del self.inbox[:size]
        return taken

    def send(self, data: bytes | bytearray) -> int:
        """Takes everything, or raises BlockingIOError where the transport has enough."""
        if self.is_full:
            raise BlockingIOError
        self.outbox.append(data)
        return len(data)

    def flush(self) -> None:
        """Gives the transport what was taken."""
        if self.outbox and self.transport is not None:
            written, self.outbox = b"".join(self.outbox), []
            self.transport.write(written)

    def close(self) -> None:
        """Ends the connection, politely when what was written is to arrive."""
        if self.transport is None or self.is_over:
            return
        if self.is_polite:
            self.flush()
            self.transport.unregisterProducer()
            self.transport.loseConnection()
        else:
            self.transport.abortConnection()

    def fileno(self) -> int:
        """None."""
        return -1

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""
