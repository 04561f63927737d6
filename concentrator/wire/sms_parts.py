"""Long messages put together again from their parts, in whatever order they come. Hides which parts wait for which, and
that parts whose others never come are forgotten. Pure: moments are handed in."""

from __future__ import annotations

from attrs import define, field

from concentrator.wire.sms_text import Portion

WAIT_S = 3600.0
"""How long a part waits for its others."""
WAITING_MOST = 20
"""How many long messages may be incomplete; the oldest is forgotten for one more."""
PARTS_MOST = 16
"""The longest message that is put together; no order is as long."""


@define
class _Begun:
    at: float
    texts: dict[int, str] = field(factory=dict)


@define
class Parts:
    """The parts that wait for others."""

    _begun: dict[tuple[str, int, int], _Begun] = field(factory=dict, init=False)

    @property
    def waiting(self) -> int:
        """How many messages are incomplete."""
        return len(self._begun)

    def joined(self, sender: str, portion: Portion | None, text: str, now: float) -> str | None:
        """The whole text, where this was what it still lacked; else None, and the part is kept. `now`: seconds of any
        clock that goes on."""
        if portion is None or portion.total == 1:
            return text
        self._forget(now)
        if portion.total > PARTS_MOST:
            return None
        key = (sender, portion.reference, portion.total)
        if key not in self._begun and len(self._begun) >= WAITING_MOST:
            del self._begun[next(iter(self._begun))]
        begun = self._begun.setdefault(key, _Begun(now))
        begun.texts.setdefault(portion.number, text)
        if len(begun.texts) < portion.total:
            return None
        del self._begun[key]
        return "".join(begun.texts[number] for number in range(1, portion.total + 1))

    def _forget(self, now: float) -> None:
        for key, begun in list(self._begun.items()):
            if now - begun.at > WAIT_S:
                del self._begun[key]
