"""The network cards of this machine, as Linux shows them. Hides where it keeps them."""

from __future__ import annotations

import re
from pathlib import Path

_NO_MAC = "00:00:00:00:00:00"


def uplink_mac(system: Path = Path("/sys/class/net"), routes: Path = Path("/proc/net/route")) -> str:
    """The MAC address of the card that leads to the Internet, in capitals with colons; where none does, that of the
    first one by name that has an address; empty where there is none."""
    named = _default_card(routes)
    cards = sorted(folder.name for folder in system.iterdir()) if system.is_dir() else []
    found = (_mac(system / card) for card in (*([named] if named else ()), *cards))
    return next(filter(None, found), "")


def bytes_moved(card: str, system: Path = Path("/sys/class/net")) -> int | None:
    """How many bytes a card has received and sent; None where it is not there, or no name is given."""
    if not re.fullmatch(r"\w[\w.-]*", card):
        return None
    try:
        return sum(int((system / card / "statistics" / each).read_text()) for each in ("rx_bytes", "tx_bytes"))
    except (OSError, ValueError):
        return None


def _default_card(routes: Path) -> str:
    """The card of the default route with the lowest metric."""
    try:
        lines = routes.read_text().splitlines()[1:]
    except OSError:
        return ""
    fields = (line.split() for line in lines)
    default = [(int(each[6]), each[0]) for each in fields if len(each) > 7 and each[1] == each[7] == "00000000"]
    return min(default)[1] if default else ""


def _mac(card: Path) -> str:
    try:
        mac = (card / "address").read_text().strip().upper()
    except OSError:
        return ""
    return mac if re.fullmatch(r"([0-9A-F]{2}:){5}[0-9A-F]{2}", mac) and mac != _NO_MAC else ""
