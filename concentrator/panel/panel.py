"""The panel: outputs that are set, kept over a restart and believed when they were read back, and inputs whose changes
are events. Hides the file in which the outputs' states are kept, what of them a model has, and that an output with a
function of its own obeys nobody else and is afterwards as it was set before."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from concentrator.api import InputState, OutputState, Report
from concentrator.model.errors import NotConfirmed, NotWritable, OutOfRange, Unknown
from concentrator.model.features import Features
from concentrator.model.words import hint
from concentrator.panel.board import Board, VirtualBoard
from concentrator.panel.functions import INPUTS, OutputFunction
from concentrator.panel.inputs import Inputs

log = Logger()

VOLTS_MOST = 10.0
ANALOGUE = "analogue"


@define(eq=False)
class Panel:
    """The outputs and inputs of a model on a board. `now` gives UTC seconds, `keep(path, content)` puts a small file
    on the disk, `clock` is the inputs'."""

    board: Board
    features: Features
    _file: Path
    _keep: Callable[[Path, bytes], None]
    _report: Report
    _now: Callable[[], float]
    _clock: IReactorTime
    wired: Inputs = field(init=False)
    _set: dict[str, tuple[str, float]] = field(factory=dict, init=False)
    _by_hand: dict[str, bool | float] = field(factory=dict, init=False)
    _functions: Mapping[str, OutputFunction] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.wired = Inputs(self.board, self._clock, self._report)

    def start(self) -> None:
        """Puts the outputs as they were before the program ended; without that, off. An output that has a function is
        left to it."""
        kept = self._kept()
        for name in self._names():
            value = kept.get(name)
            if isinstance(value, bool | int | float) and self._fits(name, value):
                self._by_hand[name] = value
                if name not in self._functions:
                    self._put(name, value)
        self.wired.start()

    def stop(self) -> None:
        """Nothing of it is going on any more; the outputs stay as they are."""
        self.wired.stop()

    def outputs(self) -> tuple[OutputState, ...]:
        """All outputs of the model as they are."""
        return tuple(self._state(name) for name in self._names())

    def inputs(self) -> tuple[InputState, ...]:
        """Each input as it is, the first one first."""
        return self.wired.states()

    def set_output(self, name: str, value: bool | float, who: str) -> OutputState:
        """Sets an output, reads it back, and keeps its state. Raises Unknown for one that the model has not, OutOfRange
        for a value that is none of its, NotWritable for one that has a function, NotConfirmed where it did not become
        that."""
        if name not in self._names():
            raise Unknown(f"output {name}{hint(name, self._names())}")
        if not self._fits(name, value):
            rule = f"0 to {VOLTS_MOST:g} V" if name == ANALOGUE else "true or false"
            raise OutOfRange(f"output {name}: found {json.dumps(value)}, expected {rule}")
        if name in self._functions:
            raise NotWritable(f"output {name}: it has the function {self._functions[name]}, [output.{name}]")
        before = self._read(name)
        self._switch(name, value, who)
        self._by_hand[name] = value
        if before != value:
            kept = {each: self._by_hand.get(each, self._off(each)) for each in self._names()}
            self._keep(self._file, json.dumps(kept).encode())
        return self._state(name)

    def set_input(self, number: int, is_active: bool) -> None:
        """Says of an input of the virtual board whether it is active: its contact is put as that needs it. Raises
        Unknown where there is no such input, or where it is a real one."""
        if not isinstance(self.board, VirtualBoard):
            raise Unknown(f"input {number} of a virtual board: the board is {self.board.name}")
        if not 1 <= number <= INPUTS:
            raise Unknown(f"input {number}, there are {INPUTS}")
        self.board.set_input(number, is_active != self.wired.terms(number).is_active_when_open)

    # -- outputs with functions

    def arrange(self, functions: Mapping[str, OutputFunction]) -> None:
        """Gives relays their functions, all others none; one that has none any more is as it was set by hand."""
        before, self._functions = (
            self._functions,
            {name: function for name, function in functions.items() if function is not OutputFunction.MANUAL},
        )
        for name in before:
            if name not in self._functions:
                self._obey(name, self._by_hand.get(name, False), "the settings")

    def functions(self) -> Mapping[str, OutputFunction]:
        """The functions of those outputs that have one."""
        return self._functions

    def follow(self, name: str, is_on: bool) -> None:
        """Has a relay that has a function be on or off, which its log and an event tell; what does not obey is tried
        again the next time."""
        if self._read(name) != is_on:
            self._obey(name, is_on, self._functions[name])

    def _obey(self, name: str, value: bool | float, who: str) -> None:
        try:
            self._switch(name, value, who)
        except (NotConfirmed, OSError) as error:
            log.error("{who}: {error}", who=who, error=str(error))

    def _switch(self, name: str, value: bool | float, who: str) -> None:
        """Raises NotConfirmed."""
        before = self._read(name)
        self._put(name, value)
        if self._read(name) != value:
            raise NotConfirmed(
                f"output {name}: {json.dumps(value)} was set, and {json.dumps(self._read(name))} read back"
            )
        self._set[name] = (str(who), self._now())
        if before != value:
            facts = {"output": name, "value": value, "by": str(who), "text": f"{name} is {_said(value)}"}
            self._report("output.changed", facts)

    # -- what a model has

    def _names(self) -> tuple[str, ...]:
        relays = tuple(f"relay{number}" for number in range(1, self.features.relays + 1))
        return (*relays, ANALOGUE) if self.features.has_analogue else relays

    def _state(self, name: str) -> OutputState:
        who, at = self._set.get(name, ("", None))
        function = self._functions.get(name, OutputFunction.MANUAL)
        return OutputState(name, self._read(name), who, at, function.value)

    def _off(self, name: str) -> bool | float:
        return 0.0 if name == ANALOGUE else False

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


def _said(value: bool | float) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g} V"
