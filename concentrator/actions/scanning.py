"""Looking for devices on a line of a running box, as an action that begins a task. Hides when that may be: never while
the line is polled unless the caller says so, and never twice at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from twisted.internet.defer import Deferred

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.actions.tasks import RUNNING, Tasks, Tell
from concentrator.model.errors import Busy, OutOfRange

HIGHEST = 247
SCAN = "scan"
SHARE = 0.2
"""The share of a polled line that a scan takes at most: a round of 33 meters grows from 7 s to 9 s meanwhile."""
POLLING = "polling"
"""The use of a line that is read as ever."""

Use = Callable[[str], str]
"""`use(line)`: what the line is used for now: POLLING, or why it is suspended; empty where nobody uses it. Raises
Unknown."""

Scanner = Callable[[str, range, bool, Tell], Deferred[object]]
"""`scan(line, units, is_beside, tell)`: asks every unit, beside polling or with the line to itself."""


def scanning_actions(tasks: Tasks, use: Use, scan: Scanner) -> Iterable[Action]:
    """`scan`."""

    def begin(line: str, first: int, last: int, while_polling: bool) -> dict[str, object]:
        if last < first:
            raise OutOfRange(f"last: found {last}, expected at least first, which is {first}")
        name = f"{SCAN} {line}"
        now = use(line)
        if any(task.name == name and task.state == RUNNING for task in tasks.all()):
            raise Busy(f"line {line} is being scanned")
        if now and now != POLLING:
            raise Busy(f"line {line}: {now}")
        if now and not while_polling:
            raise Busy(f"line {line} is polled; a scan that lets polling go on beside it takes longer: while_polling")
        units = range(first, last + 1)
        return {"task": tasks.start(name, partial(scan, line, units, bool(now))).id}

    return (
        Action(
            SCAN,
            "Asks every Modbus ID from first to last whether a device is there and which one; gives the task to ask.",
            Permission.CONFIG,
            (
                Argument("line", Kind.TEXT, "the line's name", least=1),
                Argument("first", Kind.INTEGER, "the first Modbus ID", False, 1, least=1, most=HIGHEST),
                Argument("last", Kind.INTEGER, "the last Modbus ID", False, HIGHEST, least=1, most=HIGHEST),
                Argument("while_polling", Kind.FLAG, "scan beside polling, which goes on", False, False),
            ),
            begin,
        ),
    )
