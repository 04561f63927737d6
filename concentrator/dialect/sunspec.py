"""SunSpec stations: a device whose registers become known in the first conversation with it, and are looked for again
when there is reason to. Hides the walk, that what is read is read as from any Modbus device once the models are found,
and how a model that has moved is noticed.

Theory. Until the chain was walked there is nothing to read: `blocks` is empty and `profile` the catalogue's. The first
conversation, whatever it is, walks; the first identification reads everything once besides, so that it is known which
of the values the device has: one that never had a value is not there ("not implemented") and not missed, one that had
is. The chain is in doubt after the line was lost and after a refusal, and is walked again in the next conversation. The
read of a model begins with its header, so that a model that is not there any more is noticed with the very first read
at its old place, whose values nobody sees; before a single value is read or written, its model's header is.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from concentrator.api import Taken
from concentrator.dialect.modbus import Framing, ModbusStation, Plan
from concentrator.dialect.single_point import single_point
from concentrator.dialect.sunspec_chain import find_base, introduction, walk
from concentrator.model.errors import NoReply, NotOfProfile, NotWritable, Refused, WireError
from concentrator.model.profile import Block, DeviceProfile, Function
from concentrator.model.reading import Value
from concentrator.profile.sunspec import Chain, bases_of, chain_profile, is_of, unfound_profile
from concentrator.profile.sunspec_models import HEADER, Model
from concentrator.wire.conversation import Conversation, Transaction
from concentrator.wire.modbus import read


class SunSpecStation:
    """One SunSpec device behind a Modbus ID."""

    def __init__(self, profile: DeviceProfile, unit: int, framing: Framing) -> None:
        self._catalogued = profile
        self._unit = unit
        self._framing = framing
        self._bases = bases_of(profile)
        self._found: tuple[Chain, str] | None = None
        self._modbus: ModbusStation | None = None
        self._is_in_doubt = True
        self._models: dict[int, Model] = {}
        self._implemented: set[str] = set()
        self.profile = unfound_profile(profile)
        self.blocks: Sequence[Block] = ()
        self.who: Sequence[Block] = ()

    def identify(self) -> Conversation[Taken]:
        """Reads who the device is; with models that are new, everything else too. Raises NotOfProfile where it has no
        SunSpec models, or none of the profile's, here and below."""
        modbus = yield from self._sure()
        taken = yield from modbus.identify()
        if not self._are_in_place(modbus.who or modbus.blocks[:1]):
            modbus = yield from self._sure()
            taken = yield from modbus.identify()
        if self._implemented:
            return self._told(taken)
        values = dict(taken.values)
        for block in modbus.blocks if modbus.who else modbus.blocks[1:]:
            try:
                values.update((yield from modbus.read(block)).values)
            except Refused:
                continue  # its own turn comes, and what is to be read in its place is found then
        return self._told(Taken(values))

    def read(self, block: Block) -> Conversation[Taken]:
        """Reads one block; none of its points where its model lies elsewhere by now, as `blocks` does then."""
        yield from self._sure()
        if block in self.blocks and self._modbus is not None:
            taken = yield from self._modbus.read(block)
            if self._are_in_place((block,)):
                return self._told(taken)
            yield from self._sure()
        return Taken({}, tuple(point.name for point in block.points))

    def refused(self, block: Block, code: int) -> Sequence[Block]:
        """What to read in place of a block, as of any Modbus device; the chain may have changed, too."""
        self._is_in_doubt = True
        if self._modbus is None:
            return (block,)
        pieces = self._modbus.refused(block, code)
        self.blocks = self._modbus.blocks
        return pieces

    def write(self, name: str, value: Value) -> Conversation[None]:
        """Writes one variable, once, where its model is seen to be in its place. Raises Unknown, NotWritable or
        OutOfRange; NotWritable too before the models are found, or where they have just moved."""
        if self._modbus is None:
            single_point(self.profile, name)
            raise NotWritable(f"{name}, as the device's SunSpec models are not found yet")
        return self._write(name, self._modbus, self._modbus.write(name, value))

    def _write(self, name: str, modbus: ModbusStation, writing: Conversation[None]) -> Conversation[None]:
        try:
            now = yield from self._sure_of(name)
        except (WireError, NoReply, NotOfProfile) as error:
            raise NotWritable(f"{name}, as its SunSpec model could not be seen: {error}") from error
        if now is not modbus:
            raise NotWritable(f"{name}, as the device's SunSpec models have moved: try again")
        yield from writing

    def read_point(self, name: str) -> Conversation[Value]:
        """Reads one variable by itself. Raises Unknown where there is none of that name, CommandError where the device
        has no value for it now."""
        single_point(self.profile, name)
        return self._read_point(name)

    def _read_point(self, name: str) -> Conversation[Value]:
        modbus = yield from self._sure_of(name)
        return (yield from modbus.read_point(name))

    def as_read(self, name: str, value: Value) -> Value:
        """What reading the variable gives once the value is there. Raises like `write`."""
        if self._modbus is None:
            raise NotWritable(f"{name}, as the device's SunSpec models are not found yet")
        return self._modbus.as_read(name, value)

    def lost(self) -> None:
        """Another device may be there when the line is back."""
        self._is_in_doubt = True
        if self._modbus is not None:
            self._modbus.lost()

    # -- the chain

    def _sure(self) -> Conversation[ModbusStation]:
        """How the device is read, its chain walked where that is in doubt. Where there is none, nothing is read any
        more until an identification finds one."""
        if self._modbus is None or self._is_in_doubt:
            try:
                chain, maker = yield from self._seen()
            except NotOfProfile:
                self._found = self._modbus = None
                self.blocks = ()
                raise
            if self._modbus is None or (chain, maker) != self._found:
                self._modbus = self._settled(chain, maker)
            self._is_in_doubt = False
        return self._modbus

    def _seen(self) -> Conversation[tuple[Chain, str]]:
        """The chain as it is now, and the device's maker."""
        ask = self._ask
        try:
            base = yield from find_base(ask, self._bases)
        except NoReply:
            # Some do not answer where they have no registers: next time another place is tried first.
            self._bases = (*self._bases[1:], self._bases[0])
            raise
        self._bases = (base, *(other for other in self._bases if other != base))
        chain = yield from walk(ask, base)
        if not is_of(self._catalogued, chain):
            raise NotOfProfile(f"it has {chain}, none of which devices of {self._catalogued.key} are known by")
        device = yield from introduction(ask, chain, self._catalogued.traits.longest_read)
        return chain, device.manufacturer

    def _settled(self, chain: Chain, maker: str) -> ModbusStation:
        """Takes to a chain that is new."""
        self._found = chain, maker
        plan = Plan(chain_profile(self._catalogued, chain, maker), None)
        modbus = ModbusStation(plan, self._unit, self._framing)
        self._models = {model.address: model for model in chain.models}
        self._implemented = set()
        self.blocks, self.who = modbus.blocks, modbus.who
        return modbus

    def _sure_of(self, name: str) -> Conversation[ModbusStation]:
        """How the device is read, the model that has a point seen to be in its place."""
        modbus = yield from self._sure()
        point = modbus.profile.point(name)
        models = [model for model in self._models.values() if point and model.address <= point.address < model.end]
        for model in models:
            yield from modbus.read(Block(Function.HOLDING, model.address, HEADER))
            if not self._are_in_place((Block(Function.HOLDING, model.address, HEADER),)):
                return (yield from self._sure())
        return modbus

    def _are_in_place(self, blocks: Sequence[Block]) -> bool:
        """Whether what was just read begins with the header of its model, as far as it should; the chain is in doubt
        from now on where it does not."""
        assert self._modbus is not None
        register = self._modbus.image(self._unit).register
        for block in blocks:
            model = self._models.get(block.address)
            if model is not None and block.count >= HEADER:
                header = register(Function.HOLDING, block.address), register(Function.HOLDING, block.address + 1)
                if header != (model.number, model.length):
                    self._is_in_doubt = True
                    return False
        return True

    def _ask(self, address: int, count: int) -> Transaction:
        traits = self._catalogued.traits
        return self._framing(self._unit, read(Function.HOLDING, address, count), traits.answer_s, traits.pause_s)

    def _told(self, taken: Taken) -> Taken:
        """What was taken; of what is missing, only what the device is known to have."""
        assert self._modbus is not None
        if not taken.values.keys() <= self._implemented:
            self._implemented |= taken.values.keys()
            found = self._modbus.profile
            points = tuple(point for point in found.points if point.name in self._implemented)
            self.profile = attrs.evolve(found, points=points)
        return Taken(taken.values, tuple(name for name in taken.missing if name in self._implemented))
