"""concentrator.poll.identify: which profiles a device is proposed to be of, and in which order."""

import json

from concentrator.dialect.modbus import dialects
from concentrator.model.errors import LineLost
from concentrator.poll.identify import READ_MOST, Identify, sunspec
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.recognise import usual_settings
from concentrator.sim.slave import framed
from tests.support.asked import CCM, SAYS, Bus, Slave, marked
from tests.support.outcomes import outcome
from tests.support.profiles import load, variable

MARK = {"what": "code", "function": "holding", "address": 10, "type": "u16", "match": "1..9"}
SECOND = {"what": "kind", "function": "holding", "address": 11, "type": "u16", "match": "5"}
SMALL = load(variable("v1", address=0), identify=[MARK], profile={"series": "small"})
LARGE = load(variable("v1", address=0), variable("v2", address=1), identify=[MARK], profile={"series": "large"})
SURE = load(variable("v1", address=0), identify=[MARK, SECOND], profile={"series": "sure"})


def over(bus, *profiles, unit=3, told=None, recognisers=()):
    dialect = dialects()["modbus-rtu"]

    async def all_of_them():
        return profiles

    tell = (lambda done, text: None) if told is None else lambda *each: told.append(each)
    looked = Identify(
        bus.enquiry(),
        lambda profile, unit: dialect.station(profile, unit, {}),
        all_of_them,
        lambda: 0.0,
        tell,
        recognisers,
    )
    return outcome(looked.over(unit))


def series(identity):
    return [each.profile.series for each in identity.proposals]


def test_a_meter_is_recognised_and_says_who_it_is_and_what_it_measures():
    identity = over(Bus(u3=Slave(SAYS)), CCM)
    told = identity.as_json()
    assert (told["unit"], told["answered"], told["serial"], told["model"]) == (3, "function 03", "0420020081", "CcM4")
    assert told["profiles"][0]["profile"] == "energycm/ccm" and told["profiles"][0]["rules"] == 1
    assert json.loads(json.dumps(told)) == told


def test_nobody_there_is_nobody_and_the_profiles_are_not_even_loaded():
    def never():
        raise AssertionError("they are not wanted")

    bus = Bus()
    identity = outcome(Identify(bus.enquiry(), None, never, lambda: 0.0).over(3))
    assert (identity.sign, identity.proposals) == (None, ())
    assert bus.asked == [(3, 3), (3, 4)]


def test_a_gateway_with_nobody_behind_it_is_nobody():
    class Gateway(Slave):
        def answer(self, frame):
            return framed(frame[0], bytes((frame[1] | 0x80, 10)))

    assert over(Bus(u3=Gateway()), CCM).sign is None


def test_damage_is_no_device():
    bus = Bus(u3=Slave())
    bus.damage = lambda reply: reply[:-1] + b"\0"
    identity = over(bus, CCM)
    assert identity.proposals == () and "damaged" in identity.sign.trouble


def test_more_rules_go_first():
    bus = Bus(u3=Slave({0: 230, 1: 231, 10: 4, 11: 5}))
    assert series(over(bus, SMALL, LARGE, SURE)) == ["sure", "large", "small"]


def test_with_as_many_rules_whose_values_all_come_goes_first_and_then_who_has_more_of_them():
    assert series(over(Bus(u3=Slave({0: 230, 1: 231, 10: 4})), SMALL, LARGE)) == ["large", "small"]
    identity = over(Bus(u3=Slave({0: 230, 10: 4}, lacks=(1,))), SMALL, LARGE)
    assert series(identity) == ["small", "large"]
    assert [(each["values"], each["missing"]) for each in identity.as_json()["profiles"]] == [(2, 0), (2, 1)]


def test_only_the_likeliest_are_read_whole_where_very_many_fit():
    bus = Bus(u3=Slave({0: 230, 10: 4}))
    identity = over(bus, *[marked(f"a/{n}", (10, "4")) for n in range(READ_MOST + 3)])
    assert sum(each.probed is not None for each in identity.proposals) == READ_MOST
    assert len(identity.proposals) == READ_MOST + 3


def test_a_lost_line_ends_it():
    bus = Bus()
    bus.broken = LineLost("unplugged")
    assert over(bus, CCM) is bus.broken


def test_it_says_how_far_it_is_and_never_takes_it_back():
    told = []
    over(Bus(u3=Slave({0: 230, 1: 231, 10: 4, 11: 5})), SMALL, SURE, told=told)
    done = [each[0] for each in told]
    assert done == sorted(done) and done[0] == 0.0 and 0.5 < done[-1] < 1.0
    assert told[0][1] == "function 03, ID 3"


def test_the_usual_settings_are_named_once_the_most_usual_first():
    def with_(baud, parity="N"):
        return load(variable(), serial={"baud": baud, "parity": parity})

    found = usual_settings([with_(19200), with_(9600, "E"), with_(9600), with_(9600, "E"), load(variable())])
    assert [(each.baudrate, each.parity) for each in found] == [(9600, "E"), (19200, "N"), (9600, "N")]


def words(text, registers):
    raw = text.encode().ljust(2 * registers, b"\0")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


def chain(maker):
    """The registers of a SunSpec device: its common model, and a three-phase inverter's."""
    common = [1, 66, *words(maker, 16), *words("A3", 16), *words("", 8), *words("1.2", 8), *words("S77", 16), 1, 0]
    inverter = [103, 50, *[0] * 50]
    content = [*words("SunS", 2), *common, *inverter, 0xFFFF, 0]
    return {40000 + at: word for at, word in enumerate(content)}


def test_a_sunspec_device_is_recognised_by_its_models_its_makers_profile_first():
    catalogue = Catalogue()

    async def generic():
        return [catalogue.get(heading.key) for heading in catalogue.headings() if heading.dialect == "sunspec"]

    identity = over(Bus(u3=Slave(chain("Nobody"))), recognisers=[sunspec(dialects()["modbus-rtu"].framing(), generic)])
    assert identity.proposals[0].profile.key == "sunspec/inverter-int"
    assert (identity.as_json()["serial"], identity.as_json()["firmware"]) == ("S77", "1.2")
