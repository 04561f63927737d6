"""concentrator.line.lease: the raw wire for a tunnel, beside polling. Nothing is interleaved, nobody's answer goes to
another, and the wire comes back."""

import pytest
from twisted.trial.unittest import SynchronousTestCase

from concentrator.line.line import CEILING_S
from concentrator.line.turns import STRAY_PAUSE_S
from concentrator.model.errors import Cancelled, Garbled, LineLost, NoReply
from tests.support.lines import SILENCE_S, ask, close_line, echo, open_line, open_port

results = SynchronousTestCase()


@pytest.fixture(params=[open_line, open_port])
def line_wire_clock(request):
    line, wire, clock = request.param()
    wire.run(0.01)
    yield line, wire, clock
    wire.run(0.01)
    close_line(line, clock)


def requests(wire):
    return [data for _, data in wire.sent]


class Tunnel:
    """A client of a lease."""

    def __init__(self, line):
        self.heard, self.lost, self.lent = [], [], []
        self.result = line.lease(self.heard.append, lambda: self.lost.append(True))
        self.result.addCallback(self.lent.append)

    @property
    def lease(self):
        (lease,) = self.lent
        return lease


def test_it_waits_for_the_holder_and_for_silence(line_wire_clock):
    line, wire, clock = line_wire_clock
    polled = line.run(1, ask(echo(b"a."), echo(b"A.")))
    tunnel = Tunnel(line)
    wire.run(0.01)
    wire.deliver(b"a.")
    wire.run(0.01)
    assert tunnel.lent == []
    wire.deliver(b"A.")
    ended = clock.seconds()
    while not tunnel.lent:
        wire.run(0.0005)
    results.successResultOf(polled)
    assert clock.seconds() - ended >= SILENCE_S - 0.0005
    tunnel.lease.release()


def test_polling_stands_aside_and_nothing_is_interleaved(line_wire_clock):
    line, wire, _ = line_wire_clock
    tunnel = Tunnel(line)
    waiting = [line.run(unit, ask(echo(b"%d." % unit))) for unit in (1, 2)]
    for n in range(3):
        tunnel.lease.write(b"raw%d" % n)
        wire.run(0.05)
        wire.deliver(b"answer%d" % n)
        wire.run(0.05)
    assert requests(wire) == [b"raw0", b"raw1", b"raw2"]
    assert b"".join(tunnel.heard) == b"answer0answer1answer2"
    tunnel.lease.release()
    wire.run(0.02)
    wire.answer(b"1.")
    wire.answer(b"2.")
    assert requests(wire)[3:] == [b"1.", b"2."]
    for each in waiting:
        results.successResultOf(each)


def test_what_is_urgent_goes_before_tunnels_and_these_before_polling(line_wire_clock):
    line, wire, _ = line_wire_clock
    running = line.run(1, ask(echo(b"a.")))
    polled = line.run(2, ask(echo(b"b.")))
    tunnel = Tunnel(line)
    urgent = line.run(3, ask(echo(b"c.")), urgent=True)
    wire.run(0.01)
    wire.answer(b"a.")
    wire.answer(b"c.")
    tunnel.lease.release()
    wire.run(0.02)
    wire.answer(b"b.")
    assert requests(wire) == [b"a.", b"c.", b"b."]
    for each in (running, polled, urgent):
        results.successResultOf(each)


def assert_lent_at_the_ceiling(line, wire, began):
    """A tunnel that wants the line has it when no answer can come any more, and hears nothing of a late one."""
    tunnel = Tunnel(line)
    wire.run(0.2)
    wire.deliver(b"late.")
    while not tunnel.lent:
        wire.run(0.005)
    assert wire.clock.seconds() - began >= CEILING_S
    assert tunnel.heard == []
    tunnel.lease.release()


def test_it_is_not_lent_while_somebody_may_still_answer(line_wire_clock):
    """The tunnel's client would take that for the answer to its own request."""
    line, wire, clock = line_wire_clock
    began = clock.seconds()
    silent = line.run(1, ask(echo(b"a", shape="read")))
    wire.run(0.31)
    results.failureResultOf(silent, NoReply)
    assert_lent_at_the_ceiling(line, wire, began)


@pytest.mark.parametrize("heard", [b"", b"x", b"no answer."])
def test_whatever_shape_a_request_had_it_is_not_lent_before_its_answer_cannot_come_any_more(line_wire_clock, heard):
    line, wire, clock = line_wire_clock
    began = clock.seconds()
    silent = line.run(1, ask(echo(b"a.")))
    wire.run(0.01)
    if heard:
        wire.deliver(heard)
    wire.run(0.5)
    results.failureResultOf(silent, NoReply, Garbled)
    assert_lent_at_the_ceiling(line, wire, began)


def test_an_answer_that_begins_late_is_over_before_it_is_lent(line_wire_clock):
    line, wire, clock = line_wire_clock
    began = clock.seconds()
    silent = line.run(1, ask(echo(b"a.")))
    wire.run(CEILING_S - 0.02)
    results.failureResultOf(silent, NoReply)
    tunnel = Tunnel(line)
    for _ in range(20):
        wire.deliver(b"late")
        wire.run(STRAY_PAUSE_S / 2)
    assert tunnel.lent == []
    wire.run(STRAY_PAUSE_S)
    assert (tunnel.heard, clock.seconds() - began > CEILING_S) == ([], True)
    tunnel.lease.release()


def test_who_gives_a_conversation_up_leaves_no_answer_to_a_tunnel(line_wire_clock):
    line, wire, clock = line_wire_clock
    given_up = line.run(1, ask(echo(b"a.", wait_s=2.0)))
    wire.run(0.01)
    began = clock.seconds()
    given_up.cancel()
    results.failureResultOf(given_up, Cancelled)
    tunnel = Tunnel(line)
    while not tunnel.lent:
        wire.run(0.005)
    assert clock.seconds() - began >= 2 * 2.0 - 0.05
    tunnel.lease.release()


def test_what_a_tunnel_was_not_answered_is_not_taken_for_an_answer_afterwards(line_wire_clock):
    line, wire, clock = line_wire_clock
    tunnel = Tunnel(line)
    tunnel.lease.write(b"raw")
    wire.run(0.01)
    began = clock.seconds()
    tunnel.lease.release()
    result = line.run(1, ask(echo(b"a.")))
    wire.run(0.3)
    wire.deliver(b"late.")
    wire.run(CEILING_S)
    assert wire.sent[-1][1] == b"a."
    assert wire.sent[-1][0] - began >= CEILING_S
    wire.answer(b"a.")
    assert results.successResultOf(result) == [b"a."]
    assert tunnel.heard == []


def test_a_lost_wire_ends_the_lease_and_those_that_wait(line_wire_clock):
    line, wire, _ = line_wire_clock
    holder, waiting = Tunnel(line), Tunnel(line)
    lease = holder.lease
    wire.lose()
    assert (holder.lost, waiting.lost) == ([True], [])
    results.failureResultOf(waiting.result, LineLost)
    results.failureResultOf(Tunnel(line).result, LineLost)
    wire.run(1)
    lease.write(b"raw")
    wire.run(0.01)
    assert requests(wire) == []
    lease.release()
    result = line.run(1, ask(echo(b"a.")))
    wire.run(0.01)
    wire.answer(b"a.")
    results.successResultOf(result)


def test_who_does_not_want_it_any_more_does_not_get_it(line_wire_clock):
    line, wire, _ = line_wire_clock
    first, second, third = Tunnel(line), Tunnel(line), Tunnel(line)
    second.result.cancel()
    second.result.addErrback(lambda _: None)
    first.lease.release()
    wire.run(0.02)
    third.lease.release()
    result = line.run(1, ask(echo(b"a.")))
    result.cancel()
    results.failureResultOf(result, Cancelled)
    wire.run(CEILING_S + 0.1)


def test_a_lease_given_back_twice_disturbs_nobody(line_wire_clock):
    line, wire, _ = line_wire_clock
    first, second = Tunnel(line), Tunnel(line)
    lease = first.lease
    lease.release()
    wire.run(0.02)
    assert second.lent
    lease.release()
    lease.write(b"not mine any more")
    second.lease.write(b"mine")
    wire.run(0.01)
    assert requests(wire) == [b"mine"]
    wire.deliver(b"answer")
    assert (first.heard, second.heard) == ([], [b"answer"])
    second.lease.release()
