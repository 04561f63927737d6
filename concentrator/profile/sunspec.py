"""The profile of a SunSpec device: what the models found in it hold, called and signed as everywhere. Hides which
models a profile file wants, what comes of several that say the same, and how a long model is read in several parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import attrs
from attrs import frozen

from concentrator.model.profile import SUNSPEC, Block, DeviceProfile, Function, Point, Rate
from concentrator.model.quantity import Kind, Quantity, unit_digits
from concentrator.profile.encodings import Form, encoding_of
from concentrator.profile.match import spans
from concentrator.profile.sunspec_models import HEADER, Entry, Model, entries
from concentrator.profile.sunspec_names import (
    COMMON,
    EXPORT_POSITIVE,
    METERS,
    NAMES,
    POWERS,
    RATES,
    SPANS,
    UNITS,
    quantity_of,
)
from concentrator.profile.units import factor
from concentrator.wire.modbus import MAX_READ_REGISTERS

BASES = (40000, 50000, 0)
"""Where a chain can begin (SunSpec Device Information Model Specification: Modbus)."""

_COMMON_LENGTH = 66


@frozen
class Chain:
    """What was found in a device: where its chain begins, and the models in their order."""

    base: int
    models: tuple[Model, ...]

    @property
    def common(self) -> Model | None:
        """The model that tells who the device is: the first of its kind, for what follows may have its own."""
        return next((model for model in self.models if model.number == COMMON), None)

    def __str__(self) -> str:
        return f"models {', '.join(str(model.number) for model in self.models) or 'none'} from register {self.base} on"


def bases_of(profile: DeviceProfile) -> tuple[int, ...]:
    """Where to look for a chain, likeliest first: where the profile says, then wherever else one can begin."""
    said = _settings(profile).get("bases", ())
    return tuple(dict.fromkeys((*said, *BASES)))


def wanted_models(profile: DeviceProfile) -> tuple[int, ...]:
    """The numbers of the models that devices of a profile are read by; all we know where it names none."""
    return tuple(_settings(profile).get("models", NAMES))


def is_of(profile: DeviceProfile, chain: Chain) -> bool:
    """Whether a device with that chain can be of a profile: it has a model that the profile's marks name; of one
    without marks, any that is read."""
    marks = [span for point in profile.points if point.match for span in spans(point.match)]
    wanted = wanted_models(profile)
    return any(
        any(first <= model.number <= last for first, last in marks) if marks else model.number != COMMON
        for model in chain.models
        if model.number in wanted
    )


def unfound_profile(profile: DeviceProfile) -> DeviceProfile:
    """The profile of a device whose models are not known yet: what its file tells, and who it is, which every SunSpec
    device can say. No address in it is to be read."""
    known = {point.name for point in profile.points}
    who = [point for point in _who(Model(COMMON, 0, _COMMON_LENGTH)) if point.name not in known]
    return attrs.evolve(profile, points=(*profile.points, *who))


def chain_profile(profile: DeviceProfile, chain: Chain, maker: str) -> DeviceProfile:
    """The profile of a device of a catalogue's profile with that chain, by that maker: a read for each model, which
    begins at the model's header. What two models tell is taken from the first of them; a meter in the chain of an
    inverter is the one at its grid."""
    blocks: list[Block] = []
    taken: set[str] = set()
    who = who_block(chain, profile.traits.longest_read)
    if who is not None:
        taken |= {point.name for point in who.points}
        blocks.append(who)
    wanted = wanted_models(profile)
    for model in chain.models:
        if model.number not in wanted or model.number == COMMON:
            continue
        points = [point for point in _points(model, profile, maker) if point.name not in taken]
        if points:
            taken |= {point.name for point in points}
            blocks.append(_block(model, points, profile.traits.longest_read))
    points_of_all = tuple(point for block in blocks for point in block.points)
    return attrs.evolve(profile, points=points_of_all, blocks=tuple(blocks), evidence=())


def who_block(chain: Chain, longest: int = MAX_READ_REGISTERS) -> Block | None:
    """The read that tells who the device is, of which one request brings `longest` registers at most; None where its
    chain has nothing of the kind."""
    who = [] if chain.common is None else _who(chain.common)
    return None if chain.common is None or not who else _block(chain.common, who, longest)


def _who(common: Model) -> list[Point]:
    return [
        attrs.evolve(_point(entry, quantity), rate=RATES[COMMON], polled=False, identifies=True)
        for entry, quantity in _named(common)
    ]


def _named(model: Model, prefix: str = "") -> Iterator[tuple[Entry, Quantity]]:
    """The values of a model that have names here, in its order, the first of each name."""
    names, seen = NAMES.get(model.number, {}), set()
    for entry in entries(model):
        name = names.get(entry.name, "")
        if not name or ("{n}" in name) is (entry.nth is None):
            continue
        quantity = quantity_of(prefix + name.replace("{n}", str(entry.nth)))
        if quantity is not None and quantity.name not in seen:
            seen.add(quantity.name)
            yield entry, quantity


def _points(model: Model, profile: DeviceProfile, maker: str) -> Iterator[Point]:
    """The points of a model, in the words of the profile's file where it has them."""
    is_meter = model.number in METERS
    prefix = "grid_" if is_meter and profile.type == "inverter" else ""
    turned = {prefix + power for power in POWERS} if is_meter and maker.startswith(EXPORT_POSITIVE) else ()
    for entry, quantity in _named(model, prefix):
        point = attrs.evolve(_point(entry, quantity), rate=RATES.get(model.number, Rate.FAST))
        told = profile.point(quantity.name)
        if told is not None:
            is_the_same = (told.address, told.encoding) == (entry.address - model.address, entry.encoding)
            words = told.enum if told.enum.keys() == point.enum.keys() else point.enum
            point = attrs.evolve(point, enum=words, checked=told.checked and is_the_same)
        yield attrs.evolve(point, scale=-point.scale) if quantity.name in turned else point


def _point(entry: Entry, quantity: Quantity) -> Point:
    """A value of a model as a point."""
    encoding = encoding_of(entry.encoding)
    assert encoding is not None, "the models have no types of which there is no encoding"
    unit = UNITS.get(entry.unit, entry.unit)
    if encoding.form is Form.TEXT:
        scale, digits = 1.0, 0
    else:
        scale = float(factor(unit, quantity.unit) * Decimal(10) ** entry.power)
        has_steps = encoding.form is Form.INTEGER and entry.sf_address is None
        digits = max(-entry.power, 0) if has_steps else unit_digits(quantity.unit)
    symbols = {number: word.lower().replace("_", " ") for number, word in entry.symbols.items()}
    return Point(
        attrs.evolve(quantity, digits=digits),
        Function.HOLDING,
        entry.address,
        entry.count,
        entry.encoding,
        scale=scale,
        sf_address=entry.sf_address,
        is_percentage=unit == "%" and not quantity.unit,
        sentinels=entry.sentinels,
        enum=symbols,
        writable=entry.is_writable,
        span=SPANS.get(quantity.name),
        recorded=quantity.kind is not Kind.TEXT and not entry.is_writable,
    )


def _block(model: Model, points: Sequence[Point], longest: int) -> Block:
    """The read of a model up to what is wanted last of it; of a longer one than the device bears in one go, the read
    of its parts one after the other, none of which cuts a value."""
    rate = points[0].rate
    needed = {(model.address, model.address + HEADER)}
    needed |= {(point.address, point.address + point.count) for point in points}
    needed |= {(point.sf_address, point.sf_address + 1) for point in points if point.sf_address is not None}
    runs: list[tuple[int, int]] = []
    for start, end in sorted(needed):
        if runs and end - runs[-1][0] <= longest:
            runs[-1] = runs[-1][0], max(end, runs[-1][1])
        else:
            runs.append((start, end))

    def read(start: int, end: int) -> Block:
        own = tuple(point for point in points if start <= point.address < end)
        return Block(Function.HOLDING, start, end - start, own, rate)

    parts = tuple(read(start, end) for start, end in runs)
    if len(parts) == 1:
        return parts[0]
    return attrs.evolve(read(runs[0][0], runs[-1][1]), parts=parts)


def _settings(profile: DeviceProfile) -> Mapping[str, Sequence[int]]:
    said = profile.settings.get(SUNSPEC, {})
    return said if isinstance(said, dict) else {}
