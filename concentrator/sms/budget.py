"""How often something may happen in a time that goes along. Pure: moments are handed in."""

from __future__ import annotations

from collections import deque

from attrs import define, field


@define
class Budget:
    """At most `most` times in any `span_s` seconds."""

    most: int
    span_s: float = 3600.0
    _spent: deque[float] = field(factory=deque, init=False)

    def has_some(self, now: float) -> bool:
        """Whether it may happen now."""
        return self.free_at(now) <= now

    def free_at(self, now: float) -> float:
        """When it may happen next, `now` where that is now."""
        while self._spent and self._spent[0] <= now - self.span_s:
            self._spent.popleft()
        return now if len(self._spent) < self.most else self._spent[0] + self.span_s

    def spend(self, now: float) -> None:
        """It happens."""
        self._spent.append(now)
