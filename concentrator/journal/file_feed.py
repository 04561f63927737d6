"""Where an uploader of files takes its batches from: `FileFeed` gives whole files, one for each device and period, and
hides the journal behind `api.Feed`; a settled file is not given again, and its being settled is on the disk with the
next commit. A file is given as an outline: its records are fetched when they are sent, a few at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import FileBatch, Wall
from concentrator.journal import filing, intent
from concentrator.journal.filing import Filing
from concentrator.journal.intent import Intent
from concentrator.journal.journal import Journal
from concentrator.journal.outline import Outline
from concentrator.journal.position import Span, pieces
from concentrator.journal.tables import Tables
from concentrator.model.record import Batch, Receipt, Record

log = Logger()

LOOK_AGAIN_S = 60.0
"""How long a feed of files waits at most before it looks at the clock again, which may have been set."""

WATERMARK_S = 1.0
"""How long it waits for the last intervals of a period that is over."""

_WINDOW = 5000
_DECODED = 100


class Watermark(Protocol):
    """Whoever writes intervals."""

    @property
    def closed_until(self) -> int:
        """All intervals that end at or before this moment (UTC seconds) are on the disk."""


@define(eq=False)
class FileFeed:
    """The records of `period_s` as files, one for each device and file period of `latency_s`, given out at the sending
    moments that `time_of_day_s` sets (seconds after local midnight). What a file holds is on the disk before the file
    is given out, and stays the same until it is settled; no period gets a second file."""

    _journal: Journal
    _intervals: Watermark
    _wall: Wall
    _clock: IReactorTime
    _reader: str = field(kw_only=True)
    _period_s: int = field(kw_only=True)
    _latency_s: int = field(kw_only=True, converter=int)
    _time_of_day_s: int = field(kw_only=True, converter=int)
    _zone: ZoneInfo = field(kw_only=True)
    _box_serial: str = field(kw_only=True)
    _reading: DeferredLock = field(factory=DeferredLock, init=False)
    _planned: int = field(default=0, init=False)
    _settling: set[int] = field(factory=set, init=False)

    def read(self) -> Deferred[Batch | None]:
        """The oldest file that is owed, the same until it is settled; None when none is."""
        return self._reading.run(lambda: Deferred.fromCoroutine(self._read()))

    def settle(self, batch: Batch, receipt: Receipt) -> Deferred[None]:
        """Settles a file all of whose records were accepted or rejected; any other is given again."""
        assert isinstance(batch, FileBatch)
        if all(n in receipt.accepted or n in receipt.rejected for n in batch.numbers):
            self._discharge(batch.intent, len(batch.numbers))
        return succeed(None)

    def when_more(self) -> Deferred[None]:
        """Fires at the next sending moment, or a little later when the clock was set."""
        now = self._wall.now()
        if self._newest_stop() not in (None, self._planned):
            pause_s = WATERMARK_S
        else:
            moment = filing.next_moment(now, self._time_of_day_s, self._latency_s, self._zone)
            pause_s = min(LOOK_AGAIN_S, moment - now)
        more: Deferred[None] = Deferred(lambda _: timer.cancel())
        timer = self._clock.callLater(pause_s, more.callback, None)
        return more

    def waiting(self) -> int:
        """How many records are unsettled, those of periods that are not over among them."""
        return self._journal.waiting(self._reader)

    async def _read(self) -> Batch | None:
        stop = self._newest_stop()
        if stop is not None and stop != self._planned and stop <= self._intervals.closed_until:
            await self._plan(stop)
        while owed := await self._journal.query(
            partial(intent.first_owed, reader=self._reader, besides=tuple(self._settling))
        ):
            outline = Outline()
            for i in range(0, len(owed.numbers), _DECODED):
                await self._journal.query(partial(_put_some, numbers=owed.numbers[i : i + _DECODED], into=outline))
            if outline.numbers:
                return self._batch(owed, outline)
            # Its records are gone, with a damaged file or with age; whoever took them has counted them.
            self._discharge(owed.id, 0)
        return None

    async def _plan(self, stop: int) -> None:
        """Makes intents of everything unsettled in the periods up to `stop`."""
        plan = Filing(stop, self._latency_s, self._zone)
        unsettled = self._journal.unsettled(self._reader)
        for span, periods in self._journal.taken(self._reader):  # other ones before history's latency was changed
            for piece in pieces([span], _WINDOW):
                await self._journal.query(partial(_put_all, span=piece, periods=periods, into=plan))
        filed = await self._journal.query(partial(intent.filed, reader=self._reader, files=plan.files))
        intents = plan.intents(self._reader, self._period_s, filed)
        if unsettled:
            span = (unsettled[0][0], unsettled[-1][1])
            await self._journal.entrust(self._reader, span, plan.kept, partial(intent.add, intents=intents))
        self._planned = stop

    def _newest_stop(self) -> int | None:
        """The end of the newest file period whose sending moment has come; None while the time is not known."""
        if not self._wall.is_trusted():
            return None
        moment = filing.last_moment(self._wall.now(), self._time_of_day_s, self._latency_s, self._zone)
        return filing.last_stop(moment, self._latency_s, self._zone)

    def _discharge(self, identity: int, records: int) -> None:
        self._settling.add(identity)
        written = self._journal.discharge(self._reader, records, partial(intent.settle, identity=identity))
        written.addErrback(_log_unwritten).addBoth(lambda _: self._settling.discard(identity))

    def _batch(self, owed: Intent, outline: Outline) -> FileBatch:
        return FileBatch(
            reader=self._reader,
            records=(),
            span=(owed.numbers[0], owed.numbers[-1]),
            stem=filing.stem(self._box_serial, owed.serial, owed.start, owed.stop),
            uid=outline.uid,
            serial=owed.serial,
            columns=outline.columns,
            start=owed.start,
            stop=owed.stop,
            period=outline.period,
            numbers=outline.numbers,
            rows=outline.rows(),
            pick=self._pick,
            intent=owed.id,
        )

    def _pick(self, numbers: Sequence[int]) -> Deferred[Sequence[Record]]:
        return self._journal.query(partial(Tables.numbered, numbers=sorted(numbers)))


def _put_all(tables: Tables, span: Span, periods: Collection[int], into: Filing) -> None:
    for period in periods:
        for n, serial, end in tables.outline(span, period):
            into.put(n, serial, end)


def _put_some(tables: Tables, numbers: Sequence[int], into: Outline) -> None:
    for record in tables.numbered(numbers):
        into.put(record)


def _log_unwritten(failure: Failure) -> None:
    log.failure("a settled batch will be given again after a restart", failure)
