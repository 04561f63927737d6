"""concentrator.line.patience: a station is waited for as long as it has needed, and asked when it answers."""

import pytest
from attrs import evolve

from concentrator.line.patience import FLOOR_S, NETWORK_FLOOR_S, Pace
from concentrator.model.errors import NoReply
from concentrator.model.profile import Function
from concentrator.sim.bus import Faults, Wire
from concentrator.wire.modbus import read, rtu
from tests.support.virtual_bus import VirtualBus

CEILING_S = 0.3


def used_to(answers_s, floor_s=FLOOR_S):
    pace = Pace(floor_s)
    for answer_s in answers_s:
        pace.answered(answer_s)
    return pace


def test_a_station_that_never_answered_is_waited_for_in_full():
    assert Pace().wait_s(CEILING_S) == CEILING_S
    assert used_to([0.005] * 3).wait_s(CEILING_S) == CEILING_S


@pytest.mark.parametrize(
    ("answers_s", "floor_s", "wait_s"),
    [
        ([0.005] * 4, FLOOR_S, 0.060),
        ([0.005] * 40, FLOOR_S, 0.060),
        ([0.005, 0.060, 0.005, 0.005], FLOOR_S, 0.150),
        ([0.2] * 4, FLOOR_S, CEILING_S),
        ([0.002] * 4, NETWORK_FLOOR_S, CEILING_S),
        ([0.0] * 4, FLOOR_S, FLOOR_S),
    ],
)
def test_the_wait_follows_the_slowest_answers_between_floor_and_ceiling(answers_s, floor_s, wait_s):
    assert used_to(answers_s, floor_s).wait_s(CEILING_S) == pytest.approx(wait_s, abs=0.02)
    assert FLOOR_S <= used_to(answers_s, floor_s).wait_s(CEILING_S) <= CEILING_S


def test_one_slow_answer_counts_at_once_and_is_forgotten_slowly():
    pace = used_to([0.005] * 20)
    pace.answered(0.1)
    waits = [pace.wait_s(CEILING_S)]
    for _ in range(60):
        pace.answered(0.005)
        waits.append(pace.wait_s(CEILING_S))
    assert waits[0] == pytest.approx(FLOOR_S + 0.2)
    assert waits == sorted(waits, reverse=True)
    assert waits[5] > 0.15
    assert waits[-1] < 0.08


def test_after_a_time_out_the_ceiling_counts_until_enough_answers_have_come():
    pace = used_to([0.005] * 10)
    pace.timed_out()
    assert pace.wait_s(CEILING_S) == CEILING_S
    for _ in range(4):
        pace.answered(0.005)
    assert pace.wait_s(CEILING_S) < 0.1


def serial(unit, is_patient=False):
    transaction = rtu(unit, read(Function.HOLDING, 0x0002, 5), CEILING_S)
    return (yield evolve(transaction, is_patient=is_patient))


@pytest.mark.parametrize(("is_patient", "least_s", "most_s"), [(False, FLOOR_S, 0.09), (True, CEILING_S, 0.32)])
def test_a_station_that_dies_costs_what_it_needed_and_not_its_ceiling(is_patient, least_s, most_s):
    bus = VirtualBus(2, Wire(turnaround_s=(0.005, 0.010)))
    line = bus.line()
    for _ in range(10):
        line.run(1, serial(1))
        bus.run(0.2)
    bus.bus.faults = Faults(silent=frozenset({1}))
    began, ended = bus.clock.seconds(), []

    def failed(failure):
        failure.trap(NoReply)
        ended.append(bus.clock.seconds() - began)

    line.run(1, serial(1, is_patient)).addErrback(failed)
    bus.run(1.0)
    assert least_s <= ended[0] <= most_s
    bus.stop(line)


def test_a_device_that_becomes_slower_is_not_lost():
    """Its time-out is wrong once; then it has all the time it is given."""
    bus = VirtualBus(2, Wire(turnaround_s=(0.005, 0.005)))
    line = bus.line()
    results = []

    def ask():
        line.run(1, serial(1)).addBoth(results.append)
        bus.run(1.5)

    for _ in range(10):
        ask()
    bus.bus.faults = Faults(late=1.0, late_s=0.15)
    for _ in range(10):
        ask()
    bus.run(5)
    missed = [place for place, result in enumerate(results) if not isinstance(result, bytes)]
    assert missed == [10]
    bus.stop(line)
