"""Modbus stations: reads the blocks of a profile, keeps the register images and decodes from it. Hides the framing of
the line, which blocks tell who a device is, and that stations of one profile share its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count

from attrs import define, field

from concentrator.api import Taken
from concentrator.dialect.image import RegisterImage
from concentrator.model.profile import Block, DeviceProfile
from concentrator.model.reading import Value
from concentrator.profile.decode import Decoder, compile_block
from concentrator.profile.plan import plan_blocks, plan_identity, worthwhile_hole
from concentrator.wire.conversation import Conversation, LineSettings, Transaction
from concentrator.wire.modbus import Request, mbap, read, rtu

Framing = Callable[[int, Request, float, float], Transaction]
"""`framing(unit, request, wait_s, quiet_s)` gives the transaction."""


class Plan:
    """How the devices of one profile are read on one kind of line: the reads of the cycle (`blocks`), those that tell
    who a device is (`who`), and their decoders, compiled when first needed."""

    def __init__(self, profile: DeviceProfile, hole: int | None) -> None:
        self.profile = profile
        self.who = plan_identity(profile)
        self.blocks = tuple(block for block in plan_blocks(profile, hole) if not _tells_who(block))
        self._decoders: dict[int, Decoder] = {}

    def decode(self, block: Block, data: bytes, image: RegisterImage) -> Mapping[str, Value]:
        """The values in a block's bytes."""
        decoder = self._decoders.get(id(block))
        if decoder is None:
            decoder = self._decoders[id(block)] = compile_block(block)
        return decoder(data, image.register)


class ModbusStation:
    """One device behind a Modbus ID."""

    def __init__(self, plan: Plan, unit: int, framing: Framing) -> None:
        self._plan = plan
        self._unit = unit
        self._framing = framing
        self._images: dict[int, RegisterImage] = {}
        self.blocks: Sequence[Block] = plan.blocks

    def image(self, unit: int) -> RegisterImage:
        """What was read last of a Modbus ID: the station's own, or another its profile reads with it."""
        return self._images.setdefault(unit, RegisterImage())

    def read(self, block: Block) -> Conversation[Taken]:
        """Reads one block and decodes its points."""
        unit = self._unit if block.unit_id is None else block.unit_id
        request = read(block.function, block.address, block.count)
        traits = self._plan.profile.traits
        data = yield self._framing(unit, request, traits.answer_s, traits.pause_s)
        image = self.image(unit)
        image.store(block.function, block.address, block.count, data)
        values = self._plan.decode(block, data, image)
        return Taken(values, tuple(point.name for point in block.points if point.name not in values))

    def identify(self) -> Conversation[Taken]:
        """Reads the blocks that tell who the device is; where it has none, its first one, so that it is known to be
        there."""
        values: dict[str, Value] = {}
        missing: list[str] = []
        for block in self._plan.who or self.blocks[:1]:
            taken = yield from self.read(block)
            values.update(taken.values)
            missing.extend(taken.missing)
        return Taken(values, tuple(missing))

    def lost(self) -> None:
        """Modbus keeps nothing between two requests; what was read is old now."""
        self._images.clear()


def _tells_who(block: Block) -> bool:
    return bool(block.points) and all(point.identifies for point in block.points)


@define(eq=False)
class ModbusDialect:
    """Modbus in one of its framings: `modbus-rtu` (also through transparent converters) or `modbus-tcp`."""

    name: str
    _plans: dict[tuple[str, int | None], Plan] = field(factory=dict, init=False)

    def station(self, profile: DeviceProfile, address: int, parameters: Mapping[str, object]) -> ModbusStation:
        """The station at a Modbus ID. `parameters["settings"]`: the LineSettings of a serial line, by which the
        widest hole worth reading over is chosen."""
        settings = parameters.get("settings")
        hole = worthwhile_hole(settings) if isinstance(settings, LineSettings) else None
        plan = self._plans.get((profile.key, hole))
        if plan is None:
            plan = self._plans[profile.key, hole] = Plan(profile, hole)
        return ModbusStation(plan, address, _numbered() if self.name == "modbus-tcp" else rtu)


def _numbered() -> Framing:
    tids = count(1)

    def framing(unit: int, request: Request, wait_s: float, quiet_s: float) -> Transaction:
        return mbap(unit, request, next(tids) & 0xFFFF, wait_s, quiet_s)

    return framing


def dialects() -> dict[str, ModbusDialect]:
    """The dialects of this version, by protocol name."""
    return {name: ModbusDialect(name) for name in ("modbus-rtu", "modbus-tcp")}
