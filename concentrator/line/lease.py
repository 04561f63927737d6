"""The raw wire, lent to a tunnel: what it may do with it, and who waits for it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred

from concentrator.line.wire_end import WireEnd


def _nothing() -> None:
    """Nobody waits for room."""


@define(eq=False)
class Lease:
    """The raw wire, until it is released. `on_bytes` is called with everything that arrives; `on_lost` when the wire
    goes away, after which the lease is over. `is_answered`: whether anything came since the last write; whoever knows
    that there is more to come says so.

    While it lasts, a serial port's driver drops damaged characters: what is known to be wrong is not handed on.
    """

    on_bytes: Callable[[bytes], None]
    on_lost: Callable[[], None]
    _give_back: Callable[[Lease], None]
    is_answered: bool = field(default=True, init=False)
    _wire: WireEnd | None = field(default=None, init=False)

    def write(self, data: bytes, on_room: Callable[[], None] = _nothing) -> int:
        """Sends bytes as they are and gives how many: where the port has no room for all, `on_room` is called when it
        has, and nothing may be sent before. Once the lease is over they are ignored, all of them."""
        if self._wire is None:
            return len(data)
        self.is_answered = False
        return self._wire.outlet.send(data, on_room)

    def look_away(self) -> None:
        """Leaves what arrives where it is, until `look`."""
        if self._wire is not None:
            self._wire.look_away()

    def look(self) -> None:
        """Hands over what arrives."""
        if self._wire is not None:
            self._wire.look()

    def take(self) -> None:
        """Hands over what has arrived, where that can be had without looking."""
        if self._wire is not None:
            self._wire.take()

    def forget_unsent(self) -> None:
        """Sends no more of what was written and is not on the wire yet."""
        if self._wire is not None:
            self._wire.close_outlet()
            self._wire.forget_unsent()

    def release(self) -> None:
        """Gives the wire back. What was written and is not on the wire yet is forgotten."""
        self._give_back(self)

    def received(self, data: bytes) -> None:
        """Bytes came for the tunnel."""
        self.is_answered = True
        self.on_bytes(data)

    def begin(self, wire: WireEnd) -> None:
        """The line lends the wire."""
        self._wire = wire
        wire.drop_damaged(True)
        wire.look()

    def end(self) -> None:
        """The line has the wire again."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close_outlet()
            wire.forget_unsent()
            wire.drop_damaged(False)

    def lost(self) -> None:
        """There is no wire any more."""
        self._wire = None
        self.on_lost()


@define(eq=False)
class Tunnel:
    """Somebody who waits for a lease."""

    lease: Lease
    result: Deferred[Lease]
