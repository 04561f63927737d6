"""The gensets of a box: how each is now, and the watch over them. It is there from the first device of that kind on, so
that a box without one has nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from concentrator.api import Report
from concentrator.genset.watch import GensetWatch, Watched
from concentrator.model.genset import Alarm, GensetStatus
from concentrator.model.reading import Value
from concentrator.profile.genset_status import genset_status

if TYPE_CHECKING:
    from concentrator.app.field import Field, Known

GENSET = "genset"
"""The type of their profiles."""
_UNHEARD = ("new", "silent")


@frozen
class GensetState:
    """What people see of a genset: its status with everything measured, the commands of its profile and what stands
    against giving them (empty: nothing), whether its profile `passes_through` what others ask and reads nothing itself,
    and when it was last heard, in UTC seconds."""

    uid: str
    alias: str
    profile: str
    model: str
    health: str
    status: GensetStatus
    commands: tuple[str, ...] = ()
    forbidden: str = ""
    passes_through: bool = False
    last_seen: float | None = None


@define(eq=False, repr=False)
class Gensets:
    """The gensets among the devices of a field."""

    _field: Field
    _report: Report
    _watch: GensetWatch = field(init=False)
    _watched: dict[str, tuple[object, Watched | None]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._watch = GensetWatch(self._report, self._genset, self._newest)
        self._field.hub.subscribe(self._watch.reading_received)

    def uids(self) -> tuple[str, ...]:
        """Their short ids, in the order of the configuration."""
        return tuple(uid for uid, known in self._field.known().items() if known.profile.type == GENSET)

    def status(self, uid: str) -> GensetStatus:
        """How one is now; nothing is known of one that does not answer, or that another device answers for."""
        known, rules = self._field.known()[uid], self._field.known()[uid].profile.genset
        if rules is None or known.polled.health.label in _UNHEARD or known.polled.conflict:
            return GensetStatus()
        return genset_status(rules, self._newest(uid), known.device.model)

    def alarms(self) -> tuple[Alarm, ...]:
        """The worst alarm of each."""
        return tuple(self.status(uid).alarm for uid in self.uids())

    def states(self) -> Iterator[GensetState]:
        """What people see of each."""
        for uid in self.uids():
            known = self._field.known()[uid]
            yield GensetState(
                uid,
                known.device.label,
                known.profile.key,
                known.device.model,
                known.polled.health.label,
                self.status(uid),
                tuple(command.name for command in known.profile.commands),
                _forbidden(known),
                bool(known.profile.settings.get("passthrough")),
                self._field.latest.of(uid).last_seen,
            )

    def forget(self, uid: str) -> None:
        """The device is another one from now on, or gone."""
        self._watch.forget(uid)
        self._watched.pop(uid, None)

    def _newest(self, uid: str) -> Mapping[str, Value]:
        return {name: value for name, (value, _) in self._field.latest.of(uid).values.items()}

    def _genset(self, uid: str) -> Watched | None:
        known = self._field.known().get(uid)
        if known is None or known.profile.genset is None:
            return None
        place = known.profile, known.device.model
        before, watched = self._watched.get(uid, (None, None))
        if before != place:
            watched = Watched(known.profile.genset, known.device.model)
            self._watched[uid] = place, watched
        return watched


def _forbidden(known: Known) -> str:
    """What stands against commands, of what the settings and the profile say."""
    from concentrator.poll.permits import unverified

    device, profile = known.device, known.profile
    if not profile.commands:
        return f"{profile.key} has no commands"
    if not device.allow_commands:
        return f"allow_commands of {device.uid} is false"
    why = unverified(profile, device.model)
    return f"{why}, and allow_unverified of {device.uid} is false" if why and not device.allow_unverified else ""
