"""Link mode put together, for every native bus: where its IDs are kept, which meters count as known, and that a linked
meter is a device from then on. Hides where that is decided: in the list of devices, under the meter's serial; and that
what it takes is loaded when link mode is first entered, or where something was cut off."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from concentrator.api import LinkProtocol, Report
from concentrator.app.config_edit import Scalar
from concentrator.app.devices import DeviceList
from concentrator.app.field import Field
from concentrator.model.device import Device
from concentrator.model.errors import ConfigError, Unknown, WrongArguments
from concentrator.model.profile import DeviceProfile
from concentrator.model.words import hint
from concentrator.poll.addresses import Addresses
from concentrator.profile.catalogue import Catalogue
from concentrator.system.link_table import LinkTable

if TYPE_CHECKING:
    from concentrator.poll.link_mode import LinkMode

LINKABLE = "energycm/ccm"
"""The profile of meters on a bus where none has one that says how it is linked."""

log = Logger()


@define(eq=False, repr=False)
class Links:
    """Link mode of each native bus, by its line's name. `trouble` says why there is none, where the IDs that were given
    cannot be read: no ID is given then."""

    trouble: str = ""
    _kept: dict[str, tuple[Addresses, Callable[[], LinkMode]]] = field(factory=dict, init=False)
    _modes: dict[str, LinkMode] = field(factory=dict, init=False)

    def mode(self, line: str = "") -> LinkMode:
        """Link mode of a line, or of the only one there is. Raises Unknown, or WrongArguments where it must be
        named."""
        if self.trouble:
            raise Unknown(f"there is no link mode: {self.trouble}")
        lines = self.lines()
        if not lines:
            raise Unknown("there is no native line, on which meters could be linked")
        if line and line not in lines:
            raise Unknown(f"line {line} with link mode{hint(line, lines)}")
        if not line and len(lines) > 1:
            raise WrongArguments(f"line: missing, expected one of {', '.join(lines)}")
        return self._made(line or lines[0])

    def lines(self) -> tuple[str, ...]:
        """The lines that have link mode."""
        return tuple(self._kept | self._modes)

    def is_on(self) -> bool:
        """Whether any line is in link mode, or on its way into or out of it."""
        return any(mode.is_on for mode in self._modes.values())

    def start(self) -> None:
        """Finds out what became of meters that were being linked when the program ended."""
        for line in [line for line, (addresses, _) in self._kept.items() if addresses.recover()]:
            self._made(line).recover()

    def stop(self) -> Deferred[Any]:
        """Leaves link mode wherever it is on; fires when the lines are read again, or would be."""
        return DeferredList([mode.close() for mode in self._modes.values()])

    def leaving(self, line: str, serial: str) -> None:
        """A device leaves its line for good: its ID is free. Raises Busy while the meter is just being linked."""
        if line in self._modes:
            self._modes[line].release(serial)
        elif line in self._kept:
            addresses, _ = self._kept[line]
            addresses.release(serial)

    def _made(self, line: str) -> LinkMode:
        if line not in self._modes:
            _, make = self._kept[line]
            self._modes[line] = make()
        return self._modes[line]


def build_links(
    state_dir: Path, field_: Field, devices: DeviceList, catalogue: Catalogue, clock: IReactorTime, report: Report
) -> Links:
    """Link mode of every native bus of a field, which nobody has entered yet. `clock` is the clock of the wires."""
    links = Links()
    linkable = [name for name, wire in field_.wires().items() if wire.is_linked]
    try:
        table = LinkTable(state_dir)
        journals = {name: table.addresses(name) for name in linkable}
    except ConfigError as error:
        log.error("no meter is linked: {error}", error=str(error))
        return Links(str(error))

    def maker(name: str, addresses: Addresses) -> Callable[[], LinkMode]:
        def make() -> LinkMode:
            from concentrator.poll.link_mode import LinkMode

            wire, profile = field_.wires()[name], _profile(name, field_, catalogue)
            entry = _Entry(name, profile.key, field_, devices)
            return LinkMode(
                wire.line,
                clock,
                _protocol(profile),
                addresses,
                suspend=wire.poller.suspend,
                go_on=wire.poller.go_on,
                report=report,
                linked=entry.linked,
                taken=entry.taken,
            )

        return make

    for name, addresses in journals.items():
        links._kept[name] = addresses, maker(name, addresses)
    devices.leaving = links.leaving
    return links


@define(eq=False)
class _Entry:
    """How the linked meters of one line become devices."""

    line: str
    profile: str
    _field: Field
    _devices: DeviceList

    def taken(self) -> Mapping[int, str]:
        """The Modbus IDs of the line's devices, with their serials as far as they are known."""
        return {
            unit: self._field.book.serial(known.device.uid) if known.device.secondary is None else ""
            for unit, known in self._field.at(self.line).items()
            if isinstance(unit, int)
        }

    def linked(self, serial: str, unit: int) -> None:
        """A meter has its ID: a known one is the same device as ever, under that ID, an unknown one a new device. The
        second time nothing happens. Raises ConfigError where the file does not take it."""
        for known in tuple(self._field.known().values()):
            if known.device.secondary is None and self._field.book.serial(known.device.uid) == serial:
                self._move(known.device, unit)
                return
        uid = "ccm-" + re.sub(r"[^A-Za-z0-9_-]", "-", serial)
        section: dict[str, Scalar] = {"line": self.line, "profile": self.profile, "address": unit, "serial": serial}
        if uid in self._field.known():
            self._devices.change(uid, **section)
        else:
            self._devices.add(uid, section)

    def _move(self, principal: Device, unit: int) -> None:
        """A meter and those behind it have another ID; itself last, so that a power cut in between moves them again."""
        here, there = (principal.line, principal.address), (self.line, unit)
        if here != there:
            devices = [known.device for known in self._field.known().values()]
            behind = [each for each in devices if (each.line, each.address) == here and each.secondary is not None]
            for each in (*behind, principal):
                self._devices.change(each.uid, line=self.line, address=unit)


def _profile(line: str, field_: Field, catalogue: Catalogue) -> DeviceProfile:
    """The profile that meters linked on a line have: that of the meters there."""
    from concentrator.dialect.modbus_link import link_protocol_of

    there = (known.profile for known in field_.at(line).values() if known.device.secondary is None)
    return next((profile for profile in there if link_protocol_of(profile) is not None), catalogue.get(LINKABLE))


def _protocol(profile: DeviceProfile) -> LinkProtocol:
    from concentrator.dialect.modbus_link import link_protocol_of

    protocol = link_protocol_of(profile)
    assert protocol is not None, f"{profile.key} has link mode"
    return protocol
