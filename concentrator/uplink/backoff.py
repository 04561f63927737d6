"""How long to wait after the k-th failure in a row: twice as long each time, up to a ceiling, with some chance in it
so that a fleet does not come back as one."""

from __future__ import annotations

from collections.abc import Callable

Jitter = Callable[[], float]
"""A number from 0 to 1, different each time."""


class Backoff:
    """Pauses in seconds, from `first_s` to `longest_s`."""

    def __init__(self, jitter: Jitter, first_s: float = 1.0, longest_s: float = 60.0) -> None:
        self._jitter = jitter
        self._first_s = first_s
        self._longest_s = longest_s
        self._floor_s = first_s

    def pause_s(self) -> float:
        """The next pause: a floor, 1, 2, 4 … times the first one, and up to as much again."""
        floor_s = min(self._floor_s, self._longest_s / 2)
        self._floor_s = 2 * floor_s
        return floor_s * (1 + self._jitter())

    def reset(self) -> None:
        """It worked: the next pause is a short one again."""
        self._floor_s = self._first_s
