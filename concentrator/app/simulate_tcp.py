"""A Modbus TCP server for simulated devices, in a process that waits for other things too: it says what to wait for,
and serves what has come. Hides sockets and who is connected."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from contextlib import suppress

from concentrator.sim.tcp import Answer, Connection, NoModbus

_MOST = 4096


class TcpDoor:
    """Listens at `host` and `port` (0: any free one) and answers whoever connects. Raises OSError."""

    def __init__(self, host: str, port: int, answer: Answer) -> None:
        self._answer = answer
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family)
        self._listening.setblocking(False)
        self._clients: dict[socket.socket, Connection] = {}

    @property
    def place(self) -> tuple[str, int]:
        """The address and the port it listens at."""
        host, port, *_ = self._listening.getsockname()
        return host, port

    @property
    def watched(self) -> Sequence[int]:
        """What to `select` for reading."""
        return [each.fileno() for each in (self._listening, *self._clients)]

    def serve(self, readable: Collection[int]) -> None:
        """Serves what `select` found readable."""
        known = [client for client in self._clients if client.fileno() in readable]
        if self._listening.fileno() in readable:
            with suppress(OSError):  # whoever wanted in has gone again
                client, _ = self._listening.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.settimeout(1.0)
                self._clients[client] = Connection(self._answer)
        for client in known:
            try:
                data = client.recv(_MOST)
                client.sendall(self._clients[client].replies(data))
            except (OSError, NoModbus):
                data = b""
            if not data:
                del self._clients[client]
                client.close()

    def close(self) -> None:
        """Says goodbye to everybody."""
        for each in (self._listening, *self._clients):
            each.close()
