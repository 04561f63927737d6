"""Records and the feeds they come from, made to measure."""

from __future__ import annotations

from datetime import tzinfo

from attrs import define, field
from twisted.internet.defer import Deferred, succeed

from concentrator.api import FileBatch
from concentrator.journal.export import CsvForm
from concentrator.journal.outline import Outline
from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Batch, Draft, Receipt, Record, Tally

NOW = 1_795_860_900
"""2026-11-28T10:15:00Z, on a boundary of every latency."""

VOLTAGE = Quantity("v1", "V", Kind.INSTANTANEOUS, "voltage L1", 1)
POWER = Quantity("p", "W", Kind.INSTANTANEOUS, "active power", 0)
ENERGY = Quantity("ea_imp", "kWh", Kind.COUNTER, "active energy imported", 2)
FACTOR = Quantity("pf", "", Kind.INSTANTANEOUS, "power factor", 3)
COLUMNS = (VOLTAGE, POWER, ENERGY, FACTOR)


class FixedWall:
    """A wall clock that stands until it is moved."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def is_trusted(self) -> bool:
        return True


def steps(value: int) -> Tally:
    """A tally of one sample."""
    return Tally(1, value, value, value, value)


def interval(
    n: int,
    end: int = NOW,
    *,
    period: int = 10,
    serial: str = "0420020081",
    uid: str = "main",
    tallies: tuple[Tally | None, ...] | None = None,
    quality: Quality = Quality.GOOD,
) -> Record:
    """An interval record; its values follow from `n` where none are given."""
    if tallies is None:
        tallies = (steps(2300 + n), steps(n), steps(100 * n + 7), None)
    return Record("k3f9", n, Draft(uid, serial, end, period, COLUMNS, tallies, quality))


def event(n: int, end: int = NOW, /, **facts: object) -> Record:
    """An event record."""
    return Record("k3f9", n, Draft("main", "0420020081", end, 0, event={"name": "device_lost", **facts}))


def batch(*records: Record, reader: str = "mqtt") -> Batch:
    """A batch of these records."""
    numbers = [record.n for record in records] or [0]
    return Batch(reader, records, (min(numbers), max(numbers)))


def file_batch(*records: Record, start: int = NOW - 3600, stop: int = NOW, serial: str = "0420020081") -> FileBatch:
    """A batch that is a file."""
    plain = batch(*records, reader="ftp")
    outline = Outline()
    for record in records:
        outline.put(record)
    held = {record.n: record for record in records}
    return FileBatch(
        reader=plain.reader,
        records=(),
        span=plain.span,
        stem=f"4220080001_{serial}_{start}_{stop}",
        uid=outline.uid,
        serial=serial,
        columns=COLUMNS,
        start=start,
        stop=stop,
        period=outline.period,
        numbers=outline.numbers,
        rows=outline.rows(),
        pick=lambda numbers: succeed([held[n] for n in numbers]),
    )


def csv_of(file: FileBatch, zone: tzinfo) -> str:
    """The content of a file of `file_batch` as CSV."""
    form = CsvForm(file.columns, zone, file.start)
    return form.head() + form.rows(file.pick(file.rows).result) + form.tail()


@define(slots=False)
class MemoryFeed:
    """A feed over a list: the oldest unsettled records first, `limit` at a time."""

    records: list[Record]
    limit: int = 20
    settled: list[tuple[Batch, Receipt]] = field(factory=list)
    _waiters: list[Deferred[None]] = field(factory=list)

    def read(self) -> Deferred[Batch | None]:
        return succeed(batch(*self.records[: self.limit]) if self.records else None)

    def settle(self, batch: Batch, receipt: Receipt) -> Deferred[None]:
        self.settled.append((batch, receipt))
        gone = receipt.accepted | receipt.rejected.keys()
        self.records = [record for record in self.records if record.n not in gone]
        return succeed(None)

    def when_more(self) -> Deferred[None]:
        if self.records:
            return succeed(None)
        self._waiters.append(Deferred())
        return self._waiters[-1]

    def waiting(self) -> int | None:
        return len(self.records)

    def add(self, *records: Record) -> None:
        self.records.extend(records)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)

    @property
    def accepted(self) -> list[int]:
        """The numbers the far side has taken, in the order it did."""
        return [n for _, receipt in self.settled for n in sorted(receipt.accepted)]
