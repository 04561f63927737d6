"""One transaction on the wire, from the first byte out to the last byte in.

Theory. Characters take `character_s` each, so the moment a reply can be complete is known before it begins. The
transport is not looked at before that moment, and when it is short of n characters, not before n - 1 of them can have
come: an 85-byte reply costs a handful of wake-ups instead of 85. Where the port hands characters over in lumps
(`Delivery` learns that) the last lumps are watched as they come. A reply is over when the protocol says so, never when
a timer does; timers only decide that nothing more will come: `wait_s` for its first byte, and a pause of `PAUSE_S`
inside it.

The end of the last byte on the wire is earlier than its arrival when a UART hands bytes over in lumps. Each lump
bounds the start of the reply (its arrival less the characters so far), the earliest bound gives the end; it is trusted
for as much as a UART's own delay, not more, so that a device that pauses inside its reply does not shorten the
silence after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from concentrator.model.errors import ConcentratorError, Garbled, LineLost, NoReply, WireError
from concentrator.wire.conversation import Need, Transaction

PAUSE_S = 0.05
"""The longest pause inside a reply: converters and USB adapters hand bytes over in lumps up to 40 ms apart."""
LUMP_CHARACTERS = 4.5
"""A 16550 hands over its last bytes after four characters of silence; half of one for the interrupt."""
_WORTH_S = 0.002
"""A wait shorter than this is not worth stopping to look."""


@define
class Delivery:
    """How a port hands characters over, learnt from its first replies, which are watched as they come: one by one
    (`lump` 1) or in lumps of a UART's threshold."""

    lump: int = 1
    _to_watch: int = 4
    _seen: Counter[int] = field(factory=Counter)

    @property
    def is_learnt(self) -> bool:
        """Whether enough was watched."""
        return self._to_watch == 0

    def heard(self, characters: int) -> None:
        """One lump, as long as there is something to learn."""
        if self._to_watch:
            self._seen[characters] += 1

    def reply_received(self) -> None:
        """A reply is complete; from the last one to be watched on, the commonest lump counts."""
        if self._to_watch and self._seen:
            self._to_watch -= 1
            self.lump = self._seen.most_common(1)[0][0]


@frozen
class Outcome:
    """How a transaction ended: the `reply`, or the `error` that stands for it; everything `received`; the moments
    (clock seconds) of the request's first byte and of the last byte on the wire."""

    reply: Any
    error: ConcentratorError | None
    received: bytes
    began: float
    ended: float


class Exchange:
    """One transaction in progress. `done` is called once, with the Outcome, unless the exchange is abandoned."""

    def __init__(
        self,
        transport: Any,
        clock: IReactorTime,
        transaction: Transaction,
        character_s: float,
        silence_s: float,
        delivery: Delivery,
        done: Callable[[Outcome], None],
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._transaction = transaction
        self._character_s = character_s
        self._silence_s = silence_s
        self._delivery = delivery
        self._done = done
        self._buffer = b""
        self._timer: IDelayedCall | None = None
        self._is_looking = True

    def start(self) -> None:
        """Sends the request and begins to wait."""
        self._began = now = self._clock.seconds()
        request = self._transaction.request
        self._request_end = now + len(request) * self._character_s
        self._reply_start = float("inf")
        if request:
            self._transport.write(request)
        if self._transaction.expect is None:
            self._finish(None, None, self._request_end)
            return
        self._deadline = self._request_end + self._transaction.wait_s
        need = self._transaction.expect(b"", False)
        self._look_when(self._request_end + self._silence_s, need.length)

    def bytes_received(self, received: bytes) -> None:
        """More of the reply."""
        now = self._clock.seconds()
        self._buffer += received
        self._delivery.heard(len(received))
        self._reply_start = min(self._reply_start, now - len(self._buffer) * self._character_s)
        self._judge(now, ended=False)

    def lost(self) -> None:
        """The wire is gone."""
        self._finish(None, LineLost("it closed during an exchange"), self._clock.seconds())

    def abandon(self) -> None:
        """Nobody wants the outcome any more."""
        self._stop_timer()
        self._look(True)

    def _judge(self, now: float, ended: bool) -> None:
        assert self._transaction.expect is not None
        try:
            reply = self._transaction.expect(self._buffer, ended)
        except WireError as error:
            self._finish(None, error, self._wire_end(now))
            return
        if not isinstance(reply, Need):
            self._delivery.reply_received()
            self._finish(reply, None, self._wire_end(now))
        elif ended:
            self._finish(None, Garbled(f"{len(self._buffer)} bytes, expected {reply.length}", self._buffer), now)
        else:
            missing = reply.length - len(self._buffer)
            self._deadline = now + missing * self._character_s + PAUSE_S
            self._look_when(now, missing)

    def _look_when(self, start: float, missing: int) -> None:
        """Looks away, where that is worth it, while `missing` characters from `start` on cannot have been handed
        over but for the last, and sees to it that the deadline is noticed."""
        now = self._clock.seconds()
        lump = self._delivery.lump
        unwatched = missing - (1 if lump == 1 else 2 * lump) if self._delivery.is_learnt else 0
        away_s = min(start + unwatched * self._character_s, self._deadline) - now
        if away_s < _WORTH_S:
            self._look(True)
            away_s = self._deadline - now
        else:
            self._look(False)
        if self._timer is not None and self._timer.active():
            self._timer.reset(max(away_s, 0.0))
        else:
            self._timer = self._clock.callLater(max(away_s, 0.0), self._time_passed)

    def _time_passed(self) -> None:
        now = self._clock.seconds()
        if not self._is_looking:
            self._look(True)
            self._timer = self._clock.callLater(max(self._deadline - now, _WORTH_S), self._time_passed)
        elif self._buffer:
            self._judge(now, ended=True)
        else:
            waited_ms = round((now - self._request_end) * 1000)
            self._finish(None, NoReply(f"nothing came within {waited_ms} ms"), self._request_end)

    def _look(self, is_looking: bool) -> None:
        if is_looking is not self._is_looking:
            self._is_looking = is_looking
            if is_looking:
                self._transport.resumeProducing()
            else:
                self._transport.pauseProducing()

    def _wire_end(self, now: float) -> float:
        estimate = self._reply_start + len(self._buffer) * self._character_s
        return max(estimate, now - LUMP_CHARACTERS * self._character_s)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _finish(self, reply: Any, error: ConcentratorError | None, ended: float) -> None:
        self.abandon()
        self._done(Outcome(reply, error, self._buffer, self._began, ended))
