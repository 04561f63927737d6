"""concentrator.app.mbus_speed: a whole M-Bus at another speed, or at the one it had."""

from types import SimpleNamespace

import pytest
from attrs import define
from twisted.trial.unittest import SynchronousTestCase

from concentrator.app.mbus_speed import CHANGING, speed_beside
from concentrator.line.serial_address import M_BUS_PORT, parse_serial
from concentrator.line.wire_end import WireEnd
from concentrator.model.device import Device
from concentrator.model.errors import (
    Busy,
    Cancelled,
    ConfigError,
    Denied,
    LineLost,
    NotConfirmed,
    OutOfRange,
    WrongArguments,
)
from concentrator.sim.mbus_meter import MbusMeter, some_meters
from concentrator.wire.conversation import LineSettings
from concentrator.wire.mbus_address import SecondaryAddress
from concentrator.wire.mbus_talk import Place, read
from tests.support.gateways import Polling
from tests.support.mbus import VirtualMbus

results = SynchronousTestCase()
ENDPOINT = "serial:/dev/ttyUSB0:baudrate=2400"


@define(eq=False)
class Stubborn(MbusMeter):
    """It acknowledges another speed, and does not know it."""

    def reply(self, frame):
        before = self.baudrate
        said = super().reply(frame)
        self.baudrate = before
        return said


class Box:
    """A line with meters that are its devices, by primary and by secondary addresses in turn."""

    def __init__(self, monkeypatch, *meters, endpoint=ENDPOINT, allow_write=True):
        self.meters = meters
        self.bus = VirtualMbus(*meters)
        self.line = self.bus.line()
        monkeypatch.setattr(WireEnd, "set_speed", lambda _, baudrate: self.set_speed(baudrate))
        self.polling = Polling()
        section = SimpleNamespace(endpoint=endpoint, serial_address=parse_serial(endpoint, M_BUS_PORT))
        self.wire = SimpleNamespace(line=self.line, section=section, poller=self.polling)
        self.devices = [self.device(number, meter, allow_write) for number, meter in enumerate(meters)]
        self.kept, self.told = [], []
        self.refusal = None

    def device(self, number, meter, allow_write):
        selected = str(SecondaryAddress(meter.address)) if number % 2 else ""
        return Device(f"m{number}", "mbus", "mbus/generic", meter.primary, selected=selected, allow_write=allow_write)

    def set_speed(self, baudrate):
        self.bus.bus.settings = LineSettings(baudrate, 11)

    def keep(self, endpoint):
        if self.refusal is not None:
            raise self.refusal
        self.kept.append(endpoint)

    def begin(self, baudrate):
        return speed_beside(self.wire, self.devices, baudrate, self.keep, lambda done, text: self.told.append(done))

    def speeds(self):
        return {meter.baudrate for meter in self.meters}

    def answers(self):
        """Whether the first meter can be read as the line is now."""
        return len(self.bus.said(self.line, read(Place(self.meters[0].primary), 1.2))) == 1

    def close(self):
        results.successResultOf(self.bus.stop(self.line))


@pytest.fixture
def box(monkeypatch):
    boxes = []

    def build(*meters, **options):
        boxes.append(Box(monkeypatch, *meters, **options))
        return boxes[-1]

    yield build
    for each in boxes:
        each.close()


def stubborn(meter):
    return Stubborn(meter.address, meter.primary, meter.telegrams)


@pytest.mark.parametrize("baudrate", [300, 9600])
def test_all_meters_come_along_and_the_configuration_says_so(box, baudrate):
    home = box(*some_meters(12, "speeds"))
    change = home.begin(baudrate)
    assert home.polling.suspended == CHANGING
    home.bus.run(120)
    names = [each.uid for each in home.devices]
    assert results.successResultOf(change) == {"line": "mbus", "baudrate": baudrate, "meters": names}
    assert home.speeds() == {baudrate}
    assert home.line.character_s == 11 / baudrate
    assert home.kept == [f"serial:/dev/ttyUSB0:baudrate={baudrate}"]
    assert home.told == sorted(home.told) and 0.9 < home.told[-1] < 1
    assert home.bus.bus.collisions == 0
    assert home.polling.suspended == "" and home.answers()


def test_where_one_does_not_know_the_speed_all_go_back(box):
    first, second, third, fourth = some_meters(4, "speeds")
    home = box(first, second, stubborn(third), fourth)
    change = home.begin(9600)
    home.bus.run(60)
    error = results.failureResultOf(change, NotConfirmed).value
    assert "m2 does not answer at 9600 bits per second" in str(error)
    assert len(home.told) == 3  # the fourth was not told
    assert (home.speeds(), home.line.character_s, home.kept) == ({2400}, 11 / 2400, [])
    assert home.polling.suspended == "" and home.answers()


@define(eq=False)
class Cautious(MbusMeter):
    """It goes back if the next frame that it understands at the line's speed is not meant for it."""

    before: int = 2400
    is_kept: bool = True

    def reply(self, frame):
        before, said = self.baudrate, super().reply(frame)
        if self.baudrate != before:
            self.before, self.is_kept = before, False
        elif said is not None:
            self.is_kept = True
        elif not self.is_kept:
            self.baudrate = self.before
        return said


def test_a_meter_is_spoken_to_at_its_new_speed_before_the_next_is_told(box):
    meters = [Cautious(each.address, each.primary, each.telegrams) for each in some_meters(6, "speeds")]
    home = box(*meters)
    change = home.begin(9600)
    home.bus.run(60)
    results.successResultOf(change)
    assert home.speeds() == {9600} and all(meter.is_kept for meter in meters)


def test_where_one_is_silent_those_before_it_go_back_and_those_behind_are_not_told(box):
    meters = some_meters(4, "speeds")
    home = box(*meters)
    meters[2].baudrate = 300
    change = home.begin(9600)
    home.bus.run(60)
    assert "m2 does not acknowledge" in str(results.failureResultOf(change, NotConfirmed).value)
    assert [meter.baudrate for meter in meters] == [2400, 2400, 300, 2400]
    assert home.line.character_s == 11 / 2400 and home.answers()


def test_where_the_configuration_does_not_take_it_all_go_back(box):
    home = box(*some_meters(3, "speeds"))
    home.refusal = ConfigError([])
    change = home.begin(9600)
    home.bus.run(60)
    results.failureResultOf(change, ConfigError)
    assert home.speeds() == {2400} and home.answers()


@pytest.mark.parametrize("after_s", [0.01, 0.3, 0.6, 0.9, 1.2])
def test_who_gives_it_up_leaves_all_at_the_speed_they_had(box, after_s):
    home = box(*some_meters(4, "speeds"))
    change = home.begin(9600)
    home.bus.run(after_s)
    change.cancel()
    home.bus.run(60)
    results.failureResultOf(change, Cancelled)
    assert home.speeds() == {2400} and home.answers() and home.polling.suspended == ""


def test_no_client_of_a_gateway_has_the_line_in_between(box):
    home = box(*some_meters(6, "speeds"))
    change = home.begin(9600)
    home.bus.run(0.1)
    lent = home.line.lease(lambda data: None, lambda: None)
    while not change.called:
        assert not lent.called
        home.bus.run(0.01)
    results.successResultOf(change)
    home.bus.run(2)
    results.successResultOf(lent).release()
    assert home.speeds() == {9600}


def test_a_line_that_is_suspended_is_left_alone(box):
    home = box(*some_meters(2, "speeds"))
    home.polling.suspended = "a client has it"
    results.failureResultOf(home.begin(9600), Busy)
    assert home.polling.suspended == "a client has it"


def test_what_cannot_be_is_refused_before_anything_is_said(box):
    meters = some_meters(2, "speeds")
    for options, baudrate, error in (
        ({"endpoint": "tcp:192.168.4.30:10001"}, 9600, WrongArguments),
        ({}, 1234, OutOfRange),
        ({}, 2400, OutOfRange),
        ({"allow_write": False}, 9600, Denied),
    ):
        home = box(*meters, **options)
        with pytest.raises(error):
            home.begin(baudrate)
        assert home.bus.bus.requests == 0 and home.polling.suspended == ""
    with pytest.raises(Denied, match="no meter is configured"):
        box().begin(9600)


def test_a_line_that_is_lost_meanwhile_has_the_speed_it_had_when_it_is_there_again(box):
    home = box(*some_meters(3, "speeds"))
    change = home.begin(9600)
    home.bus.run(0.8)
    home.bus.lose()
    results.failureResultOf(change, LineLost)
    home.bus.run(60)
    assert home.line.is_open and home.line.character_s == 11 / 2400
    assert home.bus.bus.settings.baudrate == 2400 and home.polling.suspended == ""
