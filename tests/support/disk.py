"""A disk that is watched, bounded, and cut off from its power: what a program did to the files of a folder, step by
step, and what the folder may look like after a power cut at each of them. `disk.c` is the part inside the program."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

from attrs import define, field, frozen

SECTOR = 512
"""What a disk writes whole or not at all, in bytes."""

_HEAD = struct.Struct("=ccHIqqq")
_SOURCE = Path(__file__).with_name("disk.c")


@define
class Watch:
    """A folder whose files are watched: `log` is what was done to them, `size` the file that bounds them."""

    folder: Path
    library: Path
    log: Path
    size: Path

    @classmethod
    def over(cls, folder: Path, beside: Path) -> Watch:
        """Makes what watches the folder, in the folder `beside`."""
        folder.mkdir(parents=True, exist_ok=True)
        library = beside / "disk.so"
        if not library.exists():
            command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(_SOURCE)]
            subprocess.run(command, check=True)
        return cls(folder.resolve(), library, beside / "disk.log", beside / "disk.size")

    def written(self, block: int = 4096) -> Iterator[tuple[int, int]]:
        """For each step how many bytes the disk was given with it, and how many it had to write: for a step that syncs,
        whole blocks, all those of its file that were changed since it was synced last. Names and sizes are not in it,
        nor the file that SQLite shares in memory."""
        changed: dict[str, set[int]] = {}
        for step in self.steps():
            blocks = changed.setdefault(step.name, set())
            if step.kind == "w" and not step.name.endswith("-shm"):
                blocks.update(range(step.at // block, (step.at + step.length - 1) // block + 1))
                yield step.length, 0
            elif step.kind == "s":
                yield 0, len(blocks) * block
                blocks.clear()
            else:
                yield 0, 0

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program that is watched."""
        names = {"DISK_FOLDER": self.folder, "DISK_LOG": self.log, "DISK_SIZE": self.size, "LD_PRELOAD": self.library}
        return {**os.environ, **{name: str(path) for name, path in names.items()}}

    def steps(self) -> list[Step]:
        """What was done, in order."""
        return list(_steps(self.log.read_bytes()))


@frozen
class Step:
    """One thing a program did. `kind`: `o` opened a file that was not there, or emptied it, `w` wrote `data` at `at`,
    `t` set the size to `at`, `s` synced, `r` renamed to the name in `data`, `u` removed, `m` said `data`; `seconds`
    on the monotonic clock; `length` that of `data`, which a brief log leaves out."""

    kind: str
    name: str
    at: int
    data: bytes
    is_new: bool
    seconds: float
    length: int = 0


def _steps(log: bytes) -> Iterator[Step]:
    at = 0
    while at + _HEAD.size <= len(log):
        kind, flag, name_bytes, data_bytes, place, length, nanoseconds = _HEAD.unpack_from(log, at)
        name, begin = at + _HEAD.size, at + _HEAD.size + name_bytes
        at = begin + data_bytes
        yield Step(
            kind.decode(), log[name:begin].decode(), place, log[begin:at], flag != b"\0", nanoseconds / 1e9, length
        )


@define(eq=False)
class _Contents:
    """A file without its name: as the program sees it, as it is on the disk, and what lies between."""

    seen: bytearray = field(factory=bytearray)
    kept: bytearray = field(factory=bytearray)
    unsynced: list[Step] = field(factory=list)


@define(eq=False)
class Storage:
    """The files of a folder while steps are taken: as the program sees them, and as a power cut may leave them. A name
    is kept once the folder was synced, what was written once the file was; of the rest any part may be kept, of the
    names the earlier before the later."""

    _seen: dict[str, _Contents] = field(factory=dict)
    _kept: dict[str, _Contents] = field(factory=dict)
    _names: list[dict[str, _Contents]] = field(factory=list)

    def take(self, step: Step) -> None:
        """Takes a step."""
        if step.kind == "m" or step.name.endswith("-shm"):
            return
        if step.kind in "ru" or (step.kind == "o" and step.is_new):
            self._rename(step)
        elif step.kind == "s" and step.name == ".":
            self._kept, self._names = dict(self._seen), []
        elif step.kind == "s":
            contents = self._seen[step.name]
            contents.kept, contents.unsynced = bytearray(contents.seen), []
        else:
            contents = self._seen[step.name]
            contents.unsynced.append(step)
            _write(contents.seen, step)

    def seen(self) -> dict[str, bytes]:
        """The files as the program sees them: what a crash of the program leaves."""
        return {name: bytes(contents.seen) for name, contents in self._seen.items()}

    def cut(self, random: Random) -> dict[str, bytes]:
        """The files as a power cut may leave them: what was synced, and by chance some of the rest."""
        share = random.choice((0.0, 0.1, 0.5, 0.9))
        names = [self._kept, *self._names][random.randint(0, len(self._names))] if share else self._kept
        return {name: _torn(contents, share, random) for name, contents in names.items()}

    def _rename(self, step: Step) -> None:
        if step.kind == "o":
            self._seen[step.name] = _Contents()
        else:
            contents = self._seen.pop(step.name)
            if step.kind == "r":
                self._seen[step.data.decode()] = contents
        self._names.append(dict(self._seen))


def _write(into: bytearray, step: Step) -> None:
    if step.kind in "to":
        del into[step.at :]
    end = step.at + len(step.data)
    into.extend(bytes(max(0, end - len(into))))
    into[step.at : end] = step.data


def _torn(contents: _Contents, share: float, random: Random) -> bytes:
    """What was synced of a file, and that share of the sectors that were written since."""
    left = bytearray(contents.kept)
    for step in contents.unsynced if share else ():
        if step.kind != "w":
            if random.random() < share:
                _write(left, step)
            continue
        first, last = step.at // SECTOR, (step.at + len(step.data) - 1) // SECTOR
        for sector in range(first, last + 1):
            if random.random() < share:
                low, high = max(step.at, sector * SECTOR), min(step.at + len(step.data), (sector + 1) * SECTOR)
                part = Step("w", step.name, low, step.data[low - step.at : high - step.at], False, step.seconds)
                _write(left, part)
    return bytes(left)
