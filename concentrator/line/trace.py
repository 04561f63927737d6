"""The last exchanges of a line, kept for whoever has to find out what is wrong with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from attrs import frozen

EXCHANGES = 200
NETWORK_EXCHANGES = 20
"""How many are kept where every device has a line of its own."""


@frozen
class Traced:
    """One exchange: when it began and ended (clock seconds), with whom, what went out and came in, and the verdict:
    empty for a good one, else the error's sentence."""

    began: float
    ended: float
    station: Hashable
    request: bytes
    received: bytes
    verdict: str

    def __str__(self) -> str:
        return f"{self.began:.3f} {self.station} > {self.request.hex(' ')} < {self.received.hex(' ')} {self.verdict}"


class Trace:
    """A ring of the newest exchanges, oldest first. Keeping one is cheap; what people read is made when they do."""

    __slots__ = ("_ring",)

    def __init__(self, size: int = EXCHANGES) -> None:
        self._ring: deque[tuple[float, float, Hashable, bytes, bytes, str]] = deque(maxlen=size)

    def keep(
        self, began: float, ended: float, station: Hashable, request: bytes, received: bytes, verdict: str
    ) -> None:
        """Adds one (see Traced), forgetting the oldest where the ring is full."""
        self._ring.append((began, ended, station, request, received, verdict))

    def exchanges(self) -> tuple[Traced, ...]:
        """What is in the ring, oldest first."""
        return tuple(Traced(*each) for each in self._ring)
