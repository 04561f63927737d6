"""concentrator.genset.gain: a controller is looked for at every pair, and found by its answer only."""

import itertools

import pytest
from twisted.internet.defer import Deferred, succeed

from concentrator.genset.gain import PAUSE_S, Gain
from concentrator.wire.smartgen_fields import Wiring

PAIRS = (Wiring(2, 0), Wiring(2, 1), Wiring(2, 2), Wiring(1, 0))


class Ports:
    def __init__(self, pairs=PAIRS, missing=()):
        self.wiring, self._pairs, self._missing, self.used = pairs[0], pairs, missing, []

    def pairs(self):
        return (self.wiring, *(each for each in self._pairs if each != self.wiring))

    def use(self, wiring):
        self.used.append(wiring)
        if wiring in self._missing:
            return False
        self.wiring = wiring
        return True


@pytest.fixture
def look(clock):
    def made(ports, at):
        told = []
        gain = Gain(ports, lambda: succeed(ports.wiring == at), clock, told.append, lambda: told.append("nowhere"))
        return gain, told

    return made


@pytest.mark.parametrize("at", PAIRS[1:])
def test_it_stays_at_the_first_pair_that_brings_an_answer(look, at):
    ports = Ports()
    gain, told = look(ports, at)
    gain.search()
    assert ports.wiring == at
    assert told == [at]
    assert ports.used == list(PAIRS[: PAIRS.index(at) + 1])


def test_an_answer_where_it_is_is_no_news(look):
    gain, told = look(Ports(), PAIRS[0])
    gain.search()
    assert told == []


def test_where_nothing_answers_everything_is_as_before_and_pauses_grow(look, clock):
    ports = Ports()
    gain, told = look(ports, None)
    searches = []
    for second in range(4000):
        before = len(told)
        gain.search()
        if len(told) > before:
            searches.append(second)
        clock.advance(1)
    assert ports.wiring == PAIRS[0]
    assert [b - a for a, b in itertools.pairwise(searches)] == [60, 120, 240, 480, 900, 900, 900]
    assert PAUSE_S == (60.0, 900.0)
    gain.answered()
    gain.search()
    assert len(told) == len(searches) + 1


def test_a_pair_that_is_not_there_is_passed_over(look):
    ports = Ports(missing=PAIRS[1:3])
    gain, told = look(ports, PAIRS[3])
    gain.search()
    assert told == [PAIRS[3]]


def test_where_there_is_one_pair_nothing_is_looked_for(look):
    ports = Ports(PAIRS[:1])
    gain, told = look(ports, None)
    gain.search()
    assert (ports.used, told) == ([], [])


def test_it_ends_when_it_is_told_to_and_puts_back_what_was(clock):
    ports, probe = Ports(), Deferred()
    gain = Gain(ports, lambda: probe, clock, lambda pair: None)
    gain.search()
    gain.search()
    assert gain.is_searching
    gain.stop()
    assert not gain.is_searching
    assert ports.wiring == PAIRS[0]
    probe.callback(False)
    gain.search()
    assert ports.used == [PAIRS[0], PAIRS[0]]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_probed_still_when_it_ends_moves_nothing_any_more(clock, is_there):
    ports, probe, told = Ports(), Deferred(), []
    gain = Gain(ports, lambda: probe, clock, told.append, lambda: told.append("nowhere"))
    gain.search()
    gain.stop()
    ports.use(PAIRS[2])  # whose ports they are now
    probe.callback(is_there)
    assert (ports.wiring, told) == (PAIRS[2], [])


@pytest.mark.parametrize("is_there", [True, False])
def test_whoever_wires_it_otherwise_meanwhile_has_the_last_word(clock, is_there):
    ports, probe, told = Ports(), Deferred(), []
    gain = Gain(ports, lambda: probe, clock, told.append)
    gain.search()
    ports.use(PAIRS[3])
    probe.callback(is_there)
    assert (ports.wiring, told, gain.is_searching) == (PAIRS[3], [], False)
