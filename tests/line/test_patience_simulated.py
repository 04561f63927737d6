"""Learnt time-outs on the simulated bus: what a dying station costs, and a slow one."""

import pytest
from attrs import evolve

from concentrator.line.patience import FLOOR_S
from concentrator.model.errors import NoReply
from concentrator.model.profile import Function
from concentrator.sim.bus import Faults, Wire
from concentrator.wire.modbus import read, rtu
from tests.support.virtual_bus import VirtualBus

CEILING_S = 0.3


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
