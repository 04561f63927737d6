"""The past on the disk: bytes a value, processor time a value, and how long a variable's day and month take, beside a
plain wide SQLite table, RRDtool and whisper. The values are those of a random but plausible meter of 40 variables at
one minute: energy counters, states, and analogue values that wander."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from attrs import frozen

from bench.stores import ANALOGUES, BEGIN, COUNTERS, DIGITS, STATES, STORES, VARIABLES, Journalled, Store
from bench.table import Column, table
from concentrator.model.quantity import Kind
from concentrator.model.record import Draft, Tally

DEVICES, DAYS = 40, 31
SCALED = {"RRDtool": 1, "whisper": 1}
"""How many devices those get that keep each in files of its own, so that more change nothing for a value."""

_POINTWISE = {"whisper": 1440}
"""How many of the minutes, the last ones, those get that take points one by one: it takes them very long."""

_MINUTES_A_DAY = 1440
_QUERIES = 15
_READINGS, _BASE_S, _BASE_DEVICES = 3, 10, 4


@frozen
class Run:
    """What a store did: bytes and microseconds of processor time a value, the latter also for what was made small
    afterwards, and milliseconds for a variable's day and month of minutes (None: that was not tried)."""

    master: str
    bytes: float
    ingest_us: float
    later_us: float
    day_ms: float | None
    month_ms: float | None
    bus: str


_COLUMNS = (
    Column("bytes/value", lambda run: run.bytes, ".2f", has_ratio=True),
    Column("ingest us/value", lambda run: run.ingest_us, ".2f", has_ratio=True),
    Column("compaction us/value", lambda run: run.later_us or None, ".2f"),
    Column("day ms", lambda run: run.day_ms, ".2f", has_ratio=True),
    Column("month ms", lambda run: run.month_ms, ".2f", has_ratio=True),
)


def measured(repetitions: int, told: Callable[[str], None], devices: int = DEVICES, days: int = DAYS) -> list[Run]:
    """Fills every store once, a day of each in turn; asks each as often as asked for."""
    minutes = days * _MINUTES_A_DAY
    values = meter(minutes)
    with ExitStack() as stack:
        stores: dict[str, tuple[Store, int]] = {}
        for name, make in STORES.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="store-")))
            count = min(devices, SCALED.get(name, devices))
            stores[name] = make(folder, count, minutes), count
        for day in range(days):
            told(f"day {day + 1} of {days}")
            for name, (store, count) in stores.items():
                first = max(day * _MINUTES_A_DAY, minutes - _POINTWISE.get(name, minutes))
                for number in range(first, (day + 1) * _MINUTES_A_DAY):
                    # Every device has the same values, each begun elsewhere.
                    store.take(number, [values[(number + 997 * device) % minutes] for device in range(count)])
        asked = [
            (
                name,
                _median_ms(store, count, seed, 1, range(days)[-1 if name in _POINTWISE else 0 :]),
                None if name in _POINTWISE else _median_ms(store, count, seed, days, range(1)),
            )
            for seed in range(repetitions)
            for name, (store, count) in stores.items()
            if not told(f"questions, {seed + 1} of {repetitions}")
        ]
        sizes = {name: store.end() for name, (store, _) in stores.items()}
    runs = []
    for name, day_ms, month_ms in asked:
        store, count = stores[name]
        given = min(minutes, _POINTWISE.get(name, minutes)) * count * VARIABLES
        size = sizes[name] / (minutes * count * VARIABLES)
        taken_us, later_us = (1e6 * each / given for each in (store.cpu_s - store.later_s, store.later_s))
        runs.append(Run(name, size, taken_us, later_us, day_ms, month_ms, f"{days} days of minutes"))
    told("records of several readings")
    return [*runs, _base_records()]


def meter(minutes: int) -> list[list[int]]:
    """The values of a meter, minute by minute, in steps of their digits; the same each time."""
    draw = random.Random(7)
    state = [draw.uniform(1, 400) for _ in range(VARIABLES)]
    rows = []
    for _ in range(minutes):
        for i in range(VARIABLES):
            if i < COUNTERS:
                state[i] += draw.random() * 3
            elif i < COUNTERS + STATES:
                state[i] = float(draw.random() < 0.01)
            else:
                state[i] += draw.gauss(0, 0.3)
        rows.append([round(value * 10**digits) for value, digits in zip(state, DIGITS, strict=True)])
    return rows


def _median_ms(store: Store, devices: int, seed: int, days: int, firsts: range) -> float:
    """The middle of several questions for so many days of one variable, each about another device, variable and first
    day; what they need has been read from the disk before."""
    draw = random.Random(seed)
    questions = [
        (
            draw.randrange(devices),
            COUNTERS + STATES + draw.randrange(ANALOGUES),
            _MINUTES_A_DAY * draw.choice(firsts),
            _MINUTES_A_DAY * days,
        )
        for _ in range(_QUERIES)
    ]
    for question in questions:
        store.ask(*question)
    taken = []
    for question in questions:
        store.rest()
        began = time.perf_counter()
        store.ask(*question)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def _base_records() -> Run:
    """A day of our own base records: each ten seconds with mean, least, most and last of three readings. A value is a
    column of a record, extremes included."""
    draw = random.Random(7)
    count = 86_400 // _BASE_S
    with tempfile.TemporaryDirectory(prefix="store-") as folder:
        journal = Journalled(Path(folder))
        states = [[draw.uniform(1, 400) for _ in range(VARIABLES)] for _ in range(_BASE_DEVICES)]
        for number in range(1, count + 1):
            drafts = []
            for device, state in enumerate(states):
                steps = [_wandered(state, draw) for _ in range(_READINGS)]
                runs = zip(*steps, strict=True)
                tallies = [_tally(column.kind, run) for column, run in zip(journal.columns, runs, strict=True)]
                end = BEGIN + _BASE_S * number
                name = f"meter-{device:02}"
                drafts.append(Draft(name, name, end, _BASE_S, journal.columns, tallies))
            journal.keep(drafts, BEGIN + _BASE_S * number)
        size = journal.end()
    given = count * _BASE_DEVICES * VARIABLES
    taken_us, later_us = (1e6 * each / given for each in (journal.cpu_s - journal.later_s, journal.later_s))
    return Run("ccmaster", size / given, taken_us, later_us, None, None, "1 day, 3 readings in 10 s")


def _wandered(state: list[float], draw: random.Random) -> list[int]:
    """The next reading: a third of ten seconds is a twentieth of a minute."""
    for i in range(VARIABLES):
        if i < COUNTERS:
            state[i] += draw.random() * 3 / 18
        elif i < COUNTERS + STATES:
            state[i] = float(draw.random() < 0.01 / 18)
        else:
            state[i] += draw.gauss(0, 0.3 / 18**0.5)
    return [round(value * 10**digits) for value, digits in zip(state, DIGITS, strict=True)]


def _tally(kind: Kind, steps: Sequence[int]) -> Tally:
    if kind is Kind.INSTANTANEOUS:
        return Tally(len(steps), sum(steps), min(steps), max(steps), steps[-1])
    return Tally(len(steps), *steps[-1:] * 4)


def report(runs: list[Run]) -> str:
    """The results in words and a table."""
    scaled = ", ".join(f"{name} with {count}" for name, count in SCALED.items())
    return (
        f"Minute values of {DEVICES} devices with {VARIABLES} variables each, interleaved; {scaled}, since they keep\n"
        f"each in files of its own. whisper has room for all days and is given the last one, point by point. Each\n"
        f"minute is one synced commit of ours and of the wide table; the others sync nothing. Questions are for one\n"
        f"variable of one device, with nothing to be read from the disk. Ingest is without what each needs to make\n"
        f"its arguments, and ours without compaction, which comes later and is shown apart.\n\n"
        f"{table(runs, _COLUMNS, *(name for name in STORES if name != 'ccmaster'))}"
    )
