"""What the three lights of a CcMaster say. Pure: from how the box stands to a pattern for each, and from a pattern
and a moment to lit or dark (CcMaster user manual, 4).

Where the manual gives a light one meaning of several that hold, the one later in its list wins. It does not say how
long a blink is: half its period where it blinks, 0.2 s where it is one blink in a while. No pattern flashes more than
2.5 times a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen


class Scheme(StrEnum):
    """Whose front a box shows: which lights it has, and what its button means."""

    CCMASTER = "ccmaster"
    CMM365 = "cmm365"


class Pattern(StrEnum):
    """How a light goes; of one that has two colours, the red ones have its other colour."""

    OFF = "off"
    STEADY = "steady"
    BLINK = "blink"
    ONE = "one"
    TWO = "two"
    SLOW = "slow"
    FAST = "fast"
    RED = "red"
    RED_BLINK = "red_blink"


# Pattern → its period, and when in it the light is on; seconds.
_COURSES: Mapping[Pattern, tuple[float, tuple[tuple[float, float], ...]]] = {
    Pattern.OFF: (1.0, ()),
    Pattern.STEADY: (1.0, ((0.0, 1.0),)),
    Pattern.BLINK: (1.0, ((0.0, 0.5),)),
    Pattern.ONE: (3.0, ((0.0, 0.2),)),
    Pattern.TWO: (3.0, ((0.0, 0.2), (0.5, 0.7))),
    Pattern.SLOW: (2.0, ((0.0, 1.0),)),
    Pattern.FAST: (0.4, ((0.0, 0.2),)),
    Pattern.RED: (1.0, ((0.0, 1.0),)),
    Pattern.RED_BLINK: (1.0, ((0.0, 0.5),)),
}


class Modem(StrEnum):
    """What the modem does."""

    OFF = "off"
    SEARCHING = "searching"
    REGISTERED = "registered"
    BUSY = "busy"


@frozen
class Situation:
    """What the lights are about: meters are being linked; a new version is being installed; how many uplinks there are
    and how many are up (one is enough to know that there is a way to the Internet); what the modem does, None where
    the model has none."""

    is_linking: bool = False
    is_updating: bool = False
    uplinks: int = 0
    uplinks_up: int = 0
    modem: Modem | None = None


@frozen
class Lights:
    """The pattern of each light; yellow is None where there is no such light."""

    blue: Pattern = Pattern.OFF
    green: Pattern = Pattern.BLINK
    yellow: Pattern | None = None


_YELLOW = {
    Modem.OFF: Pattern.OFF,
    Modem.SEARCHING: Pattern.SLOW,
    Modem.REGISTERED: Pattern.STEADY,
    Modem.BUSY: Pattern.FAST,
}


def lights(now: Situation) -> Lights:
    """What the lights say of a situation."""
    blue = Pattern.FAST if now.is_updating else Pattern.BLINK if now.is_linking else Pattern.OFF
    online = Pattern.TWO if now.uplinks_up == now.uplinks else Pattern.ONE
    green = online if now.uplinks_up else Pattern.BLINK
    return Lights(blue, green, None if now.modem is None else _YELLOW[now.modem])


def is_lit(pattern: Pattern, at: float) -> bool:
    """Whether a light is on at a moment, in seconds since it began its pattern."""
    period, courses = _COURSES[pattern]
    return any(begin <= at % period < end for begin, end in courses)
