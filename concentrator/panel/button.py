"""The button: how long it was held says what is wanted (CcMaster user manual, 4 and 6.1.2; CMM365-2G manual, 4.1).
Hides that pressing something twice is not holding it longer, and that a button which hangs does nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from concentrator.panel.lights import Scheme

HANGS_S = 60.0
"""Nobody holds a button longer than that."""


class Gesture(StrEnum):
    """What was done to the button."""

    SHORT = "short"
    LINK = "link"
    NOTHING = "nothing"
    FACTORY = "factory"
    LAMP_TEST = "lamp_test"


GESTURES: Mapping[Scheme, Sequence[tuple[float, Gesture]]] = {
    Scheme.CCMASTER: (
        (0.0, Gesture.SHORT),
        (2.0, Gesture.LINK),
        (5.0, Gesture.NOTHING),
        (10.0, Gesture.FACTORY),
        (HANGS_S, Gesture.NOTHING),
    ),
    Scheme.CMM365: (
        (0.0, Gesture.NOTHING),
        (1.0, Gesture.LAMP_TEST),
        (10.0, Gesture.FACTORY),
        (HANGS_S, Gesture.NOTHING),
    ),
}
"""From how many seconds on holding the button means what, the shortest first."""


def gesture_of(held_s: float, scheme: Scheme = Scheme.CCMASTER) -> Gesture:
    """What holding the button for so many seconds, 0 or more, means once it is let go."""
    return [gesture for since_s, gesture in GESTURES[scheme] if held_s >= since_s][-1]


@define(eq=False)
class Button:
    """The button as hardware tells of it. `act` is called with each gesture that is one."""

    _clock: IReactorTime
    _act: Callable[[Gesture], object]
    _scheme: Scheme = Scheme.CCMASTER
    _pressed_at: float | None = field(default=None, init=False)

    def press(self) -> None:
        """It went down; a second time means nothing."""
        if self._pressed_at is None:
            self._pressed_at = self._clock.seconds()

    def release(self) -> None:
        """It came up."""
        if self._pressed_at is not None:
            held_s, self._pressed_at = self._clock.seconds() - self._pressed_at, None
            if (gesture := gesture_of(held_s, self._scheme)) is not Gesture.NOTHING:
                self._act(gesture)

    @property
    def promises(self) -> Gesture | None:
        """What letting it go now would mean; None while nobody holds it."""
        return None if self._pressed_at is None else gesture_of(self._clock.seconds() - self._pressed_at, self._scheme)
