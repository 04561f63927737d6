"""Who is at a Modbus ID, and what a device would say, as actions: asked before a device is configured, and nothing is
kept. Hides when a line cannot be asked now, and that it is asked by one at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from twisted.internet.defer import Deferred

from concentrator.actions.scanning import HIGHEST, POLLING, SCAN, Use
from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.actions.tasks import RUNNING, Tasks, Tell
from concentrator.model.errors import Busy, NotConfirmed

IDENTIFY = "identify"

Identifier = Callable[[str, int, Tell], Deferred[object]]
"""`identify(line, unit, tell)`: who is there."""
Prober = Callable[[str, str, int | str, int | None], Awaitable[Mapping[str, object]]]
"""`probe(line, profile, address, secondary)`: one whole read; fails with NoReply where nobody answers, with
WrongArguments where no device can be there."""


def identifying_actions(tasks: Tasks, use: Use, identify: Identifier, probe: Prober) -> Iterable[Action]:
    """`device.identify`, which gives the task to ask, and `device.probe`."""

    def see_that_it_is_free(line: str) -> None:
        now = use(line)
        if now and now != POLLING:
            raise Busy(f"line {line}: {now}")
        running = {task.name for task in tasks.all() if task.state == RUNNING}
        if f"{SCAN} {line}" in running:
            raise Busy(f"line {line} is being scanned")
        if f"{IDENTIFY} {line}" in running:
            raise Busy(f"line {line}: another device is being identified")

    def begin(line: str, address: int) -> dict[str, object]:
        see_that_it_is_free(line)
        return {"task": tasks.start(f"{IDENTIFY} {line}", partial(identify, line, address)).id}

    def probed(line: str, profile: str, address: int | str, secondary: int | None) -> Deferred[object]:
        see_that_it_is_free(line)
        return Deferred.fromCoroutine(_of(probe, line, profile, address, secondary))

    line = Argument("line", Kind.TEXT, "the line's name", least=1)
    address = Argument("address", Kind.INTEGER, "the Modbus ID", least=1, most=HIGHEST)
    secondary = "n, for the n-th secondary of the principal at the address"
    return (
        Action(
            "device.identify",
            "Asks one Modbus ID who is there: the profiles whose rules it keeps, the likeliest first, and its values "
            "by that one; gives the task to ask.",
            Permission.CONFIG,
            (line, address),
            begin,
        ),
        Action(
            "device.probe",
            "One whole read of a device that need not be configured: who it is, all its values, what is missing and "
            "how long it took. Nothing is kept.",
            Permission.CONFIG,
            (
                line,
                Argument("profile", Kind.TEXT, "the profile to read it by, brand/series", least=1),
                Argument("address", Kind.VALUE, "its Modbus ID, or an M-Bus meter's address"),
                Argument("secondary", Kind.INTEGER, secondary, False, least=1),
            ),
            probed,
        ),
    )


def must_fit(probed: Mapping[str, object]) -> None:
    """Raises NotConfirmed where what was probed breaks rules of its profile, or gave no value of it, for it is another
    device then; and where it answers to other settings than the line's. What is only passed through to has nothing to
    fit."""
    if probed["settings"] != probed["line_settings"]:
        raise NotConfirmed(f"it answers with {probed['settings']}, but the line has {probed['line_settings']}")
    misfits, profile = probed["misfits"], probed["profile"]
    if isinstance(misfits, list) and misfits:
        raise NotConfirmed(f"it is no {profile}: {'; '.join(map(str, misfits))}")
    if not probed["values"] and not probed.get("passes_through"):
        raise NotConfirmed(f"it answers, but has no value of {profile}")


async def _of(probe: Prober, *arguments: object) -> object:
    return await probe(*arguments)  # type: ignore[arg-type]
