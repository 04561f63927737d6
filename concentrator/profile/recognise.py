"""Which profile a device is of, told from what it says: a profile's points that `match` something."""

from __future__ import annotations

from concentrator.model.errors import ProfileError
from concentrator.model.profile import DeviceProfile, Point
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
    found = []
    for heading in catalogue.headings():
        if heading.has_marks and heading.dialect == PLAIN:
            try:
                profile = catalogue.get(heading.key)
            except ProfileError:
                continue
            if marks(profile):
                found.append(profile)
    return tuple(found)


def is_match(point: Point, value: Value | None) -> bool:
    """Whether what the device said at a mark is what the profile expects there."""
    if value is None:
        return False
    number = number_of(value) if isinstance(value, str) else value
    if number is None:
        return str(value).startswith(beginnings(point.match))
    return any(first <= number <= last for first, last in spans(point.match))
