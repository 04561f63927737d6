"""Every profile that has rules, or is read by models: a device of it is identified as one, before all others that its
maker gave the same rules."""

from functools import cache

import pytest

from concentrator.dialect.modbus import dialects
from concentrator.model.profile import SUNSPEC
from concentrator.poll.identify import Identify, sunspec
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.recognise import one_by_one, recognisable
from concentrator.sim.profile_device import profile_device
from concentrator.sim.profile_map import ProfileMap
from concentrator.sim.sunspec import sunspec_map
from tests.support.asked import Bus
from tests.support.outcomes import outcome

CATALOGUE = Catalogue()
NOON = 1_795_262_400.0
UNIT = 7


@cache
def with_rules():
    return recognisable(CATALOGUE)


@cache
def with_models():
    return [profile for profile in one_by_one(CATALOGUE, dialect=SUNSPEC) if profile is not None]


class Simulated:
    """A device of a profile, as a slave of the bus."""

    def __init__(self, profile):
        layout = sunspec_map(profile) if profile.dialect == SUNSPEC else ProfileMap(profile)
        self._device = profile_device(layout, UNIT, "here")

    def answer(self, frame):
        return self._device.reply(frame, NOON)


def identified(profile):
    """The keys that are proposed for a device of a profile, the likeliest first."""
    bus = Bus()
    bus.slaves[UNIT] = Simulated(profile)
    framing = dialects()["modbus-rtu"].framing()

    async def those_with_rules():
        return with_rules()

    async def those_with_models():
        return with_models()

    look = Identify(
        bus.enquiry(),
        lambda profile, unit: dialects()["modbus-rtu"].station(profile, unit, {}),
        those_with_rules,
        lambda: 0.0,
        recognisers=(sunspec(framing, those_with_models),),
    )
    return [each.profile.key for each in outcome(look.over(UNIT)).proposals]


@pytest.mark.parametrize("profile", [*with_rules(), *with_models()], ids=lambda profile: profile.key)
def test_a_device_is_identified_by_what_it_says(profile):
    assert identified(profile)[:1] == [profile.key]


def test_there_is_something_to_identify():
    assert len(with_rules()) >= 25 and len(with_models()) >= 7
    assert set(identified(CATALOGUE.get("eastron/sdm630"))) >= {"eastron/sdm120", "eastron/sdm72"}
