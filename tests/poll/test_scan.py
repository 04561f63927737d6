"""concentrator.poll.scan: who answers on a line, and who that is."""

import json

import pytest
from attrs import evolve

from concentrator.model.errors import Cancelled, LineLost
from concentrator.poll.enquiry import TIMEOUT_S
from concentrator.poll.identify import Proposal
from concentrator.poll.scan import Found
from concentrator.sim.slave import framed
from tests.support.asked import CCM, SAYS, Bus, Slave, marked


def over(scan, units=range(1, 10)):
    found = []
    scan.over(units).addBoth(found.append)
    return found[0].value if hasattr(found[0], "value") else found[0]


METER = Found(3, "function 03", ("energycm/ccm",), "0420020081", "CcM4", "0X2C06")


def test_a_meter_is_found_and_says_who_it_is():
    assert over(Bus(u3=Slave()).scan()) == [METER]


def test_who_refuses_is_there_too():
    registers = {address: content for address, content in SAYS.items() if address}
    assert over(Bus(u9=Slave(registers)).scan()) == [Found(9, "exception 2 to function 03")]


def test_who_knows_function_04_only_is_found_by_it_whether_it_refuses_or_is_silent():
    shy, polite = Slave({0: 1}, (4,), shy=True), Slave({0: 1}, (4,))
    assert over(Bus(u2=shy, u7=polite).scan()) == [
        Found(2, "function 04"),
        Found(7, "exception 1 to function 03"),
    ]


def test_every_silent_id_costs_two_questions_and_nobody_else_is_asked_again():
    bus = Bus(u2=Slave({0: 1}))
    over(bus.scan(), range(1, 4))
    assert [each for each in bus.asked if each[0] != 2] == [(1, 3), (3, 3), (1, 4), (3, 4)]


def test_who_is_known_to_be_there_is_told_and_not_asked():
    bus, known = Bus(u3=Slave()), Found(5, known="main", serial="0420020085")
    assert over(bus.scan(there=[known])) == [METER, known]
    assert 5 not in {unit for unit, _ in bus.asked}
    assert bus.heard[0][2] == [known]


def test_an_id_with_damaged_answers_is_asked_again_and_then_told_as_it_is():
    bus = Bus(u4=Slave())
    bus.damage = lambda reply: reply[:-1] + b"\0"
    (found,) = over(bus.scan())
    assert (found.unit, found.trouble) == (4, "The answer is damaged: checksum")
    assert bus.asked.count((4, 3)) == 2 and (4, 4) not in bus.asked


def test_the_late_answer_of_the_unit_before_hides_nobody():
    bus = Bus(u3=Slave())
    late = [framed(2, b"\x03\x02\0\0")]
    bus.damage = lambda reply: late.pop() if late else reply
    assert over(bus.scan()) == [METER]


def test_requests_wait_their_whole_time_however_fast_others_answer():
    bus = Bus(u3=Slave())
    over(bus.scan(timeout_s=0.3), [1])
    assert bus.patient == [(True, 0.3), (True, 0.3)]
    assert TIMEOUT_S == 0.15


def test_every_question_is_a_turn_of_its_own_with_a_rest_after_it():
    bus = Bus(u2=Slave({0: 1}))
    over(bus.scan(), range(1, 4))
    assert bus.rests == len(bus.asked)


def test_a_scan_says_how_far_it_is_and_never_takes_it_back():
    bus = Bus(u3=Slave())
    over(bus.scan())
    done = [told[0] for told in bus.heard]
    assert done == sorted(done) and (done[0], done[-1]) == (0.0, 1.0)
    assert bus.heard[2][:2] == (2 / 18, "function 03, ID 3")
    assert bus.heard[3][2] == [METER]


@pytest.mark.parametrize("error", [LineLost("unplugged"), Cancelled("nobody wanted it")])
def test_a_scan_ends_with_the_line_and_when_it_is_given_up(error):
    bus = Bus()
    bus.broken = error
    assert over(bus.scan()) is error
    assert bus.rests == 0


def test_a_device_fits_every_profile_all_of_whose_marks_it_has():
    bus = Bus(u1=Slave({10: 101, 11: 2}))
    profiles = [
        marked("a/first", (10, "101..103"), (11, "1=one 2=two")),
        marked("a/other", (10, "101"), (11, "9")),
        marked("a/third", (10, "101")),
        marked("a/unmarked"),
        marked("a/elsewhere", (500, "1")),
    ]
    (found,) = over(bus.scan(*profiles), [1])
    assert found.profiles == ("a/first", "a/third")


def test_a_mark_that_several_profiles_have_is_read_once():
    bus = Bus(u1=Slave({0: 1, 10: 101}))
    over(bus.scan(*[marked(f"a/{n}", (10, "102")) for n in range(5)]), [1])
    assert len(bus.asked) == 2


def test_who_is_recognised_in_another_way_is_found_too():
    async def recognise(enquiry, unit):
        return [Proposal(CCM, 2)] if unit == 3 else []

    found = over(Bus(u2=Slave({0: 1}), u3=Slave()).scan(marked("a/none", (10, "9")), recognisers=[recognise]))
    assert [(each.unit, each.profiles) for each in found] == [(2, ()), (3, ("energycm/ccm",))]
    assert found[1].serial == "0420020081"


def test_a_device_that_falls_silent_while_it_says_who_it_is_is_told_with_what_was_wrong():
    bus, slave = Bus(), Slave()
    bus.slaves[1] = slave
    answer = slave.answer
    slave.answer = lambda frame: answer(frame) if frame[5] == 1 else None
    (found,) = over(bus.scan(), [1])
    assert (found.profiles, found.serial) == (("energycm/ccm",), "")
    assert found.trouble == "The device did not answer in time: nothing came"


def test_what_was_found_is_json():
    assert json.loads(json.dumps(METER.as_json())) == {
        "unit": 3,
        "answered": "function 03",
        "profiles": ["energycm/ccm"],
        "serial": "0420020081",
        "model": "CcM4",
        "firmware": "0X2C06",
        "known": "",
        "trouble": "",
    }
    assert evolve(METER, known="main").as_json()["known"] == "main"
