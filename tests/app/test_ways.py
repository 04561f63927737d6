"""concentrator.app.ways: a service is loaded when somebody configured it, or asks for it, and not before."""

import sys
from types import ModuleType

import pytest
from attrs import define, field
from twisted.internet.defer import succeed

from concentrator.app import ways
from concentrator.app.config_sections import Config
from concentrator.app.ways import Ways


@define
class Recorder:
    around: object
    told: list = field(factory=list)

    def states(self):
        return ["as it is"]

    def start(self, config):
        self.told.append("start")

    def leave(self, config):
        self.told.append("leave")
        return succeed(None)

    def stop(self):
        self.told.append("stop")
        return succeed(None)


@pytest.fixture
def built(monkeypatch):
    """What was built, of two kinds."""
    found = []
    module = ModuleType("a_way")
    module.build = lambda around: found.append(Recorder(around)) or found[-1]
    monkeypatch.setitem(sys.modules, "a_way", module)
    monkeypatch.setattr(ways, "WAYS", {"lamp": "a_way:build", "bell": "a_way:build"})
    return found


def configured(**services):
    return Config(None, services=services)


def test_what_nobody_configured_is_not_built(built):
    all_ways = Ways("around")
    all_ways.start(configured())
    all_ways.leave(configured(lamp={"a": 1}))
    assert all_ways.stop().called
    assert built == []


def test_what_is_configured_is_built_once_and_hears_of_every_change(built):
    all_ways = Ways("around")
    all_ways.start(configured(lamp={"a": 1}))
    all_ways.leave(configured(lamp={"b": 1}))
    all_ways.start(configured(lamp={"b": 1}))
    all_ways.leave(configured())
    all_ways.start(configured())
    all_ways.stop()
    (one,) = built
    assert one.around == "around"
    assert one.told == ["start", "leave", "start", "leave", "start", "stop"]


def test_of_a_way_that_nobody_needed_there_is_nothing_to_see(built):
    all_ways = Ways("around")
    assert list(all_ways.states("lamp")) == []
    assert built == []
    all_ways.way("lamp")
    assert all_ways.states("lamp") == ["as it is"]
    assert all_ways.all_states() == {"lamp": ["as it is"], "bell": ()}


def test_whoever_asks_for_a_way_has_it_built(built):
    all_ways = Ways("around")
    assert all_ways.way("lamp") is all_ways.way("lamp") is built[0]
    all_ways.start(configured())
    assert built[0].told == ["start"]
