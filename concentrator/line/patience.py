"""How fast a station answers, learnt from its answers: how long its next one is waited for, and when it can be
complete. Pure: everything is in seconds and handed in.

Theory. The wait for the first byte follows the slowest answers: it takes twice as long as they did and a floor on top,
never longer than the ceiling. A slow answer raises it at once, fast ones let it sink by a sixteenth of the difference
each. A time-out means that this was wrong, or that the station has gone: the ceiling counts until enough answers have
come again.

The lead is the time from the end of a request to the beginning of its reply, as short as it was lately. It is only
known of replies that were watched as they came; of one that was complete when first looked at, it is only known that
it was not longer. So every sixteenth reply is watched, and sooner when the last ones kept us waiting. Replies of
different lengths may take a device different times to prepare; each length has its own lead.
"""

from __future__ import annotations

from collections import deque

FLOOR_S = 0.05
"""The least a first byte is waited for: what schedulers, USB adapters and a busy device may add without warning."""
NETWORK_FLOOR_S = 0.3
"""The same behind a network: a lost segment is sent again after 200 ms at the earliest (Linux, TCP_RTO_MIN)."""
_ENOUGH = 4  # answers that say something
_WATCHED_EVERY = 16
_MISSES = 3
_SEVERAL = 3
_SAME_S = 0.0005
_REMEMBERED = 8  # replies that were watched


class Lead:
    """How soon replies of one length begin. `is_from_start`: the next one is watched from the earliest moment on."""

    __slots__ = ("_hits", "_misses", "_samples", "_shortest_s", "is_from_start")

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=_REMEMBERED)
        self._shortest_s: float | None = None
        self.is_from_start = False
        self._hits = 0
        self._misses = 0

    def guess(self, default_s: float | None) -> float | None:
        """When the next reply begins, after the end of its request, `default_s` where this was not learnt; None
        where it should be watched."""
        if self._hits + self._misses >= _WATCHED_EVERY or self._misses >= _MISSES:
            return None
        return self.shortest_s(default_s)

    def shortest_s(self, default_s: float | None) -> float | None:
        """The shortest lead lately; `default_s`, where there is one, until several were seen, as a single one may have
        been seen late by a busy machine, and where it is as good as the same."""
        if self.is_from_start:
            return 0.0
        own_s = self._shortest_s
        if own_s is None or default_s is None:
            return default_s if own_s is None else own_s
        return default_s if len(self._samples) < _SEVERAL or 0 <= own_s - default_s < _SAME_S else own_s

    def watched(self, lead_s: float) -> None:
        """It was seen when a reply began."""
        self._samples.append(lead_s)
        self._shortest_s = min(self._samples)
        self.is_from_start = False
        self._hits = self._misses = 0

    def sooner(self) -> None:
        """A reply that was to be watched was there already: the next one is watched from the earliest moment on."""
        self._samples.clear()
        self.is_from_start = True
        self._hits = _WATCHED_EVERY

    def hit(self) -> None:
        """A reply was there when it was looked at first."""
        self._hits += 1

    def missed(self) -> None:
        """A reply was not there yet when it was looked at first."""
        self._misses += 1


class Pace:
    """What is known of one station."""

    __slots__ = ("_answers", "_leads", "_slowest_s", "floor_s")

    def __init__(self, floor_s: float = FLOOR_S) -> None:
        self.floor_s = floor_s
        self._slowest_s = 0.0
        self._answers = 0
        self._leads: dict[int, Lead] = {}

    def wait_s(self, ceiling_s: float) -> float:
        """How long the first byte of the next answer is waited for, at most the ceiling."""
        if self._answers < _ENOUGH:
            return ceiling_s
        return min(self.floor_s + 2 * self._slowest_s, ceiling_s)

    def answered(self, turnaround_s: float) -> None:
        """An answer began that long after its request."""
        if self._answers < _ENOUGH:
            self._answers += 1
        slowest_s = self._slowest_s
        if turnaround_s > slowest_s:
            self._slowest_s = turnaround_s
        else:
            self._slowest_s = slowest_s + (turnaround_s - slowest_s) / 16

    def timed_out(self) -> None:
        """Nothing came in time."""
        self._answers = 0

    def lead(self, length: int) -> Lead:
        """The lead of replies of that length."""
        lead = self._leads.get(length)
        if lead is None:
            lead = self._leads[length] = Lead()
        return lead
