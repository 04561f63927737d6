"""What goes into the journal, and what waits for it: the field speaks before the journal is open."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field
from twisted.logger import Logger

from concentrator.app.clocks import MachineStart
from concentrator.model.reading import Reading
from concentrator.model.record import Draft

if TYPE_CHECKING:
    from concentrator.app.past import Past

EARLY_MOST = 2000
"""How many readings, and how many events, wait for the journal at most: the newest."""

log = Logger()


@define(eq=False)
class Keeping:
    """Readings and events on their way to the journal. `past` is None until it is open."""

    _boot: MachineStart
    past: Past | None = field(default=None, init=False)
    _readings: deque[Reading] = field(factory=lambda: deque(maxlen=EARLY_MOST), init=False)
    _events: deque[tuple[Draft, float]] = field(factory=lambda: deque(maxlen=EARLY_MOST), init=False)

    def reading_received(self, reading: Reading) -> None:
        """Keeps a reading."""
        if self.past is None:
            self._readings.append(reading)
        else:
            self.past.reading_received(reading)

    def event_happened(self, draft: Draft) -> None:
        """Keeps an event of now."""
        if self.past is None:
            self._events.append((draft, self._boot.seconds()))
        else:
            self._keep(self.past, draft, self._boot.seconds())

    def begin(self, past: Past) -> None:
        """The journal is open: it gets what waited, and everything from now on."""
        self.past = past
        for draft, at in self._events:
            self._keep(past, draft, at)
        for reading in self._readings:
            past.reading_received(reading)
        self._events.clear()
        self._readings.clear()

    def _keep(self, past: Past, draft: Draft, at: float) -> None:
        kept = past.event_happened(draft, at)
        kept.addErrback(lambda failure: log.failure("an event was lost", failure))
