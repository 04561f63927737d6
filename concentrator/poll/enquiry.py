"""Questions to whoever is at a Modbus ID: whether anybody is, and which profiles' marks it has. Hides that every
question is a turn of its own, so that others on the line go on between two of them; that what is no answer may be the
late one of the station before; and that a register which several profiles look at is read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, succeed

from concentrator.model.errors import NoReply, Refused, WireError
from concentrator.model.profile import Block, DeviceProfile, Function, Point
from concentrator.model.reading import Value
from concentrator.profile.decode import compile_block
from concentrator.profile.recognise import is_match, marks
from concentrator.wire.conversation import Conversation, Transaction
from concentrator.wire.modbus import READ_CODE, Request, read

TIMEOUT_S = 0.15
"""How long an answer may take to begin; a CcM begins within 10 ms, most meters within 100."""
PROBES = (Function.HOLDING, Function.INPUT)
"""What is tried to see whether anybody is there: some devices know only one of the two functions."""
BEHIND_GATEWAY = (10, 11)
"""The exceptions by which a gateway says that nobody answers behind it (Modbus Application Protocol V1.1b3, 7)."""

Run = Callable[[int | str, Conversation[Any]], Deferred[Any]]
"""`run(unit, conversation)`: holds the wire for a conversation with a Modbus ID, or whatever else the line tells its
stations by, when its turn comes."""
Framing = Callable[[int, Request, float, float], Transaction]
"""`framing(unit, request, wait_s, quiet_s)` gives the transaction."""


@frozen
class Sign:
    """A sign of life: how a device `answered`, in words, and why that is not quite understood, if so."""

    answered: str
    trouble: str = ""


@define(eq=False)
class Enquiry:
    """Asks stations of one line. `rest` is called after every turn and fires when the next may begin."""

    run: Run
    framing: Framing
    timeout_s: float = TIMEOUT_S
    rest: Callable[[], Deferred[None]] = lambda: succeed(None)

    async def sign(self, unit: int, function: Function) -> Sign | None:
        """How a unit answers to a read of its first register; None when it does not."""
        trouble = ""
        for _ in range(2):  # what is no answer may be the late one of the unit before
            try:
                await self.read(unit, function, 0, 1)
            except Refused as refusal:
                if refusal.code in BEHIND_GATEWAY:
                    return None
                return Sign(f"exception {refusal.code} to {in_words(function)}")
            except WireError as error:
                trouble = str(error)
            except NoReply:
                return None
            else:
                return Sign(in_words(function))
        return Sign(in_words(function), trouble)

    async def read(self, unit: int, function: Function, address: int, count: int) -> bytes:
        """The contents of registers; raises what the device and the line fail with, here and below."""
        data: bytes = await self.turn(unit, self._asking(unit, read(function, address, count)))
        return data

    async def turn(self, unit: int | str, conversation: Conversation[Any]) -> Any:
        """Holds the wire for a conversation, rests, and gives its result."""
        try:
            answer = await self.run(unit, conversation)
        except (WireError, NoReply):
            await self.rest()
            raise
        await self.rest()
        return answer

    def _asking(self, unit: int, request: Request) -> Conversation[bytes]:
        data: bytes = yield evolve(self.framing(unit, request, self.timeout_s, 0.0), is_patient=True)
        return data


@define(eq=False)
class Testimony:
    """What one unit says at the marks of profiles."""

    enquiry: Enquiry
    unit: int
    _answers: dict[tuple[Function, int, int], bytes | None] = field(factory=dict, init=False)

    async def fits(self, profile: DeviceProfile) -> bool:
        """Whether the unit has all the marks of a profile; False for one without any."""
        points = marks(profile)
        for point in points:
            if not is_match(point, await self._value(point)):
                return False
        return bool(points)

    async def _value(self, point: Point) -> Value | None:
        place = (point.function, point.address, point.count)
        if place not in self._answers:
            try:
                self._answers[place] = await self.enquiry.read(self.unit, *place)
            except (WireError, NoReply):
                self._answers[place] = None
        data = self._answers[place]
        if data is None:
            return None
        return compile_block(Block(*place, (point,)))(data).get(point.name)


def in_words(function: Function) -> str:
    """The function that reads a table, as people know it."""
    return f"function 0{READ_CODE[function]}"


def said(profile: DeviceProfile, name: str, values: Mapping[str, Value]) -> str:
    """What a device said of itself by that name, in the profile's words; empty where it said nothing."""
    value, point = values.get(name, ""), profile.point(name)
    return point.enum.get(value, str(value)) if point is not None and isinstance(value, int) else str(value)
