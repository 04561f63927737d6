"""Results that come in parts, for what is too long to be in memory at once: whoever carries such a result away asks for
the next part when the one before has gone."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from twisted.internet.defer import Deferred


@runtime_checkable
class Parts(Protocol):
    """A result in parts, each of which says what it says without the others."""

    def next_part(self) -> Deferred[object | None]:
        """The next part, as JSON can carry it; None when there is none left. To be asked one at a time."""
