"""concentrator.app.ordered: started in order, stopped in reverse, each waited for."""

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from concentrator.app.ordered import STOP_S, OrderedService, Part

results = SynchronousTestCase()


class Told:
    """Parts that write down what happens to them."""

    def __init__(self):
        self.story = []
        self.held = {}
        self.clock = Clock()

    def part(self, name, holds=""):
        def step(what):
            def act():
                self.story.append(f"{what} {name}")
                if what in holds:
                    self.held[what, name] = Deferred()
                    return self.held[what, name]
                return None

            return act

        return Part(name, step("start"), step("stop"))

    def service(self, *parts):
        return OrderedService(self.clock, list(parts))


@pytest.fixture
def told():
    told = Told()
    yield told
    assert told.clock.getDelayedCalls() == []


def test_each_part_waits_for_the_one_before(told):
    service = told.service(told.part("journal", "start stop"), told.part("poller", "stop"))
    started = service.startService()
    assert told.story == ["start journal"]
    told.held["start", "journal"].callback(None)
    results.successResultOf(started)
    stopped = service.stopService()
    assert told.story == ["start journal", "start poller", "stop poller"]
    told.held["stop", "poller"].callback(None)
    assert told.story[-1] == "stop journal"
    results.assertNoResult(stopped)
    told.held["stop", "journal"].callback(None)
    results.successResultOf(stopped)


def test_a_part_that_does_not_stop_is_left_behind(told):
    service = told.service(told.part("journal"), told.part("stuck", "stop"))
    results.successResultOf(service.startService())
    stopped = service.stopService()
    told.clock.advance(STOP_S)
    results.successResultOf(stopped)
    assert told.story[-1] == "stop journal"


def test_a_part_that_fails_to_start_stops_those_before_it(told):
    broken = Part("broken", lambda: 1 / 0)
    service = told.service(told.part("journal"), broken, told.part("poller"))
    results.failureResultOf(service.startService(), ZeroDivisionError)
    assert told.story == ["start journal", "stop journal"]


def test_a_part_that_fails_to_stop_does_not_keep_the_others_from_it(told):
    broken = Part("broken", lambda: None, lambda: 1 / 0)
    service = told.service(told.part("journal"), broken)
    results.successResultOf(service.startService())
    results.successResultOf(service.stopService())
    assert told.story == ["start journal", "stop journal"]


def test_stopping_while_starting_starts_nothing_more(told):
    service = told.service(told.part("journal", "start"), told.part("poller"))
    service.startService()
    stopped = service.stopService()
    results.assertNoResult(stopped)
    told.held["start", "journal"].callback(None)
    results.successResultOf(stopped)
    assert told.story == ["start journal", "stop journal"]
