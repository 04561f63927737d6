"""The multi-function button: how long it was held says what is wanted (CcMaster user manual, 4 and 6.1.2). Hides that
pressing something twice is not holding it longer, and that a button which hangs does nothing."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

LINK_S, IGNORED_S, FACTORY_S = 2.0, 5.0, 10.0
"""From how long on the button means link mode, nothing, and factory settings."""
HANGS_S = 60.0
"""Nobody holds a button longer than that."""


class Gesture(StrEnum):
    """What was done to the button."""

    SHORT = "short"
    LINK = "link"
    NOTHING = "nothing"
    FACTORY = "factory"


def gesture_of(held_s: float) -> Gesture:
    """What holding the button for so many seconds means once it is let go."""
    if held_s >= HANGS_S:
        return Gesture.NOTHING
    if held_s >= FACTORY_S:
        return Gesture.FACTORY
    if held_s >= IGNORED_S:
        return Gesture.NOTHING
    return Gesture.LINK if held_s >= LINK_S else Gesture.SHORT


@define(eq=False)
class Button:
    """The button as hardware tells of it. `act` is called with each gesture that is one."""

    _clock: IReactorTime
    _act: Callable[[Gesture], object]
    _pressed_at: float | None = field(default=None, init=False)

    def press(self) -> None:
        """It went down; a second time means nothing."""
        if self._pressed_at is None:
            self._pressed_at = self._clock.seconds()

    def release(self) -> None:
        """It came up."""
        if self._pressed_at is not None:
            held_s, self._pressed_at = self._clock.seconds() - self._pressed_at, None
            if (gesture := gesture_of(held_s)) is not Gesture.NOTHING:
                self._act(gesture)

    @property
    def promises(self) -> Gesture | None:
        """What letting it go now would mean; None while nobody holds it."""
        return None if self._pressed_at is None else gesture_of(self._clock.seconds() - self._pressed_at)
