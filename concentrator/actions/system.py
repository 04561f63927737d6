"""The box itself as actions: started anew. Hides that the answer must go out first."""

from __future__ import annotations

from collections.abc import Callable

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission

SERVICE, MACHINE = "service", "machine"

Reboot = Callable[[str], float]
"""`reboot(what)`: has the service or the machine started anew, in a moment; gives the seconds until then. Raises a
CommandError where that cannot be."""


def system_actions(reboot: Reboot) -> tuple[Action, ...]:
    """`reboot`."""
    what = Argument("what", Kind.TEXT, "the program, or the whole machine", False, SERVICE, choices=(SERVICE, MACHINE))
    return (
        Action(
            "reboot",
            "Starts the program anew, or the machine, in a few seconds; whatever is under way is ended in order.",
            Permission.SYSTEM,
            (what,),
            lambda what: {"what": what, "in_s": reboot(what)},
        ),
    )
