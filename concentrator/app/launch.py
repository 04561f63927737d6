"""How the program starts itself in a process of its own: `twistd` of the same interpreter, finding this very package,
whether it lies in a checkout or in an installation."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import concentrator

_RUN = "from twisted.scripts.twistd import run; run()"


def twistd(config: Path | str, *options: str) -> list[str]:
    """The command that runs the service of a configuration file in the foreground; `options` are twistd's own."""
    script = Path(sys.executable).with_name("twistd")
    start = [str(script)] if script.exists() else [sys.executable, "-c", _RUN]
    return [*start, "-n", "--pidfile=", *options, "ccmaster", "--config", str(config)]


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for it: `given`, or this process's, with this package to be found first."""
    surroundings = dict(os.environ if given is None else given)
    roots = [str(Path(concentrator.__file__).parents[1]), surroundings.get("PYTHONPATH", "")]
    return surroundings | {"PYTHONPATH": os.pathsep.join(filter(None, roots))}
