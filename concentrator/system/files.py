"""Small files that are whole or not there: written beside their place, put on the disk, then moved into it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
    """Replaces a file's content so that a power cut leaves the old or the new one. `owner`: user and group, as far as
    the system lets us. OSError as the system has it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if owner is not None:
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def rewrite(path: Path, content: bytes) -> None:
    """Replaces the content of a file that people own: its mode and owner stay, and what it was lies beside it as
    `<name>.previous`. A link is followed. OSError as the system has it."""
    path = path.resolve(strict=True)
    kept = path.stat()
    mode, owner = kept.st_mode & 0o7777, (kept.st_uid, kept.st_gid)
    write_whole(path.with_name(f"{path.name}.previous"), path.read_bytes(), mode, owner)
    write_whole(path, content, mode, owner)
