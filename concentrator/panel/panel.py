"""The panel: outputs that are set, kept over a restart and believed when they were read back, and inputs whose changes
are events. Hides the file in which the outputs' states are kept, and what of them a model has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from attrs import define, field
from twisted.logger import Logger

from concentrator.api import OutputState, Report
from concentrator.model.errors import NotConfirmed, OutOfRange, Unknown
from concentrator.model.features import Features
from concentrator.model.words import hint
from concentrator.panel.board import Board, VirtualBoard

log = Logger()

INPUTS = 2
VOLTS_MOST = 10.0
ANALOGUE = "analogue"


@define(eq=False)
class Panel:
    """The outputs and inputs of a model on a board. `now` gives UTC seconds, `keep(path, content)` puts a small file
    on the disk."""

    board: Board
    features: Features
    _file: Path
    _keep: Callable[[Path, bytes], None]
    _report: Report
    _now: Callable[[], float]
    _set: dict[str, tuple[str, float]] = field(factory=dict, init=False)

    def start(self) -> None:
        """Puts the outputs as they were before the program ended; without that, off."""
        kept = self._kept()
        for name in self._names():
            value = kept.get(name)
            if isinstance(value, bool | int | float) and self._fits(name, value):
                self._put(name, value)
        self.board.watch(self._input_changed)

    def outputs(self) -> tuple[OutputState, ...]:
        """All outputs of the model as they are."""
        return tuple(OutputState(name, self._read(name), *self._set.get(name, ("", None))) for name in self._names())

    def inputs(self) -> tuple[bool, ...]:
        """Whether each input is active."""
        return tuple(self.board.input(number) for number in range(1, INPUTS + 1))

    def set_output(self, name: str, value: bool | float, who: str) -> OutputState:
        """Sets an output, reads it back, and keeps its state. Raises Unknown for one that the model has not, OutOfRange
        for a value that is none of its, NotConfirmed where it did not become that."""
        if name not in self._names():
            raise Unknown(f"output {name}{hint(name, self._names())}")
        if not self._fits(name, value):
            rule = f"0 to {VOLTS_MOST:g} V" if name == ANALOGUE else "true or false"
            raise OutOfRange(f"output {name}: found {json.dumps(value)}, expected {rule}")
        before = self._read(name)
        self._put(name, value)
        if self._read(name) != value:
            raise NotConfirmed(
                f"output {name}: {json.dumps(value)} was set, and {json.dumps(self._read(name))} read back"
            )
        self._set[name] = (who, self._now())
        if before != value:
            self._keep(self._file, json.dumps({each.name: each.value for each in self.outputs()}).encode())
            self._report(
                "output.changed", {"output": name, "value": value, "by": who, "text": f"{name} is {_said(value)}"}
            )
        return OutputState(name, value, *self._set[name])

    def set_input(self, number: int, is_active: bool) -> None:
        """Says of an input of the virtual board whether it is active. Raises Unknown where there is no such input, or
        where it is a real one."""
        if not isinstance(self.board, VirtualBoard):
            raise Unknown(f"input {number} of a virtual board: the board is {self.board.name}")
        if not 1 <= number <= INPUTS:
            raise Unknown(f"input {number}, there are {INPUTS}")
        self.board.set_input(number, is_active)

    def _names(self) -> tuple[str, ...]:
        relays = tuple(f"relay{number}" for number in range(1, self.features.relays + 1))
        return (*relays, ANALOGUE) if self.features.has_analogue else relays

    def _fits(self, name: str, value: object) -> bool:
        if name == ANALOGUE:
            return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= VOLTS_MOST
        return isinstance(value, bool)

    def _put(self, name: str, value: bool | float) -> None:
        if name == ANALOGUE:
            self.board.set_volts(float(value))
        else:
            self.board.set_relay(int(name.removeprefix("relay")), bool(value))

    def _read(self, name: str) -> bool | float:
        return self.board.volts() if name == ANALOGUE else self.board.relay(int(name.removeprefix("relay")))

    def _kept(self) -> dict[str, object]:
        try:
            found = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.error("the outputs' states are not readable, so they begin off: {error}", error=str(error))
            return {}
        return dict(found) if isinstance(found, dict) else {}

    def _input_changed(self, number: int, is_active: bool) -> None:
        words = "active" if is_active else "no longer active"
        self._report("input.changed", {"input": number, "active": is_active, "text": f"input {number} is {words}"})


def _said(value: bool | float) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g} V"
