"""Orders to controllers over the field: who is at the end of which line. What carries them out is loaded with the first
one, for most boxes have no genset."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import Deferred

from concentrator.api import Report, Wall
from concentrator.app.field import Field
from concentrator.model.errors import Unknown
from concentrator.model.words import hint

if TYPE_CHECKING:
    from concentrator.poll.controller import Road
    from concentrator.poll.orders import Orders


@define(eq=False, repr=False)
class Ordering:
    """The orders of a box. `inhibited` says why none is taken now, empty where they are. Every method raises Unknown
    for a device that is not there."""

    _field: Field
    _wall: Wall
    _report: Report
    _inhibited: Callable[[], str]
    _orders: Orders | None = field(default=None, init=False)

    def command(self, uid: str, name: str, by: str) -> Deferred[Any]:
        """Gives a command to a controller; see Orders, here and below."""
        return self._made().command(self._road(uid), name, by)

    def raw(self, uid: str, frame: bytes, by: str) -> Deferred[Any]:
        """Sends somebody's request to a controller."""
        return self._made().raw(self._road(uid), frame, by)

    def _made(self) -> Orders:
        if self._orders is None:
            from concentrator.poll.orders import Orders

            self._orders = Orders(self._wall, self._field.hub.publish, self._report, self._inhibited)
        return self._orders

    def _road(self, uid: str) -> Road:
        from concentrator.poll.controller import Road

        known = self._field.known().get(uid)
        if known is None:
            raise Unknown(f"device {uid}{hint(uid, self._field.known())}")
        wire = self._field.wires()[known.device.line]
        return Road(
            known.device,
            known.station,
            wire.line,
            suspended=lambda: wire.poller.suspended,
            conflict=lambda: known.polled.conflict,
        )
