"""How far the first run of the box has come, as actions. Hides nothing but the names: which steps there are is whose
pages guide through them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission

DONE, SKIPPED = "done", "skipped"


class Progress(Protocol):
    """What is remembered of the first run."""

    def steps(self) -> Mapping[str, str]:
        """Step → DONE or SKIPPED, of those that were left."""

    def note(self, step: str, state: str) -> None:
        """Remembers how a step was left."""


def commissioning_actions(progress: Progress) -> Iterable[Action]:
    """`commissioning.get` and `commissioning.note`."""

    def note(step: str, state: str) -> dict[str, object]:
        progress.note(step, state)
        return {"steps": dict(progress.steps())}

    return (
        Action(
            "commissioning.get",
            "How the steps of the first run were left.",
            Permission.READ,
            (),
            lambda: {"steps": dict(progress.steps())},
        ),
        Action(
            "commissioning.note",
            "Remembers how a step of the first run was left.",
            Permission.CONFIG,
            (
                Argument("step", Kind.TEXT, "the step, such as 2", least=1, most=20),
                Argument("state", Kind.TEXT, "how it was left", choices=(DONE, SKIPPED)),
            ),
            note,
        ),
    )
