"""A modem's port: commands go out one at a time, each comes back with its lines. Hides echoes, prompts, what the modem
says unasked, and time-outs. A modem that did not answer in time may do so later, and would answer another command: its
port is closed, to be opened and begun anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from concentrator.model.errors import ConcentratorError, LineLost, NoReply, Refused
from concentrator.wire.at import CTRL_Z, ESC, PROMPT, Lines, is_unasked, octets_of, verdict_of

ANSWER_S = 10.0
SEND_S = 180.0
"""How long a command may take, and sending a message (3GPP TS 27.005 leaves that to the modem; some take three
minutes)."""
SETTLE_S = 0.5
"""What a modem says so soon after its port was opened answers somebody else's command."""
LINES_MOST = 1200
"""Lines of one answer: a full SIM lists 255 messages, two lines each."""
_WITH_MORE = ("+CDS:", "+CMT:")  # the next line belongs to it


@frozen
class Unasked:
    """Whom the port tells: of mail (+CMTI), of a message or report that came without being fetched, as its octets, of
    the moment it can be talked to, and of its end, with why."""

    mail: Callable[[], None]
    message: Callable[[bytes], None]
    opened: Callable[[], None]
    lost: Callable[[str], None]


@define(eq=False)
class _Question:
    command: bytes
    body: bytes
    timeout_s: float
    answered: Deferred[list[str]]
    is_told: bool = False  # of its body
    lines: list[str] = field(factory=list)


class AtPort(Protocol):
    """One connection to a modem."""

    def __init__(self, clock: IReactorTime, told: Unasked) -> None:
        self._clock = clock
        self._told = told
        self._lines = Lines()
        self._waiting: deque[_Question] = deque()
        self._asked: _Question | None = None
        self._timer: IDelayedCall | None = None
        self._settling: IDelayedCall | None = None
        self._announced = ""
        self._why = ""

    def ask(self, command: str, body: bytes = b"", timeout_s: float = ANSWER_S) -> Deferred[list[str]]:
        """Says "AT" and the command, and `body` once the modem asks for it; fires with the lines of its answer. Fails
        with Refused, NoReply or LineLost."""
        if self.transport is None or self._why:
            return fail(LineLost(self._why or "the port is not open"))
        question = _Question(f"AT{command}".encode("ascii"), body, timeout_s, Deferred())
        self._waiting.append(question)
        self._ask_next()
        return question.answered

    def close(self, why: str) -> None:
        """Lets go of the port."""
        self._why = self._why or why
        if self.transport is not None:
            self.transport.loseConnection()

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Ends what the modem may have been in the middle of, and leaves it a moment."""
        assert self.transport is not None
        self.transport.write(ESC + b"\r")
        self._settling = self._clock.callLater(SETTLE_S, self._settled)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Takes what the modem says."""
        for line in self._lines.came(data):
            if self._settling is None and not self._why:
                self._heard(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """Nothing will be answered any more."""
        for timer in (self._timer, self._settling):
            if timer is not None and timer.active():
                timer.cancel()
        self.transport = None
        self._why = self._why or "the modem's port is gone"
        unanswered = [each for each in (self._asked, *self._waiting) if each is not None]
        self._asked = None
        self._waiting.clear()
        for question in unanswered:
            question.answered.errback(LineLost(self._why))
        self._told.lost(self._why)

    def _settled(self) -> None:
        self._settling = None
        self._told.opened()
        self._ask_next()

    def _ask_next(self) -> None:
        if self._asked is None and self._waiting and self._settling is None and self.transport is not None:
            self._asked = question = self._waiting.popleft()
            self._timer = self._clock.callLater(question.timeout_s, self._too_late)
            self.transport.write(question.command + b"\r")

    def _heard(self, line: str) -> None:
        question = self._asked
        if self._announced:
            self._announced = ""
            self._told.message(octets_of(line))
        elif is_unasked(line):
            self._heard_unasked(line.upper())
        elif question is None or line.encode() in (question.command, question.body):
            return  # nobody asked, or an echo
        elif line == PROMPT:
            if question.body and not question.is_told and self.transport is not None:
                question.is_told = True
                self.transport.write(question.body + CTRL_Z)
        else:
            self._heard_answer(question, line)

    def _heard_unasked(self, line: str) -> None:
        if line.startswith(_WITH_MORE):
            self._announced = line
        elif line.startswith(("+CMTI:", "+CDSI:")):
            self._told.mail()

    def _heard_answer(self, question: _Question, line: str) -> None:
        verdict = verdict_of(line)
        if verdict is None:
            question.lines.append(line)
            if len(question.lines) > LINES_MOST:
                self.close("the modem talks without end")
        elif verdict.is_ok:
            self._end(question).answered.callback(question.lines)
            self._ask_next()
        else:
            command = question.command.decode().partition("=")[0]
            self._end(question).answered.errback(Refused(verdict.code, f"{command}: {verdict.words}"))
            self._ask_next()

    def _end(self, question: _Question) -> _Question:
        self._asked = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        return question

    def _too_late(self) -> None:
        question = self._asked
        assert question is not None
        command = question.command.decode().partition("=")[0]
        error: ConcentratorError = NoReply(f"{command}: the modem did not answer within {question.timeout_s:g} s")
        self._end(question).answered.errback(error)
        self.close(error.detail)
