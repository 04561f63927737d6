"""A made-up box with a genset that stands as it is told, and orders that end as they are told."""

from __future__ import annotations

from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, fail, succeed

from concentrator.actions.gensets import genset_actions
from concentrator.actions.orders import order_actions
from concentrator.model.genset import Alarm, GensetStatus, Mode
from tests.support.web import NOW, FakeBox, device

RUNNING = GensetStatus(
    Mode.AUTO,
    True,
    Alarm.WARNING,
    False,
    False,
    True,
    "normal running",
    ("low_fuel",),
    {"gen_v1": 231.4, "speed": 1501},
    {"gen_v1": "V", "speed": "rpm"},
)


@define
class State:
    """What people see of it."""

    uid: str = "g1"
    alias: str = "Farm"
    profile: str = "smartgen/hgm6100n"
    model: str = "HGM6120N"
    health: str = "answering"
    status: GensetStatus = RUNNING
    commands: tuple[str, ...] = ("start", "stop", "auto", "gen_breaker_toggle", "dance_slowly")
    forbidden: str = ""
    passes_through: bool = False
    last_seen: float | None = NOW


@define
class Carried:
    """An order that was carried out."""

    outcome: str = "confirmed"
    status: GensetStatus | None = None
    reply: bytes = b""
    is_write: bool = True


class GensetBox(FakeBox):
    """`state` is the genset's, `given` the orders, `ends` how they end."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[str, str, str]] = []
        self.state = State()
        self.ends: Any = Carried()
        self.devices = [device("g1", alias="Farm", profile="smartgen/hgm6100n"), device("main")]
        for action in (*genset_actions(lambda: [self.state]), *order_actions(self.give, self.give)):
            self.table.register(action)

    def give(self, uid: str, command: str, by: str) -> Deferred[Any]:
        self.given.append((uid, command, by))
        return fail(self.ends) if isinstance(self.ends, Exception) else succeed(self.ends)
