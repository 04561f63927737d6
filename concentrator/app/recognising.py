"""The profiles by which devices are recognised, loaded one file at a time, so that whatever else goes on is not held up
by a hundred files."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import deferLater

from concentrator.model.profile import SUNSPEC, DeviceProfile
from concentrator.poll.enquiry import Framing
from concentrator.poll.identify import Recogniser, sunspec
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.recognise import one_by_one


async def profiles_of(catalogue: Catalogue, clock: Any, **which: Any) -> list[DeviceProfile]:
    """Profiles of a catalogue, `which` as to `one_by_one`; whatever else `clock` runs goes on meanwhile, where there is
    one."""
    found = []
    for profile in one_by_one(catalogue, **which):
        if profile is not None:
            found.append(profile)
        if clock is not None:
            await deferLater(clock, 0)
    return found


def sunspec_of(framing: Framing, catalogue: Catalogue, clock: Any) -> Recogniser:
    """What recognises the SunSpec devices of a catalogue."""
    return sunspec(framing, lambda: profiles_of(catalogue, clock, dialect=SUNSPEC))
