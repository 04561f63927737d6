"""Orders to the controllers of gensets: commands of their profiles by name, and Modbus requests that others made. Hides
who may be commanded, that a controller is given one order at a time and rest between two, and how an order is told
from one that was only sent.

Theory. An order starts and stops machines, so it is sent once and never again by itself: what became of it is told by
reading the controller's status back until it shows what the command leads to. That holds too where the answer was
missing or damaged, for the controller may have acted all the same. Three things are sent more than once, each with its
reason: the OFF that ends a pulse, for a coil left on is the greater evil; another word for "on", where the status shows
that the controller did not follow the first one; and somebody's request that only reads. For the first of these an OFF
with which somebody ends his own pulse waits for nothing either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import define, evolve, field, frozen
from twisted.internet.defer import CancelledError, Deferred

from concentrator.actions.table import code_of
from concentrator.api import Report, Wall
from concentrator.dialect.modbus_commands import is_supported, order, other_coil_word, release, result, support
from concentrator.model.effect import EFFECTS, Effect
from concentrator.model.errors import (
    Busy,
    ConcentratorError,
    Denied,
    LineError,
    NotConfirmed,
    NotWritable,
    Refused,
    WireError,
)
from concentrator.model.genset import GensetStatus
from concentrator.model.profile import Command
from concentrator.model.reading import Reading
from concentrator.poll.controller import Controller, Road
from concentrator.poll.permits import permitted
from concentrator.poll.sending import Given
from concentrator.poll.writes import Allowance
from concentrator.wire.modbus_raw import RawRequest, raw_request

ORDERS, ORDERS_PER_S = 10, 0.2
"""Orders of one caller to one controller at once, and how many a second afterwards: a server that runs wild must not
use up what whoever wants to stop the engine needs."""
READS, READS_PER_S = 20, 5.0
"""The same for requests of others that only read."""
CALLERS_MOST = 256
"""Of so many callers, the last ones, it is remembered how much they ordered; some are told apart by their address."""
PAUSE_S = 2.0
"""The rest a controller is given after an order, in seconds."""
CONFIRM_S, OTHER_WORD_S, RAW_CONFIRM_S = 10.0, 5.0, 5.0
"""How long a controller is looked at for what it was told, in seconds: usually, before another word for "on" is tried,
and where the order was somebody's request, who waits for its answer."""
RAW_S = 3.0
"""How long the answer to somebody's request may take to begin, in seconds."""
CONFIRMED, ACCEPTED = "confirmed", "accepted"


@frozen
class Carried:
    """An order that was carried out: `outcome` is "confirmed" where the status shows it, "accepted" where the
    controller took it and tells no more; `status` as it was seen last, None where nobody looked; `reply`: the PDU that
    answered somebody's request, which writes or not."""

    outcome: str
    status: GensetStatus | None = None
    reply: bytes = b""
    is_write: bool = True


@define(eq=False)
class _Known:
    """What is kept of one controller: the order that is on its way, and when the last one was over."""

    under_way: str = ""
    over_at: float = float("-inf")


@frozen
class _Allowed:
    """How often a caller may still order something of a controller, and read from it."""

    orders: Allowance
    reads: Allowance


@define(eq=False, repr=False)
class Orders:
    """Carries out orders. `publish` gets what is read meanwhile; `report` the event `genset.command` {device, command,
    by, outcome, text} of each; `inhibited` says why no order is taken now, from whomever it comes, empty where they
    are."""

    wall: Wall
    publish: Callable[[Reading], None]
    report: Report
    inhibited: Callable[[], str] = lambda: ""
    _controllers: dict[str, _Known] = field(factory=dict, init=False)
    _callers: dict[tuple[str, str], _Allowed] = field(factory=dict, init=False)

    def command(self, road: Road, name: str, by: str) -> Deferred[Carried]:
        """Gives a command of the profile, in the name of whoever it is `by`. Before anything is sent, fails with
        Denied, Unknown, NotWritable, Busy, TooOften, or with what the line or the controller fails with; then with
        Refused, in the controller's words, or with NotConfirmed where its status does not show it."""
        return Deferred.fromCoroutine(self._command(road, name, by))

    def raw(self, road: Road, frame: bytes, by: str) -> Deferred[Carried]:
        """Sends a whole RTU frame, checksum included, in the name of whoever it is `by`; fires with the PDU of the
        reply. Before anything is sent, fails like `command`, or with OutOfRange; then with Refused or, where it was to
        write, with NotConfirmed; a read that is not answered fails with what the line fails with."""
        return Deferred.fromCoroutine(self._raw(road, frame, by))

    # -- who and when

    async def _command(self, road: Road, name: str, by: str) -> Carried:
        self._allowed(road.device.uid, by).orders.take(road.now())

        async def act() -> Carried:
            command = permitted(road.device, road.station.profile, name)
            return await self._one_at_a_time(road, name, lambda: self._commanded(self._at(road), command))

        return await self._told(road, name, by, act)

    async def _raw(self, road: Road, frame: bytes, by: str) -> Carried:
        allowed, now = self._allowed(road.device.uid, by), road.now()
        asked = raw_request(frame, road.device.address)
        if not asked.is_write:
            allowed.reads.take(now)
            road.see_that_it_is_free()
            return Carried(ACCEPTED, reply=await self._read_raw(self._at(road), asked), is_write=False)
        allowed.orders.take(now)
        command = _named(road, asked)
        name = asked.shown if command is None else command.name

        async def act() -> Carried:
            if not road.device.allow_raw:
                raise Denied(f"allow_raw of {road.device.uid} is false")
            if _ends_a_pulse(road, asked):
                road.see_that_it_is_free()
                road.see_who_is_there()
                given = await self._at(road).give(asked.request, name, RAW_S)
                return _accepted(name, given)
            return await self._one_at_a_time(road, name, lambda: self._written_raw(self._at(road), asked, command))

        return await self._told(road, name, by, act)

    async def _told(self, road: Road, name: str, by: str, act: Callable[[], Awaitable[Carried]]) -> Carried:
        """Has it done, and tells how it went."""
        try:
            carried = await act()
        except (ConcentratorError, CancelledError) as error:
            self._tell(road, name, by, code_of(error), f": {error}" if str(error) else ", was given up")
            raise
        self._tell(road, name, by, carried.outcome, f", is {carried.outcome}")
        return carried

    def _tell(self, road: Road, name: str, by: str, outcome: str, how: str) -> None:
        text = f"{road.device.label}: {name}, ordered by {by}{how}"
        facts = {"device": road.device.uid, "command": name, "by": by, "outcome": outcome, "text": text}
        self.report("genset.command", facts)

    async def _one_at_a_time(self, road: Road, name: str, act: Callable[[], Awaitable[Carried]]) -> Carried:
        """Has it done when the controller has had its rest; nothing waits behind an order, for by then it might be
        another one that people want."""
        self._see_that_it_may(road)
        known = self._controllers.setdefault(road.device.uid, _Known())
        if known.under_way:
            raise Busy(f"{road.device.uid}: {known.under_way} is on its way")
        known.under_way = name
        try:
            rest_s = known.over_at + PAUSE_S - road.now()
            if rest_s > 0:
                await self._at(road).rest(rest_s)
            return await act()
        finally:
            known.under_way, known.over_at = "", road.now()

    def _see_that_it_may(self, road: Road) -> None:
        """Raises where nobody may be commanded now, or it is not sure that this one is there."""
        if reason := self.inhibited():
            raise Denied(reason)
        road.see_that_it_is_free()
        road.see_who_is_there()

    def _allowed(self, uid: str, by: str) -> _Allowed:
        if (uid, by) not in self._callers:
            if len(self._callers) == CALLERS_MOST:
                self._callers.pop(next(iter(self._callers)))
            orders = Allowance(f"orders to {uid}", ORDERS, ORDERS_PER_S)
            self._callers[uid, by] = _Allowed(orders, Allowance(f"requests to {uid}", READS, READS_PER_S))
        return self._callers[uid, by]

    def _at(self, road: Road) -> Controller:
        return Controller(road, self.wall, self.publish)

    # -- commands by name

    async def _commanded(self, controller: Controller, command: Command) -> Carried:
        road, effects = controller.road, _effects(command)
        before = await controller.status() if effects else None
        asked = support(command)
        if asked is not None and not is_supported(command, await controller.ask(asked)):
            raise NotWritable(f"{command.name}: {road.device.uid} says that it does not know this command")
        self._see_that_it_may(road)
        doubt = await self._sent(controller, command)
        if before is None:
            return _accepted(command.name, Given(doubt=doubt))
        other = other_coil_word(command, road.station.profile)
        has_followed, now = await controller.seen(effects, before, CONFIRM_S if other is None else OTHER_WORD_S)
        if has_followed is False and other is not None:
            self._see_that_it_may(road)
            doubt = await self._sent(controller, command, other)
            has_followed, now = await controller.seen(effects, before, CONFIRM_S)
        if has_followed is False and doubt is None and command.result_ok is not None:
            return Carried(ACCEPTED, now)  # the controller itself says that it was carried out; some need long for it
        return _confirmed(command.name, has_followed, now, doubt)

    async def _sent(
        self, controller: Controller, command: Command, coil_word: int | None = None
    ) -> ConcentratorError | None:
        """Sends a command, as a pulse where it is one, and reads its result where it has one; gives what leaves it in
        doubt, None where nothing does."""
        if command.pulse_ms is not None:
            await controller.ask(release(command))
        request = order(command, controller.road.station.profile, coil_word)
        try:
            doubt = (await controller.give(request, command.name)).doubt
            if command.pulse_ms is not None:
                await controller.rest(command.pulse_ms / 1000)
        except CancelledError:  # whoever ordered it has gone, and it may be on
            if command.pulse_ms is not None:
                await controller.release(command)
            raise
        if command.pulse_ms is not None:
            await controller.release(command)
        told = result(command)
        return doubt if told is None else await controller.result(command, told) or doubt

    # -- requests of others

    async def _read_raw(self, controller: Controller, asked: RawRequest) -> bytes:
        """Sends a request that only reads, once more where its answer is missing or damaged."""
        reply: bytes
        try:
            reply = await controller.ask(asked.request, RAW_S, urgent=False)
        except (WireError, LineError) as error:
            if isinstance(error, Refused):
                raise
            reply = await controller.ask(asked.request, RAW_S, urgent=False)
        return reply

    async def _written_raw(self, controller: Controller, asked: RawRequest, command: Command | None) -> Carried:
        """Sends a request that writes, once; one that is a command of the profile is confirmed like that."""
        effects = () if command is None else _effects(command)
        before = await controller.status() if effects else None
        self._see_that_it_may(controller.road)
        name = asked.shown if command is None else command.name
        given = await controller.give(asked.request, name, RAW_S)
        if before is None or given.doubt is not None:
            return _accepted(name, given)
        seen = await controller.seen(effects, before, RAW_CONFIRM_S)
        return evolve(_confirmed(name, *seen, None), reply=given.reply)


def _effects(command: Command) -> tuple[Effect, ...]:
    return command.leads_to or EFFECTS.get(command.name, ())


def _named(road: Road, asked: RawRequest) -> Command | None:
    """The command of the profile that somebody's request is."""
    profile = road.station.profile
    return next((each for each in profile.commands if order(each, profile).pdu == asked.request.pdu), None)


def _ends_a_pulse(road: Road, asked: RawRequest) -> bool:
    """Whether somebody's request is the OFF after the ON of a command that is a pulse."""
    pulses = [each for each in road.station.profile.commands if each.pulse_ms is not None]
    return any(release(each).pdu == asked.request.pdu for each in pulses)


def _accepted(name: str, given: Given, now: GensetStatus | None = None) -> Carried:
    """What the controller's answer says of an order of which no more is to be seen."""
    if given.doubt is not None:
        raise NotConfirmed(f"{name} was sent, and whether it was carried out is not known ({given.doubt})")
    return Carried(ACCEPTED, now, given.reply if isinstance(given.reply, bytes) else b"")


def _confirmed(name: str, has_followed: bool | None, now: GensetStatus, doubt: ConcentratorError | None) -> Carried:
    """What the status says of an order."""
    if has_followed is None:
        return _accepted(name, Given(doubt=doubt), now)
    if has_followed:
        return Carried(CONFIRMED, now)
    engine = f", engine {now.engine}" if now.engine else ""
    alarms = f", alarm {now.alarm}" if now.alarm.is_stopping else ""
    told = f" ({doubt})" if doubt is not None else ""
    raise NotConfirmed(f"{name} was sent, but the controller shows mode {now.mode}{engine}{alarms}{told}")
