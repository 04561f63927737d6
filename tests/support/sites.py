"""Configurations of the whole program that sends nothing: one native bus, and its meters."""

from __future__ import annotations

from pathlib import Path

from tests.support.whole import PERIOD_S

SITE = """\
# Our site
[box]
state_dir = "{state}"   # on the big disk
plugin_dirs = []

[line.native]
endpoint = "serial:{port}:baudrate=9600"   # behind the meter cabinet

[history]
latency = "{period} s"

[web]
listen = []
"""


def site(folder: Path, port: str, *devices: str) -> str:
    """A configuration with these sections of devices."""
    return "\n".join((SITE.format(state=folder / "state", port=port, period=PERIOD_S), *devices))


def meter(uid: str, address: int, more: str = "") -> str:
    """The section of a meter, `more` being further lines of it."""
    return f'[device.{uid}]\nline = "native"\nprofile = "energycm/ccm"\naddress = {address}\n{more}'
