"""concentrator.poll.probe: one whole read of a device, whatever it refuses or leaves out."""

import json

import pytest

from concentrator.dialect.modbus import dialects
from concentrator.model.errors import LineLost, NoReply
from concentrator.poll.probe import LONGEST_S, SILENT_MOST, Probe
from concentrator.profile.catalogue import Catalogue
from concentrator.sim.slave import framed
from tests.support.asked import Bus, Slave
from tests.support.outcomes import outcome
from tests.support.profiles import load, variable

MARK = {"what": "model code", "function": "holding", "address": 11, "type": "u16", "match": "71..73"}
SERIAL = {"what": "serial", "function": "holding", "address": 20, "type": "string", "len": 2}
PROFILE = load(
    variable("v1", address=0, scale=0.1),
    variable("i1", unit="A", address=1, scale=0.01),
    variable("p", unit="W", address=2, type="s16"),
    variable("ea_imp", unit="kWh", address=300, type="u32", nan=0xFFFFFFFF),
    variable("own_thing", unit="", address=400),
    identify=[MARK, SERIAL],
)
SAYS = {0: 2301, 1: 542, 2: 0xFF38, 11: 72, 20: 0x4131, 21: 0x4232, 300: 1, 301: 2, 400: 7}


def over(bus, unit=7, seconds=lambda: 0.0, told=None):
    station = dialects()["modbus-rtu"].station(PROFILE, unit, {})
    tell = (lambda done: None) if told is None else told.append
    return outcome(Probe(bus.enquiry(), station, unit, seconds, tell).over())


def test_a_whole_read_brings_every_value_and_who_it_is():
    probed = over(Bus(u7=Slave(SAYS)))
    assert (probed.values["v1"], probed.values["p"], probed.values["ea_imp"]) == (230.1, -200, 65538)
    assert (probed.missing, probed.misfits) == ((), ())
    assert probed.who() == {"serial": "A1B2", "model": "", "firmware": ""}


def test_what_a_device_does_not_have_is_missing_and_the_rest_is_read_around_it():
    probed = over(Bus(u7=Slave(SAYS, lacks=(1, 400))))
    assert sorted(probed.values) == ["ea_imp", "model_code", "p", "serial", "v1"]
    assert probed.missing == ("i1", "own_thing")


def test_a_value_that_the_device_has_not_now_is_missing():
    probed = over(Bus(u7=Slave(SAYS | {300: 0xFFFF, 301: 0xFFFF})))
    assert probed.missing == ("ea_imp",)


def test_another_device_than_the_profile_says_is_noticed():
    assert over(Bus(u7=Slave(SAYS | {11: 99}))).misfits == ("model code: found 99, expected 71..73",)
    assert over(Bus(u7=Slave(SAYS, lacks=(11,)))).misfits == ("model code: found nothing, expected 71..73",)


def test_nobody_there_is_an_error_and_so_is_a_gateway_that_says_so():
    assert isinstance(over(Bus()), NoReply)

    class Gateway(Slave):
        def answer(self, frame):
            return framed(frame[0], bytes((frame[1] | 0x80, 11)))

    error = over(Bus(u7=Gateway()))
    assert isinstance(error, NoReply) and "the gateway says" in str(error)


def test_a_late_answer_of_another_station_is_not_the_end_of_it():
    bus, late = Bus(u7=Slave(SAYS)), [framed(2, b"\x03\x02\0\0")]
    bus.damage = lambda reply: late.pop() if late else reply
    assert over(bus).missing == ()


def test_a_device_that_falls_silent_is_not_asked_for_all_the_rest():
    class Tired(Slave):
        def answer(self, frame):
            address = int.from_bytes(frame[2:4], "big")
            return super().answer(frame) if address in (11, 20) else None

    bus = Bus(u7=Tired(SAYS))
    probed = over(bus)
    assert set(probed.missing) == {"v1", "i1", "p", "ea_imp", "own_thing"}
    assert len(bus.asked) <= 2 + SILENT_MOST


def test_the_time_is_up_at_last():
    moments = iter([0.0, 0.0, LONGEST_S + 1, LONGEST_S + 1])
    probed = over(Bus(u7=Slave(SAYS)), seconds=lambda: next(moments))
    assert probed.values and probed.missing
    assert probed.took_s == LONGEST_S + 1


@pytest.mark.parametrize("error", [LineLost("unplugged")])
def test_a_lost_line_ends_it(error):
    bus = Bus(u7=Slave(SAYS))
    bus.broken = error
    assert over(bus) is error


def test_every_question_is_a_turn_of_its_own_with_a_rest_and_progress_after_it():
    bus, told = Bus(u7=Slave(SAYS)), []
    over(bus, told=told)
    assert bus.rests >= 3
    assert told == sorted(told) and told[0] == 0.0


def test_what_was_read_is_json_with_the_values_people_look_at_first():
    told = json.loads(json.dumps(over(Bus(u7=Slave(SAYS))).as_json()))
    assert told["values"][0] == {"name": "v1", "label": "voltage L1", "value": 230.1, "unit": "V"}
    assert told["first"] == ["p", "v1", "i1", "ea_imp", "own_thing"]
    assert (told["profile"], told["serial"], told["rules"], told["took_s"]) == ("acme/m1", "A1B2", 1, 0.0)


def test_what_is_only_passed_through_to_is_asked_nothing():
    bus = Bus()
    profile = Catalogue().get("smartgen/passthrough")
    station = dialects()["modbus-rtu"].station(profile, 7, {})
    probed = outcome(Probe(bus.enquiry(), station, 7, lambda: 0.0).over())
    assert (probed.values, probed.missing, probed.misfits) == ({}, (), ())
    assert probed.as_json()["passes_through"] is True
    assert bus.asked == []
