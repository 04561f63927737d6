"""concentrator.line.alarm: never early, cheap to put off, and nothing left behind."""

from twisted.internet.task import Clock

from concentrator.line.alarm import Alarm


class Sluggish(Clock):
    """A clock whose calls come late by what a machine takes to wake up; `calls_made` counts them."""

    def __init__(self, waking_s):
        super().__init__()
        self.waking_s = waking_s
        self.calls_made = 0

    def callLater(self, delay, call):  # noqa: N802
        self.calls_made += 1
        return super().callLater(delay + self.waking_s, call)


def test_it_goes_off_at_the_moment_set_last_and_does_what_was_set_last(clock):
    alarm, gone_off = Alarm(clock), []
    alarm.set(3.0, lambda: gone_off.append("first"))
    alarm.set(1.0, lambda: gone_off.append(clock.seconds()))
    clock.pump([0.5, 0.5, 5.0])
    assert gone_off == [1.0]


def test_putting_off_costs_no_call(clock):
    alarm, gone_off = Alarm(clock), []
    for moment in range(1, 50):
        alarm.set(float(moment), lambda: gone_off.append(clock.seconds()))
    (call,) = clock.getDelayedCalls()
    assert call.getTime() == 1.0
    clock.pump([0.5] * 100)
    assert gone_off == [49.0]


def test_switched_off_or_closed_it_does_nothing(clock):
    alarm, gone_off = Alarm(clock), []
    alarm.set(1.0, lambda: gone_off.append("off"))
    alarm.off()
    clock.pump([0.5] * 4)
    alarm.set(3.0, lambda: gone_off.append("closed"))
    alarm.close()
    assert clock.getDelayedCalls() == []
    clock.advance(5.0)
    assert gone_off == []


def test_what_the_machine_takes_to_wake_up_is_slept_less():
    clock, late = Sluggish(8e-5), []
    alarm = Alarm(clock)
    for n in range(1, 400):
        alarm.set(n * 1.0, lambda n=n: late.append(clock.seconds() - n * 1.0))
        while len(late) < n:
            clock.advance(1e-5 if clock.seconds() > n - 0.0005 else 0.0005)
    assert late[0] >= 7e-5
    assert max(late[-50:]) < 5e-5
    assert min(late) > -1e-6


def test_what_comes_too_early_is_put_off_again():
    clock, gone_off = Sluggish(9e-5), []
    alarm = Alarm(clock)
    for n in range(1, 300):
        alarm.set(float(n), lambda: gone_off.append(clock.seconds()))
        clock.advance(n + 2e-4 - clock.seconds())
        clock.advance(2e-4)
    clock.waking_s = 0.0
    alarm.set(400.0, lambda: gone_off.append(clock.seconds()))
    while clock.seconds() < 400.001:
        clock.advance(1e-5 if clock.seconds() > 399.98 else 0.01)
    assert 400.0 - 1e-6 <= gone_off[-1] < 400.0002
