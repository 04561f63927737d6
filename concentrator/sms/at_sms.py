"""A modem driven by AT commands in PDU mode, on a serial port of its own. Hides how it is prepared, its network looked
for, its mail fetched, and long messages sent in parts. A message is deleted before it is told of: none is obeyed twice,
whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.line.reopen import Reopening
from concentrator.model.errors import ConcentratorError, Refused, TryLater, WireError
from concentrator.sms.at_port import SEND_S, AtPort, Unasked
from concentrator.sms.life import READY, Life, life_of
from concentrator.sms.terms import VALIDITY_S, Ears, Incoming, ModemStanding, Outgoing
from concentrator.wire.at import LASTING, answer_of, is_registered, operator_of, signal_percent, stored
from concentrator.wire.sms_parts import Parts
from concentrator.wire.sms_pdu import StatusReport, Submit, length_of, parse
from concentrator.wire.sms_text import parts, read

SEARCH_S, WATCH_S, REST_S = 5.0, 60.0, 30.0
"""How often is looked for a network, and for one that is lost and for mail that was not announced; how long a modem
rests that could not be prepared."""

log = Logger()


@define(eq=False)
class AtSms:
    """A modem at an endpoint. `wants_reports`: the network is to say what became of each message; `centre`: the number
    of the service centre, empty for the SIM's own."""

    _endpoint: IStreamClientEndpoint
    _clock: IReactorTime
    _ears: Ears
    _wants_reports: bool = False
    _centre: str = ""
    _standing: ModemStanding = field(default=ModemStanding(), init=False)
    _life: Life = field(init=False)
    _port: AtPort | None = field(default=None, init=False)
    _reopening: Reopening | None = field(default=None, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _parts: Parts = field(factory=Parts, init=False)
    _reference: int = field(default=0, init=False)
    _fetching: str = field(default="", init=False)  # "", "once", or "again" where more was announced meanwhile

    def __attrs_post_init__(self) -> None:
        self._life = life_of(self)

    def start(self) -> None:
        """Opens the port, and keeps it open."""
        self._reopening = Reopening(self._endpoint, self._make_port, self._not_opened, self._clock)

    def stop(self) -> Deferred[None]:
        """Closes it; fires when it is closed."""
        reopening, self._reopening = self._reopening, None
        return reopening.stop() if reopening is not None else succeed(None)

    def standing(self) -> ModemStanding:
        """How the modem stands."""
        return self._standing

    def send(self, message: Outgoing) -> Deferred[None]:
        """Sends what of it has not been sent."""
        port = self._port
        if port is None or not self._standing.is_ready:
            return fail(TryLater("the modem is not ready"))
        return Deferred.fromCoroutine(self._send(port, message))

    # -- the port

    def _make_port(self) -> AtPort:
        self._port = AtPort(self._clock, Unasked(self._fetch_soon, self._came, self._life.opened, self._lost))
        return self._port

    def _not_opened(self, why: str) -> None:
        self._trouble(why)

    def _lost(self, why: str) -> None:
        self._port = None
        self._trouble(why)
        self._life.lost()

    # -- the steps of its life

    def show(self, word: str) -> None:
        """How it stands, for people."""
        self._standing = evolve(self._standing, word=word, is_ready=word == READY)

    def prepare(self) -> None:
        """Has it do as we need it."""
        self._do(self._prepare)

    def rest(self) -> None:
        """Waits before the next try."""
        self._in(REST_S, self._life.rested)

    def look(self) -> None:
        """Looks for a network and mail, now and again."""
        self._do(self._look)

    def work(self) -> None:
        """It can send."""
        self._trouble("")
        self._ears.ready()

    def leave(self) -> None:
        """Waits for nothing any more."""
        self._fetching = ""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    # -- what is said to it

    async def _prepare(self, port: AtPort) -> None:
        try:
            await port.ask("E0")
            await port.ask("+CMEE=1")
            pin = answer_of(await port.ask("+CPIN?"), "+CPIN:")
            if pin != "READY":
                raise Refused(0, f"the SIM asks for {pin or 'something'}; its PIN must be disabled")
            self._standing = evolve(self._standing, has_sim=True)
            await port.ask("+CMGF=0")
            if self._centre:
                await port.ask(f'+CSCA="+{self._centre}",145')
            await _one_of(port, '+CPMS="SM","SM","SM"', '+CPMS="ME","ME","ME"')
            reports = ("+CNMI=2,1,0,1,0",) if self._wants_reports else ()
            await _one_of(port, *reports, "+CNMI=2,1,0,0,0", "+CNMI=1,1,0,0,0")
        except Refused as error:
            if "no SIM" in error.detail:
                self._standing = evolve(self._standing, has_sim=False)
            self._trouble(error.detail)
            self._life.failed()
            return
        self._life.prepared()

    async def _look(self, port: AtPort) -> None:
        answers = [await _answer(port, f"+{name}?", f"+{name}:") for name in ("CREG", "CEREG")]
        signal = signal_percent(await _answer(port, "+CSQ", "+CSQ:"))
        if any(is_registered(answer) for answer in answers if answer):
            operator = operator_of(await _answer(port, "+COPS?", "+COPS:"))
            self._standing = evolve(self._standing, operator=operator, signal=signal)
            self._life.registered()
        else:
            self._standing = evolve(self._standing, operator="", signal=signal)
            self._life.unregistered()
        self._fetch_soon()
        self._in(WATCH_S if self._standing.is_ready else SEARCH_S, self.look)

    async def _send(self, port: AtPort, message: Outgoing) -> None:
        if message.reference is None:
            self._reference = (self._reference + 1) % 256
            message.reference = self._reference
        for text in parts(message.text, message.reference)[len(message.references) :]:
            submit = Submit(f"+{message.number}", text, VALIDITY_S, self._wants_reports)
            pdu = submit.written()
            try:
                lines = await port.ask(f"+CMGS={length_of(pdu)}", pdu.hex().upper().encode(), SEND_S)
            except Refused as error:
                if error.code in LASTING:
                    raise
                raise TryLater(error.detail) from None
            except ConcentratorError as error:
                raise TryLater(error.detail) from None
            given = answer_of(lines, "+CMGS:").partition(",")[0]
            message.references.append(int(given) if given.isdecimal() and len(given) < 6 else -1)

    # -- mail

    def _fetch_soon(self) -> None:
        if self._fetching:
            self._fetching = "again"
        elif self._port is not None:
            self._fetching = "once"
            self._do(self._fetch)

    async def _fetch(self, port: AtPort) -> None:
        while self._fetching:
            self._fetching = "once"
            try:
                listed = await port.ask("+CMGL=4", timeout_s=SEND_S)
            except Refused as error:
                log.warn("the modem does not list its messages: {why}", why=error.detail)
                listed = []
            trouble = ""
            for place, pdu in stored(listed):
                try:
                    await port.ask(f"+CMGD={place}")
                except Refused as error:
                    trouble = f"a message cannot be deleted, so it is not heard: {error.detail}"
                    continue
                self._came(pdu)
            if self._standing.is_ready:
                self._trouble(trouble)
            if self._fetching != "again":
                self._fetching = ""

    def _came(self, pdu: bytes) -> None:
        try:
            found = parse(pdu)
            if isinstance(found, StatusReport):
                if found.is_final:
                    self._ears.reported(found.reference, found.is_delivered)
                return
            text, portion = read(found.text)
        except WireError as error:
            log.warn("a message could not be read: {why}", why=str(error))
            return
        whole = self._parts.joined(found.sender, portion, text, self._clock.seconds())
        if whole is not None:
            self._ears.received(Incoming(found.sender, whole, found.sent_at))

    # -- parts of the above

    def _do(self, work: Callable[[AtPort], Coroutine[Deferred[Any], Any, None]]) -> None:
        """Has something done on the port of now; where that is lost meanwhile, what follows is its loss's matter."""
        if self._port is not None:
            Deferred.fromCoroutine(work(self._port)).addErrback(_gone)

    def _in(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer = self._clock.callLater(seconds, then)

    def _trouble(self, why: str) -> None:
        self._standing = evolve(self._standing, trouble=why)


async def _one_of(port: AtPort, *commands: str) -> None:
    """The first of some commands that the modem takes; Refused where it takes none."""
    for command in commands[:-1]:
        try:
            await port.ask(command)
            return
        except Refused:
            continue
    await port.ask(commands[-1])


async def _answer(port: AtPort, command: str, prefix: str) -> str:
    """What the modem answers, empty where it has no such command."""
    try:
        return answer_of(await port.ask(command), prefix)
    except Refused:
        return ""


def _gone(failure: Failure) -> None:
    if not failure.check(ConcentratorError):
        log.failure("the modem's driver broke down", failure)
