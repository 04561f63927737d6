"""M-Bus meters read by the ordinary poller, on a simulated line in simulated time: who first, then values under names
that stay, events, and a line that goes on whoever is silent."""

import pytest

from concentrator.dialect.mbus import MbusDialect
from concentrator.model.device import Device
from concentrator.model.reading import Quality
from concentrator.poll.counters import counters_of
from concentrator.poll.meter_status import StatusWatch
from concentrator.poll.poller import Poller
from concentrator.profile.mbus import GENERIC, KEY
from concentrator.sim.mbus_meter import MbusMeter, bcd, heat_telegram, some_meters
from concentrator.wire.mbus_address import SecondaryAddress, parse_address
from concentrator.wire.mbus_frame import SELECTED
from tests.support.mbus import MBUS, VirtualMbus

ADDRESS = parse_address("12345678-KAM-08-04").raw
HEAT = heat_telegram(539, 70_123, 4_200, 81.5, 44.0)


class Road:
    """A poller on a line with these meters; `readings` and `events` are what it gave, `said` who said to be who."""

    def __init__(self, *meters):
        self.bus = VirtualMbus(*meters)
        self.line = self.bus.line()
        self.readings, self.events, self.said, self.wrong = [], [], {}, {}
        watch = StatusWatch(self.reported)

        def publish(reading):
            self.readings.append(reading)
            watch.reading_received(reading)

        self.poller = Poller(self.line, self.bus.clock, self.bus, publish, self.reported, self.identified)

    def reported(self, name, facts):
        self.events.append((name, facts.get("device", facts.get("line"))))

    def identified(self, uid, values):
        known = self.said.setdefault(uid, values["serial"])
        return "" if known == values["serial"] else f"serial {values['serial']} answers where {known} is expected"

    def add(self, uid, address=SELECTED, selected="", interval_s=60.0):
        device = Device(uid, "mbus", KEY, address, interval_s=interval_s, selected=selected)
        parameters = {"settings": MBUS, "selected": selected}
        return self.poller.add(device, MbusDialect().station(GENERIC, address, parameters))

    def of(self, uid):
        return [reading for reading in self.readings if reading.uid == uid]

    def stop(self):
        self.poller.stop()
        self.bus.run(5.0)
        self.bus.stop(self.line)


@pytest.fixture
def road():
    made = []

    def over(*meters):
        made.append(Road(*meters))
        return made[0]

    yield over
    made[0].stop()


@pytest.fixture
def meter():
    return MbusMeter(ADDRESS, 5, (HEAT,))


@pytest.mark.parametrize("where", [{"address": 5}, {"selected": "12345678"}], ids=["primary", "selected"])
def test_a_meter_says_who_it_is_and_is_read_at_its_interval(road, meter, where):
    box = road(meter)
    box.add("boiler", **where)
    box.poller.start()
    box.bus.run(601.0)
    assert box.said == {"boiler": "12345678-KAM-08-04"}
    readings = box.of("boiler")
    assert 10 <= len(readings) <= 13
    assert all(reading.quality is Quality.GOOD for reading in readings)
    measured = {"heat_e": 539, "heat_v": 70.123, "heat_p": 4200, "temp_flow": 81.5, "temp_return": 44}
    assert all(reading.values.items() >= measured.items() for reading in readings)
    assert box.events == []
    (polled,) = box.poller.polled()
    assert polled.health.label == "answering"
    assert polled.round_s == pytest.approx(60.0, abs=1.0)


def test_names_stay_when_the_meter_says_more_or_in_another_order(road, meter):
    box = road(meter)
    polled = box.add("boiler", 5)
    box.poller.start()
    box.bus.run(70.0)
    meter.telegrams = (b"\x0a\x5e" + bcd(400, 2) + b"\x8c\x10\x06" + bcd(7, 4) + b"\x0c\x06" + bcd(540, 4),)
    box.bus.run(60.0)
    newest = box.of("boiler")[-1].values
    said = {name: value for name, value in newest.items() if name not in ("serial", "model")}
    assert said == {"mbus_status": 0, "temp_return": 40, "heat_e_t1": 7, "heat_e": 540}
    points = polled.station.profile.points
    assert [point.name for point in points if point.polled] == [
        "mbus_status",
        "heat_e",
        "heat_v",
        "heat_p",
        "temp_flow",
        "temp_return",
        "heat_e_t1",
    ]
    assert counters_of(polled.station.profile).keys() == {"heat_e", "heat_v", "heat_e_t1"}


def test_what_the_meter_says_of_itself_becomes_events(road, meter):
    box = road(meter)
    box.add("boiler", 5, interval_s=10.0)
    box.poller.start()
    for status in (0, 0x04, 0x0C, 0x08, 0x10, 0):
        meter.status = status
        box.bus.run(25.0)
    assert box.events == [
        (f"meter.{name}", "boiler")
        for name in (
            "power_low",
            "permanent_error",
            "power_low_over",
            "permanent_error_over",
            "temporary_error",
            "temporary_error_over",
        )
    ]


def test_another_meter_in_its_place_is_a_conflict_and_its_values_are_not_used(road, meter):
    box = road(meter)
    box.add("boiler", 5)
    box.poller.start()
    box.bus.run(70.0)
    meter.address = parse_address("87654321-KAM-08-04").raw
    meter.telegrams = (heat_telegram(1, 1, 1, 1.0, 1.0),)
    before = len(box.readings)
    box.bus.run(1000.0)
    assert box.events == [("device.conflict", "boiler")]
    assert all(reading.values.get("heat_e") != 1 for reading in box.readings[before:])
    assert box.readings[-1].quality is Quality.CONFLICT
    meter.address = ADDRESS
    box.bus.run(200.0)
    assert [name for name, _ in box.events] == ["device.conflict", "device.conflict_over"]


def test_a_meter_that_is_gone_is_told_and_found_again_and_costs_the_others_nothing(road, meter):
    others = some_meters(5, "others")
    for place, other in enumerate(others):
        other.primary = 10 + place
    box = road(meter, *others)
    box.add("boiler", selected="12345678", interval_s=20.0)
    for place, other in enumerate(others):
        box.add(f"m{place}", selected=str(SecondaryAddress(other.address)), interval_s=20.0)
    box.poller.start()
    box.bus.run(100.0)
    meter.baudrate = 300
    box.bus.run(300.0)
    meter.baudrate = 2400
    since = len(box.of("m0"))
    box.bus.run(300.0)
    assert [name for name, device in box.events if device == "boiler"] == ["device.lost", "device.found"]
    assert all(device == "boiler" for _, device in box.events)
    assert len(box.of("m0")) - since >= 15
    assert box.of("boiler")[-1].quality is Quality.GOOD


def test_how_long_each_meter_is_waited_for_is_learnt(road, meter):
    box = road(meter)
    box.add("boiler", 5, interval_s=5.0)
    box.poller.start()
    box.bus.run(100.0)
    learnt = box.line._books.known(5).pace
    assert learnt.wait_s(10.0) < 0.2


def test_a_line_with_250_meters_is_read_round_and_round(road):
    meters = some_meters(250, "full", 20)
    box = road(*meters)
    for place, each in enumerate(meters):
        box.add(f"m{place}", selected=str(SecondaryAddress(each.address)), interval_s=300.0)
    box.poller.start()
    box.bus.run(900.0)
    read = {reading.uid for reading in box.readings if reading.values}
    assert len(read) == 250
    assert sorted(box.said.values()) == sorted(str(SecondaryAddress(each.address)) for each in meters)
    assert all(reading.quality is Quality.GOOD for reading in box.readings)
