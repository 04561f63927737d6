"""The front of a box, put together: its panel on a board, lights that say how the box stands, and a button that does
what it is held for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import define
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from concentrator.api import PanelState, Report, UplinkState
from concentrator.app.link import Links
from concentrator.model.features import FEATURES
from concentrator.panel.board import Board, VirtualBoard
from concentrator.panel.button import Gesture, gesture_of
from concentrator.panel.lights import Modem, Situation, lights
from concentrator.panel.panel import Panel
from concentrator.system.files import write_whole

OUTPUTS = "outputs.json"
BOARDS: dict[str, Callable[[], Board]] = {"virtual": VirtualBoard}
"""How the boards are made that the configuration may name."""

log = Logger()


@define(eq=False)
class Front:
    """The front of a running box."""

    panel: Panel
    _links: Links
    _uplinks: Callable[[], Sequence[UplinkState]]

    def state(self) -> PanelState:
        """What people see of it now."""
        uplinks = self._uplinks()
        shown = lights(
            Situation(
                is_linking=self._is_linking(),
                uplinks=len(uplinks),
                uplinks_up=sum(uplink.is_up for uplink in uplinks),
                modem=Modem.OFF if self.panel.features.has_modem else None,
            )
        )
        patterns = {"blue": shown.blue, "green": shown.green}
        if shown.yellow is not None:
            patterns["yellow"] = shown.yellow
        return PanelState(patterns, self.panel.outputs(), self.panel.inputs(), self.panel.board.name)

    def pressed(self, held_s: float) -> str:
        """Does what holding the button for so many seconds does, and gives what that was."""
        gesture = gesture_of(held_s)
        if gesture is not Gesture.LINK or not self._links.lines():
            return Gesture.NOTHING
        on = [mode for mode in map(self._links.mode, self._links.lines()) if mode.is_on]
        for mode in on or map(self._links.mode, self._links.lines()):
            turning: Deferred[None] = mode.stop() if on else mode.start()
            turning.addErrback(lambda failure: log.warn("the button: {reason}", reason=failure.getErrorMessage()))
        return gesture

    def _is_linking(self) -> bool:
        return any(self._links.mode(line).is_on for line in self._links.lines())


def build_front(
    model: str,
    board: str,
    state_dir: Path,
    links: Links,
    uplinks: Callable[[], Sequence[UplinkState]],
    report: Report,
    now: Callable[[], float],
) -> Front:
    """The front of a model on the board of that name, its outputs as they were. `now` gives UTC seconds."""
    panel = Panel(BOARDS[board](), FEATURES[model], state_dir / OUTPUTS, write_whole, report, now)
    panel.start()
    return Front(panel, links, uplinks)
