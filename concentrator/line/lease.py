"""The raw wire, lent to a tunnel: what it may do with it, and who waits for it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred


@define(eq=False)
class Lease:
    """The raw wire, until it is released. `on_bytes` is called with everything that arrives; `on_lost` when the wire
    goes away, after which the lease is over. `is_answered`: whether anything came since the last write."""

    on_bytes: Callable[[bytes], None]
    on_lost: Callable[[], None]
    _send: Callable[[Lease, bytes], None]
    _give_back: Callable[[Lease], None]
    is_answered: bool = field(default=True, init=False)

    def write(self, data: bytes) -> None:
        """Sends bytes as they are; ignored once the lease is over."""
        self._send(self, data)

    def release(self) -> None:
        """Gives the wire back."""
        self._give_back(self)

    def received(self, data: bytes) -> None:
        """Bytes came for the tunnel."""
        self.is_answered = True
        self.on_bytes(data)


@define(eq=False)
class Tunnel:
    """Somebody who waits for a lease."""

    lease: Lease
    result: Deferred[Lease]
