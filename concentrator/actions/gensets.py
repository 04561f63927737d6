"""The gensets as actions: how they are. Hides how a status becomes JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from concentrator.actions.present import stamp
from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission
from concentrator.model.errors import Unknown
from concentrator.model.genset import GensetStatus
from concentrator.model.words import hint


class GensetState(Protocol):
    """What people see of a genset."""

    @property
    def uid(self) -> str:
        """Its short id."""

    @property
    def alias(self) -> str:
        """The name people see."""

    @property
    def profile(self) -> str:
        """The key of its profile."""

    @property
    def model(self) -> str:
        """Its model, empty where nobody said."""

    @property
    def health(self) -> str:
        """How far it answers, in a word."""

    @property
    def status(self) -> GensetStatus:
        """How it is."""

    @property
    def commands(self) -> Sequence[str]:
        """What its profile can command."""

    @property
    def forbidden(self) -> str:
        """What stands against that, empty where nothing does."""

    @property
    def passes_through(self) -> bool:
        """Whether it is only passed through to."""

    @property
    def last_seen(self) -> float | None:
        """When it was heard last, in UTC seconds."""


def genset_actions(states: Callable[[], Iterable[GensetState]]) -> tuple[Action, ...]:
    """`gensets.list` and `genset.status`."""

    def one(uid: str) -> dict[str, object]:
        found = {state.uid: state for state in states()}
        if uid not in found:
            raise Unknown(f"genset {uid}{hint(uid, found)}")
        return genset_json(found[uid])

    uid = Argument("uid", Kind.TEXT, "the device's short id: the key of its section in the configuration", least=1)
    return (
        Action(
            "gensets.list",
            "Every genset: its mode, whether it runs, its alarms and what it measures.",
            Permission.READ,
            (),
            lambda: [genset_json(state) for state in states()],
        ),
        Action(
            "genset.status",
            "How a genset is: mode, engine, mains, load, alarms, what it measures; null is not known.",
            Permission.READ,
            (uid,),
            one,
        ),
    )


def genset_json(state: GensetState) -> dict[str, object]:
    """A genset as JSON has it."""
    return {
        "uid": state.uid,
        "alias": state.alias,
        "profile": state.profile,
        "model": state.model,
        "health": state.health,
        "last_seen": stamp(state.last_seen),
        "passes_through": state.passes_through,
        **status_json(state.status),
        "commands": list(state.commands),
        "forbidden": state.forbidden,
    }


def status_json(status: GensetStatus) -> Mapping[str, object]:
    """A status as JSON has it; null is not known."""
    return {
        "mode": status.mode.value,
        "running": status.is_running,
        "engine": status.engine,
        "alarm": status.alarm.value,
        "alarms": list(status.alarms),
        "mains_ok": status.mains_ok,
        "mains_on_load": status.mains_on_load,
        "gen_on_load": status.gen_on_load,
        "values": {
            name: {"value": value, "unit": status.units.get(name, "")} for name, value in status.details.items()
        },
    }
