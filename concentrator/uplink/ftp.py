"""The FTP uplink: a batch is a file, and is delivered when it stands complete under its final name. It hides what a
file looks like, that delivering one blocks a thread, and that files that follow each other share a connection.

A file is made while it is sent: the thread asks for its records a few at a time, and whatever has been sent is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import FileBatch, Report, Standing, Wall
from concentrator.journal.export import CsvForm, Form, json_file
from concentrator.model.errors import ConcentratorError, TryLater
from concentrator.model.record import Batch, Receipt, Record
from concentrator.uplink.delivery import Delivery
from concentrator.uplink.ftp_session import Filed, FtpServer, Session
from concentrator.uplink.ftp_wire import Habits

STOP_S = 5.0
"""How long a stop waits for the thread, in seconds."""

IDLE_S = 5.0
"""How long a connection is kept for the next file, in seconds."""

PICKED = 100
"""Records that are in memory at a time."""

log = Logger()


class Threads(Protocol):
    """Where work may block."""

    def run(self, job: Callable[[], Any]) -> Deferred[Any]:
        """Calls it in another thread; fires with what it gave or raised."""

    def wait_for(self, ask: Callable[[], Deferred[Any]]) -> Any:
        """For such a thread: calls it where everything else runs, waits, and gives what the Deferred fired with."""


class FtpUplink:
    """Delivers file batches of box `box` to `server` as `<stem>.csv` or `<stem>.json`, with times in `zone`; `alias`
    gives a device's name by its uid; `report` hears of a foreign file that had to make room."""

    kind = "ftp"

    def __init__(
        self,
        *,
        server: FtpServer,
        box: str,
        alias: Callable[[str], str],
        zone: ZoneInfo,
        threads: Threads,
        clock: IReactorTime,
        wall: Wall,
        report: Report,
        form: Literal["csv", "json"] = "csv",
        name: str = "ftp",
    ) -> None:
        self.name = name
        self.address = server.address
        self._server = server
        self._box = box
        self._alias = alias
        self._zone = zone
        self._threads = threads
        self._clock = clock
        self._wall = wall
        self._report = report
        self._form = form
        self._habits = Habits()
        self._standing = Standing()
        self._delivery: Delivery | None = None
        self._session: Session | None = None
        self._resting: Any = None
        self._ended: Deferred[None] = succeed(None)

    def start(self) -> None:
        """Nothing: a connection is made for a file, and kept for those that follow at once."""

    def stop(self) -> Deferred[None]:
        """Ends the delivery under way; fires when its thread has ended, or after some seconds. A thread that is looking
        up the server's name cannot be woken and is not waited for: it does nothing more."""
        if self._delivery is not None:
            self._delivery.abort()
            if self._delivery.is_looking_up:
                return succeed(None)
        self._rest()
        stopped: Deferred[None] = Deferred()
        overdue = self._clock.callLater(STOP_S, stopped.callback, None)

        def ended(_: None) -> None:
            if overdue.active():
                overdue.cancel()
                stopped.callback(None)

        self._ended.addCallback(ended)
        return stopped

    def when_ready(self) -> Deferred[None]:
        """At once: whether the server is there shows when a file is sent."""
        return succeed(None)

    def standing(self) -> Standing:
        """Up when the last delivery succeeded."""
        return self._standing

    def send(self, batch: Batch) -> Deferred[Receipt]:
        """Delivers a FileBatch; fails with TryLater, and a sentence naming server, step and reply, or with what its
        records could not be had for."""
        if not isinstance(batch, FileBatch):
            raise TypeError(f"batch: found {type(batch).__name__}, expected FileBatch")
        session, self._session = self._session, None
        self._stay()
        file = f"{batch.stem}.{self._form}"
        delivery = Delivery(self._server, self._habits, file, lambda: self._content(batch), session)
        self._delivery = delivery
        result: Deferred[Receipt] = Deferred(lambda _: delivery.abort())
        ended = self._threads.run(delivery.run)
        ended.addCallbacks(self._filed, self._failed, callbackArgs=(batch, delivery))
        self._ended = ended.addBoth(self._told, result)
        return result

    def _filed(self, filed: Filed, batch: FileBatch, delivery: Delivery) -> Receipt:
        self._standing = self._standing.turned(self._wall.now(), is_up=True)
        if delivery.session is not None and not delivery.is_aborted:
            self._session = delivery.session
            self._resting = self._clock.callLater(IDLE_S, self._rest)
        file = delivery.name
        if filed.was_there:
            log.info("{name}: {file} had arrived before", name=self.name, file=file)
        elif filed.replaced is not None:
            log.warn("{name}: another {file} is kept as {kept}", name=self.name, file=file, kept=filed.kept_as)
            facts = {"file": file, "bytes_before": filed.replaced, "kept_as": filed.kept_as}
            self._report("uplink.file_replaced", {"uplink": self.name, **facts})
        return Receipt(frozenset(batch.numbers))

    def _failed(self, failure: Failure) -> Failure:
        why = failure.value
        said = why.detail if isinstance(why, ConcentratorError) else repr(why)
        self._standing = self._standing.turned(self._wall.now(), said)
        return failure

    def _told(self, outcome: Receipt | Failure, result: Deferred[Receipt]) -> None:
        self._delivery = None
        if not result.called:  # it is when the sender waited no longer
            result.callback(outcome)

    def _stay(self) -> None:
        if self._resting is not None and self._resting.active():
            self._resting.cancel()
        self._resting = None

    def _rest(self) -> None:
        """Lets go of a connection that is not in use."""
        self._stay()
        session, self._session = self._session, None
        if session is not None:
            self._ended = self._threads.run(session.leave).addErrback(_log_odd)

    def _content(self, batch: FileBatch) -> Iterator[bytes]:
        """The file from its start; for the thread, because a day of a device is some hundred thousand numbers."""
        form = self._form_of(batch)
        yield form.head().encode()
        for i in range(0, len(batch.rows), PICKED):
            numbers = batch.rows[i : i + PICKED]
            found = {record.n: record for record in self._picked(batch, numbers)}
            if len(found) < len(numbers):
                raise TryLater(f"{batch.stem}: records were deleted while it was made")
            yield form.rows([found[n] for n in numbers]).encode()
        yield form.tail().encode()

    def _picked(self, batch: FileBatch, numbers: Sequence[int]) -> Sequence[Record]:
        found: Sequence[Record] = self._threads.wait_for(lambda: batch.pick(numbers))
        return found

    def _form_of(self, batch: FileBatch) -> Form:
        if self._form == "csv":
            return CsvForm(batch.columns, self._zone, batch.start)
        return json_file(
            batch.columns,
            self._zone,
            box=self._box,
            serial=batch.serial,
            alias=self._alias(batch.uid) if batch.uid else batch.serial,
            start=batch.start,
            stop=batch.stop,
            period=batch.period,
        )


def _log_odd(failure: Failure) -> None:
    log.failure("leaving an FTP server failed", failure)
