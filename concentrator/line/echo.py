"""Whether an adapter gives back what it sends, and what of the bytes that come is not that. Pure.

Theory. On a two-wire bus a receiver that is never switched off hears its own transmitter: every request comes back
before its reply. That is learnt anew for each opening of the port. Bytes that make no reply, but begin with a copy of
the request, prove it; a reply that came without such a copy disproves it. The reply to some requests is their very
copy, that to the write of one register among them: while nothing is known it is taken for the reply and proves
nothing, but the same again, when nobody waits for it any more, does.
"""

from __future__ import annotations

_NOISE = 2  # characters that a transmitter switching on may be heard as
_DOUBTS = 3  # exchanges without their echo, until it is not believed in any more


class Echo:
    """What came back of what was sent. `is_known` says whether there is an echo, None while that is open."""

    __slots__ = ("_awaited", "_doubts", "_stray", "is_known")

    def __init__(self) -> None:
        self.is_known: bool | None = None
        self._awaited = b""
        self._stray = b""
        self._doubts = 0

    def sent(self, request: bytes) -> None:
        """A request goes out; the echo of an earlier one that nobody answers may still be to come."""
        self._awaited = self._awaited + request if self.is_known else request
        self._stray = b""

    def explains(self, received: bytes, ended: bool) -> bool:
        """Whether bytes that make no reply are an echo, known as such from now on, or may become one. `ended`: nothing
        more will come."""
        if self.is_known is not None or not self._awaited:
            return False
        if received.startswith(self._awaited):
            self.is_known = True
            return True
        return not ended and self._awaited.startswith(received)

    def without(self, received: bytes) -> bytes:
        """What of the bytes since the request is not its echo, where there is one."""
        awaited = self._awaited
        place = received.find(awaited, 0, len(awaited) + _NOISE)
        if place >= 0:
            return received[place + len(awaited) :]
        return b"" if awaited.startswith(received) else received

    def over(self, received: bytes, heard: bytes, is_answered: bool) -> None:
        """An exchange is over: of `received` everything but the echo was `heard`."""
        if self.is_known is None:
            if is_answered and not received.startswith(self._awaited):
                self.is_known = False
            return
        self._awaited = b""
        self._doubts = 0 if len(heard) < len(received) else self._doubts + bool(received)
        if self._doubts >= _DOUBTS:
            self._doubts, self.is_known = 0, None

    def strays(self, received: bytes) -> bytes:
        """What of bytes that nobody waits for is no echo."""
        awaited = self._awaited
        if self.is_known is False or not awaited:
            return received
        if self.is_known is None:
            self._stray += received
            if self._stray == awaited:
                self.is_known, self._awaited = True, b""
            return received
        if received.startswith(awaited):
            self._awaited = b""
            return received[len(awaited) :]
        if awaited.startswith(received):
            self._awaited = awaited[len(received) :]
            return b""
        return received
