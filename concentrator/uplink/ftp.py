"""The FTP uplink: a batch is a file, and is delivered when it stands complete under its final name. It hides what a
file looks like and that delivering one blocks a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import FileBatch, Report, Standing, Wall
from concentrator.journal.export import csv_text, json_text
from concentrator.model.errors import TryLater
from concentrator.model.record import Batch, Receipt
from concentrator.uplink.ftp_session import Delivery, Filed, FtpServer

STOP_S = 5.0
"""How long a stop waits for the thread, in seconds. One that is looking up a name or knocking at a silent port cannot
be woken; it ends by its own time-out, and does nothing more then."""

log = Logger()

RunInThread = Callable[[Callable[[], Filed]], Deferred[Filed]]
"""`run_in_thread(callable)`: calls it in another thread, and fires with what it gave or raised."""


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
        run_in_thread: RunInThread,
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
        self._run_in_thread = run_in_thread
        self._clock = clock
        self._wall = wall
        self._report = report
        self._form = form
        self._standing = Standing()
        self._delivery: Delivery | None = None
        self._ended: Deferred[None] = succeed(None)

    def start(self) -> None:
        """Nothing: a connection is made for each file."""

    def stop(self) -> Deferred[None]:
        """Ends the delivery under way; fires when its thread has ended, or after some seconds."""
        if self._delivery is not None:
            self._delivery.abort()
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
        """Delivers a FileBatch; fails with TryLater, and a sentence naming server, step and reply, whatever went
        wrong."""
        if not isinstance(batch, FileBatch):
            raise TypeError(f"batch: found {type(batch).__name__}, expected FileBatch")
        delivery = Delivery(self._server, f"{batch.stem}.{self._form}", self._content_of(batch))
        self._delivery = delivery
        result: Deferred[Receipt] = Deferred(lambda _: delivery.abort())
        ended: Deferred[Any] = self._run_in_thread(delivery.run)
        ended.addCallbacks(self._filed, self._failed, callbackArgs=(batch, delivery.name))
        self._ended = ended.addBoth(self._told, result)
        return result

    def _filed(self, filed: Filed, batch: FileBatch, file: str) -> Receipt:
        self._standing = self._standing.turned(self._wall.now(), is_up=True)
        if filed.was_there:
            log.info("{name}: {file} had arrived before", name=self.name, file=file)
        elif filed.replaced is not None:
            log.warn("{name}: {file} took the place of another", name=self.name, file=file)
            self._report("uplink.file_replaced", {"uplink": self.name, "file": file, "bytes_before": filed.replaced})
        return Receipt(frozenset(record.n for record in batch.records))

    def _failed(self, failure: Failure) -> Failure:
        why = failure.value
        self._standing = self._standing.turned(self._wall.now(), why.detail if isinstance(why, TryLater) else repr(why))
        return failure

    def _told(self, outcome: Receipt | Failure, result: Deferred[Receipt]) -> None:
        self._delivery = None
        if not result.called:  # it is when the sender waited no longer
            result.callback(outcome)

    def _content_of(self, batch: FileBatch) -> Callable[[], bytes]:
        """Makes the file; for the thread, because a day of a device is some hundred thousand numbers."""
        alias = self._alias(batch.records[-1].draft.uid) if batch.records else batch.serial

        def content() -> bytes:
            if self._form == "csv":
                return csv_text(batch.records, batch.columns, self._zone, batch.start).encode()
            return json_text(
                batch.records,
                batch.columns,
                self._zone,
                box=self._box,
                serial=batch.serial,
                alias=alias,
                start=batch.start,
                stop=batch.stop,
            ).encode()

        return content
