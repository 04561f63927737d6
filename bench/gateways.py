"""The gateways that are measured: CcMaster's service, and its peers. Hides how each is told of port and wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from concentrator.app.launch import twistd

BYTES, FRAMES = "ccmaster", "ccmaster, frames"
SOCAT, SER2NET, SER2NET_TUNED, NONE = "socat", "ser2net", "ser2net, tuned", "none"

_CONFIG = """
[box]
state_dir = "{folder}/state"

[web]
listen = []

[line.mbus]
endpoint = "serial:{wire}:baudrate={baudrate}:parity=E"
role = "mbus"

[mbus_gateway.main]
line = "mbus"
interface = "127.0.0.1"
port = {port}
disconnect_timeout = "0 s"
forwarding = "{forwarding}"
"""
_SER2NET = """connection: &gateway
  accepter: {accepter},127.0.0.1,{port}
  connector: serialdev,{wire},{baudrate}e81,local
{options}"""

Command = Callable[[Path, str, int, int], list[str]]
"""`command(folder, wire, baudrate, port)`: what runs the gateway, with `folder` for its files."""


def _ccmaster(forwarding: str) -> Command:
    def command(folder: Path, wire: str, baudrate: int, port: int) -> list[str]:
        config = folder / "ccmaster.toml"
        text = _CONFIG.format(folder=folder, wire=wire, baudrate=baudrate, port=port, forwarding=forwarding)
        config.write_text(text)
        return twistd(config)

    return command


def _socat(folder: Path, wire: str, baudrate: int, port: int) -> list[str]:
    listening = f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,nodelay"
    return ["socat", listening, f"FILE:{wire},raw,echo=0"]


def _ser2net(accepter: str, options: str) -> Command:
    def command(folder: Path, wire: str, baudrate: int, port: int) -> list[str]:
        config = folder / "ser2net.yaml"
        text = _SER2NET.format(accepter=accepter, port=port, wire=wire, baudrate=baudrate, options=options)
        config.write_text(text)
        return ["/usr/sbin/ser2net", "-n", "-d", "-c", str(config), "-P", str(folder / "ser2net.pid")]

    return command


GATEWAYS: Mapping[str, Command | None] = {
    BYTES: _ccmaster("bytes"),
    FRAMES: _ccmaster("frames"),
    SOCAT: _socat,
    SER2NET: _ser2net("tcp", ""),
    SER2NET_TUNED: _ser2net("tcp(nodelay)", "  options:\n    chardelay: false\n"),
    NONE: None,
}
"""Name → the command; None is the client at the terminal itself."""
