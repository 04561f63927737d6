"""A range of history as one text, for whoever asks. Pure but for the tables it is given: the work is a row of small
jobs, each of which looks at some records and gives the next piece of the text, so that a range of years takes no more
memory than an hour and nobody else who uses the tables waits long.

One device looks as it does in a file that is sent; several are told apart by a column in CSV and are one section each
in JSON, in both cases one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from functools import partial
from typing import Literal

from attrs import define, field, frozen

from concentrator.journal import codec
from concentrator.journal.export import VERSION, CsvForm, Form, JsonForm, json_file, json_text, local_time
from concentrator.journal.tables import Tables
from concentrator.model.errors import Unknown
from concentrator.model.quantity import Quantity
from concentrator.model.words import hint

RECORDS = 100
"""About how many records of a device a job looks at."""
_DAY_S = 86_400
_LAYOUT_RECORDS = 1000

Job = Callable[[Tables], str]


@frozen
class Wanted:
    """What to extract: the records of `period_s` that end in (start, stop], UTC seconds. `devices`: short ids or
    serials, all where it is empty; `variables`: likewise, and their order."""

    start: int
    stop: int
    period_s: int
    devices: Sequence[str] = ()
    variables: Sequence[str] = ()
    form: Literal["csv", "json"] = "csv"


@define(eq=False)
class _Section:
    """A device: what the journal is asked for it by (its short id, or one of its serials), its names, and when it was
    last seen with each list of columns."""

    key: str
    uid: str
    serial: str
    _seen: dict[tuple[Quantity, ...], int] = field(factory=dict, init=False)

    def learn(self, uid: str, serial: str, columns: tuple[Quantity, ...], last: int) -> None:
        """Takes note of columns it had until some end."""
        if last >= max(self._seen.values(), default=0):
            self.uid, self.serial = uid, serial
        self._seen[columns] = max(last, self._seen.get(columns, 0))

    @property
    def columns(self) -> dict[str, Quantity]:
        """Its newest columns by name, and after them any that only older records have."""
        return _joined({column.name: column for column in each} for each in sorted(self._seen, key=self._age))

    def _age(self, columns: tuple[Quantity, ...]) -> int:
        return -self._seen[columns]


@define(eq=False)
class Extract:
    """An extract of `wanted` of the box `box`, with times in `zone`; `alias` gives a device's name by its uid. `jobs`
    is gone through once, each job done before the next is asked for; `rows` and `share` (0 … 1) tell how far it is."""

    _wanted: Wanted
    _zone: tzinfo
    _box: str
    _alias: Callable[[str], str]
    rows: int = field(default=0, init=False)
    share: float = field(default=0.0, init=False)
    _at: int = field(init=False)
    _sections: list[_Section] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._at = self._wanted.start

    def jobs(self) -> Iterator[Job]:
        """The jobs; those before the first that gives text may raise Unknown, naming a device or a variable."""
        yield self._find
        layouts_s = _LAYOUT_RECORDS * self._wanted.period_s
        while self._at < self._wanted.stop:
            yield partial(self._learn, layouts_s)
        self._choose()
        is_one = bool(self._wanted.devices) and len(self._sections) == 1
        if self._wanted.form == "csv":
            columns = _joined(section.columns for section in self._sections)
            form = CsvForm(self._chosen(columns), self._zone, self._wanted.start, has_device=not is_one)
            yield lambda tables: form.head()
            for place, section in enumerate(self._sections):
                yield from self._rows(place, section, form)
        elif is_one:
            yield from self._section(0, self._sections[0], self._file(self._sections[0]))
        else:
            yield self._open
            for place, section in enumerate(self._sections):
                if place:
                    yield lambda tables: ","
                yield from self._section(place, section, self._part(section))
            yield lambda tables: "]}\n"
        self.share = 1.0

    # -- what there is

    def _find(self, tables: Tables) -> str:
        """The devices asked for, by uid; those of a serial alone where that was asked for."""
        known = tables.devices()
        for name in dict.fromkeys(self._wanted.devices):
            found = [pair for pair in known if name in pair]
            if not found:
                names = {each for pair in known for each in pair if each}
                raise Unknown(f"records of device {name}{hint(name, names)}")
            self._sections.append(_Section(name, *found[-1]))
        if not self._wanted.devices:
            newest = {uid: serial for uid, serial in known if uid}
            self._sections = [_Section(uid, uid, serial) for uid, serial in sorted(newest.items())]
        return ""

    def _learn(self, window_s: int, tables: Tables) -> str:
        """The columns in the next window."""
        stop = min(self._wanted.stop, self._at + window_s)
        for uid, serial, columns, newest in _layouts(tables, self._wanted.period_s, self._at, stop):
            for section in self._sections:
                if section.key in (uid, serial):
                    section.learn(uid, serial, columns, newest)
        self._at = stop if stop == self._wanted.stop else self._after(tables, stop)
        return ""

    def _choose(self) -> None:
        if not self._wanted.devices:
            self._sections = [section for section in self._sections if section.columns]
        there = _joined(section.columns for section in self._sections)
        for name in self._wanted.variables:
            if there and name not in there:
                raise Unknown(f"variable {name}{hint(name, there)}")

    def _chosen(self, columns: dict[str, Quantity]) -> tuple[Quantity, ...]:
        names = self._wanted.variables or tuple(columns)
        return tuple(columns[name] for name in names if name in columns)

    # -- the text

    def _file(self, section: _Section) -> JsonForm:
        return json_file(
            self._chosen(section.columns),
            self._zone,
            box=self._box,
            serial=section.serial,
            alias=self._alias(section.uid),
            start=self._wanted.start,
            stop=self._wanted.stop,
            period=self._wanted.period_s,
        )

    def _part(self, section: _Section) -> JsonForm:
        facts: dict[str, object] = {"device": section.uid, "serial": section.serial, "alias": self._alias(section.uid)}
        return JsonForm(facts, self._chosen(section.columns), self._zone, self._wanted.start)

    def _open(self, tables: Tables) -> str:
        facts = {
            "v": VERSION,
            "box": self._box,
            "start": local_time(self._wanted.start, self._zone),
            "end": local_time(self._wanted.stop, self._zone),
            "period": self._wanted.period_s,
        }
        return json_text(facts).removesuffix("}") + ',"devices":['

    def _section(self, place: int, section: _Section, form: Form) -> Iterator[Job]:
        yield lambda tables: form.head()
        yield from self._rows(place, section, form)
        yield lambda tables: form.tail()

    def _rows(self, place: int, section: _Section, form: Form) -> Iterator[Job]:
        self._at = self._wanted.start
        whole = max(1, self._wanted.stop - self._wanted.start)
        while self._at < self._wanted.stop:
            yield partial(self._window, section, form)
            self.share = (place + (self._at - self._wanted.start) / whole) / len(self._sections)

    def _window(self, section: _Section, form: Form, tables: Tables) -> str:
        """The rows of the next window, after which it goes on where there are records again."""
        period = self._wanted.period_s
        stop = min(self._wanted.stop, self._at + min(_DAY_S, RECORDS * period))
        found = tables.select(section.key, period, self._at, stop)
        self.rows += len(found)
        self._at = stop if found else self._after(tables, stop)
        return form.rows(found)

    def _after(self, tables: Tables, at: int) -> int:
        """Where to go on after a moment, up to which everything was seen."""
        following = tables.next_end(self._wanted.period_s, at)
        return self._wanted.stop if following is None else min(self._wanted.stop, max(at, following - 1))


def _joined(columns: Iterable[dict[str, Quantity]]) -> dict[str, Quantity]:
    """The columns of all, those of the first first."""
    found: dict[str, Quantity] = {}
    for each in columns:
        for name, column in each.items():
            found.setdefault(name, column)
    return found


def _layouts(tables: Tables, period: int, start: int, stop: int) -> list[tuple[str, str, tuple[Quantity, ...], int]]:
    """Short id and serial of each device with records that end in (start, stop], each list of columns it has in them
    or close to them, and the last end with it."""
    found = tables.sql.execute(
        "SELECT uid, serial, columns, max(last) FROM ("
        " SELECT device, layout, max(stop) AS last FROM record WHERE period = ?1 AND stop > ?2 AND stop <= ?3"
        " GROUP BY device, layout UNION ALL"
        " SELECT device, layout, max(last_end) FROM block WHERE period = ?1 AND last_end > ?2 AND first_end <= ?3"
        " GROUP BY device, layout"
        ") JOIN device ON device.id = device JOIN layout ON layout.id = layout"
        " GROUP BY device, layout ORDER BY uid, serial, 4",
        (period, start, stop),
    )
    return [(uid, serial, codec.load_columns(columns), last) for uid, serial, columns, last in found]
