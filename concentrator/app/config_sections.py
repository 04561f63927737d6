"""The sections of the configuration file: one frozen class each, with exactly the keys people may write, their rules,
defaults and meanings. Attributes carry their unit in the name, the file's keys do not. Rules that need more than one
key are in `config_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from attrs import Factory, field, frozen

from concentrator.app.address import broker_address, topic_prefix, wire_address
from concentrator.app.config_gateways import GatewaySection
from concentrator.app.config_mbus import device_address
from concentrator.app.config_web import WebSection
from concentrator.app.rule import (
    Rule,
    choice,
    duration,
    flag,
    latency,
    listed,
    one_of,
    path,
    size,
    text,
    time_of_day,
    time_zone,
    whole,
    whole_division,
)
from concentrator.app.setting import setting
from concentrator.line.serial_address import M_BUS_PORT, USUAL_PORT, SerialAddress, parse_serial
from concentrator.model.device import Device
from concentrator.model.latency import MQTT_LATENCIES_S, base_interval_s, format_duration
from concentrator.profile.mbus import KEY as M_BUS_METER
from concentrator.profile.mbus import M_BUS
from concentrator.wire.mbus_frame import SELECTED

DAY_S = 86400
HOUR_S = 3600
HIGHEST_ADDRESS = 247

NARROW_MODEL, NARROW_LATENCY = "Lite NBIoT", "15 min"
"""The model whose uplink is narrow, and its latency where none is given."""

NAME = r"[A-Za-z0-9_-]+"
"""What keys of lines, devices and further uplinks are made of."""

PROTOCOL_BY_ROLE = {"native": "modbus-rtu", "external": "modbus-rtu", "mbus": "m-bus"}


def _mqtt_latency() -> Rule:
    words = [format_duration(each) for each in MQTT_LATENCIES_S]
    return latency(f"one of {', '.join(words)}", MQTT_LATENCIES_S.__contains__)


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
        "What hangs on it. This version serves native, external and mbus; a spare line is left alone.",
    )
    protocol: str = setting(
        choice("modbus-rtu", "modbus-tcp", "m-bus", "dlms", "iec62056-21", "iec102"),
        Factory(lambda self: PROTOCOL_BY_ROLE.get(self.role, ""), takes_self=True),
        "What is spoken on it. This version serves modbus-rtu, modbus-tcp where the endpoint is tcp:, and m-bus.",
        shown="by role: native and external modbus-rtu, mbus m-bus",
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
class MqttSection:
    """An MQTT uplink, `[mqtt]`; further ones, `[mqtt.NAME]`, have the same keys. Without the section there is none."""

    enabled: bool = setting(flag(), True, "Whether it works.")
    broker: str = setting(
        choice("default", "own"),
        "own",
        "The maker's broker or your own. The default's address and credentials are those of `provisioning.toml` in "
        "`state_dir`; the keys here from `host` to `client_key_file` then wait for `own`.",
    )
    host: str = setting(broker_address(), Factory(str), "The broker; required when enabled and `own`.")
    port: int = setting(
        whole(1, 65535),
        Factory(lambda self: 8883 if self.is_encrypted else 1883, takes_self=True),
        "The broker's port.",
        shown="8883, or 1883 with mqtt://",
    )
    client_id: str = setting(text(), "", "The client identifier; empty: made from the box's serial.")
    user: str = setting(text(), "", "The user, where the broker wants one.")
    password: str = setting(text(), "", "The user's password.", is_secret=True)
    password_file: Path | None = setting(path(), None, "A file that holds the password, instead of `password`.")
    tls: str = setting(
        choice("ca", "self-signed"), "ca", "Whom mqtts:// trusts: a CA, or one self-signed certificate (`cert_file`)."
    )
    ca_file: Path | None = setting(path(), None, "The CA's root certificates, PEM.", shown="those of the system")
    cert_file: Path | None = setting(path(), None, "The broker's self-signed certificate, PEM.")
    client_cert_file: Path | None = setting(
        path(), None, "The box's own certificate, PEM, where the broker wants one; what vouches for it may follow it."
    )
    client_key_file: Path | None = setting(path(), None, "Its key, PEM.", shown="in the certificate's file")
    keepalive_s: int = setting(
        latency(
            "a duration 5 s … 18 h, whole seconds",
            lambda seconds: 5 <= seconds <= 18 * HOUR_S,
            "duration",
            least="5 s",
            most="18 h",
        ),
        "60 s",
        "The keep-alive of the connection.",
        key="keepalive",
    )
    prefix_sub: str = setting(topic_prefix(), "/ccm/srv", "The box publishes under it; the outside subscribes to it.")
    prefix_pub: str = setting(
        topic_prefix(),
        "/ccm/dev",
        "The outside publishes under it; the box takes commands there.",
    )
    qos: int = setting(one_of(0, 1, 2), 1, "The quality of service of data. 0 is outside the promise of delivery.")
    latency_s: int = setting(
        _mqtt_latency(),
        "10 s",
        f"One message a device each. On a {NARROW_MODEL} the default is {NARROW_LATENCY}.",
        key="latency",
    )
    monthly_cap_bytes: int = setting(
        size(0, 2**50),
        "0 B",
        "How much the connection may carry in a calendar month, both ways, TLS included; `0 B`: any amount. "
        "A fiftieth below it intervals wait, at it events too.",
        key="monthly_cap",
    )
    catch_up: int = setting(
        whole(1, 10_000), 100, "Records a second at most of what waited while the broker was away; fresh ones go first."
    )
    protocol: str = setting(choice("3.1.1", "5"), "3.1.1", "The version of MQTT.")
    allow: tuple[str, ...] = setting(
        listed(choice("read", "write", "output", "link", "config", "system")),
        ["read"],
        "The classes of commands it takes: [commands](commands.md) has the class of each. Writing is not among them "
        "unless it is put here.",
    )

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.host.startswith("mqtts:")

    @property
    def hostname(self) -> str:
        """The broker's name or address alone."""
        return urlsplit(self.host).hostname or ""


@frozen
class FtpSection:
    """Sending files by FTP. Without the section nothing is sent."""

    enabled: bool = setting(flag(), True, "Whether files are sent; history must be on too.")
    server: str = setting(
        text("a host name or address", r"[A-Za-z0-9.:_-]*", "host"), "", "The server; required when enabled."
    )
    port: int = setting(whole(1, 65535), 21, "The server's port.")
    directory: str = setting(text(), "/incoming", "The folder on the server; empty: where the login leads.")
    user: str = setting(text(), "", "The user; empty: anonymous.")
    password: str = setting(text(), "", "The user's password.", is_secret=True)
    password_file: Path | None = setting(path(), None, "A file that holds the password, instead of `password`.")
    tls: bool = setting(flag(), False, "Explicit TLS (FTPS).")
    ca_file: Path | None = setting(
        path(), None, "With `tls`, whom it trusts (PEM): a CA, or one server.", shown="those of the system"
    )
    sending_latency_s: int = setting(
        whole_division(DAY_S, 30, DAY_S, "day"),
        "1 h",
        "One file a device each, a multiple of history's latency; below 15 min for trials.",
        key="sending_latency",
    )
    time_of_day_s: int = setting(
        time_of_day(), "00:05", "When the file of the day's last period is sent, local time.", key="time_of_day"
    )


@frozen
class PanelSection:
    """The front of the box."""

    board: str = setting(
        choice("virtual"),
        "virtual",
        "What its lights, outputs and inputs are made of; a virtual one is there on the Panel page only.",
    )


@frozen
class Config:
    """The whole file. `mqtt` is keyed by section, "mqtt" and "mqtt.NAME"; a section that is absent has its defaults,
    but `mqtt` and `ftp`, which are then off."""

    file: Path
    box: BoxSection = BoxSection()
    lines: Mapping[str, LineSection] = field(factory=dict)
    devices: Mapping[str, DeviceSection] = field(factory=dict)
    journal: JournalSection = JournalSection()
    history: HistorySection = HistorySection()
    mqtt: Mapping[str, MqttSection] = field(factory=dict)
    ftp: FtpSection = FtpSection(enabled=False)
    web: WebSection = field(factory=WebSection)
    panel: PanelSection = PanelSection()
    gateways: Mapping[str, GatewaySection] = field(factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def latencies_s(self) -> dict[str, int]:
        """The latency of each enabled consumer of intervals, in seconds, by its section."""
        latencies = {"history": self.history.latency_s} if self.history.enabled else {}
        return latencies | {place: each.latency_s for place, each in self.mqtt.items() if each.enabled}

    @property
    def base_interval_s(self) -> int:
        """The base interval, in seconds."""
        return base_interval_s(self.latencies_s.values())
