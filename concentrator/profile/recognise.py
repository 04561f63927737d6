"""Which profile a device is of, told from what it says: a profile's points that `match` something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from concentrator.model.errors import ProfileError
from concentrator.model.profile import DeviceProfile, Point, SerialDefaults
from concentrator.model.reading import Value
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.match import beginnings, number_of, spans

PLAIN = "modbus"
"""The dialect of devices whose registers lie at fixed addresses."""


def marks(profile: DeviceProfile) -> tuple[Point, ...]:
    """The points that tell whether a device is of this profile, all of which must match; none where it cannot be
    told."""
    return tuple(point for point in profile.points if point.match)


def recognisable(catalogue: Catalogue) -> tuple[DeviceProfile, ...]:
    """The profiles of a catalogue that have marks at addresses of their own; files with faults are left out."""
    return tuple(profile for profile in one_by_one(catalogue, with_marks=True) if profile is not None)


def one_by_one(
    catalogue: Catalogue, *, with_marks: bool = False, dialect: str | None = PLAIN
) -> Iterator[DeviceProfile | None]:
    """The profiles of a catalogue in a dialect (None: in any), all or those with marks, one file at a time, for whoever
    has other things to do between two of them; None for a file that has faults, or no marks after all."""
    for heading in catalogue.headings():
        if (heading.has_marks or not with_marks) and dialect in (None, heading.dialect):
            try:
                profile = catalogue.get(heading.key)
            except ProfileError:
                yield None
            else:
                yield profile if marks(profile) or not with_marks else None


def usual_settings(profiles: Iterable[DeviceProfile]) -> tuple[SerialDefaults, ...]:
    """The serial settings that devices of these profiles leave the factory with, each once, the most usual first."""
    alike: dict[tuple[int, int, str, int], SerialDefaults] = {}
    counted: Counter[tuple[int, int, str, int]] = Counter()
    for profile in profiles:
        if (serial := profile.serial) is not None:
            place = (serial.baudrate, serial.bytesize, serial.parity, serial.stopbits)
            alike.setdefault(place, serial)
            counted[place] += 1
    return tuple(alike[place] for place, _ in counted.most_common())


def is_match(point: Point, value: Value | None) -> bool:
    """Whether what the device said at a mark is what the profile expects there."""
    if value is None:
        return False
    number = number_of(value) if isinstance(value, str) else value
    if number is None:
        return str(value).startswith(beginnings(point.match))
    return any(first <= number <= last for first, last in spans(point.match))
