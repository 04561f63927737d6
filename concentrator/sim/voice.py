"""Somebody's bytes on the wire, back to back, and how the master's receiver hands them over: one by one, or a FIFO at a
time. Hides byte times and what is left when two speak at once."""

from __future__ import annotations

import random
from math import ceil

from attrs import define, field

_RECEIVER_TIMEOUT_CHARACTERS = 4  # a 16550 hands over what it holds after four character times without another byte


@define(eq=False)
class Voice:
    """`frame` on the wire from `began` on, each byte for `character_s` (0: it takes no time); the receiver gathers
    `fifo` bytes. `due_at` is when something happens to it next; `lag_s`, the most by which it was handed over late."""

    began: float
    frame: bytes
    character_s: float
    fifo: int
    is_speaking: bool = False
    lag_s: float = 0.0
    sent: int = field(init=False, default=0)
    due_at: float = field(init=False)
    _upto: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.due_at = self.began

    @property
    def ends_at(self) -> float:
        """When its last stop bit ends."""
        return self.began + len(self.frame) * self.character_s

    @property
    def is_over(self) -> bool:
        """Whether all of it has been handed over."""
        return self.sent == len(self.frame)

    def begin(self) -> None:
        """It starts to speak."""
        self.is_speaking = True
        self._expect_next()

    def hand_over(self, at: float) -> bytes:
        """What comes out of the receiver now."""
        given = self.frame[self.sent : self._upto]
        self.sent = self._upto
        self.lag_s = max(self.lag_s, at - self.due_at)
        if not self.is_over:
            self._expect_next()
        return given

    def spoil(self, since: float, draw: random.Random) -> None:
        """What it says from a moment on becomes noise."""
        self._spoil(self._place(since), len(self.frame), draw)

    def drown(self, other: Voice, draw: random.Random) -> None:
        """Another one began while it spoke: they are noise while both speak, and what is left of the longer one is
        heard behind it."""
        first = self._place(other.began)
        span_s = other.ends_at - self.began
        end = ceil(span_s / self.character_s - 1e-9) if self.character_s else len(other.frame)
        more = end - len(self.frame)
        self._spoil(first, end, draw)
        if more > 0:
            self.frame += other.frame[-more:]
            if self.is_speaking:
                self._expect_next()

    def _spoil(self, first: int, end: int, draw: random.Random) -> None:
        first = max(first, self.sent)
        noise = bytes(byte ^ draw.randrange(1, 256) for byte in self.frame[first:end])
        self.frame = self.frame[:first] + noise + self.frame[first + len(noise) :]

    def _place(self, at: float) -> int:
        """Which of its bytes is on the wire at a moment."""
        return int((at - self.began) / self.character_s) if self.character_s else 0

    def _expect_next(self) -> None:
        """When the receiver hands over next, and up to which byte."""
        if self.sent + self.fifo <= len(self.frame) and self.character_s:
            self._upto = self.sent + self.fifo
            self.due_at = self.began + self._upto * self.character_s
        else:
            self._upto = len(self.frame)
            self.due_at = self.ends_at + _RECEIVER_TIMEOUT_CHARACTERS * self.character_s
