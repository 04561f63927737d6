"""`ccmaster export`: a range of history as CSV or JSON, read from the journal's file beside whoever is writing it.
Hides what is assumed of what was not said, and that a file is whole or not there."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from concentrator.app.cli_parts import DONE, complain, wrong
from concentrator.app.config import load
from concentrator.app.config_sections import Config
from concentrator.app.progress import Bar
from concentrator.app.records import read_only
from concentrator.journal.extract import Extract, Wanted
from concentrator.journal.tables import Tables
from concentrator.model.errors import ConfigError, Unknown
from concentrator.model.latency import format_duration
from concentrator.model.moment import RULE, moment
from concentrator.system.identity import kept_serial


def main(options: argparse.Namespace) -> int:
    """Carries the command out; gives its exit status. Raises ConfigError, JournalError, Unknown or OSError."""
    config = _config(options)
    state_dir = options.state_dir or config.box.state_dir
    zone = options.timezone or config.box.timezone
    now = time.time()
    start = _moment("--from", options.start, now, zone, is_end=False)
    stop = _moment("--to", options.stop, now, zone, is_end=True)
    if start >= stop:
        wrong(f"--from: found {options.start!r}, expected a moment before --to {options.stop!r}")
    with read_only(state_dir) as tables:
        period_s = _period(tables, options.period, config.history.latency_s)
        wanted = Wanted(start, stop, period_s, tuple(options.device), tuple(options.variable), options.form)
        extract = Extract(wanted, zone, kept_serial(state_dir), lambda uid: _alias(config, uid))
        with _target(options.output) as target:
            _write(extract, tables, target)
    if not extract.rows:
        complain([f"ccmaster: no records of {format_duration(period_s)} in that range"])
    return DONE


def _write(extract: Extract, tables: Tables, target: BinaryIO) -> None:
    is_seen = target.isatty()  # a bar would run into what is shown
    bar = None if is_seen else Bar(sys.stderr)
    try:
        for job in extract.jobs():
            target.write(tables.query(job).encode())
            if bar is not None:
                bar.tell(extract.share, f"{extract.rows} rows")
        target.flush()
    finally:
        if bar is not None:
            bar.end()


def _config(options: argparse.Namespace) -> Config:
    """The configuration; the defaults where there is none that could be read but the state folder was named."""
    try:
        return load(options.config)
    except ConfigError:
        if options.state_dir is None:
            raise
        return Config(options.config)


def _moment(option: str, text: str, now: float, zone: ZoneInfo, *, is_end: bool) -> int:
    try:
        return moment(text, now, zone, is_end=is_end)
    except ValueError:
        wrong(f"{option}: found {text!r}, expected {RULE}")


def _period(tables: Tables, asked: int | None, history_s: int) -> int:
    """The period of records asked for; without that history's, else the longest one there is. Raises Unknown."""
    there = [period for period in tables.periods() if period]
    if asked is None:
        return history_s if history_s in there or not there else there[-1]
    if there and asked not in there:
        raise Unknown(
            f"records of {format_duration(asked)}: there are those of {', '.join(map(format_duration, there))}"
        )
    return asked


def _alias(config: Config, uid: str) -> str:
    section = config.devices.get(uid)
    return section.device(uid).label if section is not None else uid


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    """Where to write: the standard output, or a file that has its name once it is whole."""
    if output is None:
        yield sys.stdout.buffer
        return
    unfinished = output.with_name(f".{output.name}.part")
    try:
        with open(unfinished, "wb") as file:
            yield file
        os.replace(unfinished, output)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
