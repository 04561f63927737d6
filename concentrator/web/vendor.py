"""What is shipped with the portal and was made by others: uPlot, which draws its charts. It is fetched from the npm
registry when the package is built, checked against what it has to be, and laid beside our own files. Without a network
the package is built without it, and the portal shows tables where charts would be. Nothing but the build needs this."""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from setuptools.command.build_py import build_py

ADDRESS = "https://registry.npmjs.org/uplot/-/uplot-1.6.32.tgz"
INTEGRITY = "KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=="
"""SHA-512 of the archive in base64, as the registry has it (dist.integrity)."""
FILES = {
    "package/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "package/dist/uPlot.min.css": "uPlot.min.css",
    "package/LICENSE": "uPlot.licence.txt",
}
"""What is taken out of the archive, and its name here."""
FOLDER = Path(__file__).parent / "static" / "vendor"
_PATIENCE_S = 30.0


def fetched() -> bytes:
    """The archive from the registry. Raises OSError."""
    with urlopen(ADDRESS, timeout=_PATIENCE_S) as answer:
        found: bytes = answer.read()
        return found


def lay(folder: Path, fetch: Callable[[], bytes] = fetched) -> str:
    """Sees to it that the files are in the folder; gives why they are not, empty where they are."""
    if all((folder / name).is_file() for name in FILES.values()):
        return ""
    try:
        archive = fetch()
    except OSError as error:
        return f"{ADDRESS} cannot be fetched ({error})"
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != INTEGRITY:
        return f"{ADDRESS} is not what it was: its SHA-512 is another one"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as held:
        for path, name in FILES.items():
            file = held.extractfile(path)
            assert file is not None, "the archive is the one it has to be"
            (folder / name).write_bytes(file.read())
    return ""


class BuildPy(build_py):
    """The build of the package, with that in it."""

    def run(self) -> Any:
        """Builds."""
        why_not = lay(FOLDER)
        if why_not:
            print(f"warning: the portal is built without charts: {why_not}", file=sys.stderr)
        super().run()


if __name__ == "__main__":
    sys.exit(lay(FOLDER))
