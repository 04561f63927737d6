"""The transaction in progress on a wire, from the first byte out to the last byte in. A reply is over when the protocol
says so, never when a clock does; time only decides that nothing more will come. Hides when the port is looked at
(`looking`, where characters take time), how long a station is waited for (`patience`), and echoes (`echo`).

There is one object for all exchanges of a line, and where characters take no time it touches neither the reactor nor
the clock's queue: a thousand lines at once are the case it is made for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from concentrator.line.alarm import Alarm
from concentrator.line.echo import Echo
from concentrator.line.looking import Looking
from concentrator.line.patience import Pace
from concentrator.line.wire_end import WireEnd
from concentrator.model.errors import ConcentratorError, Garbled, LineLost, NoReply, Refused, WireError
from concentrator.wire.conversation import Expect, Need, Transaction

NETWORK_PAUSE_S = 0.5
"""The longest pause inside a reply that comes over a network: a lost segment is sent again within that."""
_GRACE_S = 0.002  # for bytes that are there but must be handed over by the reactor

Done = Callable[[Any, "ConcentratorError | None", float], None]
"""`done(reply, error, ended)`: the reply or the error that stands for it, and the moment (clock seconds) of the last
byte on the wire."""


class Exchange:
    """The transaction in progress, if `is_on`. `transaction`, `began` (clock seconds), `received` (without an echo) and
    `turnaround_s` (from the end of the request to the beginning of the reply) tell about the last one when `done` is
    called."""

    __slots__ = (
        "_alarm",
        "_buffer",
        "_clock",
        "_deadline",
        "_done",
        "_echo",
        "_expect",
        "_is_late",
        "_looking",
        "_number",
        "_pace",
        "_wire",
        "began",
        "is_on",
        "received",
        "transaction",
        "turnaround_s",
    )

    def __init__(self, clock: IReactorTime, alarm: Alarm, looking: Looking | None, done: Done) -> None:
        self._clock = clock
        self._alarm = alarm
        self._looking = looking
        self._done = done
        self.is_on = False
        self.began = self.turnaround_s = 0.0
        self.received = b""
        self._deadline = 0.0
        self._expect: Expect | None = None
        self.transaction: Transaction
        self._pace: Pace
        self._wire: WireEnd
        self._echo: Echo
        self._is_late = False
        self._number = 0

    def begin(self, now: float, wire: WireEnd, echo: Echo, transaction: Transaction, pace: Pace) -> None:
        """Sends a request and begins to wait."""
        self.is_on = True
        self._number = self._number + 1 & 0xFF
        self.began = now
        self.turnaround_s = 0.0
        self.received = self._buffer = b""
        self._wire, self._echo, self._pace = wire, echo, pace
        self.transaction = transaction
        self._expect = expect = transaction.expect
        request = transaction.request
        if echo.is_known is not False:
            echo.sent(request)
        if request:
            wire.send(request)
        looking = self._looking
        if expect is None:
            self._finish(None, None, now + (len(request) * looking.character_s if looking else 0.0))
            return
        wait_s = transaction.wait_s if transaction.is_patient else pace.wait_s(transaction.wait_s)
        if looking is None:
            self._deadline = now + wait_s
            self._alarm.set(self._deadline, self._time_passed)
            return
        length = expect(b"", False).length
        at = looking.begin(now, len(request), length, pace)
        self._deadline = looking.request_end + wait_s + looking.first_s
        # Of a station that is known to answer, only the whole reply is looked for, even when its first byte is overdue.
        ceiling = looking.request_end + transaction.wait_s
        self._look_at(now, min(at, max(ceiling, self._deadline)))

    def bytes_received(self, received: bytes) -> None:
        """More of the reply."""
        # A copy: what a socket hands over lies in a block of 64 KiB, which must not be kept.
        self._buffer = b"".join((self._buffer, received))
        self._judge(self._clock.seconds(), False)
        self._is_late = False

    def _time_passed(self) -> None:
        """It is time to look, or nothing more will come."""
        wire, number, known = self._wire, self._number, len(self.received)
        if wire.can_take:
            self._is_late = True
            wire.take()
            self._is_late = False
            if not self.is_on or self._number != number or len(self.received) > known:
                return  # it is over, the next one has begun even, or there is more to wait for
        now = self._clock.seconds()
        was_looking = wire.is_looking
        self._look()
        if now < self._deadline:
            self._alarm.set(self._deadline, self._time_passed)
        elif was_looking or wire.can_take:
            self._ended(now)
        else:
            self._deadline = now + _GRACE_S
            self._alarm.set(self._deadline, self._time_passed)

    def owed_until(self, ceiling_s: float) -> float:
        """Until when the last request may still be answered: as long after its end as answers may come late."""
        sent_at = self._looking.request_end if self._looking else self.began
        return sent_at + max(ceiling_s, 2 * self.transaction.wait_s)

    def lost(self) -> None:
        """The wire is gone."""
        self._finish(None, LineLost("it closed during an exchange"), self._clock.seconds())

    def abandon(self) -> None:
        """Nobody wants the outcome any more."""
        self.is_on = False
        self._alarm.off()

    def _ended(self, now: float) -> None:
        """Nothing more will come."""
        if self._buffer:
            self._judge(now, True)
        else:
            self._silent(now)

    def _silent(self, now: float) -> None:
        self._pace.timed_out()
        request_end = self._looking.request_end if self._looking else self.began
        self._finish(None, NoReply(f"nothing came within {(now - request_end) * 1000:.0f} ms"), request_end)

    def _judge(self, now: float, ended: bool) -> None:
        expect, heard, looking = self._expect, self._buffer, self._looking
        assert expect is not None
        if self._echo.is_known:
            heard = self._echo.without(heard)
            if not heard:
                if ended:
                    self._silent(now)
                return
        self.received = heard
        try:
            reply = expect(heard, ended)
        except WireError as error:
            self._judge_error(now, error, ended)
            return
        if not isinstance(reply, Need):
            self._finish(reply, None, self._complete(now, len(heard)))
        elif ended:
            self._finish(None, Garbled(f"{len(heard)} bytes, expected {reply.length}", heard), now)
        elif looking is None:
            self._deadline = now + NETWORK_PAUSE_S
            self._alarm.set(self._deadline, self._time_passed)
        else:
            looking.heard(now, len(heard), not self._is_late)
            missing = reply.length - len(heard)
            self._deadline = now + missing * looking.character_s + looking.pause_s
            self._look_at(now, looking.again(now, missing))

    def _judge_error(self, now: float, error: WireError, ended: bool) -> None:
        """The bytes are no reply: a refusal is an answer, others may be our own request."""
        looking, heard = self._looking, self.received
        if isinstance(error, Refused):
            self._finish(None, error, self._complete(now, len(heard)))
        elif self._echo.is_known is None and self._echo.explains(heard, ended):
            self.received = b""
            if looking is not None:
                looking.restart()
            if self._echo.is_known:
                self._judge(now, ended)
        else:
            if ended and looking is not None:
                looking.broke_off()
            self._finish(None, error, now)

    def _complete(self, now: float, length: int) -> float:
        """A whole answer is there; gives when it ended on the wire."""
        looking = self._looking
        if looking is None:
            ended = now
            self.turnaround_s = now - self.began
        else:
            ended = looking.ended(now, length, not self._is_late)
            self.turnaround_s = max(ended - length * looking.character_s - looking.request_end, 0.0)
        self._pace.answered(self.turnaround_s)
        return ended

    def _look(self) -> None:
        """Looks from now on; what is there already, and cannot be taken, comes as if it had just arrived."""
        if not self._wire.is_looking:
            self._is_late = not self._wire.can_take
            self._wire.look()

    def _look_at(self, now: float, at: float) -> None:
        """Looks away until then, or looks until the deadline."""
        if at > now:
            self._wire.look_away()
            self._alarm.set(at, self._time_passed)
        else:
            self._look()
            self._alarm.set(self._deadline, self._time_passed)

    def _finish(self, reply: Any, error: ConcentratorError | None, ended: float) -> None:
        self.is_on = False
        self._alarm.off()
        if self._echo.is_known is not False and self._expect is not None:
            self._echo.over(self._buffer, self.received, error is None)
        self._done(reply, error, ended)
