"""Boards: what the panel's lights, outputs and inputs are made of. Here the one without hardware."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import define, field


class Board(Protocol):
    """Relays and inputs are numbered from one. What a board was told to do it says by itself when asked: an output is
    believed when it was read back."""

    name: str

    def set_relay(self, number: int, is_on: bool) -> None:
        """Closes or opens a relay. OSError where that cannot be."""

    def relay(self, number: int) -> bool:
        """Whether a relay is closed."""

    def set_volts(self, volts: float) -> None:
        """Sets the analogue output, 0 to 10 V."""

    def volts(self) -> float:
        """What the analogue output gives."""

    def input(self, number: int) -> bool:
        """Whether the contact of an input is closed."""

    def watch(self, changed: Callable[[int, bool], None]) -> None:
        """Has `changed(number, is_closed)` called whenever the contact of an input closes or opens."""


@define(eq=False)
class VirtualBoard:
    """A board that is nowhere but on the Panel page: its relays move nothing, and its inputs are what people say."""

    name: str = field(default="virtual", init=False)
    _relays: dict[int, bool] = field(factory=dict, init=False)
    _volts: float = field(default=0.0, init=False)
    _inputs: dict[int, bool] = field(factory=dict, init=False)
    _watchers: list[Callable[[int, bool], None]] = field(factory=list, init=False)

    def set_relay(self, number: int, is_on: bool) -> None:
        """See Board."""
        self._relays[number] = is_on

    def relay(self, number: int) -> bool:
        """See Board."""
        return self._relays.get(number, False)

    def set_volts(self, volts: float) -> None:
        """See Board."""
        self._volts = volts

    def volts(self) -> float:
        """See Board."""
        return self._volts

    def input(self, number: int) -> bool:
        """See Board."""
        return self._inputs.get(number, False)

    def watch(self, changed: Callable[[int, bool], None]) -> None:
        """See Board."""
        self._watchers.append(changed)

    def set_input(self, number: int, is_closed: bool) -> None:
        """Somebody says that the contact of an input is closed, or is not."""
        if self.input(number) != is_closed:
            self._inputs[number] = is_closed
            for changed in tuple(self._watchers):
                changed(number, is_closed)
