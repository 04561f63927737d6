"""What the configuration file may say of M-Bus lines and their meters: addresses of two kinds, and the rules that need
more than one key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from concentrator.app.rule import Mismatch, Rule, whole, written
from concentrator.profile.mbus import KEY, M_BUS
from concentrator.wire.mbus_address import parse_address
from concentrator.wire.mbus_frame import HIGHEST_PRIMARY

if TYPE_CHECKING:
    from concentrator.app.config_sections import Config
    from concentrator.app.setting import Faults

MOST_METERS = 256
"""M-Bus meters that one box reads (CMe3000 user manual)."""
_EXAMPLE = 'a secondary address as in "12345678" or "12345678-KAM-08-04"'


def device_address(highest: int) -> Rule:
    """A Modbus ID 1 … `highest`, or an M-Bus address: a primary one as a number, a secondary one as a text. Which of
    them a device needs its line decides, see `meters_fit_their_lines`."""
    usual = whole(1, highest)

    def read(raw: Any) -> int | str:
        if type(raw) is int and 0 <= raw <= HIGHEST_PRIMARY:
            return raw
        if isinstance(raw, str) and len(raw) >= 8:
            try:
                return str(parse_address(raw)).removesuffix("-*-*-*")
            except ValueError:
                raise Mismatch(expected=_EXAMPLE) from None
        return int(usual.read(raw))

    return evolve(usual, read=read)


def meters_fit_their_lines(config: Config, faults: Faults, highest: int) -> None:
    """On an M-Bus line an address is a primary one, 0 … 250, or a secondary one as a text, and the profile is
    `mbus/generic`; elsewhere it is a Modbus ID, and the profile is another one. A line's protocol is m-bus where its
    role is mbus, and only there. There are at most 256 M-Bus meters."""
    for name, line in config.lines.items():
        is_odd = line.role != "spare" and (line.role == "mbus") != (line.protocol == M_BUS)
        if is_odd and faults.are_readable(f"line.{name}", "role", "protocol"):
            expected = f"{M_BUS} where the role is mbus, and only there"
            faults.add(f"line.{name}", "protocol", written(line.protocol), expected)
    meters = 0
    for uid, device in config.devices.items():
        place, on = f"device.{uid}", config.lines.get(device.line)
        is_mbus = on is not None and on.role == "mbus"
        meters += is_mbus
        if faults.are_readable(place, "address"):
            is_modbus_id = isinstance(device.address, int) and 1 <= device.address <= highest
            if not is_mbus and not is_modbus_id:
                faults.add(place, "address", written(device.address), f"a whole number 1 … {highest}")
        if faults.are_readable(place, "profile") and on is not None and is_mbus != (device.profile == KEY):
            expected = f"{KEY} on an M-Bus line, and only there"
            faults.add(place, "profile", written(device.profile), expected)
        if is_mbus and meters > MOST_METERS:
            faults.add(place, "line", f"{meters} M-Bus meters in all", f"at most {MOST_METERS}")
