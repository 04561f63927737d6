"""A full bus: 33 meters at 9600 8N1, read whole with all three phases by the real poller, dialect and line, on a
simulated wire in virtual time."""

from collections import defaultdict
from itertools import pairwise

import pytest

from concentrator.dialect.modbus import dialects
from concentrator.model.device import Device
from concentrator.model.reading import Quality
from concentrator.poll.forecast import Wanted, forecast
from concentrator.poll.polled import period_s
from concentrator.poll.poller import IDENTIFY_S, Poller
from concentrator.sim.bus import Faults
from tests.support.virtual_bus import CCM, VirtualBus

METERS = 33
FAST, ENERGIES, WHO, SETTINGS = 0x0100, 0x0140, 0x0000, 0x0300
FAST_S, ENERGIES_S = 7.0, 20.0
WARM_S = 30.0


class FullBus:
    """The bus, its poller, and what was read: by unit and block address the moments of the answers."""

    def __init__(self, silent=()):
        self.bus = VirtualBus(METERS, faults=Faults(silent=frozenset(silent)))
        self.line = self.bus.line()
        self.readings, self.events = [], []
        self.poller = Poller(
            self.line, self.bus.clock, self.bus, self.readings.append, self.reported, lambda uid, values: ""
        )
        dialect = dialects()["modbus-rtu"]
        for unit in range(1, METERS + 1):
            station = dialect.station(CCM, unit, {"settings": self.bus.wire.settings})
            self.poller.add(Device(f"m{unit}", "native", CCM.key, unit, interval_s=3.0), station)
        self.poller.start()

    def reported(self, name, facts):
        self.events.append((name, facts.get("device", facts.get("line"))))

    def close(self):
        self.poller.stop()
        self.bus.run(1.0)
        self.bus.stop(self.line)

    def silence(self, *units):
        self.bus.bus.faults = Faults(silent=frozenset(units))

    def moments(self, since, until=float("inf")):
        """When which block of which unit was answered."""
        found = defaultdict(list)
        for one in self.bus.heard:
            if one.reply_ended is not None and since <= one.began <= until:
                found[one.unit, one.address].append(one.reply_ended)
        return found

    def longest_s(self, address, units, since, until):
        """The longest time a block of one of the units was not read, the ends of the window included."""
        moments = self.moments(since, until)
        return max(
            after - before for unit in units for before, after in pairwise([since, *moments[unit, address], until])
        )


@pytest.fixture
def full():
    full = FullBus()
    yield full
    full.close()


def test_every_meter_is_read_in_time_while_all_answer(full):
    """Fast values within 7 s and energies within 20 s, identification and configuration read meanwhile."""
    began = full.bus.clock.seconds()
    full.bus.run(150)
    since, until = began + WARM_S, began + 150
    units = range(1, METERS + 1)
    assert full.longest_s(FAST, units, since, until) <= FAST_S
    assert full.longest_s(ENERGIES, units, since, until) <= ENERGIES_S
    seen = full.moments(began)
    assert all(seen[unit, SETTINGS] for unit in units)
    assert all(len(seen[unit, WHO]) >= 2 for unit in units)
    silence_s = full.bus.wire.silence_s - 1e-9  # moments are sums
    assert not [one for one in full.bus.heard if one.gap_s is not None and one.gap_s < silence_s]
    assert full.events == []
    assert max(polled.round_s for polled in full.poller.polled()) <= FAST_S
    assert len({reading.uid for reading in full.readings if {"p3", "in"} <= reading.values.keys()}) == METERS
    assert {polled.quality for polled in full.poller.polled()} <= {Quality.GOOD, Quality.PARTIAL}


def test_the_first_values_of_all_come_at_once_after_the_start(full):
    began = full.bus.clock.seconds()
    full.bus.run(20)
    seen = full.moments(began)
    assert max(seen[unit, FAST][0] for unit in range(1, METERS + 1)) - began < 10
    assert max(seen[unit, ENERGIES][0] for unit in range(1, METERS + 1)) - began < 20


def test_every_meter_but_a_dead_one_is_read_in_time(full):
    began = full.bus.clock.seconds()
    full.bus.run(WARM_S)
    full.silence(17)
    full.bus.run(130)
    alive = [unit for unit in range(1, METERS + 1) if unit != 17]
    since, until = began + WARM_S, began + WARM_S + 130
    assert full.longest_s(FAST, alive, since, until) <= FAST_S
    assert full.longest_s(ENERGIES, alive, since, until) <= ENERGIES_S
    assert full.events == [("device.lost", "m17")]
    full.silence()
    back_at = full.bus.clock.seconds()
    full.bus.run(35)
    assert full.moments(back_at)[17, FAST][0] - back_at <= 30
    assert full.events[1:] == [("device.found", "m17")]


def test_a_meter_that_was_never_there_harms_nobody():
    full = FullBus(silent=[33])
    began = full.bus.clock.seconds()
    full.bus.run(100)
    alive = range(1, METERS)
    assert full.longest_s(FAST, alive, began + WARM_S, began + 100) <= FAST_S
    assert full.longest_s(ENERGIES, alive, began + WARM_S, began + 100) <= ENERGIES_S
    full.close()


def test_the_forecast_is_what_the_bus_then_keeps(full):
    station = dialects()["modbus-rtu"].station(CCM, 1, {"settings": full.bus.wire.settings})
    device = Device("m1", "native", CCM.key, 1, interval_s=3.0)
    reads = [Wanted(f"m{unit}", block, period_s(block, device)) for block in station.blocks for unit in range(METERS)]
    reads += [Wanted(f"m{unit}", block, IDENTIFY_S) for block in station.who for unit in range(METERS)]
    foretold = {kept.wanted.block.address: kept.period_s for kept in forecast(reads, full.bus.wire.settings).reads}
    assert foretold[FAST] <= FAST_S
    assert foretold[ENERGIES] <= ENERGIES_S
    began = full.bus.clock.seconds()
    full.bus.run(WARM_S + 100)
    seen = full.moments(began + WARM_S)
    for address in (FAST, ENERGIES):
        times = sum(len(seen[unit, address]) for unit in range(1, METERS + 1))
        assert METERS * 100 / times == pytest.approx(foretold[address], rel=0.06)


def test_four_meters_that_die_at_once_cost_the_others_little(full):
    began = full.bus.clock.seconds()
    full.bus.run(90)
    dead = (4, 11, 12, 30)
    full.silence(*dead)
    full.bus.run(160)
    alive = [unit for unit in range(1, METERS + 1) if unit not in dead]

    def round_s(since, until):
        moments = full.moments(since, until)
        return (until - since) * len(alive) / sum(len(moments[unit, FAST]) for unit in alive)

    usual_s = round_s(began + 30, began + 90)
    longest_s = full.longest_s(FAST, alive, began + 30, began + 90)
    assert full.longest_s(FAST, alive, began + 90, began + 250) <= 1.10 * longest_s
    assert round_s(began + 150, began + 250) <= 0.95 * usual_s
