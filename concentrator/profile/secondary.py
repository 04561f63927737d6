"""The profile of a secondary: a meter behind another one, its principal, through whose registers it is read. Hides
where a principal keeps what it knows of each: in a table of entries, and in a copy of its own measuring registers for
each."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from concentrator.model.profile import Block, DeviceProfile, Function, Point, Rate

NEEDED = (
    "secondary_table",
    "secondary_entry",
    "secondary_from",
    "secondary_base",
    "secondary_stride",
    "secondary_models",
)
"""The keys of [profile] that a principal needs for its secondaries: the n-th (from 1 on) has its entry
`secondary_entry` registers * n after `secondary_table`; the `secondary_stride` registers from `secondary_from` on lie
there again for each, for the first at `secondary_base`, one after the other; `secondary_models` is what secondaries
can be."""


def has_secondaries(profile: DeviceProfile) -> bool:
    """Whether devices of this profile can have secondaries."""
    return bool(profile.secondary_points)


def secondary_number(profile: DeviceProfile) -> int | None:
    """The n of a profile that is one of an n-th secondary, else None."""
    number = profile.settings.get("secondary")
    return number if isinstance(number, int) else None


def secondary_profile(profile: DeviceProfile, n: int) -> DeviceProfile:
    """The profile of the `n`-th secondary, from 1 on, of a principal with that profile: what it measures, at its place
    and as often; who it is, from the table. Nothing of it can be written. ValueError where the profile knows of no
    secondaries; the profile of the n-th secondary itself stays what it is."""
    if secondary_number(profile) == n:
        return profile
    if not has_secondaries(profile) or n < 1:
        raise ValueError(f"secondary: found {n}, expected one from 1 on, of a profile with secondaries")
    start, stride = _setting(profile, "secondary_from"), _setting(profile, "secondary_stride")
    shift = _setting(profile, "secondary_base") + (n - 1) * stride - start
    entry = _setting(profile, "secondary_table") + n * _setting(profile, "secondary_entry")
    measured = {
        point.name: _moved(point, shift)
        for point in profile.points
        if _is_within(point.function, min(point.addresses), max(point.addresses) + 1, start, stride)
    }
    told = [_moved(point, entry) for point in profile.secondary_points]
    blocks = [
        attrs.evolve(block, address=block.address + shift, points=tuple(measured[point.name] for point in block.points))
        for block in profile.blocks
        if _is_within(block.function, block.address, block.address + block.count, start, stride)
    ]
    models = profile.settings["secondary_models"]
    return attrs.evolve(
        profile,
        key=f"{profile.key}, secondary {n}",
        models=tuple(models) if isinstance(models, list) else (),
        points=(*measured.values(), *told),
        blocks=(*blocks, _entry_block(told)),
        commands=(),
        evidence=(),
        secondary_points=(),
        settings={"secondary": n},
    )


def _setting(profile: DeviceProfile, key: str) -> int:
    value = profile.settings[key]
    assert isinstance(value, int), f"{key}: the loader lets only whole numbers pass"
    return value


def _is_within(function: Function, first: int, end: int, start: int, stride: int) -> bool:
    return function is Function.HOLDING and start <= first and end <= start + stride


def _moved(point: Point, shift: int) -> Point:
    return attrs.evolve(
        point,
        address=point.address + shift,
        words=tuple(address + shift for address in point.words),
        sf_address=None if point.sf_address is None else point.sf_address + shift,
        writable=False,
    )


def _entry_block(told: Sequence[Point]) -> Block:
    """The read of an entry, whole: it tells who the secondary is, and how it is."""
    first = min(point.address for point in told)
    end = max(point.address + point.count for point in told)
    return Block(told[0].function, first, end - first, tuple(told), Rate.NORMAL)
