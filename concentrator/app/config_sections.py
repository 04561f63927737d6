"""The sections of the configuration file: one frozen class each, with exactly the keys people may write, their rules,
defaults and meanings. Attributes carry their unit in the name, the file's keys do not. Rules that need more than one
key are in `config_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from attrs import Factory, field, frozen

from concentrator.app.address import wire_address
from concentrator.app.config_mbus import device_address
from concentrator.app.config_panel import PanelSection
from concentrator.app.config_uplinks import FtpSection, MqttSection
from concentrator.app.config_web import WebSection
from concentrator.app.rule import (
    choice,
    duration,
    flag,
    listed,
    path,
    size,
    text,
    time_zone,
    whole,
    whole_division,
)
from concentrator.app.setting import setting
from concentrator.line.serial_address import M_BUS_PORT, USUAL_PORT, SerialAddress, parse_serial
from concentrator.model.device import Device
from concentrator.model.latency import base_interval_s
from concentrator.profile.mbus import KEY as M_BUS_METER
from concentrator.profile.mbus import M_BUS
from concentrator.wire.mbus_frame import SELECTED

if TYPE_CHECKING:
    from concentrator.app.config_gateways import GatewaySection

DAY_S = 86400
HOUR_S = 3600
HIGHEST_ADDRESS = 247

NAME = r"[A-Za-z0-9_-]+"
"""What keys of lines, devices and further uplinks are made of."""

PROTOCOL_BY_ROLE = {"native": "modbus-rtu", "external": "modbus-rtu", "mbus": "m-bus", "slave": "modbus-rtu"}


@frozen
class BoxSection:
    """The box itself."""

    model: str = setting(choice("Lite", "Lite Plus", "Lite NBIoT", "PRO"), "PRO", "The model, which gates features.")
    serial: str | None = setting(
        text("ten digits", r"\d{10}"),
        None,
        "The serial number.",
        shown="created on first start, kept in state_dir",
    )
    mac: str | None = setting(
        text("six pairs of hexadecimal digits with colons", r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"),
        None,
        "The MAC address on its label.",
        shown="that of the card that leads to the Internet",
    )
    hardware: str = setting(
        text("a version", r"[^\x00-\x1f]{0,32}"), "", "The hardware version, as the maker names it."
    )
    timezone: ZoneInfo = setting(time_zone(), "Europe/Madrid", "The zone that local days and times belong to.")
    state_dir: Path = setting(
        path(), "/var/lib/ccmaster", "Journal, identity, link table, uploaded certificates, control socket."
    )
    plugin_dirs: tuple[Path, ...] = setting(
        listed(path()),
        ["/etc/ccmaster/plugins"],
        "Folders of device profiles, besides those that come with the program.",
    )
    manual_defaults: bool = setting(
        flag(),
        False,
        "Start with the manual's passwords, admin/admin and 123456789, instead of ones of the box's own. For the first "
        "another one must be chosen at the first login.",
    )


@frozen
class LineSection:
    """A wire, `[line.NAME]`."""

    endpoint: str = setting(wire_address(), meaning="Where the wire is.")
    role: str = setting(
        choice("native", "external", "meter", "mbus", "slave", "spare"),
        "native",
        "What hangs on it. This version serves native, external and mbus, and slave, where the box answers others: "
        "[slave port](slave.md). A spare line is left alone.",
    )
    protocol: str = setting(
        choice("modbus-rtu", "modbus-tcp", "m-bus", "dlms", "iec62056-21", "iec102"),
        Factory(lambda self: PROTOCOL_BY_ROLE.get(self.role, ""), takes_self=True),
        "What is spoken on it. This version serves modbus-rtu, modbus-tcp where the endpoint is tcp:, and m-bus.",
        shown="by role: native, external and slave modbus-rtu, mbus m-bus",
    )

    @property
    def serial_address(self) -> SerialAddress | None:
        """The serial port, or None where the wire is of another kind. An M-Bus is 2400 8E1 where nothing is said."""
        return parse_serial(self.endpoint, M_BUS_PORT if self.protocol == M_BUS else USUAL_PORT)


@frozen
class DeviceSection:
    """A device, `[device.KEY]`; the key is its short id, for ever."""

    line: str = setting(text("the name of a line", NAME), meaning="The line it hangs on.")
    profile: str = setting(text(), meaning="Its profile, folder/file; `ccmaster profiles` lists them.")
    address: int | str = setting(
        device_address(HIGHEST_ADDRESS),
        meaning="Its Modbus ID; on a native line at most 246, for 247 belongs to link mode. Of an [M-Bus](mbus.md) "
        'meter its primary address, 0 … 250, or as a text its secondary one, `"12345678"` or `"12345678-KAM-08-04"`.',
    )
    alias: str = setting(text(), "", "The name people see.")
    serial: str = setting(
        text("letters, digits, dots, underscores and hyphens", r"[A-Za-z0-9._-]*"),
        "",
        "Its serial number; filled when first seen. A different one at this address is a conflict.",
    )
    secondary: int | None = setting(
        whole(1, 32), None, "n, for the n-th secondary of the principal at this address.", shown="a principal"
    )
    interval_s: float = setting(
        duration(0.1, HOUR_S),
        Factory(lambda self: 60.0 if self.profile == M_BUS_METER else 3.0, takes_self=True),
        "How often fast values are wanted; `ccmaster check` prints what the line can keep.",
        key="interval",
        shown="3 s; an M-Bus meter 1 min",
    )
    allow_write: bool = setting(flag(), False, "Whether it may be written to.")
    model: str = setting(
        text(),
        "",
        "The model on its label, where its profile is that of several. A [genset](gensets.md)'s commands may be "
        "verified for some of them only.",
    )
    allow_commands: bool = setting(
        flag(), False, "Whether the [genset](gensets.md) may be commanded by name: `start`, `stop`, `auto` and so on."
    )
    allow_unverified: bool = setting(
        flag(), False, "Whether that holds for commands, too, that nobody has verified for its model."
    )
    allow_raw: bool = setting(
        flag(), False, "Whether Modbus requests that others make, such as a cloud server's, may write to it."
    )

    def device(self, uid: str) -> Device:
        """The device under its short id."""
        selected = self.address if isinstance(self.address, str) else ""
        return Device(
            uid,
            self.line,
            self.profile,
            SELECTED if isinstance(self.address, str) else self.address,
            alias=self.alias,
            interval_s=self.interval_s,
            allow_write=self.allow_write,
            serial=self.serial,
            secondary=self.secondary,
            selected=selected,
            model=self.model,
            allow_commands=self.allow_commands,
            allow_unverified=self.allow_unverified,
            allow_raw=self.allow_raw,
        )


@frozen
class JournalSection:
    """The journal."""

    base_keep_s: float = setting(
        duration(HOUR_S, 10 * 365 * DAY_S),
        "7 days",
        "How long base records are kept. The base interval is the smallest enabled latency, at most 60 s.",
        key="base_keep",
    )
    max_size_bytes: int = setting(
        size(2**24, 2**40),
        "2 GiB",
        "The journal's largest size. What is too much goes: first what was delivered, events last. The same when the "
        "disk is nearly full.",
        key="max_size",
    )


@frozen
class HistorySection:
    """The historic store."""

    enabled: bool = setting(flag(), True, "Whether history is kept. Off, no files are sent either.")
    latency_s: int = setting(whole_division(HOUR_S, 10, HOUR_S, "hour"), "5 min", "One record each.", key="latency")
    format: Literal["csv", "json"] = setting(choice("csv", "json"), "csv", "How files are written.")
    keep_s: float = setting(duration(DAY_S, 100 * 365 * DAY_S), "2 years", "How long it is kept.", key="keep")


@frozen
class Config:
    """The whole file. `mqtt` is keyed by section, "mqtt" and "mqtt.NAME"; a section that is absent has its defaults,
    but `mqtt` and `ftp`, which are then off. `services` are the sections of `config_services`, by kind and name."""

    file: Path
    box: BoxSection = BoxSection()
    lines: Mapping[str, LineSection] = field(factory=dict)
    devices: Mapping[str, DeviceSection] = field(factory=dict)
    journal: JournalSection = JournalSection()
    history: HistorySection = HistorySection()
    mqtt: Mapping[str, MqttSection] = field(factory=dict)
    ftp: FtpSection = field(factory=lambda: FtpSection(enabled=False))
    web: WebSection = field(factory=WebSection)
    panel: PanelSection = field(factory=PanelSection)
    services: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def gateways(self) -> Mapping[str, GatewaySection]:
        """The transparent M-Bus gateways by name."""
        return self.services.get("mbus_gateway", {})

    @property
    def latencies_s(self) -> dict[str, int]:
        """The latency of each enabled consumer of intervals, in seconds, by its section."""
        latencies = {"history": self.history.latency_s} if self.history.enabled else {}
        return latencies | {place: each.latency_s for place, each in self.mqtt.items() if each.enabled}

    @property
    def base_interval_s(self) -> int:
        """The base interval, in seconds."""
        return base_interval_s(self.latencies_s.values())
