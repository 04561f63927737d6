"""What a line and its stations did, counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from attrs import define, fields_dict

from concentrator.model.errors import NoReply, Refused, WireError

WINDOW_S = 60.0
_STEP_S = 5.0


@define
class Counters:
    """What was counted since the line was made: `requests` sent, `answers` understood, `refusals` among them,
    `timeouts`, `garbled` and foreign answers, `late` or stray bytes, `late_answers` that came when nobody waited any
    more, `bytes_out`, `bytes_in`, `busy_s` seconds the wire was used, `opened` times the port was opened. All these
    only rise. Of the answers, `waited_s` is how long all took to begin after their requests, `turnaround_s` how long
    the last one took."""

    requests: int = 0
    answers: int = 0
    refusals: int = 0
    timeouts: int = 0
    garbled: int = 0
    late: int = 0
    late_answers: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    busy_s: float = 0.0
    opened: int = 0
    waited_s: float = 0.0
    turnaround_s: float = 0.0

    @property
    def turnaround_mean_s(self) -> float:
        """How long an answer took to begin, on average; 0 where there was none."""
        return self.waited_s / self.answers if self.answers else 0.0

    def count(
        self, sent: int, received: int, busy_s: float, error: Exception | None, turnaround_s: float = 0.0
    ) -> None:
        """Adds one exchange. One without an error that brought nothing wanted no answer."""
        self.requests += 1
        self.bytes_out += sent
        self.bytes_in += received
        self.busy_s += busy_s
        if (error is None and received) or isinstance(error, Refused):
            self.answers += 1
            self.refusals += error is not None
            self.waited_s += turnaround_s
            self.turnaround_s = turnaround_s
        elif isinstance(error, NoReply):
            self.timeouts += 1
        elif isinstance(error, WireError):
            self.garbled += 1

    def with_all(self, others: Iterable[Counters]) -> Counters:
        """The sum of these and others; the last turnaround is nobody's."""
        total = Counters()
        for each in (self, *others):
            for name in _NAMES:
                setattr(total, name, getattr(total, name) + getattr(each, name))
        total.turnaround_s = total.turnaround_mean_s
        return total

    def as_mapping(self) -> dict[str, float]:
        """The counters by name, and `turnaround_mean_s`."""
        return {name: getattr(self, name) for name in _NAMES} | {"turnaround_mean_s": self.turnaround_mean_s}


_NAMES = tuple(fields_dict(Counters))


class Utilisation:
    """Which share of the last minute something was in use. Its use is noted every few seconds, not every time."""

    __slots__ = ("_busy_s", "_next", "_noted")

    def __init__(self) -> None:
        self._busy_s = 0.0
        self._noted: deque[tuple[float, float]] = deque(maxlen=int(WINDOW_S / _STEP_S) + 2)
        self._next = 0.0

    def begin(self, now: float) -> None:
        """Counts from now on (clock seconds)."""
        self._noted.clear()
        self._next = now
        self.add(now, 0.0)

    def add(self, now: float, busy_s: float) -> None:
        """It was in use for so long, until about now."""
        if now >= self._next:
            self._noted.append((now, self._busy_s))
            self._next = now + _STEP_S
        self._busy_s += busy_s

    def share(self, now: float) -> float:
        """The share, 0 to 1, of the last minute or of the time since `begin`."""
        if not self._noted or now <= self._noted[0][0]:
            return 0.0
        since = now - WINDOW_S
        if self._noted[-1][0] + _STEP_S < since:
            return 0.0
        at, busy_s = self._noted[0]
        for moment, before_s in self._noted:
            if moment > since:
                break
            at, busy_s = moment, before_s
        return min(max((self._busy_s - busy_s) / (now - at), 0.0), 1.0)
