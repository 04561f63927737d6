"""A controller as somebody gives it orders: one request at a time, before all polling, and its status read fresh. Hides
what leaves an order in doubt, how often is looked before it is given up, and that what is read on the way is published.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from attrs import define, field, frozen
from twisted.internet.task import deferLater

from concentrator.api import Station, Wall
from concentrator.dialect.modbus_commands import REFUSALS, argument, release
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.effect import Effect, followed
from concentrator.model.errors import (
    Busy,
    CommandError,
    ConcentratorError,
    LineError,
    NotConfirmed,
    NotWritable,
    Refused,
    WireError,
)
from concentrator.model.genset import GensetStatus
from concentrator.model.profile import Command
from concentrator.model.reading import Quality, Reading, Value
from concentrator.poll.sending import Given, sent_once
from concentrator.profile.genset_status import genset_status, needs
from concentrator.wire.conversation import Conversation
from concentrator.wire.modbus import Request

LOOK_S = 1.0
"""The time between two looks at a status, in seconds."""
TRIES, RETRY_S = 3, 0.5
"""How often an OFF is sent and a result is read, and the seconds between two of these."""

_NOT_THERE = (1, 2, 3)


class Asked(Protocol):
    """A station that takes requests of anybody's making."""

    def ask(self, request: Request, wait_s: float | None = None) -> Conversation[Any]:
        """One request, sent once."""


@frozen(eq=False)
class Road:
    """The way to a controller: who it is, how it is spoken to, and on which line; `suspended` says why the line is not
    to be used now, `conflict` why another device answers there, both empty when all is well."""

    device: Device
    station: Station
    line: Line
    suspended: Callable[[], str] = lambda: ""
    conflict: Callable[[], str] = lambda: ""

    def now(self) -> float:
        """The seconds of the line's clock."""
        return self.line.clock.seconds()

    def see_that_it_is_free(self) -> None:
        """Raises NotWritable where nobody can be asked there, Busy where the line is not to be used now."""
        if not hasattr(self.station, "ask"):
            raise NotWritable(f"{self.device.uid} takes no Modbus requests")
        if reason := self.suspended():
            raise Busy(f"line {self.line.name}: {reason}")

    def see_who_is_there(self) -> None:
        """Raises NotWritable where another device answers."""
        if conflict := self.conflict():
            raise NotWritable(f"{self.device.uid}: {conflict}")


@define(eq=False, repr=False)
class Controller:
    """The controller at the end of a road. `publish` gets what is read of it."""

    road: Road
    wall: Wall
    publish: Callable[[Reading], None]
    _station: Asked = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._station = cast(Asked, self.road.station)

    async def ask(self, request: Request, wait_s: float | None = None, *, urgent: bool = True) -> Any:
        """The reply to a request, which is sent once."""
        asking = self._station.ask(request, wait_s)
        return await self.road.line.run(self.road.device.address, asking, urgent)

    async def give(self, request: Request, name: str, wait_s: float | None = None) -> Given:
        """Sends what acts, once. Raises Refused where the controller did not take it, or what the line fails with
        where it was not sent; all else leaves it in doubt."""
        asking = self._station.ask(request, wait_s)
        return await sent_once(self.road.line, self.road.device.address, asking, name)

    async def release(self, command: Command) -> None:
        """Ends a pulse, and tries again where that is not answered: a coil left on is the greater evil. Raises
        NotConfirmed where it may still be on."""
        for left in reversed(range(TRIES)):
            try:
                await self.ask(release(command))
                return
            except (WireError, LineError) as error:
                if not left:
                    told = f"{command.name} was sent, and its coil {command.address} may still be on ({error})"
                    raise NotConfirmed(told) from error
            await self.rest(RETRY_S)

    async def result(self, command: Command, told: Request) -> ConcentratorError | None:
        """Reads what the controller says became of a command; gives what leaves it in doubt. Raises Refused where it
        was not carried out."""
        waiting, found = argument(command), argument(command)
        for left in reversed(range(TRIES)):
            try:
                found = int.from_bytes(await self.ask(told))
            except (WireError, LineError) as error:
                if not left:
                    return error
            if found != waiting:
                break
            await self.rest(RETRY_S)
        if found in REFUSALS:
            raise Refused(found, f"{command.name}: result {found}, {REFUSALS[found]}")
        if found == waiting or command.result_ok not in (None, found):
            return NotConfirmed(f"the controller's result is {found:08X}")
        return None

    async def status(self) -> GensetStatus | None:
        """The status as it is now, read from the controller; None where its profile has none."""
        station, device = self.road.station, self.road.device
        rules = station.profile.genset
        if rules is None:
            return None
        names, values = needs(rules), dict[str, Value]()
        for block in [each for each in station.blocks if any(point.name in names for point in each.points)]:
            try:
                taken = await self.road.line.run(device.address, station.read(block), urgent=True)
            except Refused as refusal:
                if refusal.code not in _NOT_THERE:
                    raise
            else:
                values.update(taken.values)
        quality = Quality.CONFLICT if self.road.conflict() else Quality.GOOD
        self.publish(Reading(device.uid, self.wall.now(), values, quality))
        return genset_status(rules, values, device.model)

    async def seen(
        self, effects: tuple[Effect, ...], before: GensetStatus, wait_s: float
    ) -> tuple[bool | None, GensetStatus]:
        """Looks at the status until it shows one of the effects, for so many seconds; gives whether it does (None: that
        cannot be seen) and how it was last. Raises NotConfirmed where it cannot be read."""
        until = self.road.now() + wait_s
        now: GensetStatus | None = None
        trouble: ConcentratorError | None = None
        has_followed: bool | None = False
        await self.rest(self.road.station.profile.traits.settle_s)
        while True:
            try:
                now = await self.status()
                has_followed = False if now is None else followed(effects, before, now)
            except (WireError, LineError, CommandError) as error:
                trouble = error
            if has_followed is not False or self.road.now() >= until:
                break
            await self.rest(LOOK_S)
        if now is None:
            raise NotConfirmed(f"it was sent, but the status cannot be read ({trouble})")
        return has_followed, now

    async def rest(self, seconds: float) -> None:
        """Lets time pass."""
        await deferLater(self.road.line.clock, seconds)
