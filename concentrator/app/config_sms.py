"""What the configuration file may say of short messages: their section, and the rules that need more than one key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from concentrator.app.address import wire_address
from concentrator.app.rule import Mismatch, Rule, choice, flag, listed, text, whole, written
from concentrator.app.setting import Faults, setting
from concentrator.line.serial_address import parse_serial
from concentrator.model.words import nearest

if TYPE_CHECKING:
    from concentrator.app.config_sections import Config

NUMBERS_MOST = 5
"""Telephones that can be set (CMM365-2G manual, 2, item 12)."""
ITEMS = (
    "mode",
    "mains_voltage",
    "gen_voltage",
    "load_current",
    "mains_frequency",
    "gen_frequency",
    "active_power",
    "apparent_power",
    "power_factor",
    "battery_voltage",
    "charger_voltage",
    "water_temperature",
    "oil_pressure",
    "fuel_level",
    "speed",
    "running_time",
    "genset",
    "alarm",
)
"""What SMS DETAIL can tell (CMM365-2G manual, 6.2), in the manual's order."""


def numbers() -> Rule:
    """Up to five telephone numbers, no two alike."""
    one = text("a telephone number", r"[1-9][0-9]{7,14}")
    each = listed(one)

    def read(raw: Any) -> tuple[str, ...]:
        found: tuple[str, ...] = each.read(raw)
        if len(found) > NUMBERS_MOST or len(set(found)) < len(found):
            raise Mismatch
        return found

    expected = f"at most {NUMBERS_MOST} different telephone numbers, each with its country code and without plus"
    return Rule("list of text", f'{expected}, such as "861366666666"', read, "telephones")


def items() -> Rule:
    """Items of SMS DETAIL."""
    known = choice(*ITEMS)
    return Rule("list of choice", f"a list, each item {known.expected}", listed(known).read)


@frozen
class SmsSection:
    """Short messages by one modem, `[sms.NAME]`: alarms to some telephones, and orders from them to one genset. The
    network vouches for no sender: whoever can forge a number can order. See [SMS](sms.md)."""

    enabled: bool = setting(flag(), True, "Whether its modem is used.")
    driver: str = setting(
        choice("modemmanager", "at"),
        "modemmanager",
        "Who drives the modem: ModemManager, which also keeps the data connection, or the box itself by AT commands on "
        "a serial port that nobody else has.",
    )
    modem: str = setting(
        text('the number of a modem, or "any"', r"any|[0-9]{1,4}"),
        "any",
        "With `modemmanager`: which of its modems (`mmcli -L`).",
    )
    endpoint: str | None = setting(
        wire_address(),
        None,
        "With `at`: where the modem's port is, `serial:/dev/ttyUSB2:baudrate=115200`.",
        shown="none",
    )
    numbers: tuple[str, ...] = setting(
        numbers(),
        [],
        "The telephones that get alarms and may order, with country code and without plus.",
        is_personal=True,
    )
    device: str = setting(
        text("the short id of a device", r"[A-Za-z0-9._-]*"),
        "",
        "The genset whose alarms are told and that is ordered about; empty: alarms of all, and no orders.",
    )
    alarms: bool = setting(flag(), True, "Whether alarms are told: trips, shutdowns, and those of inputs.")
    warnings: bool = setting(flag(), False, "Whether a genset's warnings are told as well.")
    cleared: bool = setting(flag(), False, "Whether it is told as well that an alarm is over.")
    orders: bool = setting(
        flag(), True, "Whether orders are obeyed; what changes something needs `allow_commands` of the device besides."
    )
    detail: tuple[str, ...] = setting(items(), list(ITEMS), "What SMS DETAIL tells, in this order.", shown="all of it")
    most_per_hour: int = setting(whole(1, 200), 20, "Orders that are taken in an hour, from all telephones together.")
    alphabet: str = setting(
        choice("gsm", "unicode"),
        "gsm",
        "What the alphabet of short messages lacks: it is replaced, or written in Unicode, 70 characters a message.",
    )
    delivery_reports: bool = setting(flag(), True, "Whether the network is to say that a message has arrived.")
    message_center: str = setting(
        text("a telephone number with country code, or nothing", r"([1-9][0-9]{7,14})?"),
        "",
        "With `at`: the number of the service centre, in place of the SIM's.",
    )

    @property
    def gives(self) -> frozenset[str]:
        """The classes of actions that it carries out for others."""
        return frozenset({"write"} if self.enabled and self.orders and self.device else ())

    def told(self) -> str:
        """What it would do, in a line; empty where it does nothing."""
        if not self.enabled:
            return ""
        modem = self.endpoint if self.driver == "at" else f"ModemManager's modem {self.modem}"
        obeyed = f", orders for {self.device}" if self.orders and self.device else ""
        return f"{modem}: {'alarms' if self.alarms else 'no alarms'}{obeyed}, {len(self.numbers)} telephones"


def modems_are_there(config: Config, faults: Faults) -> None:
    """A modem that the box drives itself has an `endpoint`, which no line and no other modem has; two sections have not
    one modem."""
    owners = {_wire(line.endpoint): f"line.{name}" for name, line in config.lines.items() if line.endpoint}
    managed: dict[str, str] = {}
    for name, section in config.services.get("sms", {}).items():
        place = f"sms.{name}"
        if not section.enabled or not faults.are_readable(place, "driver", "endpoint", "modem"):
            continue
        if section.driver == "at" and section.endpoint is None:
            faults.add(place, "endpoint", "nothing", "the modem's port, for its driver is at")
        elif section.driver == "at":
            wire = _wire(section.endpoint)
            if wire in owners:
                faults.add(place, "endpoint", f"{written(wire)}, which [{owners[wire]}] has", "a port of its own")
            owners.setdefault(wire, place)
        elif section.modem in managed or (managed and "any" in (section.modem, *managed)):
            first = managed.get(section.modem) or next(iter(managed.values()))
            faults.add(place, "modem", f"{written(section.modem)}, which [{first}] may have", "a modem of its own")
        else:
            managed[section.modem] = place


def ordered_devices_are_there(config: Config, faults: Faults) -> None:
    """The device that is ordered about by short messages is there."""
    for name, section in config.services.get("sms", {}).items():
        if section.device and section.device not in config.devices and faults.are_readable(f"sms.{name}", "device"):
            expected = f"one of {', '.join(config.devices)}" if config.devices else "a section [device.KEY]"
            faults.add(
                f"sms.{name}", "device", written(section.device), expected, nearest(section.device, config.devices)
            )


def _wire(endpoint: str) -> str:
    port = parse_serial(endpoint)
    return port.path if port is not None else ":".join(endpoint.split(":")[:3])
