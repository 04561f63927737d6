"""The mark beside the journal's file. It is locked while a process uses the file, tells whether that process closed it
and from which number on it wrote, and helps to tell a file from a copy of it that was put in its place. Hides what it
says and how."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from attrs import define

from concentrator.model.errors import JournalError

_OPEN, _SHUT = "open", "shut"
_ROOM = 64

Place = dict[str, int | str]
"""What a file notes of where it is: its own inode, the mark's token, and when the mark was last changed, which no copy
can be given."""


@define
class Mark:
    """A locked mark. `was_open`: the file was not closed when it was last used, and `first_n` is the lowest number
    that was given then; `token`: what the mark says besides."""

    descriptor: int
    was_open: bool = False
    first_n: int = 0
    token: str = ""

    @classmethod
    def locked(cls, path: Path) -> Mark:
        """Opens and locks the mark of the file at `path`, making it where there is none; the lock goes with the
        process, however it ends. Raises JournalError where another process has it, OSError where the disk refuses."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(f"{path}.mark", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise JournalError(f"{path} is used by another process") from error
        token, state, first_n, *_ = (os.pread(descriptor, _ROOM, 0).decode("ascii", "replace") + "   ").split(" ")
        return cls(descriptor, state == _OPEN, int(first_n) if first_n.isdecimal() else 0, token)

    def place(self, path: Path) -> Place:
        """Where the file at `path` is now."""
        return {"inode": os.stat(path).st_ino, "token": self.token, "marked": _changed(self.descriptor)}

    def write(self, token: str, first_n: int | None) -> None:
        """Says, synced, that the file is open and the next number to be given, or for None that it is closed. The
        token is to be a new one: what a file noted of its place before is then no longer true."""
        self.token = token
        said = f"{token} {_SHUT if first_n is None else f'{_OPEN} {first_n}'} "
        os.pwrite(self.descriptor, said.encode().ljust(_ROOM), 0)
        os.fsync(self.descriptor)

    def release(self) -> None:
        """Lets go of it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _changed(descriptor: int) -> int:
    return os.fstat(descriptor).st_ctime_ns
