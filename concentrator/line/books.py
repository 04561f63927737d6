"""The books of a line: what it knows of each station it asked, what it did, and its last exchanges."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from attrs import define, field

from concentrator.line.patience import FLOOR_S, NETWORK_FLOOR_S, Pace
from concentrator.line.statistics import Counters, Utilisation
from concentrator.line.trace import EXCHANGES, NETWORK_EXCHANGES, Trace
from concentrator.model.trouble import trouble_of

_NOTED_MAX = 16
_BURST_S = 0.02  # stray bytes further apart than this belong to different answers


@define(eq=False)
class Known:
    """What is known of one station: how fast it answers, and what was counted."""

    pace: Pace
    counters: Counters = field(factory=Counters)


@define(eq=False)
class Books:
    """What a line keeps. All moments are clock seconds; `is_timed`: whether characters take time on it.

    Exchanges are noted as they come and entered when somebody reads the books, or many are waiting: where a thousand
    lines take turns, each finds its books cold every time.
    """

    is_timed: bool
    _trace: Trace = field(init=False)
    _own: Counters = field(factory=Counters, init=False)
    _known: dict[Hashable, Known] = field(factory=dict, init=False)
    _used: Utilisation = field(factory=Utilisation, init=False)
    _strayed_at: float = field(default=0.0, init=False)
    _noted: list[tuple[Hashable, float, float, bytes, bytes, Exception | None, float]] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._trace = Trace(EXCHANGES if self.is_timed else NETWORK_EXCHANGES)

    def known(self, station: Hashable) -> Known:
        """What is known of a station; its counters are only right in `stations` and `counters_of`."""
        known = self._known.get(station)
        if known is None:
            known = self._known[station] = Known(Pace(FLOOR_S if self.is_timed else NETWORK_FLOOR_S))
        return known

    def opened(self, now: float) -> None:
        """The line is open."""
        self._enter()
        self._own.opened += 1
        self._used.begin(now)

    def exchanged(
        self,
        station: Hashable,
        began: float,
        ended: float,
        request: bytes,
        received: bytes,
        error: Exception | None,
        turnaround_s: float,
    ) -> None:
        """An exchange is over."""
        # A traceback would keep what it passed through.
        kept = None if error is None else error.with_traceback(None)
        self._noted.append((station, began, ended, request, received, kept, turnaround_s))
        if len(self._noted) >= _NOTED_MAX:
            self._enter()

    def strayed(self, now: float, length: int, debtor: Hashable | None) -> None:
        """So many bytes came that nobody waited for; `debtor` is the station that owed an answer, where it is the only
        one."""
        self._own.late += length
        if debtor is not None and now - self._strayed_at > _BURST_S:
            self._known[debtor].counters.late_answers += 1
        self._strayed_at = now

    def trace(self) -> Trace:
        """The last exchanges."""
        self._enter()
        return self._trace

    def counters(self) -> Counters:
        """What was counted, all stations together."""
        self._enter()
        return self._own.with_all(known.counters for known in self._known.values())

    def counters_of(self, station: Hashable) -> Counters:
        """What was counted of one station."""
        self._enter()
        return self.known(station).counters

    def stations(self) -> Mapping[Hashable, Counters]:
        """The counters of every station that was asked."""
        self._enter()
        return {station: known.counters for station, known in self._known.items()}

    def utilisation(self, now: float) -> float:
        """Which share of the last minute, or of the time since it was opened, the wire was used: 0 to 1."""
        self._enter()
        return self._used.share(now)

    def _enter(self) -> None:
        """Enters what was noted."""
        for station, began, ended, request, received, error, turnaround_s in self._noted:
            busy_s = ended - began
            self._known[station].counters.count(len(request), len(received), busy_s, error, turnaround_s)
            self._used.add(ended, busy_s)
            self._trace.keep(began, ended, station, request, received, trouble_of(error) if error else "")
        self._noted.clear()
