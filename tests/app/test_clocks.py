"""concentrator.app.clocks: monotonic, sharp, and distrustful of 1970."""

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface.verify import verifyObject

from concentrator.app.clocks import SharpClock, SystemWall, make_monotonic


class Reactor:
    seconds = None


def test_a_reactors_timers_do_not_follow_the_wall_clock():
    fake = Reactor()
    make_monotonic(fake)
    first = fake.seconds()
    assert 0 <= fake.seconds() - first < 1
    assert abs(fake.seconds() - SystemWall().now()) > 1e6


def test_a_clock_that_starts_in_1970_is_not_believed(monkeypatch):
    assert SystemWall().is_trusted()
    monkeypatch.setattr("concentrator.app.clocks.time.time", lambda: 30.0)
    assert not SystemWall().is_trusted()


def test_a_clock_is_set_to_what_it_is_told_where_the_program_may(monkeypatch):
    told, done = [], []
    wall = SystemWall(told=lambda: told.append(True))
    monkeypatch.setattr("concentrator.app.clocks.time.clock_settime", lambda clock, now: done.append(now))
    assert wall.take(1_800_000_000.5) is True
    assert (done, told) == ([1_800_000_000.5], [True])

    def forbidden(clock, now):
        raise PermissionError("not permitted")

    monkeypatch.setattr("concentrator.app.clocks.time.clock_settime", forbidden)
    assert wall.take(1_800_000_000.5) is False
    assert told == [True]


@pytest_twisted.ensureDeferred
async def test_delayed_calls_come_in_order_and_never_early():
    clock = SharpClock(reactor)
    clock.start()
    try:
        called, done = [], Deferred()
        began = clock.seconds()

        def note(name):
            called.append((name, clock.seconds() - began))

        clock.callLater(0.02, note, "second")
        clock.callLater(0.01, note, "first")
        clock.callLater(0.03, lambda: 1 / 0)
        gone = clock.callLater(0.015, note, "cancelled")
        moved = clock.callLater(0.001, note, "moved")
        clock.callLater(0.05, done.callback, None)
        gone.cancel()
        moved.reset(0.04)
        assert not gone.active()
        assert verifyObject(IDelayedCall, moved)
        assert verifyObject(IReactorTime, clock)
        assert moved.active()
        assert len(clock.getDelayedCalls()) == 5
        await done
        assert [name for name, _ in called] == ["first", "second", "moved"]
        assert all(at >= due for (_, at), due in zip(called, (0.01, 0.02, 0.04), strict=True))
        assert clock.getDelayedCalls() == []
    finally:
        clock.stop()


@pytest_twisted.ensureDeferred
async def test_a_call_may_schedule_the_next():
    clock = SharpClock(reactor)
    clock.start()
    try:
        done, count = Deferred(), []

        def again():
            count.append(1)
            if len(count) == 20:
                done.callback(None)
            else:
                clock.callLater(0.001, again)

        clock.callLater(0, again)
        await done
    finally:
        clock.stop()
    assert len(count) == 20


def test_a_stopped_clock_forgets_what_was_to_come():
    clock = SharpClock(reactor)
    clock.start()
    clock.callLater(10, lambda: None)
    clock.stop()
    clock.stop()
    assert clock.getDelayedCalls() == []
