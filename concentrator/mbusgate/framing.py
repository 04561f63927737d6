"""Whole frames to the client, in place of bytes as they come. The head of a frame says how long it is, so the port need
not be looked at before its end can be there: a handful of wake-ups in place of one for each byte. Hides when the port
is looked at.

Every byte that is seen bounds the beginning of its frame, however late it is seen: the earliest bound gives the end.
Nothing is kept back that is no frame, nor the beginning of a frame that does not go on.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from concentrator.line.alarm import Alarm
from concentrator.line.lease import Lease
from concentrator.mbusgate.frames import Splitter

PAUSE_S = 0.1
"""The longest pause inside a frame: 22 bit times in EN 13757-2, a tenth of a second with converters in practice."""
_WORTH_S = 0.002  # a wait shorter than this is not worth looking away


@define(eq=False)
class Framing:
    """The frames of one lease. `forward` is given them, several at once where they came so; `character_s` gives the
    seconds a character takes, 0 where they take none; `may_look` whether anybody wants more now."""

    _clock: IReactorTime
    _lease: Lease
    _character_s: Callable[[], float]
    _forward: Callable[[bytes], None]
    _may_look: Callable[[], bool]
    _stream: Splitter = field(factory=Splitter, init=False)
    _alarm: Alarm = field(init=False)
    _began: float = field(default=inf, init=False)
    _ends_at: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._alarm = Alarm(self._clock)

    def received(self, data: bytes) -> None:
        """More has come."""
        whole = b"".join(piece for piece, _ in self._stream.split(data))
        if whole:
            self._began = inf
            self._forward(whole)
        held, missing = self._stream.held, self._stream.missing
        if missing:
            now, character_s = self._clock.seconds(), self._character_s()
            self._began = min(self._began, now - held * character_s)
            ends_at = self._began + (held + missing) * character_s
            self._ends_at = now + missing * character_s + PAUSE_S
            if ends_at - now >= _WORTH_S:
                self._lease.look_away()
                self._alarm.set(ends_at, self._look)
            else:
                self._look_on()
                self._alarm.set(self._ends_at, self._give_up)
        else:
            self._alarm.off()
            self._look_on()

    def close(self) -> None:
        """The lease is over, or nobody wants to hear more."""
        self._alarm.close()

    def _look(self) -> None:
        """The end can be there."""
        missing = self._stream.missing
        if self._may_look():
            self._lease.take()
        if self._stream.missing == missing:
            self._look_on()
            self._alarm.set(self._ends_at, self._give_up)

    def _look_on(self) -> None:
        if self._may_look():
            self._lease.look()

    def _give_up(self) -> None:
        """The frame does not go on: what there is of it is the client's to judge."""
        self._began = inf
        self._forward(self._stream.give_up())
