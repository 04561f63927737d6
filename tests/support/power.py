"""Power cuts: a journal at work in a process of its own, whose disk is watched; then its files as they may be after a
cut at any moment, opened again and held to what the process had said by then."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from attrs import define

from tests.support.disk import Step, Storage, Watch
from tests.support.journals import Bench, event
from tests.support.promises import READERS, Promises, check

_ROOT = Path(__file__).parents[2]
_CUTS_NOTED = {"journal.copied"}
"""What a journal may report after a cut: one between the two writes with which a file notes its place."""


@define
class Story:
    """What a process did to a folder. `inode`: another name of the journal's file, whose identity it keeps."""

    watch: Watch
    steps: list[Step]
    inode: Path


def recorded(folder: Path, beside: Path, seed: int, lines: int, sessions: int = 2) -> Story:
    """Has a journal work in the folder in that many processes, one after the other, each until it is killed after it
    had said so many lines, and gives what they did."""
    watch = Watch.over(folder, beside)
    path = watch.folder / "journal.db"
    begin = 0
    for session in range(sessions):
        command = [sys.executable, "-m", "tests.support.journal_child", str(path), str(seed + session), str(begin)]
        with (beside / "words").open("w") as words:
            child = subprocess.Popen(
                [*command, "and-age"], cwd=_ROOT, env=watch.environment, stdout=subprocess.PIPE, stderr=words
            )
        for _ in range(lines):
            child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        child.stdout.read()
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL, (beside / "words").read_text()
        begin += 10**6
    inode = beside / "journal.inode"
    os.link(path, inode)
    return Story(watch, watch.steps(), inode)


def survived(story: Story, seed: int, every: int = 1, cuts: int = 1) -> Iterator[Promises]:
    """Goes through the story; before every so many steps the power is cut: once so that all that was written is on the
    disk, and `cuts` times so that only what was synced is there, and by chance some of the rest. Each time the journal
    is held to what had been said; that is given."""
    random = Random(seed)
    storage, promises, said = Storage(), Promises(), b""
    for number, step in enumerate(story.steps):
        if number % every == 0:
            for files in (storage.seen(), *(storage.cut(random) for _ in range(cuts))):
                _open_again(story, files, promises)
            yield promises
        storage.take(step)
        if step.kind == "m":
            *lines, said = (said + step.data).split(b"\n")
            for line in lines:
                promises.heard(*line.decode().split())


def _open_again(story: Story, files: dict[str, bytes], promises: Promises) -> None:
    folder = story.watch.folder
    shutil.rmtree(folder)
    folder.mkdir()
    for name, contents in files.items():
        if name == "journal.db":
            os.link(story.inode, folder / name)
        with (folder / name).open("wb") as file:
            file.write(contents)
    bench = Bench(folder / "journal.db")
    journal = bench.journal()
    for reader, periods in READERS.items():
        journal.register(reader, periods)
    (found,) = journal._tables.sql.execute("PRAGMA quick_check(1)").fetchone()
    assert found == "ok"
    check(journal, promises)
    (record,) = bench.append(journal, event())
    assert record.n > max(promises.appended, default=0)
    bench.end()
    assert set(bench.reported()) <= _CUTS_NOTED, bench.reports
