"""The machine's own programs that know of its modems, found where the box's environment says."""

from __future__ import annotations

import os
import shutil
from typing import Any

from concentrator.system.program import Program


def mmcli(reactor: Any) -> Program:
    """ModemManager's."""
    return _found(reactor, "mmcli", "ModemManager")


def nmcli(reactor: Any) -> Program:
    """NetworkManager's."""
    return _found(reactor, "nmcli", "NetworkManager")


def _found(reactor: Any, called: str, comes_with: str) -> Program:
    # In English, for what they say of a state is compared; and without an UTF-8 locale mmcli takes no text beyond
    # ASCII, and says question marks for what came.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    return Program(reactor, shutil.which(called), environment, called, comes_with)
