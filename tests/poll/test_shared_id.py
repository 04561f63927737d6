"""Two meters with one Modbus ID on a simulated bus: noticed, told, and their values kept back until one is gone."""

import pytest

from concentrator.dialect.modbus import dialects
from concentrator.model.device import Device
from concentrator.model.reading import Quality
from concentrator.poll.poller import CONFLICT_S, Poller
from concentrator.sim.bus import Faults
from tests.support.virtual_bus import CCM, VirtualBus


class SharedId:
    """Two known meters at 1 and 2; a third is moved to 2 when the test says so."""

    def __init__(self, capture):
        self.bus = VirtualBus(3, faults=Faults(capture=capture))
        self.line = self.bus.line()
        self.newcomer = self.bus.field.slaves[2]
        self.readings, self.events = [], []
        self.serials = {f"m{meter.unit}": meter.serial for meter in self.bus.field.slaves}
        self.poller = Poller(self.line, self.bus.clock, self.bus, self.readings.append, self.reported, self.identified)
        for unit in (1, 2):
            station = dialects()["modbus-rtu"].station(CCM, unit, {"settings": self.bus.wire.settings})
            self.poller.add(Device(f"m{unit}", "native", CCM.key, unit), station)
        self.poller.start()
        self.bus.run(10)

    def reported(self, name, facts):
        self.events.append((name, facts["device"]))

    def identified(self, uid, values):
        said = values["serial"]
        return "" if said == self.serials[uid] else f"serial {said} answers where {self.serials[uid]} is expected"

    def since(self, at, uid):
        return [reading for reading in self.readings if reading.uid == uid and reading.at > at]


@pytest.mark.parametrize("capture", [0.0, 0.5, 1.0])
def test_two_meters_with_one_id_are_a_conflict_until_one_is_gone(capture):
    """Whether their answers damage each other always, sometimes or never."""
    shared = SharedId(capture)
    shared.newcomer.move(2)
    shared.bus.run(180)
    assert [event for event in shared.events if event[0].startswith("device.conflict")] == [("device.conflict", "m2")]
    told_at = shared.bus.now()
    shared.bus.run(60)
    assert shared.poller.polled()[1].conflict
    said = shared.since(told_at, "m2")
    assert said and all(not one.values and one.quality is Quality.CONFLICT for one in said)
    assert shared.since(told_at, "m1")[-1].values
    shared.newcomer.power(False, shared.bus.now())
    shared.bus.run(4 * CONFLICT_S + 10)
    assert shared.events[-1] == ("device.conflict_over", "m2")
    assert shared.since(told_at, "m2")[-1].quality is Quality.GOOD
    assert not [event for event in shared.events if event[1] == "m1"]
    shared.poller.stop()
    shared.bus.run(1)
    shared.bus.stop(shared.line)
