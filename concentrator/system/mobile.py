"""A modem's data connection, kept by NetworkManager and told to it by `nmcli`. Hides that both it and ModemManager are
only asked now and again, what of a connection has to be changed, how long is waited after a failure, and that a PIN the
SIM does not take is not given to it again: three times would lock it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.actions.modems import ModemState
from concentrator.model.errors import ConcentratorError
from concentrator.system import nmcli
from concentrator.system.nmcli import MobileTerms, ModemSight

LOOK_S = 30.0
PAUSE_S, PAUSE_MOST_S = 30.0, 900.0
"""How often is looked; how long is waited after the first failure to connect, twice as long after the next, and at
most."""
UP_S, DOWN_S = 60, 20
"""How long NetworkManager may take to connect, and to end a connection."""
TRIES_LEAST = 2
"""Tries of the PIN that must be left for the box to use one: the last one is for people."""
ASKS_FOR_PIN = "The SIM asks for its PIN: switch it off, or enter it"
_TERSE = ("-t", "-e", "yes", "-f")

log = Logger()


class Told(Protocol):
    """nmcli."""

    def say(self, *arguments: str, timeout_s: float = ...) -> Deferred[str]:
        """What it says."""

    def stop(self) -> None:
        """Ends what is under way."""


class Asked(Protocol):
    """mmcli."""

    async def ask(self, *arguments: str) -> dict[str, Any]:
        """The object it says."""

    def stop(self) -> None:
        """Ends what is under way."""


@define(eq=False)
class MobileConnection:
    """The data connection of some terms. Secrets are in a file in `folder` while nmcli reads it. `must_renew`: a
    connection that is up has other terms, and comes up anew."""

    terms: MobileTerms
    _nmcli: Told
    _mmcli: Asked
    _clock: IReactorTime
    _folder: Path
    _must_renew: bool = False
    card: str = field(default="", init=False)
    _state: ModemState = field(init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _looking: Deferred[Any] | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    _next_try: float = field(default=0.0, init=False)
    _why: str = field(default="", init=False)
    _is_pin_spent: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._state = ModemState(self.terms.name, "Looking for the modem", connection=self.terms.connection)

    def start(self) -> None:
        """Looks at once, and now and again."""
        self._look()

    def stop(self) -> Deferred[None]:
        """Looks no more; fires when nothing is under way. A connection that is up stays up."""
        self._is_over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._nmcli.stop()
        self._mmcli.stop()
        if self._looking is None:
            return succeed(None)
        ended: Deferred[None] = Deferred()
        self._looking.addBoth(lambda _: ended.callback(None))
        return ended

    def state(self) -> ModemState:
        """How it stands."""
        return self._state

    # -- looking

    def _look(self) -> None:
        self._looking = ensureDeferred(self._look_now())
        self._looking.addErrback(self._failed).addCallback(self._looked)

    def _looked(self, _: object) -> None:
        self._looking = None
        if not self._is_over:
            self._timer = self._clock.callLater(LOOK_S, self._look)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if not isinstance(error, ConcentratorError):
            log.failure("the modem's connection broke down", failure)
        self._stands("Not connected", ModemSight(), trouble=_told(error))

    async def _look_now(self) -> None:
        sight, unseen = await self._seen()
        self.card = sight.card
        try:
            said = await self._nmcli.say(*_TERSE, "NAME,TYPE,STATE", "con", "show")
        except ConcentratorError as error:
            self._stands("No NetworkManager", sight, trouble=f"nothing is changed: {_told(error)}")
            return
        kind, standing = nmcli.listed(said).get(self.terms.connection, ("", ""))
        if not self.terms.is_enabled:
            if standing:
                await self._nmcli.say("-w", str(DOWN_S), "con", "down", "id", self.terms.connection)
            self._stands("Switched off", ModemSight())
            return
        if self.terms.modem != "any" and not sight.port:
            self._stands("No modem", sight, trouble=unseen)
            return
        if await self._settled(bool(kind), sight):
            self._must_renew = True
        await self._connect(standing, sight, unseen)

    async def _seen(self) -> tuple[ModemSight, str]:
        """The modem, and why it is not seen."""
        try:
            return nmcli.sight_of(await self._mmcli.ask("-m", self.terms.modem)), ""
        except ConcentratorError as error:
            return ModemSight(), _told(error)

    async def _settled(self, is_there: bool, sight: ModemSight) -> bool:
        """Has the connection be as it should; gives whether it was otherwise."""
        name = self.terms.connection
        wanted = nmcli.wanted(self.terms, sight.port if self.terms.modem != "any" else "")
        if not is_there:
            await self._nmcli.say(*nmcli.adding(name, wanted))
            return False
        said = await self._nmcli.say(*_TERSE, ",".join(wanted), "con", "show", "id", name)
        changes = nmcli.differing(wanted, nmcli.properties_of(said))
        if changes:
            await self._nmcli.say(*nmcli.changing(name, changes))
        return bool(changes)

    # -- connecting

    async def _connect(self, standing: str, sight: ModemSight, unseen: str) -> None:
        if sight.state and not sight.lock:
            self._is_pin_spent = False
        barred = self._barred(sight, unseen)
        if standing == "activated" and not self._must_renew:
            self._failures, self._next_try = 0, 0.0
            self._stands("Connected", sight, is_connected=True)
        elif barred:
            self._stands("Locked" if sight.lock else "No modem", sight, trouble=barred)
        elif standing == "activating" and not self._must_renew:
            self._stands("Connecting", sight)
        elif self._clock.seconds() < self._next_try:
            self._stands(_idle(sight), sight, trouble=self._why)
        else:
            await self._up(sight)

    def _barred(self, sight: ModemSight, unseen: str) -> str:
        """Why the SIM keeps it from connecting; empty where it does not."""
        pin = self.terms.pin
        if not sight.state:
            return f"nobody can say whether the SIM asks for its PIN: {unseen or 'mmcli says no state'}" if pin else ""
        if not sight.lock:
            return ""
        if sight.lock != "sim-pin":
            return f"The SIM asks for {sight.lock}, which the box does not have"
        if not pin:
            return ASKS_FOR_PIN
        if self._is_pin_spent:
            return "The SIM did not take the PIN; it is not tried again before the settings change"
        if sight.tries is not None and sight.tries < TRIES_LEAST:
            return "The SIM takes its PIN only once more before it is locked: the box does not try"
        return ""

    async def _up(self, sight: ModemSight) -> None:
        self._stands("Connecting", sight)
        terms = self.terms
        pin = terms.pin if sight.lock else ""
        self._is_pin_spent = bool(pin)
        secrets = nmcli.passwords(terms.password, pin)
        told = ("-w", str(UP_S), "con", "up", "id", terms.connection)
        try:
            if secrets:
                path = self._folder / f"modem-{terms.name}.secret"
                with nmcli.secret_file(path, secrets):
                    await self._nmcli.say(*told, "passwd-file", str(path), timeout_s=UP_S + 15.0)
            else:
                await self._nmcli.say(*told, timeout_s=UP_S + 15.0)
        except (ConcentratorError, OSError) as error:
            self._why = _told(error)
            pause = min(PAUSE_MOST_S, PAUSE_S * 2.0**self._failures)
            self._failures, self._next_try = min(self._failures + 1, 10), self._clock.seconds() + pause
            self._stands(_idle(sight), sight, trouble=self._why)
            return
        self._must_renew = False
        self._failures, self._next_try = 0, 0.0
        self._stands("Connected", sight, is_connected=True)

    def _stands(self, standing: str, sight: ModemSight, *, is_connected: bool = False, trouble: str = "") -> None:
        terms = self.terms
        # The modem was looked at before it connected.
        radio = "registered" if is_connected else sight.radio
        about = (radio, sight.operator, sight.signal, terms.connection)
        self._state = ModemState(terms.name, standing, is_connected, trouble, *about)


async def forget(terms: MobileTerms, program: Told) -> None:
    """Takes a connection of ours out of NetworkManager, where it has it."""
    with suppress(ConcentratorError):
        said = await program.say(*_TERSE, "NAME,TYPE,STATE", "con", "show")
        if nmcli.listed(said).get(terms.connection, ("", ""))[0] == "gsm":
            await program.say("-w", str(DOWN_S), "con", "delete", "id", terms.connection)


def _idle(sight: ModemSight) -> str:
    return "Searching for a network" if sight.radio == "searching" else "Not connected"


def _told(error: object) -> str:
    """What an error says, in a line."""
    text = error.detail if isinstance(error, ConcentratorError) else str(error)
    return text.removeprefix("Error: ")
