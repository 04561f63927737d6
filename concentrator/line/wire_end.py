"""The transport's end of a line. It sends at once, without the reactor's detour; it can look away from what arrives,
so that bytes wait in the kernel and wake nobody, and take them when it is time.

All that takes a descriptor of the kernel's, as serial ports and plain sockets are. What has something between it and
the line, TLS for one, is only asked to write, to pause and to resume. With `arrivals` a wire that is one of many is
read without the reactor's detour too; ends and faults are left to the reactor.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from concentrator.line.arrivals import Arrivals
from concentrator.line.driver import DriverCounts, driver_counts, drop_damaged, forget_unsent, queued
from concentrator.line.outlet import Outlet, outlet_of

_MOST = 8192  # bytes taken at once; what is left is taken or told of later


class WireEnd(Protocol):
    """One opening of a wire. `opened` is called with it, `received` with bytes, `closed` with the reason in words."""

    def __init__(
        self,
        opened: Callable[[WireEnd], None],
        received: Callable[[bytes], None],
        closed: Callable[[str], None],
        arrivals: Arrivals | None = None,
    ) -> None:
        self._opened = opened
        self._received = received
        self._closed = closed
        self._arrivals = arrivals
        self.dataReceived = received  # type: ignore[assignment, method-assign]
        self.is_looking = True
        self.can_take = False
        self._descriptor = -1
        self._outlet: Outlet | None = None
        self._is_serial = False
        self._drops_damaged = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name, as below
        """The transport is there."""
        transport: Any = self.transport
        if isinstance(transport, FileDescriptor):
            self._descriptor = transport.fileno()
            self.can_take = True
            self._is_serial = hasattr(transport, "set_speed")
            # Twisted puts protocols between, which only hand bytes on; a thousand lines feel that.
            between: Any = transport
            between.protocol.dataReceived = self._received
            if self._arrivals is not None:
                transport.pauseProducing()
                self._arrivals.watch(self._descriptor, self._arrived)
        else:
            self._arrivals = None
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
            transport.setTcpKeepAlive(True)  # a peer that has gone without a word is noticed some day
        self._opened(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """The transport is gone."""
        if self._arrivals is not None:
            self._arrivals.forget(self._descriptor)
            self._arrivals = None
        self._descriptor = -1
        self.can_take = self._is_serial = False
        self._closed(reason.getErrorMessage())

    def send(self, data: bytes) -> None:
        """Sends bytes; what cannot go now goes later."""
        sent = 0
        if self._descriptor >= 0:
            try:
                sent = os.write(self._descriptor, data)
            except OSError:
                sent = 0  # the buffer is full, or the port is lost: both are the reactor's business
            if sent == len(data):
                return
            self._hand_over()
            self._descriptor = -1  # what comes next must not overtake the rest
        self.transport.write(data[sent:])  # type: ignore[union-attr]

    @property
    def outlet(self) -> Outlet:
        """The way out for whoever sends more than requests, and has to know when there is room."""
        if self._outlet is None:
            self._outlet = outlet_of(self.transport)
        return self._outlet

    def close_outlet(self) -> None:
        """Nobody sends that way any more."""
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.close()

    def set_speed(self, baudrate: int) -> None:
        """Bits per second of a serial port, from now on; nothing happens where it is none, here and below."""
        if self._is_serial:
            self.transport.set_speed(baudrate)  # type: ignore[union-attr]
            self.drop_damaged(self._drops_damaged)  # which pyserial has undone

    def drop_damaged(self, is_wanted: bool) -> None:
        """Whether the driver drops damaged characters, or hands them over as they came."""
        self._drops_damaged = is_wanted
        if self._is_serial:
            drop_damaged(self._descriptor, is_wanted)

    def forget_unsent(self) -> None:
        """Sends no more of what was written and is not on the wire yet."""
        if self._is_serial:
            forget_unsent(self._descriptor)

    def driver_counts(self) -> DriverCounts | None:
        """What the driver has counted; None where it does not."""
        return driver_counts(self._descriptor) if self._is_serial else None

    def queued(self) -> tuple[int, int]:
        """How many bytes the kernel holds, unread and unsent."""
        return queued(self._descriptor) if self._is_serial else (0, 0)

    def look(self) -> None:
        """Hands over bytes as they arrive, from now on."""
        if not self.is_looking:
            self.is_looking = True
            if self._arrivals is not None:
                self._arrivals.watch(self._descriptor, self._arrived)
            else:
                self.transport.resumeProducing()  # type: ignore[union-attr]

    def look_away(self) -> None:
        """Leaves bytes where they are, from now on."""
        if self.is_looking:
            self.is_looking = False
            if self._arrivals is not None:
                self._arrivals.forget(self._descriptor)
            else:
                self.transport.pauseProducing()  # type: ignore[union-attr]

    def take(self) -> None:
        """Hands over what has arrived, where `can_take` says that it can be had without looking. That the port has
        gone is not noticed here: a terminal without bytes reads like one that was unplugged."""
        if self._descriptor >= 0:
            try:
                received = os.read(self._descriptor, _MOST)
            except OSError:  # nothing is there; or the port is lost, which whoever looks finds out
                return
            if received:
                self._received(received)

    def _arrived(self) -> None:
        """Something has arrived, or the wire has ended."""
        try:
            received = os.read(self._descriptor, _MOST)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if received:
            self._received(received)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        """The reactor looks from now on: it knows what to make of ends and faults."""
        arrivals, self._arrivals = self._arrivals, None
        if arrivals is not None:
            arrivals.forget(self._descriptor)
            if self.is_looking:
                self.transport.resumeProducing()  # type: ignore[union-attr]
