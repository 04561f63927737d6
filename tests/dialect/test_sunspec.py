"""concentrator.dialect.sunspec: a station that finds out what there is to read, reads it, and notices when that has
changed. The registers are laid out by pysunspec2, and the values it computes from them are the expected ones."""

from functools import partial
from math import isfinite

import attrs
import pytest
import sunspec2.device
from hypothesis import given, settings
from hypothesis import strategies as st

from concentrator.api import Taken
from concentrator.dialect.modbus import dialects
from concentrator.model.errors import (
    ConcentratorError,
    NoReply,
    NotOfProfile,
    NotWritable,
    OutOfRange,
    Refused,
    Unknown,
)
from concentrator.model.profile import Traits
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.sunspec_names import NAMES
from tests.support.sunspec import Device, common, content, registers

SOLAR = {"A": 123, "AphA": 41, "A_SF": -1, "PhVphA": 2305, "PhVphB": 2311, "V_SF": -1, "W": 2815, "W_SF": 0}
SOLAR |= {"Hz": 5001, "Hz_SF": -2, "PF": -985, "PF_SF": -1, "WH": 1234567, "WH_SF": 0, "TmpCab": 412, "Tmp_SF": -1}
SOLAR |= {"St": 4, "Evt1": 0}
STRINGS = {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 1, "DCWH_SF": 3}
STRING = {"ID": 1, "DCA": 512, "DCV": 6012, "DCW": 308, "DCWH": 77, "Tmp": 41, "DCSt": 4}


def inverter(base=40000, values=SOLAR, number=103):
    return registers(base, common(), content(number, values))


def station(key="sunspec/inverter-int", protocol="modbus-rtu", **traits):
    profile = Catalogue().get(key)
    return dialects()[protocol].station(attrs.evolve(profile, traits=Traits(**traits)), 1, {})


def read(meter, device):
    """Everything the station reads in one round."""
    values = {}
    for block in meter.blocks:
        values.update(device.run(meter.read(block)).values)
    return values


def computed(number, data, turned=1.0):
    """The values of a model by our names, in our units, by pysunspec2's own arithmetic."""
    model = sunspec2.device.Model(model_id=number, model_len=len(data) // 2 - 2, data=data)
    factors = {"kWh": 0.001, "kvarh": 0.001, "pf": 0.01 if number < 211 or number > 214 else 1.0}
    found = {}

    def take(points, nth):
        for name, point in points.items():
            ours = NAMES[number].get(name, "").replace("{n}", str(nth))
            if ours and point.cvalue is not None and point.value is not None and point.is_impl():
                scale = factors["kWh"] if ours.startswith(("e", "dc_e")) else factors["pf"] if "pf" in ours else 1.0
                found[ours] = point.cvalue * scale * (turned if ours in ("p", "p1", "p2", "p3") else 1.0)

    take(model.points, "")
    for groups in model.groups.values():
        for nth, group in enumerate(groups, 1):
            take(group.points, nth)
    return found


@pytest.mark.parametrize("base", [40000, 50000, 0])
@pytest.mark.parametrize("number", [101, 102, 103])
def test_an_inverter_of_whole_numbers_is_read_wherever_its_chain_begins(base, number):
    device, meter = Device(inverter(base, number=number)), station()
    taken = device.run(meter.identify())
    assert {name: taken.values[name] for name in ("serial", "model", "firmware", "manufacturer")} == {
        "serial": "A-0815",
        "model": "X-1",
        "firmware": "1.2.3",
        "manufacturer": "Acme",
    }
    assert taken.missing == ()
    values = read(meter, device)
    assert values == pytest.approx(computed(number, content(number, SOLAR)))
    assert (values["i_sum"], values["p"], values["pf"], values["e_total"]) == (12.3, 2815, -0.985, 1234.567)
    assert (values["temp"], values["status"], values["alarm"]) == (41.2, 4, 0)
    assert meter.profile.point("status").enum[4] == "tracking"


@pytest.mark.parametrize("number", [111, 112, 113])
def test_an_inverter_of_floating_point_numbers_is_read(number):
    said = {"W": 2815.5, "Hz": 50.0, "PhVphA": 230.5, "PF": -98.5, "WH": 1234567.0, "St": 5}
    device, meter = Device(inverter(values=said, number=number)), station("sunspec/inverter-float")
    device.run(meter.identify())
    values = read(meter, device)
    assert values == pytest.approx(computed(number, content(number, said)))
    assert values["p"] == 2815.5
    assert meter.profile.point("status").enum[5] == "throttled"


@pytest.mark.parametrize(("said", "value"), [(98.5, 0.985), (-50.0, -0.5), (0.5, 0.5), (-1.0, -1.0)])
def test_a_power_factor_is_understood_in_percent_and_as_a_plain_number(said, value):
    device, meter = Device(inverter(values={"PF": said}, number=113)), station("sunspec/inverter-float")
    device.run(meter.identify())
    assert read(meter, device)["pf"] == value


METERING = {"A": 210, "A_SF": -1, "PhV": 2301, "PhVphA": 2302, "V_SF": -1, "W": -1234, "WphA": -500, "W_SF": 0}
METERING |= {"PF": -95, "PF_SF": 0, "TotWhExp": 5000, "TotWhImp": 777000, "TotWh_SF": 1, "Evt": 0}
METERING |= {"TotVArhImpQ1": 1500, "TotVArh_SF": 0, "Hz": 500, "Hz_SF": -1}


@pytest.mark.parametrize("number", [201, 202, 203, 204])
@pytest.mark.parametrize(("maker", "turned"), [("Fronius", 1.0), ("SolarEdge ", -1.0)])
def test_a_meter_counts_what_is_taken_from_the_grid_as_positive(number, maker, turned):
    data = content(number, METERING)
    device, meter = Device(registers(40000, common(Mn=maker), data)), station("sunspec/meter-int")
    device.run(meter.identify())
    values = read(meter, device)
    assert values == pytest.approx(computed(number, data, turned))
    assert (values["p"], values["p1"]) == (-1234 * turned, -500 * turned)
    assert (values["ea_imp"], values["ea_exp"], values["er_q1"]) == (7770.0, 50.0, 1.5)


@pytest.mark.parametrize("number", [211, 212, 213, 214])
def test_a_meter_of_floating_point_numbers_is_read_though_one_request_cannot_bring_it(number):
    said = {"W": -1234.5, "PF": 0.9375, "TotWhImp": 777000.0, "Evt": 3, "WphC": 1.25}
    data = content(number, said)
    device, meter = Device(registers(0, common(), data)), station("sunspec/meter-float")
    device.run(meter.identify())
    values = read(meter, device)
    assert values == pytest.approx(computed(number, data))
    assert (values["p"], values["pf"], values["alarm"]) == (-1234.5, 0.9375, 3)
    assert max(count for _, count in device.asked) <= 125


@pytest.mark.parametrize("modules", [0, 1, 2, 5, 8])
def test_as_many_inputs_are_read_as_the_device_has(modules):
    data = content(160, STRINGS, [{**STRING, "DCW": 100 * n} for n in range(1, modules + 1)])
    device, meter = Device(registers(40000, common(), content(103, SOLAR), data)), station()
    device.run(meter.identify())
    values = read(meter, device)
    ours = {name: value for name, value in values.items() if name[-1].isdigit() and name.startswith("dc_")}
    assert ours == pytest.approx(computed(160, data) if modules else {})
    assert len([name for name in ours if name.startswith("dc_p")]) == modules
    if modules:
        assert (values["dc_p1"], values["dc_e1"], values["dc_v1"]) == (1000, 77, 601.2)


def test_a_battery_is_read_by_whichever_model_tells_of_it():
    battery = {"SoC": 553, "SoC_SF": -1, "SoH": 98, "SoH_SF": 0, "V": 4012, "V_SF": -1, "A": 55, "A_SF": -1}
    battery |= {"W": 2200, "W_SF": 0, "NCyc": 120, "WHRtg": 1024, "WHRtg_SF": 1, "ChaSt": 3}
    device = Device(registers(40000, common(), content(103, SOLAR), content(802, battery)))
    meter = station()
    device.run(meter.identify())
    values = read(meter, device)
    assert (values["soc"], values["soh"], values["bat_v"], values["bat_i"]) == (55.3, 98, 401.2, 5.5)
    assert (values["bat_p"], values["bat_cycles"], values["bat_rated_energy"]) == (2200, 120, 10.24)
    assert meter.profile.point("bat_status").enum[values["bat_status"]] == "discharging"

    storage = {"ChaState": 8125, "ChaState_SF": -2, "InBatV": 512, "InBatV_SF": -1, "ChaSt": 4}
    device = Device(registers(40000, common(), content(124, storage), content(103, SOLAR)))
    meter = station()
    device.run(meter.identify())
    assert {name: read(meter, device)[name] for name in ("soc", "bat_v", "p")} == {
        "soc": 81.25,
        "bat_v": 51.2,
        "p": 2815,
    }


def test_a_newer_inverter_is_read_by_its_model_701():
    said = {"W": 1500, "W_SF": 0, "PF": 987, "PF_SF": -3, "Hz": 50010, "Hz_SF": -3, "TotWhInj": 2**33, "TotWh_SF": 0}
    said |= {"InvSt": 3, "WL1": 500, "VL1": 2311, "V_SF": -1}
    device, meter = Device(registers(40000, common(Mn="SMA"), content(701, said))), station("sma/sunspec")
    device.run(meter.identify())
    values = read(meter, device)
    assert (values["p"], values["p1"], values["pf"], values["f"], values["v1"]) == (1500, 500, 0.987, 50.01, 231.1)
    assert values["e_total"] == pytest.approx(2**33 / 1000)
    assert meter.profile.point("status").enum[3] == "running"


def test_a_scale_factor_that_changes_counts_from_the_same_read_on():
    device, meter = Device(inverter()), station()
    device.run(meter.identify())
    assert read(meter, device)["p"] == 2815
    for power, watts in ((1, 28150), (-2, 28.15), (0, 2815)):
        device.put(inverter(values={**SOLAR, "W_SF": power}))
        assert read(meter, device)["p"] == watts
    device.put(inverter(values={**SOLAR, "W_SF": None}))
    assert "p" not in read(meter, device), "without its scale factor nobody knows the value"


def test_a_scale_factor_in_another_part_of_a_long_model_is_as_fresh_as_its_value():
    meter = station("sunspec/meter-int", longest_read=30)
    device = Device(registers(40000, common(), content(203, METERING)))
    device.run(meter.identify())
    device.put(registers(40000, common(), content(203, {**METERING, "TotWh_SF": 3})))
    assert read(meter, device)["ea_imp"] == 777000
    assert max(count for _, count in device.asked) <= 30


def test_what_a_device_has_not_is_not_missed_and_is_no_variable_of_it():
    device, meter = Device(inverter()), station()
    device.run(meter.identify())
    (block,) = meter.blocks
    taken = device.run(meter.read(block))
    assert taken.missing == ()
    assert "q" not in taken.values
    names = {point.name for point in meter.profile.points}
    assert "q" not in names
    assert {"p", "serial"} <= names
    assert names == taken.values.keys() | {"serial", "model", "firmware", "manufacturer", "options"}


def test_what_it_had_once_is_missed_and_what_comes_later_joins_in():
    device, meter = Device(inverter()), station()
    device.run(meter.identify())
    (block,) = meter.blocks
    before = meter.profile
    assert device.run(meter.read(block)) == Taken(read(meter, device))
    assert meter.profile is before
    device.put(inverter(values={**SOLAR, "PhVphA": None, "VAr": 15, "VAr_SF": 0}))
    taken = device.run(meter.read(block))
    assert taken.missing == ("v1",)
    assert taken.values["q"] == 15
    assert {"q", "v1"} <= {point.name for point in meter.profile.points}


def test_models_that_are_shorter_than_defined_are_read_as_far_as_they_go():
    data = content(103, SOLAR, length=14)
    device, meter = Device(registers(40000, common(), data, content(160, STRINGS, [STRING]))), station()
    device.run(meter.identify())
    values = read(meter, device)
    assert values["p"] == 2815
    assert values["dc_p1"] == 3080
    assert "e_total" not in values


def test_before_its_models_are_found_there_is_nothing_to_read():
    meter = station()
    assert tuple(meter.blocks) == tuple(meter.who) == ()
    assert meter.profile.point("p") is not None
    assert meter.profile.point("serial") is not None


def test_a_device_without_sunspec_and_one_without_the_models_are_told_apart():
    with pytest.raises(NotOfProfile, match="no SunSpec begins at register 40000, 50000 or 0"):
        Device({}).run(station().identify())
    device = Device(registers(40000, common(), content(203)))
    with pytest.raises(NotOfProfile, match="models 1, 203 from register 40000 on, none of which"):
        device.run(station().identify())


def test_a_device_that_never_answers_where_it_has_nothing_is_found_all_the_same():
    device, meter = Device(inverter(0), silent=range(40000, 50002)), station()
    for _ in range(2):
        with pytest.raises(NoReply):
            device.run(meter.identify())
    assert device.run(meter.identify()).values["p"] == 2815
    asked = len(device.asked)
    meter.lost()
    device.run(meter.identify())
    assert device.asked[asked] == (0, 2), "it is looked for first where it was last"


# -- what changes while it is read


def moved():
    """The same device after an update: another model has come before the one that is read."""
    return registers(40000, common(), content(120), content(103, {**SOLAR, "W": 3000}))


def test_a_model_that_has_moved_is_noticed_with_the_first_read_at_its_old_place():
    device, meter = Device(inverter()), station()
    device.run(meter.identify())
    (old,) = meter.blocks
    device.put(moved())
    taken = device.run(meter.read(old))
    assert taken.values == {}
    assert "p" in taken.missing
    (new,) = meter.blocks
    assert new.address == old.address + 28
    assert read(meter, device)["p"] == 3000
    assert device.run(meter.read(old)).values == {}, "what is asked for at the old place is not looked at any more"


def test_another_device_at_its_place_is_noticed_when_it_says_who_it_is():
    device, meter = Device(inverter()), station()
    device.run(meter.identify())
    device.put(registers(50000, common(SN="B-1"), content(101, SOLAR)))
    device.registers.update(dict.fromkeys(range(40000, 40200), 0))
    taken = device.run(meter.identify())
    assert taken.values["serial"] == "B-1"
    assert meter.blocks[0].address == 50070


def test_after_the_line_was_lost_the_chain_is_walked_again():
    device, meter = Device(inverter()), station()
    device.run(meter.identify())
    (block,) = meter.blocks
    asked = len(device.asked)
    assert device.run(meter.read(block)).values
    assert len(device.asked) == asked + 1
    meter.lost()
    assert device.run(meter.read(block)).values["p"] == 2815
    assert (40000, 2) in device.asked[asked + 1 :]
    assert meter.blocks == (block,), "nothing has changed"
    device.put(moved())
    meter.lost()
    assert device.run(meter.read(block)).values == {}
    assert meter.blocks != (block,)


def test_after_a_refusal_the_chain_is_walked_again_and_holes_are_read_around():
    device, meter = Device(inverter()), station()
    device.run(meter.identify())
    (block,) = meter.blocks
    del device.registers[40070 + 42]  # in the hole between two alarms, which nobody wants
    with pytest.raises(Refused):
        device.run(meter.read(block))
    pieces = meter.refused(block, 2)
    assert len(pieces) == 2
    assert tuple(meter.blocks) == tuple(pieces)
    asked = len(device.asked)
    assert read(meter, device)["p"] == 2815
    assert (40000, 2) in device.asked[asked:]
    assert tuple(meter.blocks) == tuple(pieces), "the chain is what it was, and so is what was learnt"


def test_a_model_that_refuses_its_first_read_does_not_hide_the_others():
    device, meter = Device(registers(40000, common(), content(103, SOLAR), content(160, STRINGS, [STRING]))), station()
    del device.registers[40122 + 20]
    taken = device.run(meter.identify())
    assert taken.values["p"] == 2815
    assert "dc_p1" not in taken.values
    assert len(meter.blocks) == 2


def test_a_device_that_has_no_models_any_more_is_not_read_until_it_has_some_again():
    device, meter = Device(inverter()), station()
    device.run(meter.identify())
    (block,) = meter.blocks
    device.put({})
    with pytest.raises(Refused):
        device.run(meter.read(block))
    meter.refused(block, 2)
    with pytest.raises(NotOfProfile):
        device.run(meter.read(block))
    assert meter.blocks == ()
    assert meter.profile.point("p") is not None, "what it was is what it is expected to be"
    device.put(inverter())
    assert device.run(meter.identify()).values["p"] == 2815
    assert tuple(meter.blocks) == (block,)


def test_a_damaged_chain_is_no_device_to_read():
    device = Device({**inverter(), 40071: 0xFFFF})
    with pytest.raises(NotOfProfile, match="damaged"):
        device.run(station().identify())


WHOLE = registers(0, common(), content(103, SOLAR), content(160, STRINGS, [STRING]), content(203, METERING))


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), st.none() | st.integers(0, 0xFFFF), max_size=12), st.booleans())
@settings(deadline=None)
def test_whatever_becomes_of_its_registers_it_reads_values_or_says_what_is_wrong(changes, is_known):
    device, meter = Device(WHOLE), station()
    if is_known:
        device.run(meter.identify())
    changed = {**WHOLE, **changes}
    device.put({address: word for address, word in changed.items() if word is not None})
    for _ in range(3):
        for ask in (meter.identify, *(partial(meter.read, block) for block in meter.blocks)):
            try:
                taken = device.run(ask())
            except Refused as refusal:
                if isinstance(ask, partial):
                    meter.refused(ask.args[0], refusal.code)
            except ConcentratorError as error:
                assert error.sentence
            else:
                assert all(isinstance(value, str) or isfinite(value) for value in taken.values.values())
    assert len(device.asked) < 1500


# -- commands

LIMITS = {"WMaxLimPct": 1000, "WMaxLimPct_SF": -1, "WMaxLim_Ena": 0}


def limited():
    device = Device(registers(40000, common(), content(103, SOLAR), content(123, LIMITS)))
    meter = station()
    device.run(meter.identify())
    return device, meter


def test_the_limit_of_power_is_written_by_its_fresh_scale_factor_and_read_back():
    device, meter = limited()
    limit = 40122 + 5
    device.run(meter.write("p_limit", 60))
    assert device.written == [(limit, (600,))]
    assert device.run(meter.read_point("p_limit")) == 60
    assert meter.as_read("p_limit", 60) == 60
    device.registers[40122 + 23] = 0
    device.run(meter.write("p_limit", 70))
    assert device.written[1:] == [(limit, (70,))]
    with pytest.raises(NotWritable):
        meter.write("p", 1)
    with pytest.raises(Unknown):
        meter.write("p_limt", 1)
    for name, value in (("p_limit", 101), ("p_limit", -1), ("p_limit_on", 2)):
        with pytest.raises(OutOfRange):
            meter.write(name, value)


def test_nothing_is_written_before_the_models_are_found_or_where_they_are_no_more():
    with pytest.raises(Unknown):
        station().write("p_limit", 60)
    with pytest.raises(NotWritable, match="not found yet"):
        station().write("p", 60)
    device, meter = limited()
    device.put(registers(40000, common(), content(120), content(103, SOLAR), content(123, LIMITS)))
    with pytest.raises(NotWritable, match="have moved"):
        device.run(meter.write("p_limit", 60))
    device.put({})
    with pytest.raises(NotWritable, match="could not be seen"):
        device.run(meter.write("p_limit", 60))
    assert device.written == []


def test_one_variable_is_read_where_it_is_now():
    device, meter = Device(inverter()), station()
    assert device.run(meter.read_point("p")) == 2815
    device.put(moved())
    assert device.run(meter.read_point("p")) == 3000
    with pytest.raises(Unknown):
        meter.read_point("nothing")
