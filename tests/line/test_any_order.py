"""concentrator.line under any order of events: never two requests in flight, silence kept, nobody's answer taken for
another's, everybody's turn, and nothing but errors of the house from any bytes."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from concentrator.model.errors import ConcentratorError, LineError, WireError
from concentrator.model.profile import Function
from concentrator.sim.bus import Faults, Wire
from concentrator.sim.exchange import Status
from concentrator.wire.modbus import read, rtu, write_register
from tests.support.lines import close_line, open_line
from tests.support.virtual_bus import VirtualBus

METERS = 4
SERIAL = (0x0002, 5)  # of the CcM: ten digits in five registers
ABSENT = 9
SUMS_S = 1e-9  # what moments that are sums of the same terms in another order differ by

EVENTS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from([1, 2, 3, 4, ABSENT]), st.booleans()),
    st.tuples(st.just("cancel"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("lease"), st.integers(1, METERS), st.booleans()),
    st.tuples(st.just("lose"), st.just(0), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 20, 60, 400, 1500]), st.booleans()),
)


def serial_of(unit):
    return rtu(unit, read(Function.HOLDING, *SERIAL), 0.3)


def conversation(unit, more):
    """Asks a station for its serial once or twice."""
    first = yield serial_of(unit)
    if more:
        yield serial_of(unit)
    return first.decode()


class Story:
    """A line on a bus in virtual time, and what came of everything that was asked of it."""

    def __init__(self, wire, faults):
        self.bus = VirtualBus(METERS, wire, faults)
        self.serials = {meter.unit: meter.serial for meter in self.bus.field.slaves}
        self.line = self.bus.line()
        self.asked = []
        self.answers, self.errors = [], []
        self.leased = []

    def ask(self, unit, more):
        result = self.line.run(unit, conversation(unit, more), urgent=more)
        result.addCallbacks(lambda said: self.answers.append((unit, said)), self.errors.append)
        self.asked.append(result)

    def cancel(self, place, _):
        if place < len(self.asked):
            self.asked[-1 - place].cancel()

    def lease(self, unit, more):
        """A tunnel's client asks a station twice, waiting for each answer, and gives the wire back."""
        heard = []

        def lent(lease):
            lease.write(serial_of(unit).request)
            if more:
                self.bus.clock.callLater(0.1, lease.write, serial_of(unit).request)
            self.bus.clock.callLater(0.2, lease.release)

        self.line.lease(heard.append, lambda: None).addCallbacks(lent, self.errors.append)
        self.leased.append(heard)

    def lose(self, *_):
        if self.line.is_open:
            self.bus.lose()

    def wait(self, milliseconds, _):
        self.bus.run(milliseconds / 1000)

    def end(self):
        """Lets everything come to its end, and closes the line."""
        self.bus.run(30.0)
        assert all(isinstance(each, Deferred) and each.called for each in self.asked)
        self.bus.stop(self.line)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=25), st.sampled_from([1, 8]))
def test_whatever_happens_one_asks_at_a_time_and_keeps_silence(events, fifo):
    story = Story(Wire(fifo=fifo), Faults())
    for name, first, second in events:
        getattr(story, name)(first, second)
    story.end()
    heard = story.bus.heard
    assert {each.status for each in heard} <= {Status.OK, Status.SILENT}
    shortest_s = min((each.gap_s for each in heard if each.gap_s is not None), default=story.bus.wire.silence_s)
    assert shortest_s >= story.bus.wire.silence_s - SUMS_S
    assert all(said == story.serials[unit] for unit, said in story.answers)
    assert all(failure.check(ConcentratorError) for failure in story.errors)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS.filter(lambda event: event[0] != "lease"), max_size=25), st.integers(1, 50))
def test_nobody_gets_an_answer_that_was_for_another(events, seed):
    """Also when answers come late, damaged, or with noise before them."""
    faults = Faults(crc=0.1, noise=0.1, late=0.3, late_s=0.35, seed=seed)
    story = Story(Wire(), faults)
    for name, first, second in events:
        getattr(story, name)(first, second)
    story.end()
    assert all(said == story.serials[unit] for unit, said in story.answers)
    assert all(failure.check(ConcentratorError) for failure in story.errors)


@pytest.mark.parametrize("silent", [frozenset(), frozenset({2})])
def test_everybody_has_as_many_turns_as_the_others(silent):
    bus = VirtualBus(METERS, faults=Faults(silent=silent))
    line = bus.line()
    turns = Counter()

    def again(_, unit):
        if line.is_open:
            turns[unit] += 1
            line.run(unit, conversation(unit, False)).addBoth(again, unit)

    for unit in range(1, METERS + 1):
        again(None, unit)
    bus.run(60.0)
    asked = [turns[unit] for unit in range(1, METERS + 1) if unit not in silent]
    assert max(asked) - min(asked) <= 1
    assert min(asked) > 200
    bus.lose()
    bus.stop(line)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.booleans())
def test_any_bytes_are_an_answer_or_an_error_of_the_wire(lumps, is_write):
    line, wire, clock = open_line()
    wire.run(0.01)
    request = write_register(7, 1) if is_write else read(Function.HOLDING, 0, 2)
    results = []

    def ask():
        return (yield rtu(1, request, 0.3))

    line.run(1, ask()).addBoth(results.append)
    for lump in lumps:
        wire.run(0.012)
        wire.deliver(lump)
    wire.run(1.5, step=0.005)
    (result,) = results
    assert result is None or isinstance(result, bytes) or result.check(WireError, LineError)
    close_line(line, clock)
