"""Finding all meters of an M-Bus by their secondary addresses: which masks to probe after what was found. Pure: a
generator of masks that is sent what a probe of each found.

Theory. A mask that several meters match is narrowed at its first wildcard digit, the most significant one, and each of
the ten masks that this makes is probed in turn; one that a single meter matches has found it, one that nobody matches
is done with. Two meters may have the same eight digits: then the masks are narrowed behind them, first where there is
least to try and most to tell apart: the maker's first letters, the medium, the version, the maker's last letter. What
is left after that cannot be told apart on the wire.

Where every probe seems to find several, the search would go through all digits there are. It goes down first, so it
soon comes to whole addresses that cannot be told apart: after a few of them it is given up.

Source: EN 13757-3, 11.5 (wildcards); the order of the digits as libmbus has it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from concentrator.model.errors import Garbled
from concentrator.wire.mbus_address import (
    ANYBODY,
    MANUFACTURER_HIGH,
    MANUFACTURER_LOW,
    MEDIUM,
    VERSION,
    SecondaryAddress,
)
from concentrator.wire.mbus_talk import Crowd, Outcome

_BEHIND = (
    (MANUFACTURER_HIGH, range(0x04, 0x6C)),  # A… to Z…, five bits a letter
    (MEDIUM, range(0x00, 0x40)),  # EN 13757-3, table 3: what is given out
    (VERSION, range(0x00, 0xFF)),
    (MANUFACTURER_LOW, range(0x00, 0xFF)),
)

MOST_UNRESOLVED = 20
"""How many addresses may each have several meters; more of them are noise, or a meter that answers for all others."""

Search = Generator[SecondaryAddress, Outcome, None]


def narrowed(mask: SecondaryAddress) -> Sequence[SecondaryAddress]:
    """The masks that a mask falls into; none where it has no wildcard left."""
    place = mask.identification.find("F")
    if place >= 0:
        return [mask.with_digit(place, digit) for digit in range(10)]
    for place, bytes_ in _BEHIND:
        if mask.raw[place] == 0xFF:
            return [mask.with_byte(place, byte) for byte in bytes_]
    return ()


def searching(
    found: list[SecondaryAddress], unresolved: list[SecondaryAddress], mask: SecondaryAddress = ANYBODY
) -> Search:
    """Yields each mask to probe, is sent what that found, and puts meters into `found`, each once, and into
    `unresolved` the masks whose meters cannot be told apart. Raises Garbled where those become more than 20."""
    outcome = yield mask
    if isinstance(outcome, SecondaryAddress):
        if outcome not in found:
            found.append(outcome)
    elif outcome is Crowd.COLLISION:
        masks = narrowed(mask)
        if not masks:
            unresolved.append(mask)
        if len(unresolved) > MOST_UNRESOLVED:
            raise Garbled("noise: every probe hears several meters, or one that answers whoever is asked")
        for each in masks:
            yield from searching(found, unresolved, each)


def share_done(mask: SecondaryAddress) -> float:
    """How far a search is when it comes to a mask, 0 … 1: meters are taken to be spread over all digits."""
    digits = mask.identification.partition("F")[0]
    return int(digits or "0") / 10 ** len(digits) if digits.isdecimal() or not digits else 0.0


def least_probes(addresses: Iterable[SecondaryAddress], mask: SecondaryAddress = ANYBODY) -> int:
    """How many probes a search takes that hears everything right and narrows masks in this order."""
    there = [address for address in addresses if mask.matches(address)]
    masks = narrowed(mask) if len(there) > 1 else ()
    return 1 + sum(least_probes(there, each) for each in masks)
