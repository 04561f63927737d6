"""A bar that grows on a terminal while something takes its time, and is gone when it is over. Says nothing where nobody
watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

_WIDTH = 24
_SURE_FROM_S = 3.0  # before that, nobody knows how long the rest will take


class Bar:
    """A bar on `stream`, where that is a terminal; `now` tells seconds."""

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._is_watched = stream.isatty()
        self._now = now
        self._began = now()
        self._shown = ""

    def tell(self, done: float, text: str) -> None:
        """How far it is (0 … 1) and what it is at."""
        if not self._is_watched:
            return
        filled = int(done * _WIDTH)
        line = f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {int(done * 100):3} %  {text}{self._left(done)}"
        if line != self._shown:
            self._stream.write("\r" + line + " " * (len(self._shown) - len(line)))
            self._stream.flush()
            self._shown = line

    def end(self) -> None:
        """Takes the bar away."""
        if self._shown:
            self._stream.write("\r" + " " * len(self._shown) + "\r")
            self._stream.flush()
            self._shown = ""

    def _left(self, done: float) -> str:
        so_far_s = self._now() - self._began
        if not 0 < done < 1 or so_far_s < _SURE_FROM_S:
            return ""
        left_s = so_far_s / done * (1 - done)
        return f", {left_s:.0f} s left" if left_s < 90 else f", {left_s / 60:.0f} min left"
