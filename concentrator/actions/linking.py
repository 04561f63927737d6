"""Link mode as actions: entered, left and looked at. Hides which line is meant where only one can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from attrs import asdict
from twisted.internet.defer import Deferred

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission


class Linking(Protocol):
    """Link mode of one line."""

    def start(self) -> Deferred[None]:
        """Fires when it is on."""

    def stop(self) -> Deferred[None]:
        """Fires when it is off."""

    def status(self) -> Any:
        """How it stands: an attrs object that JSON can carry."""


def link_actions(mode: Callable[[str], Linking], lines: Callable[[], Iterable[str]]) -> tuple[Action, ...]:
    """`link.start`, `link.stop` and `link.status`, each of which gives how link mode stands then, and `link.list`.
    `mode(line)` gives link mode of a line, of the only one there is where the name is empty, or raises a CommandError;
    `lines()` names those that have it."""
    line = Argument("line", Kind.TEXT, "the line; may be left out where only one has link mode", False, "")

    def start(line: str) -> Deferred[dict[str, object]]:
        linking = mode(line)
        return linking.start().addCallback(lambda _: asdict(linking.status()))

    def stop(line: str) -> Deferred[dict[str, object]]:
        linking = mode(line)
        return linking.stop().addCallback(lambda _: asdict(linking.status()))

    return (
        Action(
            "link.start",
            "Begins to link meters: each whose button is pressed gets its Modbus ID. The line is not read meanwhile.",
            Permission.LINK,
            (line,),
            start,
        ),
        Action("link.stop", "Ends linking meters; the line is read again.", Permission.LINK, (line,), stop),
        Action(
            "link.status",
            "Whether meters are being linked, and which were.",
            Permission.READ,
            (line,),
            lambda line: asdict(mode(line).status()),
        ),
        Action(
            "link.list",
            "The same of every line that has link mode.",
            Permission.READ,
            (),
            lambda: [asdict(mode(line).status()) for line in lines()],
        ),
    )
