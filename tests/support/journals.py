"""Journals on memory and on disk, the clocks they live by, and drafts to put into them."""

from __future__ import annotations

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from concentrator.journal.journal import Journal
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality, Reading
from concentrator.model.record import EVENT_PERIOD, Draft, Tally

NOON = 1_795_003_200
"""A full hour, in UTC seconds."""

POWER = Quantity("p", "W", Kind.INSTANTANEOUS, "Active power", 1)
ENERGY = Quantity("ea_imp", "kWh", Kind.COUNTER, "Imported energy", 2)
STATE = Quantity("state", "", Kind.STATE, "State")
COLUMNS = (POWER, ENERGY, STATE)


class AtOnce:
    """A worker without a thread: a job has ended when `run` returns."""

    def start(self):
        """Nothing to start."""

    def stop(self):
        """Nothing to stop."""

    def run(self, job, /, *args, **kwargs):
        """Runs a job here and now."""
        return maybeDeferred(job, *args, **kwargs)


class SetWall:
    """A wall clock that goes with a Clock, from `NOON` on, until it is set."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lead_s = float(NOON)
        self.trusted = True

    def now(self) -> float:
        return self.clock.seconds() + self.lead_s

    def is_trusted(self) -> bool:
        return self.trusted

    def step(self, seconds: float) -> None:
        self.lead_s += seconds


class SetBoot:
    """A start of the machine that is as old as a Clock, and some more that a test may add."""

    def __init__(self, clock: Clock, identity="boot-1") -> None:
        self.clock = clock
        self.id = identity
        self.ahead_s = 0.0

    def seconds(self) -> float:
        return self.clock.seconds() + self.ahead_s


class Bench:
    """A clock, a wall, a start of the machine, what was reported, and as many journals in a row as a test opens."""

    def __init__(self, path=None):
        self.path = path
        self.clock = Clock()
        self.wall = SetWall(self.clock)
        self.boot = SetBoot(self.clock)
        self.reports = []
        self.opened = []

    def journal(self, path=None, **settings):
        journal = Journal(
            path or self.path, self.clock, self.wall, AtOnce(), lambda name, facts: self.report(name, facts), **settings
        )
        self.opened.append(journal)
        result(journal.open())
        return journal

    def report(self, name, facts):
        self.reports.append((name, dict(facts)))

    def reported(self):
        return [name for name, _ in self.reports]

    def close(self, journal):
        self.opened.remove(journal)
        closed = journal.close()
        self.run(2)
        result(closed)

    def run(self, seconds, step=0.05):
        """Lets time pass in small steps."""
        self.clock.pump([step] * round(seconds / step))

    def done(self, waiting, within_s=2.0):
        """What a Deferred fires with, within some seconds."""
        self.run(within_s)
        return result(waiting)

    def append(self, journal, *drafts, urgent=False):
        """The records of drafts, once they are on the disk."""
        return self.done(journal.append(drafts, urgent))

    def end(self):
        for journal in tuple(self.opened):
            self.close(journal)
        assert self.clock.getDelayedCalls() == []


def result(deferred):
    """What a Deferred has fired with; AssertionError where it has not fired."""
    seen = []
    deferred.addBoth(seen.append)
    assert seen, "it has not fired"
    if isinstance(seen[0], Failure):
        seen[0].raiseException()
    return seen[0]


def pending(deferred):
    """Whether a Deferred has still to fire."""
    return not deferred.called


def interval(uid="main", end=NOON, period=10, watts=100.0, quality=Quality.GOOD, columns=COLUMNS, serial=None):
    """A base record with one reading in it."""
    power, energy = round(watts * 10), 12345
    tallies = (Tally(1, power, power, power, power), Tally(1, energy, energy, energy, energy), None)
    return Draft(uid, serial or f"S-{uid}", end, period, columns, tallies[: len(columns)], quality)


def event(name="link.started", end=NOON, uid="main"):
    return Draft(uid, f"S-{uid}", end, EVENT_PERIOD, event={"event": name})


def reading(uid="main", at=NOON + 1, quality=Quality.GOOD, missing=(), **values):
    return Reading(uid, at, values, quality, missing)


def numbers(batch):
    """The numbers in a batch; empty for none."""
    return [] if batch is None else [record.n for record in batch.records]
