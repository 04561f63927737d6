"""The lights and the button of a made-up box."""

from __future__ import annotations

from typing import Any

from concentrator.actions.table import Caller
from concentrator.api import PanelState


class FakeFront:
    """What was done to the front of a box; a press is the `gesture` it is told to be."""

    def __init__(self, box: Any) -> None:
        self._box = box
        self.presses: list[float] = []
        self.tests = 0
        self.gesture = "link"

    async def pressed(self, held_s: float, caller: Caller) -> str:
        self.presses.append(held_s)
        return self.gesture

    def lamp_test(self) -> float:
        self.tests += 1
        return 5.0

    def state(self) -> PanelState:
        found: PanelState = self._box.panel()
        return found
