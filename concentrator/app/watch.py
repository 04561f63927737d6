"""What those see of the box who watch over it: what happened last, what it takes of the machine, and whether it does
its work at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field

from concentrator.api import Happened, Wall
from concentrator.hub.hub import Hub

if TYPE_CHECKING:
    from concentrator.portal.metrics import Figures

KEPT = 50
"""How many of the newest events the stream of the API begins with."""


@define(eq=False)
class Watch:
    """Over a box that runs. `journal()` gives the journal's bytes and the last number given, None while it is not
    open, `services()` how each service stands by the kind of its sections; `news` hands out everything that happens."""

    _wall: Wall
    _uptime_s: Callable[[], float]
    _journal: Callable[[], tuple[int, int] | None]
    services: Callable[[], Mapping[str, Sequence[Any]]] = field(default=dict, init=False)
    news: Hub[Happened] = field(factory=lambda: Hub(lambda happened: happened.name), init=False)
    _happened: deque[Happened] = field(factory=lambda: deque(maxlen=KEPT), init=False)
    _number: int = field(default=0, init=False)

    def happened(self, name: str, facts: Mapping[str, object]) -> None:
        """Notes that something happened, and tells whoever wants to hear of it."""
        self._number += 1
        happened = Happened(self._number, self._wall.now(), name, dict(facts))
        self._happened.append(happened)
        self.news.publish(happened)

    def recent(self) -> Sequence[Happened]:
        """What happened last, oldest first."""
        return tuple(self._happened)

    def figures(self) -> Figures:
        """What is counted now."""
        from concentrator.portal.metrics import Figures
        from concentrator.system.process import usage

        taken, kept = usage(), self._journal() or (0, 0)
        began_at = round(self._wall.now() - self._uptime_s(), 1)
        return Figures(taken.cpu_s, taken.resident, taken.files, began_at, *kept, self.services())

    def ailing(self) -> str:
        """What keeps the box from its work; empty where nothing does. A line or a server that is away is none of the
        box's ailments."""
        return "" if self._journal() is not None else "the journal is not open"
