"""The speed of a line when it is not that of its address any more: what was asked for, and what the port has. Hides
that a port forgets it when it is opened anew."""

from __future__ import annotations

from attrs import define, field

from concentrator.line.looking import Looking
from concentrator.line.wire_end import WireEnd
from concentrator.wire.conversation import LineSettings


@define(eq=False)
class Speed:
    """What a port is to be told. `is_due`: it was not told yet."""

    is_due: bool = field(default=False, init=False)
    _settings: LineSettings | None = field(default=None, init=False)
    _silence_s: float = field(default=0.0, init=False)

    def ask_for(self, settings: LineSettings, silence_s: float) -> None:
        """From the next `take_up` on, with that silence between frames."""
        self._settings, self._silence_s, self.is_due = settings, silence_s, True

    def reopened(self) -> None:
        """The port has the speed of its address again."""
        self.is_due = self._settings is not None

    def take_up(self, wire: WireEnd, looking: Looking | None) -> tuple[float, float]:
        """Tells the port, and whoever looks when bytes come; gives the seconds of a character and of the silence."""
        assert self._settings is not None, "is_due says so"
        self.is_due = False
        wire.set_speed(self._settings.baudrate)
        if looking is not None:
            looking.character_s = self._settings.character_s
            looking.opened()
        return self._settings.character_s, self._silence_s
