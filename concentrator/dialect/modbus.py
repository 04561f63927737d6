"""Modbus stations: reads the blocks of a profile, keeps the register images and decodes from it. Hides the framing of
the line, which blocks tell who a device is, and that stations of one profile share its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from concentrator.api import Taken
from concentrator.dialect.holes import parts
from concentrator.dialect.image import RegisterImage
from concentrator.dialect.single_point import SinglePoint, single_point
from concentrator.model.errors import CommandError, NoReply, NotWritable, Refused, WireError
from concentrator.model.profile import SUNSPEC, Block, DeviceProfile, Function
from concentrator.model.reading import Value
from concentrator.profile.decode import Decoder, compile_block
from concentrator.profile.plan import plan_blocks, plan_identity, together, worthwhile_hole
from concentrator.profile.secondary import secondary_number, secondary_profile
from concentrator.wire.conversation import Conversation, LineSettings, Transaction
from concentrator.wire.modbus import Request, mbap, mbap_together, read, rtu

if TYPE_CHECKING:
    from concentrator.dialect.sunspec import SunSpecStation

ILLEGAL_ADDRESS = 2
"""The exception code for registers that a device does not have (Modbus Application Protocol V1.1b3, 7)."""

_NOT_THERE = (1, 2, 3)  # Modbus Application Protocol V1.1b3, 7: illegal function, address, value
_CUT_WHERE = (2, 3)

Framing = Callable[[int, Request, float, float], Transaction]
"""`framing(unit, request, wait_s, quiet_s)` gives the transaction."""


class Numbered:
    """The framing of Modbus TCP, of one station: requests have numbers, so that several may be on their way."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, unit: int, request: Request, wait_s: float, quiet_s: float) -> Transaction:
        """One request."""
        return mbap(unit, request, next(self._numbers) & 0xFFFF, wait_s, quiet_s)

    def together(self, unit: int, requests: Sequence[Request], wait_s: float, quiet_s: float) -> Transaction:
        """Several requests at once; the reply is the tuple of theirs."""
        return mbap_together(unit, requests, [next(self._numbers) & 0xFFFF for _ in requests], wait_s, quiet_s)


class Plan:
    """How the devices of one profile are read on one kind of line: the reads of the cycle (`blocks`), those that tell
    who a device is (`who`), and what is made of them once for all: requests, decoders, parts."""

    def __init__(self, profile: DeviceProfile, hole: int | None, in_flight: int = 1) -> None:
        self.profile = profile
        self.in_flight = in_flight
        self.who = plan_identity(profile, hole)
        self.blocks = together(
            [block for block in plan_blocks(profile, hole) if block not in self.who and not _tells_who(block)],
            in_flight,
        )
        self._requests: dict[Block, Request] = {}
        self._decoders: dict[Block, Decoder] = {}
        self._parts: dict[Block, tuple[Block, ...]] = {}
        self._singles: dict[str, SinglePoint] = {}

    def single(self, name: str) -> SinglePoint:
        """A point by itself; raises Unknown where the profile has none of that name."""
        if name not in self._singles:
            self._singles[name] = single_point(self.profile, name)
        return self._singles[name]

    def request(self, block: Block) -> Request:
        """What is sent to read a block."""
        request = self._requests.get(block)
        if request is None:
            request = self._requests[block] = read(block.function, block.address, block.count)
        return request

    def decode(self, block: Block, data: bytes, image: RegisterImage) -> Mapping[str, Value]:
        """The values in a block's bytes."""
        decoder = self._decoders.get(block)
        if decoder is None:
            decoder = self._decoders[block] = compile_block(block)
        return decoder(data, image.register)

    def parts(self, block: Block) -> tuple[Block, ...]:
        """What to read where a device refuses a block."""
        if block.parts:
            return block.parts
        cut = self._parts.get(block)
        if cut is None:
            cut = self._parts[block] = parts(block, _factors(self.profile, block.function, block.unit_id))
        return cut


class ModbusStation:
    """One device behind a Modbus ID."""

    def __init__(self, plan: Plan, unit: int, framing: Framing, seconds: Callable[[], float] = lambda: 0.0) -> None:
        self._plan = plan
        self._unit = unit
        self._framing = framing
        self._seconds = seconds
        self._images: dict[int, RegisterImage] = {}
        self._asked: dict[Block, Transaction] = {}
        self.profile = plan.profile
        self.blocks: Sequence[Block] = plan.blocks
        self.who: Sequence[Block] = plan.who

    def image(self, unit: int) -> RegisterImage:
        """What was read last of a Modbus ID: the station's own, or another its profile reads with it."""
        image = self._images.get(unit)
        if image is None:
            image = self._images[unit] = RegisterImage(self._seconds)
        return image

    def read(self, block: Block) -> Conversation[Taken]:
        """Reads one block and decodes its points."""
        unit = self._unit if block.unit_id is None else block.unit_id
        if block.parts:
            values = yield from self._read_parts(block, unit)
        else:
            reply = yield self._transaction(block, unit)
            image = self.image(unit)
            image.store(block.function, block.address, block.count, reply)
            values = self._plan.decode(block, reply, image)
        if len(values) == len(block.points):
            return Taken(values)
        return Taken(values, tuple(point.name for point in block.points if point.name not in values))

    def _read_parts(self, block: Block, unit: int) -> Conversation[Mapping[str, Value]]:
        """Reads the parts of a block, at once where the device bears that, and decodes when all are there: the scale
        factor of one may lie in another."""
        if len(block.parts) <= self._plan.in_flight:
            replies = yield self._transaction(block, unit)
        else:
            replies = []
            for part in block.parts:
                replies.append((yield self._transaction(part, unit)))
        image, values = self.image(unit), dict[str, Value]()
        for part, data in zip(block.parts, replies, strict=True):
            image.store(part.function, part.address, part.count, data)
        for part, data in zip(block.parts, replies, strict=True):
            values.update(self._plan.decode(part, data, image))
        return values

    def refused(self, block: Block, code: int) -> Sequence[Block]:
        """What to read in place of a block that was refused with that exception code: parts of it, where the
        device may know some of its registers; one after the other, what was asked for at once."""
        if block not in self.blocks or not (block.parts or code in _CUT_WHERE):
            return (block,)
        cut = self._plan.parts(block)
        place = self.blocks.index(block)
        self.blocks = (*self.blocks[:place], *cut, *self.blocks[place + 1 :])
        return cut

    def identify(self) -> Conversation[Taken]:
        """Reads the blocks that tell who the device is, as far as it knows them, in parts where it refuses them whole;
        where it has none, its first one, so that it is known to be there."""
        values: dict[str, Value] = {}
        missing: list[str] = []
        waiting = list(self.who or self.blocks[:1])
        refusals, is_known = [], False
        while waiting:
            block = waiting.pop(0)
            try:
                taken = yield from self.read(block)
            except Refused as error:
                if error.code not in _NOT_THERE:
                    raise
                if pieces := self._pieces_of_who(block, error.code):
                    waiting[:0] = pieces
                    continue
                refusals.append(error)
                missing.extend(point.name for point in block.points)
            else:
                is_known = True
                values.update(taken.values)
                missing.extend(taken.missing)
        if refusals and not is_known:
            raise refusals[0]
        return Taken(values, tuple(missing))

    def _pieces_of_who(self, block: Block, code: int) -> Sequence[Block]:
        """What to read from now on in place of a block that tells who the device is; nothing where there is nothing
        smaller."""
        if block not in self.who:
            pieces = self.refused(block, code)
        else:
            pieces = self._plan.parts(block) if code in _CUT_WHERE else (block,)
            place = self.who.index(block)
            self.who = (*self.who[:place], *pieces, *self.who[place + 1 :])
        return () if tuple(pieces) == (block,) else pieces

    def _transaction(self, block: Block, unit: int) -> Transaction:
        """The transaction that reads a block; where requests are not numbered, always the same."""
        transaction = self._asked.get(block)
        if transaction is None:
            traits, framing = self._plan.profile.traits, self._framing
            if block.parts and isinstance(framing, Numbered):
                requests = [self._plan.request(part) for part in block.parts]
                return framing.together(unit, requests, traits.answer_s, traits.pause_s)
            transaction = framing(unit, self._plan.request(block), traits.answer_s, traits.pause_s)
            if framing is rtu:
                self._asked[block] = transaction
        return transaction

    def write(self, name: str, value: Value) -> Conversation[None]:
        """Writes one variable by one request, which is sent once; what it depends on is read first. Raises Unknown,
        NotWritable or OutOfRange, all before anything is written."""
        single = self._plan.single(name)
        single.check(value)
        return self._write(single, value)

    def _write(self, single: SinglePoint, value: Value) -> Conversation[None]:
        point, traits = single.point, self._plan.profile.traits
        for block in single.before_writing:
            try:
                yield from self.read(block)
            except (WireError, NoReply) as error:
                raise NotWritable(f"{point.name}, as register {block.address} could not be read: {error}") from error
        unit = self._unit if point.unit_id is None else point.unit_id
        request = single.request(value, self.image(unit).register)
        # Storing takes longer than reading: what was learnt from reads says nothing about it.
        yield evolve(self._framing(unit, request, traits.answer_s, traits.pause_s), is_patient=True)

    def read_point(self, name: str) -> Conversation[Value]:
        """Reads one variable by itself. Raises Unknown where the profile has none of that name, CommandError where the
        device has no value for it now."""
        return self._read_point(self._plan.single(name))

    def _read_point(self, single: SinglePoint) -> Conversation[Value]:
        if single.factor is not None:
            yield from self.read(single.factor)
        taken = yield from self.read(single.block)
        if taken.missing:
            raise CommandError(f"{single.point.name} has no value now, says the device")
        return taken.values[single.point.name]

    def as_read(self, name: str, value: Value) -> Value:
        """What reading the variable gives once the value is there: rounded to its steps, an enum's number. Raises
        Unknown and OutOfRange, and NotWritable before it was written or read."""
        single = self._plan.single(name)
        image = self.image(self._unit if single.point.unit_id is None else single.point.unit_id)
        return self._plan.decode(single.block, single.content(value, image.register), image)[name]

    def ask(self, request: Request, wait_s: float | None = None) -> Conversation[Any]:
        """One request of anybody's making, sent once; `wait_s`: how long its answer may take to begin, in seconds,
        where that is not as long as the device's answers may take."""
        traits = self._plan.profile.traits
        wait_s = traits.answer_s if wait_s is None else wait_s
        return (yield evolve(self._framing(self._unit, request, wait_s, traits.pause_s), is_patient=True))

    def lost(self) -> None:
        """Modbus keeps nothing between two requests; what was read is old now."""
        self._images.clear()


class SecondaryStation(ModbusStation):
    """One meter behind another, which answers for it at its own Modbus ID. What a principal does not know of is not
    there: it is silent, not refused."""

    def __init__(
        self, plan: Plan, unit: int, framing: Framing, number: int, seconds: Callable[[], float] = lambda: 0.0
    ) -> None:
        super().__init__(plan, unit, framing, seconds)
        self._number = number

    def read(self, block: Block) -> Conversation[Taken]:
        """Reads one block; raises NoReply where the principal has no such secondary."""
        try:
            return (yield from super().read(block))
        except Refused as refusal:
            if refusal.code != ILLEGAL_ADDRESS:
                raise
            raise NoReply(self._absence()) from refusal

    def identify(self) -> Conversation[Taken]:
        """Reads who it is; raises NoReply where nobody is entered at its place."""
        taken = yield from super().identify()
        if "serial" not in taken.values:
            raise NoReply(self._absence())
        return taken

    def _absence(self) -> str:
        return f"the principal with ID {self._unit} lists no secondary {self._number}"


def _factors(profile: DeviceProfile, function: Function, unit_id: int | None) -> frozenset[int]:
    """The addresses that are read for the sake of others: scale factors, and what tells which commands there are."""
    places = {one.sf_address for one in profile.points if (one.function, one.unit_id) == (function, unit_id)}
    if function is Function.HOLDING and unit_id is None:
        places |= {command.support_register for command in profile.commands}
    return frozenset(address for address in places if address is not None)


def _tells_who(block: Block) -> bool:
    return bool(block.points) and all(point.identifies for point in block.points)


@define(eq=False)
class ModbusDialect:
    """Modbus in one of its framings: `modbus-rtu` (also through transparent converters) or `modbus-tcp`."""

    name: str
    _plans: dict[tuple[str, int | None], Plan] = field(factory=dict, init=False)

    def station(
        self, profile: DeviceProfile, address: int, parameters: Mapping[str, object]
    ) -> ModbusStation | SunSpecStation:
        """The station at a Modbus ID. `parameters["settings"]`: the LineSettings of a serial line, by which the
        widest hole worth reading over is chosen; `parameters["secondary"]`: n, for the n-th secondary of the principal
        at that ID, whose profile is the given one (see `profile.secondary`); `parameters["seconds"]`: the clock by
        which what was read has its age."""
        if profile.dialect == SUNSPEC:
            from concentrator.dialect.sunspec import SunSpecStation

            return SunSpecStation(profile, address, self.framing())
        secondary = parameters.get("secondary")
        if isinstance(secondary, int):
            profile = secondary_profile(profile, secondary)
        settings = parameters.get("settings")
        hole = worthwhile_hole(settings) if isinstance(settings, LineSettings) else None
        plan = self._plans.get((profile.key, hole))
        if plan is None or plan.profile != profile:  # its file may have been written anew since
            in_flight = profile.traits.in_flight if self.name == "modbus-tcp" else 1
            plan = self._plans[profile.key, hole] = Plan(profile, hole, in_flight)
        number = secondary_number(profile)
        seconds: Any = parameters.get("seconds", lambda: 0.0)
        if number is not None:
            return SecondaryStation(plan, address, self.framing(), number, seconds)
        return ModbusStation(plan, address, self.framing(), seconds)

    def framing(self) -> Framing:
        """How the requests of one station are framed."""
        return Numbered() if self.name == "modbus-tcp" else rtu


def dialects() -> dict[str, ModbusDialect]:
    """The dialects of this version, by protocol name."""
    return {name: ModbusDialect(name) for name in ("modbus-rtu", "modbus-tcp")}
