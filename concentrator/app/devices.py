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
from concentrator.app.config_sections import Config
from concentrator.app.field import Field
from concentrator.app.rule import written
from concentrator.model.errors import ConfigError, Fault
from concentrator.model.words import nearest

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
        place = f"{device.line}, Modbus ID {device.address}"
        self.report(name, {"device": uid, "text": f"{device.label} is {what}: {place}"})
