"""The room a journal has: how much of it must go so that it stays below its limit and the disk does not become full,
and a ballast that is thrown off when it is full all the same. Hides how a disk is asked."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from attrs import frozen

RESERVE_BYTES = 8 * 2**20
"""How much room there should be for what comes next, on the disk or within the file. A quarter of a smaller journal."""

LOG_BYTES = 8 * 2**20
"""How large SQLite's log beside the file becomes, which counts for the limit. The longer it is, the more pages are
written to the file once that were changed several times, or freed and used again; and the longer a start takes after a
crash."""

BALLAST_BYTES = LOG_BYTES
"""What the log holds and the file has no room for yet must find some when the disk is full."""


@frozen
class Room:
    """The room of a journal of at most `limit_bytes` in a `folder`, None for one in memory."""

    limit_bytes: int
    folder: Path | None = None

    def excess(self, used: int, inside: int) -> int:
        """By how many bytes there is too much in the journal, 0 or less where it is well: `used` bytes of its file hold
        something, and `inside` it are so many for what comes next, which count like those on the disk."""
        over = used + LOG_BYTES - self.limit_bytes
        if self.folder is None:
            return over
        disk = os.statvfs(self.folder)
        left = disk.f_bavail * disk.f_frsize + inside
        return max(over, min(RESERVE_BYTES, used // 4) - left)


@frozen
class Ballast:
    """A file that does nothing but take room on the disk, for SQLite needs some even to delete."""

    path: Path

    @classmethod
    def beside(cls, file: Path) -> Ballast:
        """The ballast of a journal's file."""
        return cls(Path(f"{file}.ballast"))

    def lay(self) -> bool:
        """Takes the room, where the disk has twice as much and more; gives whether it is taken."""
        with suppress(OSError):
            if self.path.exists() and self.path.stat().st_size >= BALLAST_BYTES:
                return True
            disk = os.statvfs(self.path.parent)
            if disk.f_bavail * disk.f_frsize > RESERVE_BYTES:
                self._take()
                return True
        return False

    def throw_off(self) -> None:
        """Gives the room to whoever needs it."""
        with suppress(OSError):
            os.truncate(self.path, 0)

    def _take(self) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
        except OSError:
            os.ftruncate(descriptor, 0)
            raise
        finally:
            os.close(descriptor)
