"""The list of devices while the box runs: added, changed and removed in the configuration file, its only list, and then
in the running field. Hides the order in which that is safe: the whole new file is judged first, then written, then
obeyed, so that a fault changes nothing, and reading the file again gives the same devices.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import define, field

from concentrator.api import Report
from concentrator.app.config import load_checked
from concentrator.app.config_edit import Scalar, with_device, with_device_changed, without_device
from concentrator.app.config_file import ConfigFile
from concentrator.app.config_sections import HIGHEST_ADDRESS, Config
from concentrator.app.field import Field
from concentrator.app.rule import written
from concentrator.model.device import Device
from concentrator.model.errors import ConfigError, Fault
from concentrator.model.words import nearest
from concentrator.profile.mbus import KEY as M_BUS_METER

SHOWN = 3
"""So many free IDs are named."""
_ADDRESSES = {"native": ("ID Modbus", HIGHEST_ADDRESS - 1), "mbus": ("M-Bus address", 250)}
"""By the role of a line, what its devices are told apart by and the highest there is, where that is not as usual."""

Leaving = Callable[[str, str], None]
"""`leaving(line, serial)`: the device with that serial is about to leave a line for good. What it raises keeps the
device."""


@define(eq=False, repr=False)
class DeviceList:
    """The devices of a configuration file and of the field that runs by it. Every method raises ConfigError with all
    that speaks against it, in which case nothing is changed."""

    file: Path
    field_: Field
    report: Report
    leaving: Leaving = field(default=lambda line, serial: None)
    _file: ConfigFile = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._file = ConfigFile(self.file)

    def add(self, uid: str, section: Mapping[str, Scalar]) -> None:
        """A new device: its short id and the keys of its section."""
        text = self._file.text()
        if uid in self._uids(text):
            raise self._fault(uid, "", "a device of that name already", "a name of its own")
        self._put(uid, self._file.edited(lambda: with_device(text, uid, section)))
        self._told("device.added", uid, "read from now on")

    def change(self, uid: str, **keys: Scalar | None) -> None:
        """Other keys for a device; None takes a key out."""
        text = self._file.text()
        self._must_be_there(uid, text)
        self._put(uid, self._file.edited(lambda: with_device_changed(text, uid, keys)))
        self._told("device.changed", uid, "configured anew")

    def remove(self, uid: str) -> None:
        """A device that is read no more. Its records stay."""
        text = self._file.text()
        self._must_be_there(uid, text)
        after = self._file.edited(lambda: without_device(text, uid))
        load_checked(self.file, after)
        known, serial = self.field_.known().get(uid), self.field_.book.serial(uid)
        if known is not None and known.device.secondary is None and serial:
            self.leaving(known.device.line, serial)
        self._file.write(after)
        self.report(
            "device.removed", {"device": uid, "text": f"{known.device.label if known else uid} is read no more"}
        )
        if known is not None:
            self.field_.remove(uid)

    def taken(self, line: str, address: int | str, secondary: int | None = None, besides: str = "") -> str:
        """Who has that place on a line already, `besides` one device, whose line it is where none is named, and which
        IDs are free, in the words people see beside the field; empty where nobody has it."""
        if not line and besides in self.field_.known():
            line = self.field_.known()[besides].device.line
        here = [known.device for known in self.field_.known().values() if known.device.line == line]
        owner = next((each for each in here if _place(each) == (address, secondary) and each.uid != besides), None)
        if owner is None:
            return ""
        if secondary is not None:
            return f'ID Modbus: {address} has a secondary {secondary} already, "{owner.label}".'
        role = self.field_.wires()[line].section.role
        what, last = _ADDRESSES.get(role, ("ID Modbus", HIGHEST_ADDRESS))
        taken = f'{what}: {address} is taken on this line by "{owner.label}".'
        if isinstance(address, str):
            return taken
        free = sorted(set(range(1, last + 1)) - {each.address for each in here}, key=lambda id: (id < address, id))
        return f"{taken} Free: {', '.join(map(str, free[:SHOWN])) or 'none'}{'…' if len(free) > SHOWN else '.'}"

    def _put(self, uid: str, after: str) -> None:
        """Has the device read as the new text says."""
        config, catalogue = load_checked(self.file, after)
        section = config.devices[uid]
        self._must_run(uid, section.line, config)
        made = self.field_.made(section.device(uid), catalogue.get(section.profile))
        self._file.write(after)
        self.field_.put(made)

    def _must_run(self, uid: str, name: str, config: Config) -> None:
        """A line that somebody wrote into the file meanwhile, or made another, is not there yet."""
        wire, line = self.field_.wires().get(name), config.lines[name]
        if wire is None or (wire.section.role, wire.section.protocol) != (line.role, line.protocol):
            found = f"{written(name)}, which is in the file but does not run like that yet"
            raise self._fault(uid, "line", found, "a line that runs; restart the box first")

    def _must_be_there(self, uid: str, text: str) -> None:
        if uid not in (uids := self._uids(text)):
            raise self._fault(uid, "", "no such device", "the short id of a device", nearest(uid, uids))

    def _uids(self, text: str) -> set[str]:
        """The short ids in a text that may be wrong elsewhere."""
        try:
            devices = tomllib.loads(text).get("device")
        except tomllib.TOMLDecodeError:
            load_checked(self.file, text)
            raise
        return set(devices) if isinstance(devices, dict) else set()

    def _fault(self, uid: str, key: str, found: str, expected: str, hint: str = "") -> ConfigError:
        return ConfigError([Fault(str(self.file), f"device.{uid}", key, found, expected, hint)])

    def _told(self, name: str, uid: str, what: str) -> None:
        device = self.field_.known()[uid].device
        what_is_it = "M-Bus address" if device.profile == M_BUS_METER else "Modbus ID"
        place = f"{device.line}, {what_is_it} {device.station}"
        self.report(name, {"device": uid, "text": f"{device.label} is {what}: {place}"})


def _place(device: Device) -> tuple[int | str, int | None]:
    return device.station, device.secondary
