import pytest

from concentrator.api import InputState
from concentrator.panel.board import VirtualBoard
from concentrator.panel.functions import InputFunction
from concentrator.panel.inputs import Inputs, InputTerms


class Bench:
    """Inputs on a board, with what they told and how often they said that something changed."""

    def __init__(self, clock, *terms):
        self.board, self.told, self.changes = VirtualBoard(), [], 0
        self.clock = clock
        self.inputs = Inputs(self.board, clock, lambda *told: self.told.append(told))
        self.inputs.changed = self._changed
        self.inputs.arrange(dict(enumerate(terms, 1)))
        self.inputs.start()

    def _changed(self):
        self.changes += 1

    def active(self):
        return [state.is_active for state in self.inputs.states()]

    def alarms(self):
        return [(facts["function"], facts["active"]) for name, facts in self.told if name == "input.alarm"]


@pytest.fixture
def bench(clock):
    benches = []

    def make(*terms):
        benches.append(Bench(clock, *terms))
        return benches[-1]

    yield make
    for each in benches:
        each.inputs.stop()


def test_an_input_without_a_function_is_active_while_its_contact_is_closed(bench):
    one = bench()
    one.board.set_input(1, True)
    assert one.inputs.states() == (InputState(True), InputState(False))
    one.board.set_input(1, False)
    assert one.active() == [False, False]
    assert [facts for _, facts in one.told] == [
        {"input": 1, "active": True, "function": "none", "text": "input 1 is active"},
        {"input": 1, "active": False, "function": "none", "text": "input 1 is no longer active"},
    ]


def test_a_contact_that_opens_may_be_what_is_active(bench):
    one = bench(InputTerms(InputFunction.FIRE_ALARM, is_active_when_open=True))
    assert one.active() == [True, False], "a cut wire is an alarm from the start"
    one.board.set_input(1, True)
    assert one.active() == [False, False]
    assert one.alarms() == [("fire", True), ("fire", False)]


@pytest.mark.parametrize(
    ("function", "called"),
    [
        (InputFunction.ACCESS_ALARM, "access"),
        (InputFunction.FIRE_ALARM, "fire"),
        (InputFunction.EXTERNAL_ALARM, "external"),
    ],
)
def test_an_alarm_is_told_at_once_and_so_is_its_end(bench, function, called):
    one = bench(InputTerms(), InputTerms(function))
    one.board.set_input(2, True)
    one.board.set_input(2, False)
    words = function.replace("_", " ")
    assert [(name, facts["text"]) for name, facts in one.told] == [
        ("input.changed", f"input 2 ({words}) is active"),
        ("input.alarm", f"input 2: {words}"),
        ("input.changed", f"input 2 ({words}) is no longer active"),
        ("input.alarm", f"input 2: {words} is over"),
    ]
    assert one.alarms() == [(called, True), (called, False)]


@pytest.mark.parametrize("function", [f for f in InputFunction if "alarm" not in f])
def test_what_is_no_alarm_raises_none(bench, function):
    one = bench(InputTerms(function))
    one.board.set_input(1, True)
    assert (one.alarms(), one.active(), one.inputs.active(function)) == ([], [True, False], (1,))


def test_an_input_is_active_only_after_its_delay_and_no_longer_at_once(bench, clock):
    one = bench(InputTerms(InputFunction.EXTERNAL_ALARM, delay_s=20.0))
    one.board.set_input(1, True)
    clock.advance(19.9)
    assert (one.active(), one.told) == ([False, False], [])
    clock.advance(0.2)
    assert one.active() == [True, False]
    one.board.set_input(1, False)
    assert one.active() == [False, False]


def test_a_contact_that_bounces_begins_its_delay_anew(bench, clock):
    one = bench(InputTerms(InputFunction.ACCESS_ALARM, delay_s=1.0))
    for _ in range(5):
        one.board.set_input(1, True)
        clock.advance(0.9)
        one.board.set_input(1, False)
        clock.advance(0.9)
    assert one.told == []
    one.board.set_input(1, True)
    clock.advance(1.0)
    assert one.alarms() == [("access", True)]


def test_another_function_ends_what_the_input_did_before(bench):
    one = bench(InputTerms(InputFunction.FIRE_ALARM))
    one.board.set_input(1, True)
    one.inputs.arrange({1: InputTerms(InputFunction.REMOTE_INHIBIT)})
    assert one.alarms() == [("fire", True), ("fire", False)]
    assert one.inputs.active(InputFunction.REMOTE_INHIBIT) == (1,)
    assert one.inputs.active(InputFunction.FIRE_ALARM) == ()
    one.inputs.arrange({})
    assert one.inputs.states()[0] == InputState(True, "none")


def test_another_delay_alone_ends_nothing(bench):
    one = bench(InputTerms(InputFunction.FIRE_ALARM))
    one.board.set_input(1, True)
    one.inputs.arrange({1: InputTerms(InputFunction.FIRE_ALARM, delay_s=5.0)})
    assert one.alarms() == [("fire", True)]


def test_a_delay_that_runs_does_not_outlive_its_terms(bench, clock):
    one = bench(InputTerms(InputFunction.FIRE_ALARM, delay_s=5.0))
    one.board.set_input(1, True)
    one.inputs.arrange({1: InputTerms(InputFunction.FIRE_ALARM, is_active_when_open=True, delay_s=5.0)})
    clock.advance(10)
    assert (one.active(), one.told) == ([False, False], [])


def test_whoever_depends_on_inputs_hears_of_every_change(bench):
    one = bench()
    one.board.set_input(1, True)
    one.board.set_input(1, True)
    one.board.set_input(1, False)
    assert one.changes == 2


def test_a_contact_beyond_the_inputs_is_nobodys(bench):
    one = bench()
    one.board.set_input(7, True)
    assert one.told == []
