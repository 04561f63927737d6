"""The masters that are measured: CcMaster's real service, and its peers. Hides how each is told what to read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.compile import compiled
from bench.peers import Orders
from concentrator.app.launch import twistd

CCMASTER = "ccmaster"
CCMASTER_BLOCK = "ccmaster, one [[read]]"
CCMASTER_NATIVE = "ccmaster, CcM meters"
LIBMODBUS, PYMODBUS_ASYNC, PYMODBUS_SYNC = "libmodbus t3.5", "pymodbus async", "pymodbus sync"
SLAVES, REGISTERS = 32, 40
BLOCK = ((0, REGISTERS),)
"""All registers of a slave in one read."""

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
_READ = f"""
[[read]]
function = "holding"
address = 0
count = {REGISTERS}
rate = "fast"
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
profile = "{profile}"
address = {unit}
"""
_GREEDY = 'interval = "0.1 s"\n'


def profile_of(registers: int) -> str:
    """The text of a profile of that many registers, each a variable of its own, all fast."""
    return _PROFILE + "".join(_VARIABLE.format(address=address) + 'rate = "fast"\n' for address in range(registers))


def profile_of_a_block() -> str:
    """The same variables, with the one read that brings them written by hand."""
    return _PROFILE + _READ + "".join(_VARIABLE.format(address=address) for address in range(REGISTERS))


def _service(folder: Path, orders: Orders, profile: str, device: str) -> list[str]:
    config = folder / "ccmaster.toml"
    devices = (device.format(unit=unit, profile=profile) for unit in range(1, orders.slaves + 1))
    (folder / "plugins").mkdir()
    config.write_text(_CONFIG.format(folder=folder, port=orders.port) + "".join(devices))
    return twistd(config)


def _made_up(profile: str) -> Callable[[Path, Orders], list[str]]:
    """The service with a profile of the bench's own, every device wanted far more often than the line can keep."""

    def command(folder: Path, orders: Orders) -> list[str]:
        words = _service(folder, orders, "bench/forty", _DEVICE + _GREEDY)
        plugin = folder / "plugins" / "bench" / "forty.toml"
        plugin.parent.mkdir()
        plugin.write_text(profile)
        return words

    return command


def _native(folder: Path, orders: Orders) -> list[str]:
    """The service as a user has it: native meters with all they tell, at the periods it chooses itself."""
    return _service(folder, orders, "energycm/ccm", _DEVICE)


def _pymodbus(module: str) -> Callable[[Path, Orders], list[str]]:
    return lambda _, orders: [sys.executable, "-m", f"bench.peers.{module}", *orders.words()]


MASTERS: Mapping[str, Callable[[Path, Orders], list[str]]] = {
    CCMASTER: _made_up(profile_of(REGISTERS)),
    CCMASTER_BLOCK: _made_up(profile_of_a_block()),
    CCMASTER_NATIVE: _native,
    LIBMODBUS: lambda _, orders: [str(compiled("libmodbus_rtu")), *orders.words()],
    PYMODBUS_ASYNC: _pymodbus("pymodbus_async"),
    PYMODBUS_SYNC: _pymodbus("pymodbus_sync"),
}
"""Name → the command that carries out orders for ever; it may put files into the folder. CcMaster decides by itself
which reads it makes and how long it waits: of the orders it takes the port and the slaves."""
