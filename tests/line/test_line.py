"""concentrator.line: one at a time, silence kept, late answers never taken for another's, lost and found."""

from collections.abc import Iterator

import pytest
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from concentrator.line.line import HOLD_CAP_S
from concentrator.model.errors import Cancelled, Garbled, LineLost, NoReply
from concentrator.wire.conversation import Transaction
from tests.support.lines import CHARACTER_S, SILENCE_S, ask, close_line, echo, open_line

results = SynchronousTestCase()


@pytest.fixture
def line_wire_clock() -> Iterator:
    line, wire, clock = open_line()
    wire.run(0.01)
    yield line, wire, clock
    close_line(line, clock)


def test_a_reply_is_given_to_the_conversation(line_wire_clock):
    line, wire, _ = line_wire_clock
    result = line.run(7, ask(echo(b"ab", 10)))
    assert [data for _, data in wire.sent] == [b"ab"]
    wire.play(b"abcdefghi.", after=2 * CHARACTER_S + 0.005)
    wire.run(0.1)
    assert results.successResultOf(result) == [b"abcdefghi."]
    assert (line.counters.requests, line.counters.answers, line.counters.bytes_in) == (1, 1, 10)
    assert [traced.verdict for traced in line.trace.exchanges()] == [""]


@pytest.mark.parametrize("lump", [1, 8])
def test_the_silence_is_counted_from_the_last_byte_on_the_wire(line_wire_clock, lump):
    """A UART that hands over its last bytes four characters late has been silent meanwhile."""
    line, wire, clock = line_wire_clock
    reply = b"a" * 41 + b"."
    start = CHARACTER_S + 0.005
    delay = 4 * CHARACTER_S if lump > 1 else 0.0
    true_end = float("-inf")
    for unit in range(8):
        result = line.run(unit, ask(echo(b"a", 42)))
        wire.run(0.01, step=0.0001)
        began = wire.sent[-1][0]
        if unit:
            assert SILENCE_S <= began - true_end <= max(SILENCE_S, delay) + 0.0006
        true_end = began + start + 42 * CHARACTER_S
        for at in range(0, 40, lump):
            clock.callLater(
                true_end - (42 - at - lump) * CHARACTER_S - clock.seconds(), wire.deliver, reply[at : at + lump]
            )
        clock.callLater(true_end + delay - clock.seconds(), wire.deliver, reply[40:])
        while not result.called:
            wire.run(0.0001, step=0.0001)


def test_a_lost_wire_is_told_to_the_log_in_few_words(line_wire_clock):
    _, wire, _ = line_wire_clock
    said = []
    globalLogPublisher.addObserver(said.append)
    try:
        wire.lose()
        wire.run(1.0)
    finally:
        globalLogPublisher.removeObserver(said.append)
    assert any("retry" in str(formatEvent(event)) for event in said)
    assert all(len(str(formatEvent(event))) < 300 for event in said)


def test_few_looks_are_enough_for_a_long_reply(line_wire_clock):
    line, wire, _ = line_wire_clock
    looks = []
    wire.protocol.dataReceived = lambda data, received=wire.protocol.dataReceived: (looks.append(1), received(data))
    for _ in range(5):
        looks.clear()
        result = line.run(1, ask(echo(b"a", 85)))
        wire.run(0.01)
        wire.play(b"a" * 84 + b".", after=0.0)
        wire.run(0.2)
        results.successResultOf(result)
    assert len(looks) <= 3


def test_a_silent_station_costs_its_time_out_and_no_more(line_wire_clock):
    line, wire, clock = line_wire_clock
    began = clock.seconds()
    silent = line.run(1, ask(echo(b"a", wait_s=0.3)))
    line.run(2, ask(echo(b"b")))
    wire.run(0.35)
    results.failureResultOf(silent, NoReply)
    assert wire.sent[1][0] - began == pytest.approx(0.3 + CHARACTER_S, abs=0.004)
    assert line.counters.timeouts == 1
    wire.run(1)


def test_a_late_answer_is_never_taken_for_the_next_requests(line_wire_clock):
    """The same question to a station that did not answer waits until its answer cannot come any more."""
    line, wire, clock = line_wire_clock
    began = clock.seconds()
    first = line.run(1, ask(echo(b"a", 5, wait_s=0.3, shape="read")))
    wire.run(0.31)
    results.failureResultOf(first, NoReply)
    again = line.run(1, ask(echo(b"a", 5, wait_s=0.3, shape="read")))
    wire.run(0.2)
    wire.deliver(b"late.")
    wire.run(0.6)
    assert [data for _, data in wire.sent] == [b"a", b"a"]
    assert wire.sent[1][0] - began >= 1.0
    wire.play(b"aown.", after=0.0)
    wire.run(0.1)
    assert results.successResultOf(again) == [b"aown."]
    assert line.counters.late == 5


def test_others_go_first_while_a_late_answer_may_come(line_wire_clock):
    line, wire, _ = line_wire_clock
    line.run(1, ask(echo(b"a", shape="read"))).addErrback(lambda _: None)
    wire.run(0.31)
    line.run(1, ask(echo(b"a", shape="read"))).addErrback(lambda _: None)
    line.run(2, ask(echo(b"b", shape="read"))).addErrback(lambda _: None)
    wire.run(0.05)
    assert [data for _, data in wire.sent] == [b"a", b"b"]
    wire.run(3)


def test_a_reply_that_stops_short_is_garbled_after_a_pause(line_wire_clock):
    line, wire, _ = line_wire_clock
    result = line.run(1, ask(echo(b"a", 8)))
    wire.play(b"abc", after=CHARACTER_S + 0.004)
    wire.run(0.3)
    results.failureResultOf(result, Garbled)
    assert line.counters.garbled == 1


def test_an_answer_slower_than_expected_is_waited_for_up_to_its_time_out(line_wire_clock):
    line, wire, _ = line_wire_clock
    result = line.run(1, ask(echo(b"a", 8, wait_s=0.3)))
    wire.play(b"abcdefg.", after=0.29)
    wire.run(0.4)
    assert results.successResultOf(result) == [b"abcdefg."]


def test_a_conversation_keeps_the_wire_until_it_ends(line_wire_clock):
    line, wire, _ = line_wire_clock
    line.run(1, ask(echo(b"a."), echo(b"A.")))
    line.run(2, ask(echo(b"b.")))
    for _ in range(3):
        wire.answer(wire.sent[-1][1])
    assert [data for _, data in wire.sent] == [b"a.", b"A.", b"b."]


def test_what_is_urgent_overtakes_what_waits(line_wire_clock):
    line, wire, _ = line_wire_clock
    line.run(1, ask(echo(b"a.")))
    line.run(2, ask(echo(b"b.")))
    line.run(3, ask(echo(b"c.")), urgent=True)
    for _ in range(3):
        wire.answer(wire.sent[-1][1])
    assert [data for _, data in wire.sent] == [b"a.", b"c.", b"b."]


def test_a_broadcast_is_followed_by_its_quiet_time(line_wire_clock):
    line, wire, clock = line_wire_clock
    began = clock.seconds()
    result = line.run(0, ask(Transaction(b"all", None, 0.0, quiet_s=0.1)))
    assert results.successResultOf(result) == [None]
    line.run(2, ask(echo(b"b.")))
    wire.run(0.2)
    assert wire.sent[1][0] - began >= 0.1 + 3 * CHARACTER_S + SILENCE_S
    wire.answer(b"b.")


def test_a_station_that_wants_to_be_left_alone_does_not_hold_the_others_up(line_wire_clock):
    line, wire, _ = line_wire_clock
    line.run(1, ask(echo(b"a.", quiet_s=0.5)))
    line.run(1, ask(echo(b"A.")))
    line.run(2, ask(echo(b"b.")))
    wire.answer(b"a.")
    wire.run(0.1)
    wire.answer(b"b.")
    wire.run(1)
    assert [data for _, data in wire.sent] == [b"a.", b"b.", b"A."]
    first, other, second = (at for at, _ in wire.sent)
    assert other - first < 0.1 < 0.5 < second - first < 0.6
    wire.answer(b"A.")


def test_stray_bytes_are_counted_and_silence_begins_anew(line_wire_clock):
    line, wire, clock = line_wire_clock
    wire.deliver(b"noise")
    stray = clock.seconds()
    line.run(1, ask(echo(b"a.")))
    wire.run(0.02)
    assert wire.sent[0][0] - stray >= SILENCE_S
    assert line.counters.late == 5
    wire.answer(b"a.")


def test_a_lost_wire_fails_what_runs_and_waits_and_comes_back(line_wire_clock):
    line, wire, _ = line_wire_clock
    changes = []
    line.on_change = lambda: changes.append(line.is_open)
    running, waiting = line.run(1, ask(echo(b"a"))), line.run(2, ask(echo(b"b")))
    wire.lose()
    results.failureResultOf(running, LineLost)
    results.failureResultOf(waiting, LineLost)
    results.failureResultOf(line.run(1, ask(echo(b"a"))), LineLost)
    wire.run(1)
    assert changes == [False, True]
    again = line.run(1, ask(echo(b"a.")))
    wire.run(0.01)
    wire.answer(b"a.")
    assert results.successResultOf(again) == [b"a."]


def test_a_missing_port_is_waited_for_and_told_once(line_wire_clock):
    line, wire, _ = line_wire_clock
    wire.refusal = LineLost("/dev/ttyX: the port is not there")
    wire.lose()
    wire.run(10)
    assert not line.is_open
    assert line.trouble == "/dev/ttyX: the port is not there"
    wire.refusal = None
    wire.run(3)
    assert line.is_open


def test_giving_up_frees_the_wire_after_the_ceiling(line_wire_clock):
    line, wire, clock = line_wire_clock
    began = clock.seconds()
    given_up, waiting = line.run(1, ask(echo(b"a"))), line.run(2, ask(echo(b"b.")))
    queued = line.run(3, ask(echo(b"c.")))
    queued.cancel()
    results.failureResultOf(queued, Cancelled)
    given_up.cancel()
    results.failureResultOf(given_up, Cancelled)
    wire.run(1.1)
    assert wire.sent[1][0] - began >= 1.0
    wire.answer(b"b.")
    results.successResultOf(waiting)


def test_a_broken_conversation_takes_only_itself_down(line_wire_clock):
    line, wire, _ = line_wire_clock

    def broken():
        yield echo(b"a.")
        raise ZeroDivisionError

    result = line.run(1, broken())
    wire.answer(b"a.")
    results.failureResultOf(result, ZeroDivisionError)
    fine = line.run(2, ask(echo(b"b.")))
    wire.run(0.02)
    wire.answer(b"b.")
    results.successResultOf(fine)


def test_nobody_holds_the_wire_for_ever(line_wire_clock):
    line, wire, _ = line_wire_clock

    def endless():
        while True:
            try:
                yield echo(b"a")
            except NoReply:
                continue

    result = line.run(1, endless())
    wire.run(HOLD_CAP_S + 1, step=0.01)
    results.failureResultOf(result, Cancelled)


def test_a_lease_has_the_wire_alone(line_wire_clock):
    line, wire, _ = line_wire_clock
    heard, lost = [], []
    polled = line.run(1, ask(echo(b"a.")))
    leased = line.lease(heard.append, lambda: lost.append(1))
    results.assertNoResult(leased)
    wire.answer(b"a.")
    results.successResultOf(polled)
    lease = results.successResultOf(leased)
    waiting = line.run(2, ask(echo(b"b.")))
    lease.write(b"raw")
    wire.deliver(b"answer")
    wire.run(0.1)
    assert ([data for _, data in wire.sent], heard) == ([b"a.", b"raw"], [b"answer"])
    lease.release()
    wire.run(0.02)
    wire.answer(b"b.")
    results.successResultOf(waiting)
    lease.write(b"too late")
    assert wire.sent[-1][1] == b"b."
    second = results.successResultOf(line.lease(heard.append, lambda: lost.append(1)))
    wire.lose()
    assert lost == [1]
    second.release()
    wire.run(1)


def test_a_slow_device_may_answer_later_than_others(line_wire_clock):
    """Whoever is given two seconds to answer is not asked the same again before four have passed."""
    line, wire, clock = line_wire_clock
    began = clock.seconds()
    line.run(1, ask(echo(b"a", 5, wait_s=2.0, shape="read"))).addErrback(lambda _: None)
    wire.run(2.1, step=0.005)
    line.run(1, ask(echo(b"a", 5, wait_s=2.0, shape="read"))).addErrback(lambda _: None)
    wire.run(5, step=0.005)
    assert len(wire.sent) == 2
    assert wire.sent[1][0] - began >= 4.0
