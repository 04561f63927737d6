"""How the box's own store and clock are, as actions. Hides how sizes and times become JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen
from twisted.internet.defer import Deferred

from concentrator.actions.present import stamp
from concentrator.actions.table import Action, Permission
from concentrator.api import Wall


@frozen
class StoreState:
    """A store: the bytes it takes and may take, those free on its disk, and the end of its oldest interval (UTC
    seconds; None where there is none)."""

    used_bytes: int
    limit_bytes: int
    free_bytes: int
    oldest: float | None


@frozen
class ClockState:
    """The clock: whether something keeps it right now (NTP, a receiver, a mobile network; None: not known), and the
    zone that runs."""

    is_synchronised: bool | None
    zone: str


def standing_actions(
    store: Callable[[], Deferred[StoreState]], clock: Callable[[], ClockState], wall: Wall
) -> Iterable[Action]:
    """`journal.status` and `clock.status`."""

    async def journal() -> dict[str, object]:
        state = await store()
        return {
            "used_bytes": state.used_bytes,
            "limit_bytes": state.limit_bytes,
            "free_bytes": state.free_bytes,
            "oldest": stamp(state.oldest),
        }

    def time() -> dict[str, object]:
        state = clock()
        return {
            "time": stamp(wall.now()),
            "trusted": wall.is_trusted(),
            "synchronised": state.is_synchronised,
            "zone": state.zone,
        }

    return (
        Action(
            "journal.status",
            "The store of the past: bytes used, allowed and free on its disk, and its oldest interval.",
            Permission.READ,
            (),
            lambda: Deferred.fromCoroutine(journal()),
        ),
        Action(
            "clock.status",
            "The clock: its time, whether it is believed, whether something keeps it right now, the zone.",
            Permission.READ,
            (),
            time,
        ),
    )
