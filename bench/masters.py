"""The masters that are measured: CcMaster's real service, and its peers. Hides how each is told what to read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from concentrator.app.launch import twistd

CCMASTER = "ccmaster"
SLAVES, REGISTERS = 32, 40

_PROFILE = """
[profile]
type = "meter"
brand = "Bench"
class = "bench"
series = "forty"
models = ["forty"]
confidence = "made up"
sources = ["the bench"]
"""
_VARIABLE = """
[[variable]]
name = "r{address}"
unit = "W"
function = "holding"
address = {address}
type = "u16"
scale = 1
kind = "instantaneous"
rate = "fast"
"""
_CONFIG = """
[box]
state_dir = "{folder}/state"
plugin_dirs = ["{folder}/plugins"]

[web]
listen = []

[line.native]
endpoint = "serial:{port}:baudrate=9600"
role = "native"
"""
_DEVICE = """
[device.m{unit}]
line = "native"
profile = "bench/forty"
address = {unit}
interval = "0.1 s"
"""


def _ccmaster(folder: Path, port: str) -> list[str]:
    """The service with a profile of 40 registers, every device wanted far more often than the line can keep."""
    plugin = folder / "plugins" / "bench" / "forty.toml"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(_PROFILE + "".join(_VARIABLE.format(address=address) for address in range(REGISTERS)))
    config = folder / "ccmaster.toml"
    devices = (_DEVICE.format(unit=unit) for unit in range(1, SLAVES + 1))
    config.write_text(_CONFIG.format(folder=folder, port=port) + "".join(devices))
    return twistd(config)


def _peer(module: str) -> Callable[[Path, str], list[str]]:
    return lambda _folder, port: [sys.executable, "-m", f"bench.peers.{module}", port, str(SLAVES), str(REGISTERS)]


MASTERS: Mapping[str, Callable[[Path, str], list[str]]] = {
    CCMASTER: _ccmaster,
    "pymodbus async": _peer("pymodbus_async"),
    "pymodbus sync": _peer("pymodbus_sync"),
}
"""Name → the command that reads all slaves on a port for ever; it may put files into the folder."""
