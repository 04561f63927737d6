"""A modem that ModemManager drives, asked by `mmcli`: the data connection goes on beside the messages, for one program
owns the modem. Hides what ModemManager says of modems and messages, and that it is asked now and again, for a program
on its command line hears no signals. A message is deleted before it is told of, as by the other driver.

Source: ModemManager's cli/mmcli-output.c (names of the JSON fields) and libmm-glib/mm-common-helpers.c (how
--messaging-create-sms is taken apart: a value in quotes ends at the next quote of that kind, and nothing escapes
one).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, ensureDeferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.model.errors import ConcentratorError, TryLater
from concentrator.sms.numbers import veiled
from concentrator.sms.terms import VALIDITY_S, Ears, Incoming, ModemStanding, Outgoing
from concentrator.wire.mmcli import text_at

LOOK_S = 10.0
AT_ONCE_MOST = 20
"""How often is looked; how many messages are taken each time."""
SEND_S = 200.0
_READY = ("registered", "connecting", "connected", "disconnecting")
_WORDS = {"locked": "Locked", "failed": "Failed", "disabled": "Disabled", "unknown": "Unknown"}
_PIN = "the SIM asks for its PIN, which must be disabled"
_PATH = re.compile(r"/org/freedesktop/ModemManager1/SMS/\d+")

log = Logger()


class Program(Protocol):
    """mmcli."""

    def say(self, *arguments: str, timeout_s: float = ...) -> Deferred[str]:
        """What it says."""

    async def ask(self, *arguments: str) -> dict[str, Any]:
        """The object it says."""

    def stop(self) -> None:
        """Ends what is under way."""


@define(eq=False)
class MmcliSms:
    """A modem of ModemManager's, by its number or path, or "any" for the first. `wants_reports`: the network is to say
    what became of each message."""

    _program: Program
    _modem: str
    _clock: IReactorTime
    _ears: Ears
    _wants_reports: bool = False
    _standing: ModemStanding = field(default=ModemStanding("Looking for the modem"), init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _looking: Deferred[Any] | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)
    _left: dict[str, None] = field(factory=dict, init=False)  # messages that stay there, the longest left first

    def start(self) -> None:
        """Looks at once, and now and again."""
        self._look()

    def stop(self) -> Deferred[None]:
        """Looks no more; fires when nothing is under way."""
        self._is_over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._program.stop()
        ended: Deferred[None] = Deferred()
        if self._looking is None:
            return succeed(None)
        self._looking.addBoth(ended.callback)
        return ended

    def standing(self) -> ModemStanding:
        """How the modem stands."""
        return self._standing

    def send(self, message: Outgoing) -> Deferred[None]:
        """Sends it, whole: ModemManager makes the parts."""
        if not self._standing.is_ready:
            return fail(TryLater("the modem is not ready"))
        return Deferred.fromCoroutine(self._send(message))

    # -- looking

    def _look(self) -> None:
        self._looking = ensureDeferred(self._look_now())
        self._looking.addErrback(self._failed).addCallback(self._looked)

    def _looked(self, has_more: bool | None) -> None:
        self._looking = None
        if not self._is_over:
            self._timer = self._clock.callLater(1.0 if has_more else LOOK_S, self._look)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if not isinstance(error, ConcentratorError):
            log.failure("the modem's driver broke down", failure)
        why = error.detail if isinstance(error, ConcentratorError) else "the log says what is wrong"
        self._standing = ModemStanding("No modem", trouble=why)

    async def _look_now(self) -> bool:
        """Looks at the modem and its mail; gives whether there is more mail."""
        was_ready = self._standing.is_ready
        self._standing = _standing_of(await self._program.ask("-m", self._modem))
        if self._standing.is_ready and not was_ready:
            self._ears.ready()
        listed = (await self._program.ask("-m", self._modem, "--messaging-list-sms")).get("modem.messaging.sms")
        found = dict.fromkeys(map(str, listed)) if isinstance(listed, list) else {}
        paths = [path for path in found if _PATH.fullmatch(path)]
        # What stays there, such as parts whose others never come, must not keep the rest from being read.
        self._left = {path: None for path in self._left if path in found}
        fresh = [path for path in paths if path not in self._left]
        for path in [*fresh, *self._left][:AT_ONCE_MOST]:
            self._left.pop(path, None)
            try:
                is_taken = await self._take(path)
            except TryLater as error:
                is_taken = False
                why = f"a message cannot be read or deleted, so it is not heard: {error.detail}"
                self._standing = evolve(self._standing, trouble=why)
            if not is_taken:
                self._left[path] = None
        return len(fresh) > AT_ONCE_MOST

    async def _take(self, path: str) -> bool:
        """Takes a message and tells of it; gives whether it was one to be taken."""
        said = await self._program.ask("-s", path)
        kind, state = text_at(said, "sms", "properties", "pdu-type"), text_at(said, "sms", "properties", "state")
        if state != "received" or kind not in ("deliver", "status-report"):
            return False  # it is one of ours, or its parts are still coming
        await self._delete(path)
        if kind == "status-report":
            reference = text_at(said, "sms", "properties", "message-reference")
            told = text_at(said, "sms", "properties", "delivery-state")
            if reference.isdecimal() and told.startswith("completed"):
                self._ears.reported(int(reference), True)
            elif reference.isdecimal() and told.startswith("error"):
                self._ears.reported(int(reference), False)
            return True
        text, number = text_at(said, "sms", "content", "text"), text_at(said, "sms", "content", "number")
        self._ears.received(Incoming(number, text, _moment(text_at(said, "sms", "properties", "timestamp"))))
        return True

    async def _delete(self, path: str) -> None:
        await self._program.say("-m", self._modem, f"--messaging-delete-sms={path}")

    # -- sending

    async def _send(self, message: Outgoing) -> None:
        try:
            said = await self._program.say("-m", self._modem, f"--messaging-create-sms={self._written(message)}")
        except TryLater as error:
            raise TryLater(veiled(error.detail)) from None  # it may repeat what it was given
        created = _PATH.search(said)
        if created is None:
            raise TryLater("mmcli did not say which message it created")
        path = created[0]
        try:
            await self._program.say("-s", path, "--send", f"--timeout={int(SEND_S) - 20}", timeout_s=SEND_S)
            # The network has it: whatever goes wrong now must not have it sent again.
            references = await self._references(path)
            message.references += references
        finally:
            await self._clear_away(path)

    async def _references(self, path: str) -> list[int]:
        """The reference of a message that was sent; none where nobody asks for it, or nobody knows it."""
        if not self._wants_reports:
            return []
        try:
            reference = text_at(await self._program.ask("-s", path), "sms", "properties", "message-reference")
        except ConcentratorError as error:
            log.warn("nobody will know whether a message arrives: {why}", why=error.detail)
            return []
        return [int(reference)] if reference.isdecimal() else []

    async def _clear_away(self, path: str) -> None:
        try:
            await self._delete(path)
        except ConcentratorError as error:
            log.warn("a message of ours stays with the modem: {why}", why=error.detail)

    def _written(self, message: Outgoing) -> str:
        text = message.text
        if "'" in text and '"' in text:
            text = text.replace('"', "'")
        quote = "'" if '"' in text else '"'
        wanted = ",delivery-report-request=yes" if self._wants_reports else ""
        return f"text={quote}{text}{quote},number=+{message.number},validity={VALIDITY_S // 60}{wanted}"


def _standing_of(said: Mapping[str, Any]) -> ModemStanding:
    state = text_at(said, "modem", "generic", "state")
    reason, lock = (
        text_at(said, "modem", "generic", "state-failed-reason"),
        text_at(said, "modem", "generic", "unlock-required"),
    )
    signal = text_at(said, "modem", "generic", "signal-quality", "value")
    operator = text_at(said, "modem", "3gpp", "operator-name")
    if state in _READY:
        return ModemStanding("Ready", True, "", operator, int(signal) if signal.isdecimal() else None, True)
    trouble = {"locked": f"{_PIN} ({lock})" if lock else _PIN, "failed": f"the modem failed: {reason}"}.get(state, "")
    if state == "disabled":
        trouble = "the modem is disabled (mmcli -m any --enable)"
    has_sim = False if reason == "sim-missing" else None
    return ModemStanding(_WORDS.get(state, "Searching for a network"), False, trouble, has_sim=has_sim)


def _moment(text: str) -> float | None:
    """UTC seconds of a time stamp such as 2026-11-21T21:40:00+01."""
    full = re.sub(r"([+-]\d\d)$", r"\1:00", text)
    try:
        moment = datetime.fromisoformat(full)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
