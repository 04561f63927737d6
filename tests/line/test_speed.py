"""A line that goes on at another speed: at once, after the conversation in progress, and when it is opened anew."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.line.wire_end import WireEnd
from concentrator.wire.conversation import LineSettings
from tests.support.lines import CHARACTER_S, ask, close_line, echo, open_line

results = SynchronousTestCase()
SLOW = LineSettings(300, 11)


@pytest.fixture
def speeds(monkeypatch):
    """The speeds that ports were set to."""
    set_to = []
    monkeypatch.setattr(WireEnd, "set_speed", lambda _, baudrate: set_to.append(baudrate))
    return set_to


@pytest.fixture
def line_wire_clock():
    line, wire, clock = open_line()
    wire.run(0.01)
    yield line, wire, clock
    wire.run(0.1)
    close_line(line, clock)


def test_it_is_taken_up_at_once_where_nobody_has_the_wire(line_wire_clock, speeds):
    line, _, _ = line_wire_clock
    line.set_speed(SLOW, 0.04)
    assert speeds == [300]
    assert (line.character_s, line.silence_s) == (11 / 300, 0.04)


def test_a_conversation_ends_at_the_speed_it_began_with(line_wire_clock, speeds):
    line, wire, _ = line_wire_clock
    result = line.run(1, ask(echo(b"a."), echo(b"b.")))
    line.set_speed(SLOW, 0.04)
    wire.answer(b"a.")
    assert (speeds, line.character_s) == ([], CHARACTER_S)
    wire.answer(b"b.")
    results.successResultOf(result)
    after = line.run(1, ask(echo(b"c.")))
    assert speeds == [300]
    wire.run(0.2)
    wire.answer(b"c.")
    results.successResultOf(after)


def test_a_tunnel_goes_on_at_the_new_speed_at_once(line_wire_clock, speeds):
    line, _, _ = line_wire_clock
    lease = results.successResultOf(line.lease(lambda _: None, lambda: None))
    line.set_speed(SLOW, 0.04)
    assert speeds == [300]
    lease.release()


def test_it_stays_when_the_port_is_opened_anew(line_wire_clock, speeds):
    line, wire, _ = line_wire_clock
    line.set_speed(SLOW, 0.04)
    wire.lose()
    wire.run(1)
    assert speeds == [300, 300]
    result = line.run(1, ask(echo(b"a.")))
    wire.run(0.1)
    wire.answer(b"a.")
    results.successResultOf(result)
