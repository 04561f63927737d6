"""Makes the peers that are written in C, in a folder that goes when this program ends. Hides the compiler."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

_SOURCES = Path(__file__).with_name("peers")


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="bench-peers-")


@cache
def compiled(name: str) -> Path:
    """The program made from `peers/NAME.c`, with libmodbus where its name begins with that; RuntimeError with the
    compiler's words when it cannot be made."""
    program = Path(_folder().name) / name
    flags = ["-O2", "-Wall", "-Wextra", "-pthread"]
    libraries = _said("pkg-config", "--cflags", "--libs", "libmodbus").split() if name.startswith("libmodbus") else []
    _said("cc", *flags, "-o", str(program), str(_SOURCES / f"{name}.c"), *libraries)
    return program


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise RuntimeError(f"{command[0]} is not there; `make bench-peers` installs it") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{' '.join(command)}: {error.stderr}") from None
