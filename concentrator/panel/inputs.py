"""The inputs of a panel: from contacts that close and open to inputs that are active. Hides which way round a contact
means it, that an input is active only after its contact said so for its delay, and that whoever gives an input another
function ends what it did before."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from concentrator.api import InputState, Report
from concentrator.panel.board import Board
from concentrator.panel.functions import ALARMS, INPUTS, InputFunction


@frozen
class InputTerms:
    """What an input does, whether it is active while its contact is open, and after how many seconds of that (0 to 20;
    CMM365-2G manual, Form 1). That it is not active any more counts at once."""

    function: InputFunction = InputFunction.NONE
    is_active_when_open: bool = False
    delay_s: float = 0.0


@define(eq=False)
class Inputs:
    """The inputs of a board. `changed()` is called after one became active or not, or got another function."""

    _board: Board
    _clock: IReactorTime
    _report: Report
    changed: Callable[[], None] = field(default=lambda: None, init=False)
    _terms: dict[int, InputTerms] = field(init=False)
    _active: dict[int, bool] = field(init=False)
    _pending: dict[int, IDelayedCall] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._terms = {number: InputTerms() for number in range(1, INPUTS + 1)}
        self._active = dict.fromkeys(self._terms, False)
        self._board.watch(lambda number, is_closed: self._look(number))

    def start(self) -> None:
        """Looks how the contacts are; of their changes it hears anyway."""
        for number in self._terms:
            self._look(number)

    def stop(self) -> None:
        """No delay runs any more."""
        for number in tuple(self._pending):
            self._give_up(number)

    def arrange(self, terms: Mapping[int, InputTerms]) -> None:
        """Gives each input its terms; those of one that is not named are the usual ones."""
        for number, before in tuple(self._terms.items()):
            after = terms.get(number, InputTerms())
            if after == before:
                continue
            if after.function is not before.function or after.is_active_when_open != before.is_active_when_open:
                self._give_up(number)
                self._become(number, False)
            self._terms[number] = after
            self._look(number)
            self.changed()

    def terms(self, number: int) -> InputTerms:
        """What one does; KeyError for a number that is none."""
        return self._terms[number]

    def states(self) -> tuple[InputState, ...]:
        """All of them as they are, the first one first."""
        return tuple(InputState(self._active[number], terms.function) for number, terms in self._terms.items())

    def active(self, *functions: InputFunction) -> tuple[int, ...]:
        """The numbers of those that are active and have one of the functions."""
        return tuple(n for n, terms in self._terms.items() if self._active[n] and terms.function in functions)

    def _look(self, number: int) -> None:
        """Its contact may have changed."""
        terms = self._terms.get(number)
        if terms is None:
            return
        is_wanted = self._board.input(number) != terms.is_active_when_open
        if not is_wanted:
            self._give_up(number)
            self._become(number, False)
        elif not self._active[number] and number not in self._pending:
            if terms.delay_s:
                self._pending[number] = self._clock.callLater(terms.delay_s, self._is_due, number)
            else:
                self._become(number, True)

    def _is_due(self, number: int) -> None:
        del self._pending[number]
        self._become(number, True)

    def _give_up(self, number: int) -> None:
        if (pending := self._pending.pop(number, None)) is not None:
            pending.cancel()

    def _become(self, number: int, is_active: bool) -> None:
        if self._active[number] == is_active:
            return
        self._active[number] = is_active
        function = self._terms[number].function
        named = f"input {number}" + ("" if function is InputFunction.NONE else f" ({function.replace('_', ' ')})")
        text = f"{named} is {'active' if is_active else 'no longer active'}"
        self._report("input.changed", {"input": number, "active": is_active, "function": function.value, "text": text})
        if function in ALARMS:
            text = f"input {number}: {function.replace('_', ' ')}" + ("" if is_active else " is over")
            facts = {"input": number, "function": ALARMS[function], "active": is_active, "text": text}
            self._report("input.alarm", facts)
        self.changed()
