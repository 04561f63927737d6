"""What goes out by a transport, at once and without the reactor's detour, and never more than the other side takes:
what cannot go now stays with whoever sends, who hears when there is room again. Hides what Twisted calls producers."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer


class Outlet(Protocol):
    """The way out of a transport."""

    def send(self, data: bytes, on_room: Callable[[], None]) -> int:
        """Sends what there is room for and gives how much that is; where it is not all, `on_room` is called once, when
        there is room again. Nothing may be sent before that."""

    def close(self) -> None:
        """Nobody waits for room any more."""


def outlet_of(transport: Any) -> Outlet:
    """The outlet of a transport; nobody else may write to it meanwhile."""
    return _Direct(transport) if isinstance(transport, FileDescriptor) else _Layered(transport)


@implementer(IPullProducer)
class _Direct:
    """To a descriptor: into the kernel's buffer and no other. The reactor is only asked to tell of room in it: of a
    transport that has nothing to write, it does so by calling its producer."""

    def __init__(self, transport: FileDescriptor) -> None:
        self._transport: Any = transport
        self._descriptor = transport.fileno()
        self._on_room: Callable[[], None] | None = None
        self._is_asking = False

    def send(self, data: bytes, on_room: Callable[[], None]) -> int:
        try:
            sent = os.write(self._descriptor, data)
        except OSError:
            sent = 0  # no room, or it is lost, which the reactor finds out when it looks for room
        if sent < len(data):
            self._on_room = on_room
            self._is_asking = True
            self._transport.registerProducer(self, False)
        return sent

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name, as below
        """There is room; the first time it only means that it was registered."""
        if self._is_asking:
            self._is_asking = False
            self._transport.startWriting()
            return
        on_room, self._on_room = self._on_room, None
        self._transport.unregisterProducer()
        if on_room is not None:
            on_room()

    def stopProducing(self) -> None:  # noqa: N802
        """The transport is gone."""
        self._on_room = None

    def close(self) -> None:
        if self._on_room is not None:
            self._on_room = None
            self._transport.unregisterProducer()


@implementer(IPushProducer)
class _Layered:
    """To a transport with something between it and the kernel, such as TLS, which has a buffer of its own."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._has_room = True
        self._on_room: Callable[[], None] | None = None
        transport.registerProducer(self, True)

    def send(self, data: bytes, on_room: Callable[[], None]) -> int:
        if not self._has_room:
            self._on_room = on_room
            return 0
        self._transport.write(data)
        return len(data)

    def pauseProducing(self) -> None:  # noqa: N802
        """The buffer is full."""
        self._has_room = False

    def resumeProducing(self) -> None:  # noqa: N802
        """There is room again."""
        self._has_room = True
        on_room, self._on_room = self._on_room, None
        if on_room is not None:
            on_room()

    def stopProducing(self) -> None:  # noqa: N802
        """The transport is gone."""
        self._on_room = None

    def close(self) -> None:
        self._on_room = None
        self._transport.unregisterProducer()
