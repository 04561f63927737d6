"""M-Bus meters as stations: a meter describes itself, so that its profile grows with what it says. Hides how it is
asked (at its primary address, or selected by its secondary one), and that who it is comes with every telegram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, evolve

from concentrator.api import Taken
from concentrator.dialect.mbus_names import Named, named
from concentrator.model.errors import NotWritable, Refused, Unknown
from concentrator.model.profile import Block, DeviceProfile, Function, Point
from concentrator.model.reading import Value
from concentrator.model.words import hint
from concentrator.profile.mbus import M_BUS
from concentrator.wire.conversation import Conversation, LineSettings
from concentrator.wire.mbus_address import VERSION, parse_address
from concentrator.wire.mbus_record import BUSY, ERROR_CODE, Telegram
from concentrator.wire.mbus_talk import Place, read, wait_s
from concentrator.wire.mbus_units import MEDIA

_BUSY = 6  # as a poller knows it: asked again soon
_WHOLE = Block(Function.INPUT, 0, 0)
MOST_NAMES = 1000
"""Names that are kept of a meter; with more, only those that it says now: one that numbers its storages on and on has
no end of them."""


class MbusStation:
    """One meter. Its only block is all it says."""

    def __init__(self, profile: DeviceProfile, place: Place, wait: float) -> None:
        self._place = place
        self._wait_s = wait
        self._points: dict[str, Point] = {}
        self.profile = profile
        self.blocks: Sequence[Block] = (_WHOLE,)
        self.who: Sequence[Block] = ()

    def read(self, block: Block) -> Conversation[Taken]:
        """Reads all its telegrams, and so who it is: its secondary address is its serial."""
        return (yield from self.identify())

    def identify(self) -> Conversation[Taken]:
        """The same."""
        telegrams = yield from self._telegrams()
        found = named(telegrams)
        self._learn(found)
        values = {each.point.name: each.value for each in found if each.value is not None}
        # What is not recorded may be without a value for good: a due date that nobody has set.
        missing = tuple(each.point.name for each in found if each.value is None and each.point.recorded)
        address = telegrams[0].header.address
        if address is None:
            return Taken(values, missing)
        model = f"{address.manufacturer} {MEDIA.get(address.medium, 'medium')}, version {address.raw[VERSION]:02X}"
        return Taken({"serial": address.as_serial, "model": model, **values}, missing, tells_who=True)

    def refused(self, block: Block, code: int) -> Sequence[Block]:
        """There is nothing smaller to ask for."""
        return (block,)

    def write(self, name: str, value: Value) -> Conversation[None]:
        """Raises Unknown or NotWritable: what meters say cannot be written."""
        self._known(name)
        raise NotWritable(f"{name}: a value of an M-Bus meter")

    def read_point(self, name: str) -> Conversation[Value]:
        """Reads the meter for one variable. Raises Unknown where it has not told one of that name."""
        self._known(name)
        return self._read_point(name)

    def _read_point(self, name: str) -> Conversation[Value]:
        taken = yield from self.identify()
        if name not in taken.values:
            raise Unknown(f"{name}: the meter has no value for it now")
        return taken.values[name]

    def as_read(self, name: str, value: Value) -> Value:
        """Raises like `write`."""
        self._known(name)
        raise NotWritable(f"{name}: a value of an M-Bus meter")

    def lost(self) -> None:
        """Nothing is kept between two sessions."""

    def _telegrams(self) -> Conversation[tuple[Telegram, ...]]:
        try:
            return (yield from read(self._place, self._wait_s))
        except Refused as error:
            if error.code == ERROR_CODE + BUSY:
                raise Refused(_BUSY, error.detail, error.received) from error
            raise

    def _learn(self, found: Sequence[Named]) -> None:
        """Takes up what it says; what it said once stays, for it may say it again, until it is too much. Steps and kind
        are those of values: one that is missing this time changes nothing."""
        told = {each.point.name: each.point for each in found}
        empty = [each.point.name for each in found if each.value is None]
        known = self._points | told | {name: self._points[name] for name in empty if name in self._points}
        if len(known) > MOST_NAMES:
            known = {name: known[name] for name in told}
        if known != self._points:
            former, self._points = self._points, known
            who = (point for point in self.profile.points if point.name not in known and point.name not in former)
            self.profile = evolve(self.profile, points=(*who, *known.values()))

    def _known(self, name: str) -> None:
        if self.profile.point(name) is None:
            names = [point.name for point in self.profile.points]
            raise Unknown(f"{name}{hint(name, names)}")


@define(eq=False)
class MbusDialect:
    """M-Bus, on a serial line or through a transparent converter."""

    name: str = M_BUS

    def station(self, profile: DeviceProfile, address: int, parameters: Mapping[str, object]) -> MbusStation:
        """The meter at a primary address, or the one that is selected: `parameters["selected"]`, its secondary address
        as text, empty for none. `parameters["settings"]`: the LineSettings of a serial line."""
        selected, settings = parameters.get("selected"), parameters.get("settings")
        place = Place(address, parse_address(selected) if isinstance(selected, str) and selected else None)
        return MbusStation(profile, place, wait_s(settings if isinstance(settings, LineSettings) else None))
