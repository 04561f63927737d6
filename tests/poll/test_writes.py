"""concentrator.poll.writes: written once, believed when read back, told either way."""

import struct
from itertools import pairwise

import pytest
from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from concentrator.dialect.modbus import dialects
from concentrator.model.device import Device
from concentrator.model.errors import (
    Busy,
    Denied,
    LineLost,
    NoReply,
    NotConfirmed,
    NotWritable,
    OutOfRange,
    Refused,
    TooOften,
    Unknown,
)
from concentrator.model.reading import Quality, Reading
from concentrator.poll.writes import READS, RETRY_S, WRITES, Writer
from concentrator.wire.modbus import rtu_frame
from tests.support.lines import ask, close_line, echo, open_line
from tests.support.outcomes import failed
from tests.support.profiles import load, variable
from tests.support.records import FixedWall

results = SynchronousTestCase()
NOON = 1_795_000_000.0
SETTLE_S = 1.0

PROFILE = load(
    variable("v1", address=1, scale=0.1),
    variable("limit", address=10, scale=0.1, unit="", writable=True),
    variable("mode", address=20, unit="", enum="mode", writable=True),
    variable("flag", address=30, unit="", type="bool", bit=3, writable=True),
    variable("flash", address=40, unit="s", writable=True, stays=False),
    profile={"settle_ms": 1000},
    enum={"mode": {"0": "unidirectional", "1": "bidirectional"}},
)
DEVICE = Device("main", "native", "acme/m1", 7, allow_write=True)
SHED = Device("shed", "native", "acme/m1", 8, allow_write=True)


class Scene:
    """A writer on a line whose devices keep registers. `spoil` lists what becomes of the next requests of a function:
    an exception code, "silent" (it acts and says nothing), "deaf" (it does neither), "damaged", or None."""

    def __init__(self):
        self.line, self.wire, self.clock = open_line()
        self.registers = dict.fromkeys(range(64), 0)
        self.spoil = {3: [], 6: []}
        self.stores = lambda value: value
        self.readings, self.events = [], []
        self.suspended, self.conflict, self.known = "", "", {}
        self.writer = Writer(
            self.line,
            self.clock,
            FixedWall(NOON),
            self.readings.append,
            lambda name, facts: self.events.append((name, dict(facts))),
            suspended=lambda: self.suspended,
            conflict=lambda uid: self.conflict,
            newest=lambda uid, name: self.known.get((uid, name)),
        )
        dialect = dialects()["modbus-rtu"]
        self.stations = {"main": dialect.station(PROFILE, 7, {}), "shed": dialect.station(PROFILE, 8, {})}

    def write(self, name, value, device=DEVICE):
        return self.writer.write(device, self.stations[device.uid], name, value)

    def read(self, name, device=DEVICE):
        return self.writer.read(device, self.stations[device.uid], name)

    def run(self, seconds=10.0):
        self.wire.attend(self.reply, seconds, slice_s=0.01)

    def reply(self, request):
        if request.endswith(b"."):
            return request
        unit, function, address, value = struct.unpack(">BBHH", request[:6])
        fate = self.spoil[function].pop(0) if self.spoil.get(function) else None
        if fate == "deaf":
            return b""
        if isinstance(fate, int):
            return rtu_frame(unit, bytes((function | 0x80, fate)))
        if function == 6:
            self.registers[address] = self.stores(value)
        content = b"".join(self.registers[address + n].to_bytes(2, "big") for n in range(value if function == 3 else 0))
        reply = request if function == 6 else rtu_frame(unit, bytes((3, 2 * value)) + content)
        return b"" if fate == "silent" else reply[:-1] + b"\0" if fate == "damaged" else reply

    def asked(self, function=None):
        """The requests so far: unit, function, address and value or count."""
        found = [struct.unpack(">BBHH", request[:6]) for _, request in self.wire.sent]
        return [each for each in found if function in (None, each[1])]


@pytest.fixture
def scene():
    scene = Scene()
    yield scene
    close_line(scene.line, scene.clock)


def test_a_value_is_written_once_and_read_back_when_the_device_has_settled(scene):
    written = scene.write("limit", 23.44)
    scene.run()
    assert results.successResultOf(written) == 23.4
    assert scene.asked() == [(7, 6, 10, 234), (7, 3, 10, 1)]
    (sent, _), (read, _) = scene.wire.sent
    assert SETTLE_S <= read - sent < SETTLE_S + 0.1
    assert scene.readings == [Reading("main", NOON, {"limit": 23.4}, Quality.GOOD)]
    assert scene.events == [("device.written", {"device": "main", "name": "limit", "value": 23.4})]


def test_the_line_is_free_for_others_while_the_device_settles(scene):
    scene.write("limit", 5)
    scene.run(0.2)
    other = scene.line.run(9, ask(echo(b"x.")))
    scene.run(0.1)
    assert results.successResultOf(other) == [b"x."]
    assert [request[1:2] for _, request in scene.wire.sent] == [b"\x06", b"."]
    scene.run()


def test_the_text_of_an_enum_is_written_as_its_number_and_what_was_is_told(scene):
    scene.known["main", "mode"] = 0
    written = scene.write("mode", "bidirectional")
    scene.run()
    assert results.successResultOf(written) == 1
    assert scene.registers[20] == 1
    assert scene.events == [("device.written", {"device": "main", "name": "mode", "value": 1, "was": 0})]


def test_a_flag_is_set_among_the_other_bits_of_its_register(scene):
    scene.registers[30] = 0xA001
    written = scene.write("flag", 1)
    scene.run()
    assert results.successResultOf(written) == 1
    assert scene.registers[30] == 0xA009
    assert [function for _, function, _, _ in scene.asked()] == [3, 6, 3]


@pytest.mark.parametrize(
    ("name", "value", "error", "detail"),
    [
        ("limt", 1, Unknown, "variable limt of main (did you mean limit?)"),
        ("v1", 230, NotWritable, "v1 is only read"),
        ("limit", 7000, OutOfRange, "limit: found 7000, expected 0 to 6553.5"),
        ("mode", "both", OutOfRange, "mode: found 'both', expected one of 0 unidirectional, 1 bidirectional"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_sent(scene, name, value, error, detail):
    assert failed(scene.write(name, value), error) == detail
    scene.run(1)
    assert (scene.asked(), scene.events) == ([], [])


def test_a_device_that_the_configuration_does_not_open_is_not_written(scene):
    closed = evolve(DEVICE, allow_write=False)
    assert failed(scene.write("limit", 1, closed), Denied) == "allow_write of main is false"
    assert scene.asked() == []


def test_nothing_is_written_while_the_line_is_suspended_or_another_device_answers(scene):
    scene.suspended = "link mode"
    assert failed(scene.write("limit", 1), Busy) == "line native: link mode"
    assert failed(scene.read("limit"), Busy) == "line native: link mode"
    scene.suspended, scene.conflict = "", "serial 2 answers where 1 is expected"
    assert failed(scene.write("limit", 1), NotWritable) == "main: serial 2 answers where 1 is expected"
    scene.run(1)
    assert scene.asked() == []


def test_a_write_that_waits_is_given_up_when_the_line_is_suspended_meanwhile(scene):
    first, second = scene.write("limit", 1), scene.write("limit", 2)
    scene.run(0.5)
    scene.suspended = "link mode"
    scene.run()
    assert results.successResultOf(first) == 1
    failed(second, Busy)
    assert len(scene.asked(6)) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [(3, "exception 3, illegal data value"), (6, "exception 6, server device busy"), (1, "illegal function")],
)
def test_a_refusal_fails_in_the_devices_words_and_is_never_tried_again(scene, code, words):
    scene.spoil[6] = [code]
    written = scene.write("limit", 5)
    scene.run()
    failure = results.failureResultOf(written, Refused)
    assert failure.value.code == code
    assert words in str(failure.value) and "limit" in str(failure.value)
    assert len(scene.asked()) == 1
    ((event, facts),) = scene.events
    assert (event, facts["name"], facts["value"], words in facts["text"]) == ("device.write_failed", "limit", 5, True)


@pytest.mark.parametrize("fate", ["silent", "damaged", 5, 11])
def test_a_write_without_a_clear_answer_is_decided_by_reading_back(scene, fate):
    scene.spoil[6] = [fate]
    scene.registers[10] = 50
    written = scene.write("limit", 5)
    scene.run()
    assert results.successResultOf(written) == 5
    assert len(scene.asked(6)) == 1
    assert scene.events[0][0] == "device.written"


def test_a_write_that_never_arrived_is_not_confirmed_and_not_sent_again(scene):
    scene.spoil[6] = ["deaf"]
    written = scene.write("limit", 5)
    scene.run()
    detail = failed(written, NotConfirmed)
    assert detail.startswith("limit: 5 was written, 0 is found; the write itself: The device did not answer in time")
    assert len(scene.asked(6)) == 1
    assert scene.readings[-1].values == {"limit": 0}
    assert scene.events[0][0] == "device.write_failed"


def test_a_device_that_keeps_another_value_is_not_believed(scene):
    scene.stores = lambda value: value - value % 10
    written = scene.write("limit", 23.4)
    scene.run()
    assert failed(written, NotConfirmed) == "limit: 23.4 was written, 23 is found"
    assert scene.readings[-1].values == {"limit": 23.0}


@pytest.mark.parametrize("fate", [6, "silent", "damaged"])
def test_reading_back_is_tried_three_times_a_little_later(scene, fate):
    scene.spoil[3] = [fate, fate]
    written = scene.write("limit", 5)
    scene.run()
    assert results.successResultOf(written) == 5
    moments = [moment for moment, request in scene.wire.sent if request[1] == 3]
    assert len(moments) == 3
    assert all(later - sooner >= RETRY_S for sooner, later in pairwise(moments))
    assert len(scene.asked(6)) == 1


def test_what_cannot_be_read_back_is_not_confirmed(scene):
    scene.spoil[3] = ["silent"] * 3
    written = scene.write("limit", 5)
    scene.run()
    assert "5 was written, but it cannot be read back (The device did not answer in time" in failed(
        written, NotConfirmed
    )
    scene.spoil[3] = [2]
    written = scene.write("limit", 6)
    scene.run()
    assert "cannot be read back (The device refused the request: exception 2" in failed(written, NotConfirmed)
    assert (len(scene.asked(6)), len(scene.asked(3))) == (2, 4)


def test_nothing_is_written_when_the_other_bits_cannot_be_read(scene):
    scene.spoil[3] = ["silent"]
    written = scene.write("flag", 1)
    scene.run()
    assert "flag, as register 30 could not be read" in failed(written, NotWritable)
    assert scene.asked(6) == []
    assert scene.events[0][0] == "device.write_failed"


def test_what_does_not_stay_is_confirmed_by_the_devices_answer_alone(scene):
    written = scene.write("flash", 10)
    scene.run()
    assert results.successResultOf(written) == 10
    assert scene.asked() == [(7, 6, 40, 10)]
    scene.spoil[6] = ["silent"]
    written = scene.write("flash", 10)
    scene.run()
    assert "10 was written, and whether the device took it is not known" in failed(written, NotConfirmed)
    assert len(scene.asked()) == 2
    assert [event for event, _ in scene.events] == ["device.written", "device.write_failed"]


def test_five_writes_may_come_at_once_then_one_a_second(scene):
    written = [scene.write("flash", n) for n in range(WRITES)]
    assert failed(scene.write("flash", 9), TooOften) == "1 writes to main a second; the next in 1.0 s"
    other = scene.write("flash", 9, SHED)
    scene.run(1.0)
    assert [results.successResultOf(each) for each in written] == [0, 1, 2, 3, 4]
    assert results.successResultOf(other) == 9
    late = scene.write("flash", 5)
    failed(scene.write("flash", 6), TooOften)
    scene.run(1)
    assert results.successResultOf(late) == 5


def test_no_more_wait_than_may_come_at_once(scene):
    scene.spoil[6] = ["deaf"] * 20
    scene.spoil[3] = ["deaf"] * 60
    waiting = []
    for _ in range(12):
        waiting.append(scene.write("limit", 1))
        scene.run(1.1)
    refused = [each for each in waiting if each.called and "wait already" in str(each.result)]
    assert refused
    for each in refused:
        failed(each, TooOften)
    scene.run(60)
    for each in waiting:
        if each not in refused:
            failed(each, NotConfirmed)


def test_one_write_at_a_time_and_in_order(scene):
    written = [scene.write("limit", n) for n in (1, 2, 3)]
    scene.run()
    assert [results.successResultOf(each) for each in written] == [1, 2, 3]
    assert [(function, value) for _, function, _, value in scene.asked()] == [
        (6, 10), (3, 1), (6, 20), (3, 1), (6, 30), (3, 1),
    ]  # fmt: skip


def test_two_devices_are_written_side_by_side(scene):
    written = [scene.write("limit", 2), scene.write("mode", 1, SHED)]
    scene.run(SETTLE_S + 0.5)
    assert [results.successResultOf(each) for each in written] == [2, 1]
    assert [(unit, function) for unit, function, _, _ in scene.asked()] == [(7, 6), (8, 6), (7, 3), (8, 3)]


def test_a_write_goes_before_what_polls(scene):
    polls = [scene.line.run(9, ask(echo(b"p%d." % n))) for n in range(3)]
    scene.write("flash", 1)
    scene.run()
    assert [request[:2] for _, request in scene.wire.sent] == [b"p0", b"\x07\x06", b"p1", b"p2"]
    assert [results.successResultOf(poll) for poll in polls] == [[b"p0."], [b"p1."], [b"p2."]]


def test_without_a_line_nothing_is_sent_and_nothing_is_unclear(scene):
    scene.wire.refusal = OSError("unplugged")
    scene.wire.lose()
    written = scene.write("limit", 1)
    failed(written, LineLost)
    assert scene.events[0][0] == "device.write_failed"
    scene.wire.refusal = None
    scene.run(3)


def test_a_line_lost_after_the_request_leaves_it_to_reading_back(scene):
    written = scene.write("limit", 5)
    scene.wire.run(0.01)
    assert len(scene.wire.sent) == 1
    scene.registers[10] = 50
    scene.wire.attended = 1
    scene.wire.lose()
    scene.run(5)
    assert results.successResultOf(written) == 5
    assert len(scene.asked(6)) == 1


def test_a_write_nobody_waits_for_any_more_is_told_all_the_same(scene):
    written = scene.write("limit", 5)
    scene.run(0.2)
    written.cancel()
    assert results.failureResultOf(written)
    assert scene.events[0][0] == "device.write_failed"
    again = scene.write("limit", 6)
    scene.run()
    assert results.successResultOf(again) == 6


def test_a_write_given_up_while_it_is_sent_is_still_found_out(scene):
    written = scene.write("limit", 5)
    scene.wire.run(0.01)
    assert len(scene.wire.sent) == 1
    written.cancel()
    scene.run()
    assert results.successResultOf(written) == 5
    assert scene.events[0][0] == "device.written"


def test_a_write_given_up_before_its_turn_is_never_sent(scene):
    first, second = scene.write("limit", 1), scene.write("limit", 2)
    second.cancel()
    results.failureResultOf(second)
    scene.run()
    assert results.successResultOf(first) == 1
    assert len(scene.asked(6)) == 1


def test_a_variable_is_read_fresh_and_shown(scene):
    scene.registers[1] = 2301
    value = scene.read("v1")
    scene.run(0.2)
    assert results.successResultOf(value) == 230.1
    assert scene.readings == [Reading("main", NOON, {"v1": 230.1})]
    assert scene.events == []
    failed(scene.read("v9"), Unknown)
    scene.spoil[3] = ["silent"]
    value = scene.read("v1")
    scene.run(2)
    failed(value, NoReply)


def test_a_variable_of_a_device_in_conflict_is_read_but_not_used(scene):
    scene.conflict = "serial 2 answers where 1 is expected"
    scene.read("v1")
    scene.run(0.2)
    assert scene.readings[0].quality is Quality.CONFLICT


def test_reading_by_command_has_its_bounds(scene):
    read = [scene.read("v1") for _ in range(READS)]
    assert failed(scene.read("v1"), TooOften) == "2 reads of main a second; the next in 0.5 s"
    scene.run(2)
    assert [results.successResultOf(each) for each in read] == [0.0] * READS
    scene.writer.forget("main")
    scene.read("v1")
    scene.run(1)
