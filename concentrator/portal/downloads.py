"""History as a download: a range of it as CSV or JSON, made while it is sent. Hides that it is made in small pieces, no
faster than they are taken away, and that the box comes first: it rests as long after each piece as that one took, and
few are made at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from concentrator.actions.schema import quoted
from concentrator.api import Wall
from concentrator.model.errors import ConcentratorError, TooOften, WrongArguments
from concentrator.model.latency import parse_duration
from concentrator.model.moment import RULE, moment
from concentrator.model.words import hint

if TYPE_CHECKING:
    from concentrator.journal.extract import Job, Wanted

MOST = 2
"""How many are made at a time."""
RETRY_S = 10
"""When to ask again, in seconds, where there are that many."""
_DAY_S = 86_400
_NAMES = ("device", "variable", "from", "to", "period", "format")
_TYPES = {"csv": "text/csv; charset=utf-8; header=present", "json": "application/json"}

log = Logger()

Refuse = Callable[[Request, ConcentratorError], bytes]
"""`refuse(request, error)`: prepares the answer for an error, and gives its body."""


@frozen
class History:
    """What a download is made of: `query` does a job of an Extract; `period_s` gives the length of history's records
    in seconds; `box` is the box's serial, `alias` gives a device's name by its uid; times are those of `zone`."""

    query: Callable[[Job], Deferred[str]]
    period_s: Callable[[], int]
    box: str
    alias: Callable[[str], str]
    zone: tzinfo
    wall: Wall
    clock: IReactorTime


class Downloads:
    """The answers to GET /history?device=…&variable=…&from=…&to=…&period=…&format=…, all of which may be left out:
    then it is every device and variable, since midnight, up to now, in history's records, as CSV. `device` and
    `variable` may come more than once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._under_way = 0

    def answer(self, request: Request, refuse: Refuse) -> bytes | int:
        """Answers a request, now or bit by bit."""
        try:
            wanted = _wanted(request.args or {}, self._history)
            if self._under_way >= MOST:
                request.setHeader(b"retry-after", str(RETRY_S).encode())
                raise TooOften(f"{MOST} downloads of history are under way")
        except ConcentratorError as error:
            return refuse(request, error)
        if request.method == b"HEAD":
            _announce(request, wanted, self._history.box)
            return b""
        self._under_way += 1
        made = Deferred.fromCoroutine(_Download(request, refuse, wanted, self._history).make())
        made.addErrback(lambda failure: log.failure("a download of history failed", failure))
        made.addBoth(self._ended)
        return NOT_DONE_YET

    def _ended(self, _: object) -> None:
        self._under_way -= 1


@implementer(IPushProducer)
class _Download:
    def __init__(self, request: Request, refuse: Refuse, wanted: Wanted, history: History) -> None:
        self._request = request
        self._refuse = refuse
        self._wanted = wanted
        self._history = history
        self._is_gone = False
        self._held: Deferred[None] | None = None

    async def make(self) -> None:
        """Sends it; over when it is sent or nobody waits for it any more."""
        from concentrator.journal.extract import Extract

        request, history = self._request, self._history
        gone: Deferred[Any] = request.notifyFinish()
        gone.addErrback(self._lost)
        request.registerProducer(self, True)
        extract = Extract(self._wanted, history.zone, history.box, history.alias)
        has_begun = False
        try:
            for job in extract.jobs():
                begun = history.clock.seconds()
                text = await history.query(job)
                if text and not self._is_gone:
                    if not has_begun:
                        _announce(request, self._wanted, history.box)
                        has_begun = True
                    request.write(text.encode())
                if self._held is not None:
                    await self._held
                if self._is_gone:
                    return
                await self._rest(history.clock.seconds() - begun)
        except ConcentratorError as error:
            if self._is_gone:
                return
            request.unregisterProducer()
            if has_begun:
                log.warn("a download of history broke off: {error}", error=error.sentence)
                request.loseConnection()  # else what came would look whole
            else:
                request.write(self._refuse(request, error))
                request.finish()
            return
        request.unregisterProducer()
        request.finish()

    def pauseProducing(self) -> None:  # noqa: N802
        """Whoever takes it away is behind."""
        if self._held is None:
            self._held = Deferred()

    def resumeProducing(self) -> None:  # noqa: N802
        """There is room again."""
        held, self._held = self._held, None
        if held is not None:
            held.callback(None)

    def stopProducing(self) -> None:  # noqa: N802
        """Nobody takes it away any more."""
        self._is_gone = True
        self.resumeProducing()

    def _lost(self, _: Failure) -> None:
        self.stopProducing()

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            await deferLater(self._history.clock, seconds)


def _announce(request: Request, wanted: Wanted, box: str) -> None:
    first, last = (datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ") for at in (wanted.start, wanted.stop))
    request.setHeader(b"content-type", _TYPES[wanted.form].encode())
    request.setHeader(b"cache-control", b"no-store")
    name = f'attachment; filename="{box}_{first}_{last}.{wanted.form}"'
    request.setHeader(b"content-disposition", name.encode())


def _wanted(given: Mapping[bytes, list[bytes]], history: History) -> Wanted:
    """What the arguments ask for. Raises WrongArguments."""
    from concentrator.journal.extract import Wanted

    texts = {_text(name): list(map(_text, values)) for name, values in given.items()}
    for name in texts:
        if name not in _NAMES:
            raise WrongArguments(f"{name[:40]}: there is no such argument{hint(name[:40], _NAMES)}")
    start = _moment("from", texts.get("from", ["today"])[-1], history, is_end=False)
    stop = _moment("to", texts.get("to", ["now"])[-1], history, is_end=True)
    if start >= stop:
        raise WrongArguments("from: expected a moment before to")
    period_s = _period(texts["period"][-1]) if "period" in texts else history.period_s()
    devices, variables = (tuple(texts.get(name, ())) for name in ("device", "variable"))
    return Wanted(start, stop, period_s, devices, variables, _form(texts.get("format", ["csv"])[-1]))


def _text(given: bytes) -> str:
    return given.decode("utf-8", "replace")


def _moment(name: str, text: str, history: History, *, is_end: bool) -> int:
    try:
        return moment(text, history.wall.now(), history.zone, is_end=is_end)
    except ValueError:
        raise WrongArguments(f"{name}: found {quoted(text)}, expected {RULE}") from None


def _period(text: str) -> int:
    try:
        found = float(text) if text.isdecimal() else parse_duration(text)
    except ValueError:
        found = 0.0
    if not 1 <= found <= _DAY_S or found % 1:
        rule = 'whole seconds up to a day, or a duration such as "5 min"'
        raise WrongArguments(f"period: found {quoted(text)}, expected {rule}")
    return int(found)


def _form(text: str) -> Literal["csv", "json"]:
    if text == "csv":
        return "csv"
    if text == "json":
        return "json"
    raise WrongArguments(f"format: found {quoted(text)}, expected csv or json")
