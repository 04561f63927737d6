"""What ModemManager's program `mmcli` says with -J: objects within objects. Hides how it writes what it does not know.

Source: ModemManager's cli/mmcli-output.c.
"""

from __future__ import annotations

from typing import Any

_NONE = "--"


def said_at(said: Any, *names: str) -> Any:
    """What it said deep in an object, None where nothing."""
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def text_at(said: Any, *names: str) -> str:
    """The same of a text, empty where there is none."""
    found = said_at(said, *names)
    return found if isinstance(found, str) and found != _NONE else ""
