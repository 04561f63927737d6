"""What the configuration file may say of cloud sessions of gensets: their section, with every parameter of the cloud
modem they stand for, and the rules that need more than one key.

Source of the parameters, their ranges and factory settings: SmartGen CMM365-2G user manual V1.1, Form 1. Those of its
inputs, its output and its SMS have sections of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from concentrator.app.rule import Mismatch, Rule, choice, duration, flag, one_of, path, text, whole, written
from concentrator.app.setting import Faults, setting
from concentrator.model.genset_models import MODELS, kind_of
from concentrator.model.words import nearest

if TYPE_CHECKING:
    from concentrator.app.config_sections import Config

PORTS = ("disabled", "link", "rs485", "rs232", "usb")
"""The ports of the cloud modem, by the number they have in its messages."""
USUAL_SERVER, USUAL_SERVER_PORT = "tcp:cm.smartgen.com.cn:81", 81
USUAL_MODEL = "HGM6110"
_LINE = r"[A-Za-z0-9_-]+"


def number(least: float, most: float) -> Rule:
    """A number in a range, both ends in it; gives a float."""

    def read(raw: Any) -> float:
        if type(raw) not in (int, float) or not least <= raw <= most:
            raise Mismatch
        return float(raw)

    terms = {"least": f"{least:g}", "most": f"{most:g}"}
    return Rule("number", f"a number {least:g} … {most:g}", read, "whole", terms)


def server_address() -> Rule:
    """Where a cloud server is: "tcp:HOST:PORT" or "tls:HOST:PORT"; port 81 where none is given."""

    def read(raw: Any) -> str:
        if not isinstance(raw, str) or len(raw) > 200:
            raise Mismatch
        match = re.fullmatch(r"(tcp|tls):(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(?::(\d{1,5}))?", raw)
        if match is None:
            raise Mismatch(hint=f"tcp:{raw}" if re.fullmatch(r"[\w.-]+(:\d+)?", raw) else "")
        if not 0 < int(match[3] or USUAL_SERVER_PORT) < 65536:
            raise Mismatch
        return raw

    return Rule("endpoint", '"tcp:HOST:PORT", or "tls:HOST:PORT" for a server of one\'s own', read)


def _words(most: int = 20) -> Rule:
    return text(f"a text of at most {most} characters", rf"[^\x00-\x1f\x7f]{{0,{most}}}")


def _line() -> Rule:
    return text("the name of a line", _LINE)


@frozen
class SmartgenSection:
    """A genset's session with a SmartGen cloud server, `[smartgen.NAME]`: the box takes the place of a CMM365 cloud
    modem."""

    device: str = setting(text("the short id of a device", _LINE), meaning="The genset's controller.")
    enabled: bool = setting(flag(), True, "Whether it calls the server.")
    server: str = setting(
        server_address(), USUAL_SERVER, "Where it registers. SmartGen's own servers speak in clear; see `tls`."
    )
    password: str = setting(_words(), "123456", "What the server knows the modem by.", is_secret=True)
    ca_file: Path | None = setting(
        path(),
        None,
        "With a server at `tls:`, whom it trusts (PEM): a CA, or that server.",
        shown="those of the system",
    )
    compress: bool = setting(
        flag(), False, "Offers to compress what it uploads: for servers of one's own that know how (docs/smartgen.md)."
    )
    hostid: str = setting(
        text("at most 24 letters and digits", r"[0-9A-Za-z]{0,24}"),
        "",
        "The modem's ID. Empty: 24 hexadecimal digits made from the box's serial and kept; that of a modem which the "
        "box replaces goes here.",
    )
    site: str = setting(_words(), "", "The site's name.")
    name: str = setting(_words(), "", "The module's name; the server hears it, or else the site's or the device's.")
    model: str = setting(
        _words(30),
        "",
        f"The controller's model as the server knows it, one of the manual's Form 4; empty: the device's, or else "
        f"{USUAL_MODEL}.",
    )
    module_type: int | None = setting(
        whole(0, 5),
        None,
        "What kind of module it is, 0 … 5: AMF, single-unit self-starting, single-single parallel, mains-genset "
        "parallel, mains-bus parallel, bus-bus parallel.",
        shown="that of the model",
    )
    live_interval_s: float = setting(
        duration(1, 20),
        "5 s",
        "How often live data are uploaded where the server does not say.",
        key="live_interval",
    )
    history_interval_s: float = setting(
        duration(0, 3600), "0 s", "How often history is uploaded; `0 s`: never.", key="history_interval"
    )
    port: str = setting(
        choice(*PORTS),
        "rs485",
        "What the modem's port is called to which the controller is wired; `disabled`: no data.",
    )
    baudrate: int | None = setting(
        one_of(9600, 19200, 115200),
        None,
        "How fast the controller talks, on a serial line that it has for itself.",
        shown="as its line says",
    )
    auto_port: bool = setting(
        flag(),
        True,
        "Whether the controller is looked for at the other speeds and on the other lines named below, when it has not "
        "answered for half a minute.",
    )
    link_line: str | None = setting(_line(), None, "The line behind the modem's port LINK.", shown="none")
    rs485_line: str | None = setting(_line(), None, "The line behind RS485.", shown="none")
    rs232_line: str | None = setting(_line(), None, "The line behind RS232.", shown="none")
    usb_line: str | None = setting(_line(), None, "The line behind USB.", shown="none")
    allow_rewire: bool = setting(flag(), False, "Whether the server may change port and baud rate.")
    location: str = setting(
        choice("off", "manual", "gps"),
        "off",
        "Where the genset is: not told, as the three keys below have it, or as a receiver says.",
    )
    longitude: float = setting(number(-180, 180), 0.0, "In degrees, east is positive.")
    latitude: float = setting(number(-90, 90), 0.0, "In degrees, north is positive.")
    altitude: float = setting(number(-9999.9, 9999.9), 100.0, "In metres.")
    coordinates: str = setting(choice("gps", "baidu"), "gps", "Whose coordinates these are.")
    time_zone: int = setting(whole(-12, 12), 8, "The module's time zone, hours from UTC.")
    set_clock: bool = setting(
        flag(), False, "Whether the box takes its time from the server, as long as it has no better one."
    )
    staff: str = setting(_words(), "", "Who commissioned it.")
    telephone: str = setting(_words(), "", "Their telephone number.", is_personal=True)
    installed: str = setting(_words(), "", "When it was installed.")
    rated_speed: int = setting(whole(0, 6000), 1500, "The genset's rated speed in r/min.")
    ac_supply: str = setting(choice("3P4W", "3P3W", "2P3W", "1P2W"), "3P4W", "How its AC side is wired.")
    rated_voltage: int = setting(whole(30, 30000), 230, "Its rated voltage in V.")
    rated_frequency: int = setting(whole(10, 600), 50, "Its rated frequency in Hz.")
    rated_current: int = setting(whole(5, 6000), 500, "Its rated current in A.")
    rated_power: int = setting(whole(0, 6000), 276, "Its rated power in kW.")
    description1: str = setting(_words(), "", "Whatever describes it.")
    description2: str = setting(_words(), "", "The same.")
    description3: str = setting(_words(), "", "The same.")
    description4: str = setting(_words(), "", "The same.")
    description5: str = setting(_words(), "", "The same.")

    @property
    def is_encrypted(self) -> bool:
        """Whether the server is reached over TLS."""
        return self.server.startswith("tls:")

    @property
    def place(self) -> tuple[str, int]:
        """The server's host and port."""
        rest = self.server.partition(":")[2]
        host, colon, port = rest.rpartition(":")
        if not colon or rest.endswith("]"):
            host, port = rest, str(USUAL_SERVER_PORT)
        return host.strip("[]"), int(port)

    @property
    def lines(self) -> dict[int, str]:
        """The lines behind the modem's ports, by the port's number, as far as they are named."""
        named = (None, self.link_line, self.rs485_line, self.rs232_line, self.usb_line)
        return {port: line for port, line in enumerate(named) if line is not None}

    @property
    def gives(self) -> frozenset[str]:
        """The classes of actions that it carries out for others."""
        return frozenset({"write"} if self.enabled else ())

    def told(self) -> str:
        """What it would do, in a line; empty where it is off."""
        return f"{self.device} uploads to {self.server}" if self.enabled else ""

    def kind(self, model: str) -> int:
        """The number of the module's kind (Form 1, 0 … 5), of that model where the section does not say."""
        return kind_of(model) if self.module_type is None else self.module_type


def sessions_have_their_controllers(config: Config, faults: Faults) -> None:
    """A cloud session's device is there and on a Modbus line, and no other session has it or its ID; the lines it names
    are read and speak Modbus, and that of its own port is the device's."""
    owners: dict[str, str] = {}
    for name, session in config.services.get("smartgen", {}).items():
        place = f"smartgen.{name}"
        if not faults.are_readable(place, "device", "enabled"):
            continue
        device = config.devices.get(session.device)
        if device is None:
            known = list(config.devices)
            expected = f"one of {', '.join(known)}" if known else "a section [device.KEY]"
            faults.add(place, "device", written(session.device), expected, nearest(session.device, known))
        elif device.line in config.lines and not _is_modbus(config, device.line):
            found = f"{written(session.device)}, on line {device.line}"
            faults.add(place, "device", found, "a device on a line that speaks Modbus")
        for key, owned in (("device", session.device), ("hostid", session.hostid)):
            if owned and session.enabled and f"{key} {owned}" in owners:
                found = f"{written(owned)}, which [smartgen.{owners[f'{key} {owned}']}] has"
                faults.add(place, key, found, f"a {key} of its own")
            if owned and session.enabled:
                owners.setdefault(f"{key} {owned}", name)
        _judge_lines(config, faults, place, session)


def _judge_lines(config: Config, faults: Faults, place: str, session: SmartgenSection) -> None:
    own = config.devices[session.device].line if session.device in config.devices else None
    for key in ("link_line", "rs485_line", "rs232_line", "usb_line"):
        line = getattr(session, key)
        if line is None or not faults.are_readable(place, key):
            continue
        if line not in config.lines:
            known = [each for each in config.lines if _is_modbus(config, each)]
            expected = f"one of {', '.join(known)}" if known else "a section [line.NAME] that speaks Modbus"
            faults.add(place, key, written(line), expected, nearest(line, known))
        elif not _is_modbus(config, line):
            faults.add(place, key, written(line), "a line that is read and speaks Modbus")
        elif own not in (None, line) and key == f"{session.port}_line" and faults.are_readable(place, "device", "port"):
            expected = f"{own}, the line of {session.device}, for that is at {session.port}; or none"
            faults.add(place, key, written(line), expected)


def _is_modbus(config: Config, name: str) -> bool:
    line = config.lines[name]
    return line.protocol.startswith("modbus") and line.role in ("native", "external")


def smartgen_warnings(config: Config) -> Iterator[str]:
    """Of sessions that will not do what their writer may think."""
    for name, session in config.services.get("smartgen", {}).items():
        if session.ca_file is not None and not session.is_encrypted:
            yield f"[smartgen.{name}] ca_file: the server is reached in clear, at tcp:; nobody is asked who he is"
        if session.model and session.model not in MODELS:
            likely = nearest(session.model, MODELS)
            hint = f" (did you mean {likely}?)" if likely else ""
            yield f"[smartgen.{name}] model: {written(session.model)} is not in the list of the CMM365's manual{hint}"
