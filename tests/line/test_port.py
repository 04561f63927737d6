"""concentrator.line on a port with a descriptor: few wake-ups, learnt time-outs, echoes, statistics."""

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from concentrator.line.line import Line
from concentrator.model.errors import Garbled, LineLost, NoReply, Refused
from concentrator.model.profile import Function
from concentrator.wire.checksum import crc16
from concentrator.wire.conversation import Transaction
from concentrator.wire.modbus import mbap, read, rtu, write_register
from tests.support.lines import CHARACTER_S, SILENCE_S, Port, ask, open_line, open_port

results = SynchronousTestCase()
REGISTERS = 40
LENGTH = 5 + 2 * REGISTERS


def framed(body):
    return body + crc16(body).to_bytes(2, "little")


def reply_of(unit, registers=REGISTERS):
    return framed(bytes((unit, 3, 2 * registers)) + bytes(2 * registers))


def question(unit, registers=REGISTERS, **options):
    transaction = rtu(unit, read(Function.HOLDING, 0, registers), 0.3)
    return Transaction(transaction.request, transaction.expect, 0.3, shape=transaction.shape, **options)


class Bus:
    """A line on a port, and devices that answer after `lead_s`, unless told otherwise; an adapter that `echoes`."""

    def __init__(self, lead_s=0.005, echoes=False, make=open_port):
        self.line, self.wire, self.clock = make()
        self.lead_s, self.echoes, self.is_silent = lead_s, echoes, False
        self.pauses = {}
        self.seen = 0
        self.true_end = float("-inf")
        self.run(0.01)

    def run(self, seconds, step=0.0001):
        for _ in range(round(seconds / step)):
            self.wire.run(step, step)
            self.answer()

    def answer(self):
        """Plays what follows the newest request: its echo, and the reply of its device."""
        while self.seen < len(self.wire.sent):
            at, request = self.wire.sent[self.seen]
            self.seen += 1
            end = at + len(request) * CHARACTER_S
            if self.echoes:
                self.play(request, at)
            if not self.is_silent and request[0]:
                reply = request if request[1] == 6 else reply_of(request[0], request[5])
                self.true_end = self.play(reply, end + self.lead_s)

    def play(self, data, start):
        for n in range(len(data)):
            start += CHARACTER_S + self.pauses.get(n, 0.0)
            self.clock.callLater(start - self.clock.seconds(), self.wire.deliver, data[n : n + 1])
        return start

    def asked(self, *transactions, unit=1):
        """Runs a conversation to its end; gives the Deferred."""
        result = self.line.run(unit, ask(*transactions))
        outcome = []
        result.addBoth(lambda given: outcome.append(given) or given)
        while not outcome:
            self.run(0.002)
        return result

    def close(self):
        self.run(0.05)
        self.wire.lose()
        self.line.stop()
        for call in self.clock.getDelayedCalls():
            assert call.func == self.wire.deliver
            call.cancel()


@pytest.fixture
def bus():
    bus = Bus()
    yield bus
    bus.close()


def test_a_reply_at_its_usual_time_wakes_nobody_before_it_is_complete(bus):
    for _ in range(40):
        results.successResultOf(bus.asked(question(1)))
    bus.wire.reactor.woken = 0
    for _ in range(10):
        results.successResultOf(bus.asked(question(1)))
    assert bus.wire.reactor.woken <= 5


def test_the_silence_is_kept_whatever_the_devices_do(bus):
    for n in range(40):
        bus.lead_s = 0.003 + n % 7 * 0.002
        bus.pauses = {30: 0.01} if n % 5 == 4 else {}
        end = bus.true_end
        results.successResultOf(bus.asked(question(1 + n % 3), unit=1 + n % 3))
        assert bus.wire.sent[-1][0] - end >= SILENCE_S - 1e-6


def test_who_answers_fast_is_not_waited_for_long(bus):
    for _ in range(8):
        results.successResultOf(bus.asked(question(1, 1)))
    bus.is_silent = True
    began = bus.clock.seconds()
    results.failureResultOf(bus.asked(question(1, 1)), NoReply)
    assert bus.clock.seconds() - began < 0.1
    bus.run(1.2, 0.001)
    began = bus.clock.seconds()
    results.failureResultOf(bus.asked(question(1, 1)), NoReply)
    assert bus.clock.seconds() - began >= 0.3
    bus.run(1.2, 0.001)


def test_who_must_be_waited_for_is(bus):
    for _ in range(8):
        results.successResultOf(bus.asked(question(1, 1)))
    bus.lead_s = 0.25
    results.successResultOf(bus.asked(question(1, 1, is_patient=True)))


def test_another_ones_speed_says_nothing_about_a_stranger(bus):
    for _ in range(8):
        results.successResultOf(bus.asked(question(1, 1)))
    bus.lead_s = 0.25
    results.successResultOf(bus.asked(question(2, 1), unit=2))


def test_what_is_there_when_time_is_up_counts_even_if_nobody_was_told(bus):
    """A program that was busy elsewhere comes to its descriptors after its timers."""
    results.successResultOf(bus.asked(question(1, 1)))
    bus.is_silent = True
    result = bus.line.run(1, ask(question(1, 1)))
    bus.run(0.05)
    bus.wire.far.send(reply_of(1, 1))
    bus.clock.advance(1.0)
    results.successResultOf(result)


@pytest.mark.parametrize("make", [open_port, open_line])
def test_an_echo_is_told_from_the_reply(make):
    bus = Bus(echoes=True, make=make)
    for unit in (1, 2, 1, 2, 1, 2):
        assert results.successResultOf(bus.asked(question(unit), unit=unit)) == [bytes(2 * REGISTERS)]
    assert results.successResultOf(bus.asked(rtu(1, write_register(7, 1), 0.3))) == [None]
    assert (bus.line.counters.garbled, bus.line.counters.late) == (0, 0)
    assert bus.line.trace.exchanges()[0].received == reply_of(1)
    bus.close()


@pytest.mark.parametrize("make", [open_port, open_line])
def test_an_echo_alone_is_no_answer(make):
    """Of a write, whose reply would look just like it, neither, once the adapter is known."""
    bus = Bus(echoes=True, make=make)
    bus.is_silent = True
    results.failureResultOf(bus.asked(question(1)), NoReply)
    results.failureResultOf(bus.asked(rtu(1, write_register(7, 1), 0.3)), NoReply)
    bus.run(2.0, 0.001)
    bus.close()


def test_the_echo_of_a_broadcast_is_no_stray():
    bus = Bus(echoes=True)
    results.successResultOf(bus.asked(question(1)))
    results.successResultOf(bus.asked(rtu(0, write_register(7, 1), 0.0, quiet_s=0.1)))
    results.successResultOf(bus.asked(question(1)))
    bus.line.run(0, ask(rtu(0, write_register(7, 1), 0.0, quiet_s=0.1)))
    bus.run(0.05)
    assert bus.line.counters.late == 0
    bus.close()


def test_a_write_is_confirmed_where_nothing_echoes(bus):
    for _ in range(3):
        assert results.successResultOf(bus.asked(rtu(1, write_register(7, 1), 0.3))) == [None]
    assert results.successResultOf(bus.asked(question(1))) == [bytes(2 * REGISTERS)]


def test_statistics_tell_of_the_line_and_of_each_station(bus):
    for unit in (1, 1, 2):
        results.successResultOf(bus.asked(question(unit), unit=unit))
    bus.is_silent = True
    results.failureResultOf(bus.asked(question(2), unit=2), NoReply)
    bus.run(0.1)
    bus.play(reply_of(2), bus.clock.seconds())
    bus.run(0.1)
    one, two = (bus.line.stations()[unit] for unit in (1, 2))
    assert (one.requests, one.answers, one.timeouts) == (2, 2, 0)
    assert (two.requests, two.answers, two.timeouts, two.late_answers) == (2, 1, 1, 1)
    assert (one.bytes_out, one.bytes_in) == (16, 2 * LENGTH)
    assert one.turnaround_s == pytest.approx(0.005, abs=0.002)
    assert one.turnaround_mean_s == pytest.approx(0.005, abs=0.002)
    whole = bus.line.counters
    assert (whole.requests, whole.answers, whole.late, whole.late_answers) == (4, 3, LENGTH, 1)
    assert bus.line.station_counters(1) == one
    assert all(isinstance(number, int | float) for number in whole.as_mapping().values())
    bus.run(1.0, 0.001)


def test_utilisation_is_the_share_of_time_in_which_the_wire_was_used(bus):
    assert bus.line.utilisation() == 0.0
    while bus.clock.seconds() < 1010.0:
        results.successResultOf(bus.asked(question(1)))
        bus.run(0.1, 0.001)
    busy_s = (8 + LENGTH) * CHARACTER_S + 0.005
    assert bus.line.utilisation() == pytest.approx(busy_s / (busy_s + 0.1), abs=0.03)
    bus.run(100.0, 0.5)
    assert bus.line.utilisation() < 0.01


def test_a_port_that_goes_while_nobody_looks_is_lost_all_the_same(bus):
    for _ in range(8):
        results.successResultOf(bus.asked(question(1)))
    result = bus.line.run(1, ask(question(1)))
    bus.run(0.02)
    assert bus.wire.reactor.readers == set()
    bus.wire.lose()
    results.failureResultOf(result, LineLost)
    bus.run(3.0, 0.01)
    results.successResultOf(bus.asked(question(1)))


def test_a_refusal_is_a_whole_answer(bus):
    bus.is_silent = True
    result = bus.line.run(1, ask(question(1)))
    bus.run(0.01)
    bus.play(framed(b"\x01\x83\x02"), bus.clock.seconds() + 0.005)
    bus.run(0.05)
    results.failureResultOf(result, Refused)
    assert bus.line.counters.refusals == 1


class Tcp(Bus):
    """A line without byte times, whose far end answers at once."""

    def __init__(self):
        super().__init__(make=self.made)

    @staticmethod
    def made():
        clock = Clock()
        wire = Port(clock)
        line = Line("wireless", wire, clock)
        line.start()
        return line, wire, clock

    def answer(self):
        while self.seen < len(self.wire.sent):
            request = self.wire.sent[self.seen][1]
            self.seen += 1
            if not self.is_silent:
                self.wire.deliver(request[:4] + bytes((0, 7, request[6], 3, 4)) + bytes(4))


def test_a_line_without_byte_times_leaves_the_clock_and_the_reactor_alone():
    bus = Tcp()
    bus.clock.calls.clear()
    for tid in range(50):
        result = bus.line.run(1, ask(mbap(1, read(Function.HOLDING, 0, 2), tid, 0.3)))
        bus.wire.flush()
        bus.answer()
        assert results.successResultOf(result) == [bytes(4)]
        assert bus.wire.reactor.readers == {bus.wire.transport}
        assert len(bus.clock.getDelayedCalls()) == 1
    assert bus.line.counters.answers == 50
    bus.close()


def test_a_line_without_byte_times_waits_no_longer_than_said():
    bus = Tcp()
    results.successResultOf(bus.asked(mbap(1, read(Function.HOLDING, 0, 2), 1, 0.3)))
    bus.is_silent = True
    began = bus.clock.seconds()
    results.failureResultOf(bus.asked(mbap(1, read(Function.HOLDING, 0, 2), 2, 0.3)), NoReply)
    assert 0.3 <= bus.clock.seconds() - began < 0.31
    bus.is_silent = False
    results.successResultOf(bus.asked(mbap(1, read(Function.HOLDING, 0, 2), 3, 0.3)))
    bus.close()


def test_an_answer_in_pieces_is_put_together():
    bus = Tcp()
    bus.is_silent = True
    result = bus.line.run(1, ask(mbap(1, read(Function.HOLDING, 0, 2), 1, 0.3)))
    for piece in (b"\x00\x01\x00\x00\x00", b"\x07\x01\x03", b"\x04abcd"):
        bus.run(0.2, 0.01)
        bus.wire.deliver(piece)
    assert results.successResultOf(result) == [b"abcd"]
    short = bus.line.run(1, ask(mbap(1, read(Function.HOLDING, 0, 2), 2, 0.3)))
    bus.wire.deliver(b"\x00\x02\x00\x00\x00")
    bus.run(0.7, 0.01)
    results.failureResultOf(short, Garbled)
    bus.close()
