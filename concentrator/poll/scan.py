"""Looking for whoever answers on a line: every Modbus ID is asked for one register, and who answers is asked who it is.
Hides the order (all IDs by function 03, then the silent ones by function 04, for some devices have only one of them),
that every request is a turn of its own, so that others on the line go on between two of them, and how a device is
recognised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import asdict, define, evolve, field, frozen
from twisted.internet.defer import Deferred, succeed

from concentrator.api import Station, Taken
from concentrator.model.errors import NoReply, Refused, WireError
from concentrator.model.profile import Block, DeviceProfile, Function, Point
from concentrator.model.reading import Value
from concentrator.profile.decode import compile_block
from concentrator.profile.recognise import is_match, marks
from concentrator.wire.conversation import Conversation, Transaction
from concentrator.wire.modbus import READ_CODE, Request, read

TIMEOUT_S = 0.15
"""How long an answer may take to begin; a CcM begins within 10 ms, most meters within 100."""

Run = Callable[[int, Conversation[Any]], Deferred[Any]]
"""`run(unit, conversation)`: holds the wire for a conversation with a Modbus ID, when its turn comes."""
Framing = Callable[[int, Request, float, float], Transaction]
"""`framing(unit, request, wait_s, quiet_s)` gives the transaction."""

_PROBES = (Function.HOLDING, Function.INPUT)
_Answers = dict[tuple[Function, int, int], bytes | None]


@frozen
class Found:
    """Whoever is at a Modbus ID: how it `answered`, in words; the keys of the `profiles` that it fits; what it says of
    itself; the device of the configuration that it is `known` as; why it is not quite understood, if so."""

    unit: int
    answered: str = ""
    profiles: tuple[str, ...] = ()
    serial: str = ""
    model: str = ""
    firmware: str = ""
    known: str = ""
    trouble: str = ""

    def as_json(self) -> dict[str, object]:
        """The same as JSON carries it."""
        return asdict(self) | {"profiles": list(self.profiles)}


Told = Callable[[float, str, Sequence[Found]], None]
"""`told(done, text, found)`: how far it is (0 … 1), what it is at, and what was found so far."""


@define(eq=False)
class Scan:
    """One look over Modbus IDs of a line. `station` gives what reads a device of a profile; `profiles` are those that
    one may be of; `there`: who is known to be at an ID and need not be asked; `rest` is called after every turn and
    fires when the next may begin."""

    run: Run
    framing: Framing
    station: Callable[[DeviceProfile, int], Station]
    profiles: Sequence[DeviceProfile]
    told: Told
    there: Sequence[Found] = ()
    timeout_s: float = TIMEOUT_S
    rest: Callable[[], Deferred[None]] = lambda: succeed(None)
    _found: dict[int, Found] = field(factory=dict, init=False)

    def over(self, units: Iterable[int]) -> Deferred[list[Found]]:
        """Asks every unit; fires with all that were found, by ID. Fails with LineLost where the line is lost, with
        Cancelled when it is cancelled; what was found until then was told."""
        self._found = {found.unit: found for found in self.there}
        return Deferred.fromCoroutine(self._over([unit for unit in units if unit not in self._found]))

    async def _over(self, units: Sequence[int]) -> list[Found]:
        silent = list(units)
        for part, function in enumerate(_PROBES):
            asked, silent = silent, []
            for place, unit in enumerate(asked):
                self._tell((part + place / len(asked)) / len(_PROBES), f"{_words(function)}, ID {unit}")
                found = await self._probe(unit, function)
                if found is None:
                    silent.append(unit)
                else:
                    self._found[unit] = await self._identified(found)
        self._tell(1.0, "all IDs were asked")
        return self._all()

    async def _probe(self, unit: int, function: Function) -> Found | None:
        """How a unit answers to a read of its first register; None when it does not."""
        trouble = ""
        for _ in range(2):  # what is no answer may be the late one of the unit before
            try:
                await self._read(unit, function, 0, 1)
            except Refused as refusal:
                return Found(unit, f"exception {refusal.code} to {_words(function)}")
            except WireError as error:
                trouble = str(error)
            except NoReply:
                return None
            else:
                return Found(unit, _words(function))
        return Found(unit, _words(function), trouble=trouble)

    async def _identified(self, found: Found) -> Found:
        """The same with the profiles that it fits, and what the first of these reads of it."""
        if found.trouble:
            return found
        answers: _Answers = {}
        fitting = [profile for profile in self.profiles if await self._is_of(profile, found.unit, answers)]
        if not fitting:
            return found
        found = evolve(found, profiles=tuple(profile.key for profile in fitting))
        try:
            taken: Taken = await self._turn(found.unit, self.station(fitting[0], found.unit).identify())
        except (WireError, NoReply) as error:
            return evolve(found, trouble=str(error))
        serial, model, firmware = (_said(fitting[0], name, taken.values) for name in ("serial", "model", "firmware"))
        return evolve(found, serial=serial, model=model, firmware=firmware)

    async def _is_of(self, profile: DeviceProfile, unit: int, answers: _Answers) -> bool:
        """Whether a unit has all the marks of a profile; `answers` are what it said at marks so far, so that those
        that several profiles have are read once."""
        points = marks(profile)
        for point in points:
            place = (point.function, point.address, point.count)
            if place not in answers:
                try:
                    answers[place] = await self._read(unit, *place)
                except (WireError, NoReply):
                    answers[place] = None
            if not is_match(point, _value(point, answers[place])):
                return False
        return bool(points)

    async def _read(self, unit: int, function: Function, address: int, count: int) -> bytes:
        data: bytes = await self._turn(unit, self._asking(unit, read(function, address, count)))
        return data

    def _asking(self, unit: int, request: Request) -> Conversation[bytes]:
        data: bytes = yield evolve(self.framing(unit, request, self.timeout_s, 0.0), is_patient=True)
        return data

    async def _turn(self, unit: int, conversation: Conversation[Any]) -> Any:
        try:
            answer = await self.run(unit, conversation)
        except (WireError, NoReply):
            await self.rest()
            raise
        await self.rest()
        return answer

    def _tell(self, done: float, text: str) -> None:
        self.told(done, text, self._all())

    def _all(self) -> list[Found]:
        return [found for _, found in sorted(self._found.items())]


def _words(function: Function) -> str:
    return f"function 0{READ_CODE[function]}"


def _value(point: Point, data: bytes | None) -> Value | None:
    if data is None:
        return None
    return compile_block(Block(point.function, point.address, point.count, (point,)))(data).get(point.name)


def _said(profile: DeviceProfile, name: str, values: Mapping[str, Value]) -> str:
    """A value in the profile's words for it; empty where it was not said."""
    value, point = values.get(name, ""), profile.point(name)
    return point.enum.get(value, str(value)) if point is not None and isinstance(value, int) else str(value)
