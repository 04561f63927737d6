"""Which profile a device is of, told from what it says: a profile's points that `match` something. Hides how the words
of `match` are read: numbers and spans ("101..103 or 113"), the numbers of a list ("1=one phase 3=three phases"), or the
beginnings of a text ("B21 |B23 ")."""

from __future__ import annotations

import re

from concentrator.model.errors import ProfileError
from concentrator.model.profile import DeviceProfile, Point
from concentrator.model.reading import Value
from concentrator.profile.catalogue import Catalogue

_NUMBER = r"(?:0[xX][0-9A-Fa-f]+|\d+)"
_SPAN = re.compile(rf"(?<![\w.])({_NUMBER})(?:\.\.({_NUMBER}))?(?![\w.])")


def marks(profile: DeviceProfile) -> tuple[Point, ...]:
    """The points that tell whether a device is of this profile, all of which must match; none where it cannot be
    told."""
    return tuple(point for point in profile.points if point.match)


def recognisable(catalogue: Catalogue) -> tuple[DeviceProfile, ...]:
    """The profiles of a catalogue that have marks; files with faults are left out."""
    found = []
    for key in catalogue.keys():  # noqa: SIM118 - no dict
        try:
            profile = catalogue.get(key)
        except ProfileError:
            continue
        if marks(profile):
            found.append(profile)
    return tuple(found)


def is_match(point: Point, value: Value | None) -> bool:
    """Whether what the device said at a mark is what the profile expects there."""
    if value is None:
        return False
    if isinstance(value, str) and not re.fullmatch(_NUMBER, value):
        return value.startswith(tuple(filter(None, map(str.strip, point.match.split("|")))))
    number = int(value, 0) if isinstance(value, str) and value[:2].lower() == "0x" else float(value)
    return any(first <= number <= last for first, last in _spans(point.match))


def _spans(match: str) -> list[tuple[int, int]]:
    """The numbers and spans in the words; of a list only its keys, for its values may be numbers too."""
    found = []
    for span in _SPAN.finditer(match):
        if "=" not in match or match[span.end() :].lstrip().startswith("="):
            first = int(span[1], 0) if span[1][:2].lower() == "0x" else int(span[1])
            last = first if span[2] is None else int(span[2], 0 if span[2][:2].lower() == "0x" else 10)
            found.append((first, last))
    return found
