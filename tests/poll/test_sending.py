"""concentrator.poll.sending: what acts goes out once, and how its end is told from its not having been sent."""

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from concentrator.dialect.modbus import dialects
from concentrator.model.errors import LineLost, NoReply, Refused
from concentrator.poll.sending import sent_once
from concentrator.wire.modbus import rtu_frame, write_register
from tests.support.lines import close_line, open_line
from tests.support.profiles import load, variable

results = SynchronousTestCase()
UNIT = 7
PROFILE = load(variable("power", address=0))


@pytest.fixture
def bus():
    line, wire, clock = open_line()
    yield line, wire
    close_line(line, clock)


def send(line):
    station = dialects()["modbus-rtu"].station(PROFILE, UNIT, {})
    return Deferred.fromCoroutine(sent_once(line, UNIT, station.ask(write_register(4, 1)), "the order"))


def answered(bus, reply):
    line, wire = bus
    sending = send(line)
    wire.run(0.1)
    if reply:
        wire.deliver(rtu_frame(UNIT, bytes(reply)))
    wire.run(5.0)
    assert len(wire.sent) == 1
    return sending


def test_its_answer_is_given(bus):
    given = results.successResultOf(answered(bus, (6, 0, 4, 0, 1)))
    assert given.doubt is None


@pytest.mark.parametrize("code", [5, 11])
def test_an_exception_that_leaves_it_open_is_a_doubt(bus, code):
    given = results.successResultOf(answered(bus, (0x86, code)))
    assert isinstance(given.doubt, Refused) and given.doubt.code == code


def test_a_refusal_is_one_by_the_orders_name(bus):
    failure = results.failureResultOf(answered(bus, (0x86, 2)), Refused)
    assert failure.value.detail.startswith("the order: ")


def test_silence_is_a_doubt_and_nothing_is_sent_again(bus):
    given = results.successResultOf(answered(bus, ()))
    assert isinstance(given.doubt, NoReply)


def test_a_line_that_is_lost_before_it_was_sent_is_no_doubt_but_a_failure(bus):
    line, _ = bus
    line.stop()
    results.failureResultOf(send(line), LineLost)
