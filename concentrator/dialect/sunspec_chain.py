"""Finding SunSpec models in a device: where the chain of them begins, which there are, and who made the device. Hides
how often it is asked for that, and how a chain that makes no sense is told from one that ends.

Theory. A chain begins with a marker at one of three addresses; each model says its number and its length, and the next
one begins after it. It ends with the number 0xFFFF, with some devices by refusing to read on. Addresses only rise, so a
walk comes to an end; one of a hundred models, or one that leaves the register table, is walked over damage.

Source: SunSpec Device Information Model Specification.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from concentrator.model.errors import NoReply, NotOfProfile, Refused
from concentrator.model.profile import SUNSPEC, DeviceProfile
from concentrator.profile.decode import compile_block
from concentrator.profile.sunspec import BASES, Chain, is_of, wanted_models, who_block
from concentrator.profile.sunspec_models import HEADER, Model
from concentrator.wire.conversation import Conversation, Transaction
from concentrator.wire.modbus import MAX_READ_REGISTERS

Ask = Callable[[int, int], Transaction]
"""`ask(address, count)`: the transaction that reads holding registers; its reply is their bytes."""

MARKER = b"SunS"
MOST_MODELS = 100
"""More than any device has; there are little more than a hundred kinds of models."""

_END = 0xFFFF
_TABLE = 0x10000
_NOT_THERE = (1, 2, 3)  # Modbus Application Protocol V1.1b3, 7: illegal function, address, value
_HEADER = struct.Struct(">HH")
_GENERIC = "SunSpec"
"""The brand of the profiles that are nobody's own."""


@frozen
class SunSpecDevice:
    """Who a device is by its own words, empty where it says nothing, and the models it has."""

    chain: Chain
    manufacturer: str = ""
    model: str = ""
    options: str = ""
    firmware: str = ""
    serial: str = ""


def find_base(ask: Ask, bases: Sequence[int]) -> Conversation[int]:
    """The address of the marker, the first that has it. Raises NotOfProfile where none has, NoReply as soon as one is
    not answered."""
    for base in bases:
        try:
            found = yield ask(base, HEADER)
        except Refused as refusal:
            if refusal.code not in _NOT_THERE:
                raise
        else:
            if found == MARKER:
                return base
    places = ", ".join(map(str, bases[:-1])) + f" or {bases[-1]}" if len(bases) > 1 else str(bases[0])
    raise NotOfProfile(f"no SunSpec begins at register {places}")


def walk(ask: Ask, base: int) -> Conversation[Chain]:
    """The models after a marker. Raises NotOfProfile where the chain is damaged."""
    models: list[Model] = []
    address = base + HEADER
    while True:
        try:
            number, length = _HEADER.unpack((yield ask(address, HEADER)))
        except Refused as refusal:
            if not models or refusal.code not in _NOT_THERE:
                raise
            break
        if number == _END:
            break
        model = Model(number, address, length)
        models.append(model)
        if model.end + HEADER > _TABLE:
            raise NotOfProfile(
                f"its SunSpec chain is damaged: model {number} at register {address} has {length} registers, it says, "
                f"and ends beyond the last"
            )
        if len(models) > MOST_MODELS:
            raise NotOfProfile(f"its SunSpec chain is damaged: it does not end within {MOST_MODELS} models")
        address = model.end
    return Chain(base, tuple(models))


def introduction(ask: Ask, chain: Chain, longest: int = MAX_READ_REGISTERS) -> Conversation[SunSpecDevice]:
    """Who the device with that chain is; `longest`: the most registers it gives at once."""
    said: dict[str, str] = {}
    block = who_block(chain, longest)
    for part in () if block is None else block.parts or (block,):
        data = yield ask(part.address, part.count)
        said.update((name, str(value)) for name, value in compile_block(part)(data).items())
    return SunSpecDevice(chain, **said)


def look(ask: Ask, bases: Sequence[int] = BASES) -> Conversation[SunSpecDevice | None]:
    """Who answers, by its own words; None where it speaks no SunSpec. Raises like `walk` once it is known to."""
    for base in bases:
        try:
            yield from find_base(ask, (base,))
        except (NotOfProfile, NoReply):
            continue
        chain = yield from walk(ask, base)
        return (yield from introduction(ask, chain))
    return None


def proposed(device: SunSpecDevice, profiles: Iterable[DeviceProfile]) -> tuple[str, ...]:
    """The keys of the profiles a device can be of, the likeliest first: those of its own maker, then those of nobody's
    own, each time those before that read more of its models."""
    numbers = {model.number for model in device.chain.models}
    found = []
    for profile in profiles:
        is_own = re.search(rf"\b{re.escape(profile.brand)}\b", device.manufacturer, re.IGNORECASE) is not None
        if profile.dialect == SUNSPEC and (is_own or profile.brand == _GENERIC) and is_of(profile, device.chain):
            found.append((not is_own, -len(numbers & {*wanted_models(profile)}), profile.key))
    return tuple(key for _, _, key in sorted(found))
