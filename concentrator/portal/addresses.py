"""The addresses of the pages of devices and lines, for whatever links to them."""

from __future__ import annotations

from urllib.parse import quote

RESERVED = frozenset({"add", "catalogue", "ccm", "external", "link", "scan"})
"""Short ids whose address is another page's; theirs begins with a tilde, as do those that begin with one."""


def address_of(uid: str) -> str:
    """The address of a device's page."""
    return f"/devices/{'~' if uid in RESERVED or uid.startswith('~') else ''}{quote(uid, safe='')}"


def uid_of(name: str) -> str:
    """The short id that stands in the address of a device's page."""
    return name.removeprefix("~")


def address_of_line(name: str) -> str:
    """The address of a line's page."""
    return f"/lines/{quote(name, safe='')}"
