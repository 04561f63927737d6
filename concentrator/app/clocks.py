"""The two clocks, real. `SharpClock` waits on the monotonic clock, to a tenth of a millisecond; `SystemWall` stamps.

Twisted's reactor tells the wall clock's time, so that a step of it freezes or stampedes every timer; `make_monotonic`
cures that before anything is scheduled. Its timers are rounded up to milliseconds by epoll, which is a third of the
silence between two Modbus frames at 9600 bit/s: the line's timers go through a timerfd instead.
"""

from __future__ import annotations

import ctypes
import heapq
import os
import secrets
import struct
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime, IReadDescriptor
from twisted.logger import Logger
from zope.interface import implementer

import concentrator

_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK = 0o4000
_TFD_TIMER_ABSTIME = 1
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_ITIMERSPEC = struct.Struct("qqqq")

BELIEVED_FROM = 1_767_225_600
"""2026-01-01: no box of this program was started before."""

log = Logger()


def make_monotonic(reactor: Any) -> None:
    """Makes a reactor's timers follow the monotonic clock; to be called before anything is scheduled."""
    reactor.seconds = time.monotonic


class SystemWall:
    """The machine's clock. `believes` says whether the time it shows (UTC seconds) can be believed; without it, every
    time can at which this program existed. `told` is called when it was set to a time that somebody told."""

    def __init__(
        self,
        believes: Callable[[float], bool] = lambda now: now >= BELIEVED_FROM,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._believes = believes
        self._told = told

    def now(self) -> float:
        """UTC seconds."""
        return time.time()

    def is_trusted(self) -> bool:
        """Whether the time can be believed: a box without a clock of its own starts in 1970, or when it went off."""
        return self._believes(self.now())

    def take(self, now: float) -> bool:
        """Sets the machine's clock to these UTC seconds, told by whom the operator trusts; whether it could."""
        try:
            time.clock_settime(time.CLOCK_REALTIME, now)
        except (OSError, OverflowError) as error:
            log.warn("the clock cannot be set: {error}", error=error)
            return False
        self._told()
        return True


@implementer(IDelayedCall)
class _Call:
    """A call to come, as IDelayedCall has it."""

    def __init__(self, clock: SharpClock, moment: float, call: Callable[[], object]) -> None:
        self._clock = clock
        self.moment = moment
        self.call = call
        self.is_pending = True

    def active(self) -> bool:
        return self.is_pending

    def stands_at(self, moment: float) -> bool:
        """Whether it is still to come, and at that moment."""
        return self.is_pending and self.moment == moment

    def getTime(self) -> float:  # noqa: N802 - Twisted's name
        return self.moment

    def cancel(self) -> None:
        self.is_pending = False

    def reset(self, secondsFromNow: float) -> None:  # noqa: N803 - Twisted's name
        self.moment = self._clock.seconds() + secondsFromNow
        self._clock._queue(self)

    def delay(self, secondsLater: float) -> None:  # noqa: N803 - Twisted's name
        self.moment += secondsLater
        self._clock._queue(self)


@implementer(IReactorTime, IReadDescriptor)
class SharpClock:
    """Delayed calls from one timerfd in the reactor's epoll set. `start` puts it there, `stop` takes it out."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._calls: list[tuple[float, int, _Call]] = []
        self._order = count()
        self._armed = 0.0
        self._is_calling = False

    def start(self) -> None:
        """Begins to watch the time."""
        self._reactor.addReader(self)

    def stop(self) -> None:
        """Forgets what was to come and lets the timer go."""
        self._reactor.removeReader(self)
        self._calls.clear()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    seconds = staticmethod(time.monotonic)
    """Monotonic seconds."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> Any:  # noqa: N802
        """Calls after `delay` seconds."""
        called = (lambda: callable(*args, **kw)) if args or kw else callable
        call = _Call(self, self.seconds() + max(delay, 0.0), called)
        self._queue(call)
        return call

    def getDelayedCalls(self) -> list[Any]:  # noqa: N802 - Twisted's name
        """The calls to come."""
        return list({id(call): call for _, _, call in self._calls if call.is_pending}.values())

    def _queue(self, call: _Call) -> None:
        heapq.heappush(self._calls, (call.moment, next(self._order), call))
        if not self._is_calling:
            self._arm()

    def _arm(self) -> None:
        """Sets the timer to the next call, past those that were cancelled or moved."""
        while self._calls and not self._calls[0][2].stands_at(self._calls[0][0]):
            heapq.heappop(self._calls)
        moment = self._calls[0][0] if self._calls else 0.0
        if moment != self._armed and self._fd >= 0:
            self._armed = moment
            whole = int(moment)
            spec = _ITIMERSPEC.pack(0, 0, whole, int((moment - whole) * 1e9) or (1 if moment else 0))
            self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, spec, None)

    def doRead(self) -> None:  # noqa: N802 - Twisted's name
        """The timer went off. Setting it anew is what makes it forget that; it is not read besides."""
        now, calls = self.seconds(), self._calls
        self._is_calling = True
        while calls and calls[0][0] <= now:
            moment, _, call = heapq.heappop(calls)
            if call.stands_at(moment):
                call.is_pending = False
                try:
                    call.call()
                except Exception:  # as the reactor does: one call's fault is not another's
                    log.failure("a delayed call failed")
        self._is_calling = False
        self._armed = -1.0
        self._arm()

    def fileno(self) -> int:
        """The timer's descriptor."""
        return self._fd

    def logPrefix(self) -> str:  # noqa: N802 - Twisted's name
        """What the reactor calls it in its log."""
        return "clock"

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """The reactor is shutting down."""


class MachineStart:
    """This start of the machine: its `id`, and the seconds since then, which nobody sets."""

    def __init__(self) -> None:
        try:
            self.id = _BOOT_ID.read_text().strip()
        except OSError:
            # It cannot be told from others: what this run of the program kept, no later one can date.
            self.id = secrets.token_hex(16)

    def seconds(self) -> float:
        """Seconds since the machine started, those of a sleep among them."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class Started:
    """When the process began, for its uptime and the time it took to get going."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def uptime_s(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self._began


def program() -> str:
    """The program's name and version, as it introduces itself."""
    return f"CcMaster {concentrator.__version__}"
