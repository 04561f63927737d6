"""How fast a backlog goes out: so many records a second at most, in batches no larger than the link swallows within
about a second. Pure; the caller measures and waits.

A batch that takes longer than the quickest one did queues somewhere on the way, and whatever is sent after it queues
behind it: then the next batch is half as large. A long way alone, where even one record takes its time, is no queue.
"""

from __future__ import annotations

BATCHES_PER_S = 5
QUEUE_S = 1.0
"""How long a batch may queue on the way, in seconds."""

_FIRST = 4


class Pace:
    """The pace of a backlog, at most `rate` records a second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1, round(rate / BATCHES_PER_S))
        self._size = min(_FIRST, self._most)
        self._quickest_s = float("inf")

    def limit(self) -> int:
        """How many records the next batch may have."""
        return self._size

    def pause_s(self, records: int, took_s: float) -> float:
        """How long to wait after a batch of so many records, which took so long."""
        self._quickest_s = took_s if self._size == 1 else min(took_s, self._quickest_s)
        queued_s = took_s - self._quickest_s
        if queued_s > QUEUE_S:
            self._size = max(1, self._size // 2)
        elif queued_s < QUEUE_S / 2:
            self._size = min(self._most, 2 * self._size)
        return max(0.0, records / self._rate - took_s)
