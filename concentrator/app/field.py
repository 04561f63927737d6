"""The field side, put together: a line, a dialect and a poller for each wire of the configuration, and what people see
of them. Hides which class speaks which protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime

from concentrator.api import DeviceState, Dialect, LineState, Report, Wall
from concentrator.app.config_rules import SERVED_ROLES
from concentrator.app.config_sections import Config, LineSection
from concentrator.dialect.modbus import dialects
from concentrator.hub.hub import Hub
from concentrator.hub.latest import Latest
from concentrator.line.endpoint import endpoint_from
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.profile import DeviceProfile
from concentrator.model.quantity import Quantity
from concentrator.poll.poller import Polled, Poller
from concentrator.system.identity import DeviceBook
from concentrator.wire.modbus import rtu_silence_s


@define(eq=False)
class Known:
    """A configured device with its profile and what the poller knows of it."""

    device: Device
    profile: DeviceProfile
    protocol: str
    polled: Polled

    def columns(self) -> tuple[Quantity, ...]:
        """The quantities its intervals keep, in the profile's order."""
        return tuple(point.quantity for point in self.profile.points if point.recorded and point.polled)


@define(eq=False)
class Field:
    """Every wire and device of the configuration."""

    book: DeviceBook
    hub: Hub
    latest: Latest
    _lines: dict[str, tuple[str, Line, Poller]] = field(factory=dict, init=False)
    _devices: dict[str, Known] = field(factory=dict, init=False)

    def start(self) -> None:
        """Opens the lines and begins to poll."""
        for _, line, poller in self._lines.values():
            line.start()
            poller.start()

    def stop(self) -> Deferred[Any]:
        """Ends polling, then closes the lines; nothing happens the second time."""

        def close(_: object) -> Deferred[Any]:
            return DeferredList([line.stop() for _, line, _ in self._lines.values()])

        return DeferredList([poller.stop() for _, _, poller in self._lines.values()]).addCallback(close)

    def describe(self, uid: str) -> tuple[str, tuple[Quantity, ...]]:
        """A device's serial and the columns of its records."""
        return self.book.serial(uid), self._devices[uid].columns()

    def alias(self, uid: str) -> str:
        """The name people see of a device; empty for the box itself."""
        return self._devices[uid].device.label if uid in self._devices else ""

    def line_states(self) -> list[LineState]:
        """What people see of each line."""
        return [
            LineState(name, endpoint, line.is_open, line.trouble, line.counters.as_mapping())
            for name, (endpoint, line, _) in self._lines.items()
        ]

    def device_states(self) -> list[DeviceState]:
        """What people see of each device, in the order of the configuration."""
        return [self._state(known) for known in self._devices.values()]

    def _state(self, known: Known) -> DeviceState:
        device, newest = known.device, self.latest.of(known.device.uid)
        shown = [point for point in known.profile.points if point.polled or point.name in newest.values]
        model, _ = newest.values.get("model", ("", 0.0))
        firmware, _ = newest.values.get("firmware", ("", 0.0))
        return DeviceState(
            uid=device.uid,
            alias=device.label,
            serial=self.book.serial(device.uid),
            model=self._text(known.profile, "model", model),
            firmware=str(firmware),
            protocol=known.protocol,
            line=device.line,
            address=device.address,
            health=known.polled.health.label,
            last_seen=newest.last_seen,
            trouble=known.polled.conflict or known.polled.trouble,
            values=newest.values,
            points=[(point.name, point.quantity.label, point.quantity.unit) for point in shown],
        )

    def _text(self, profile: DeviceProfile, name: str, value: object) -> str:
        point = profile.point(name)
        return point.enum.get(value, str(value)) if point and isinstance(value, int) else str(value)


def build_field(
    config: Config,
    profiles: Callable[[str], DeviceProfile],
    *,
    reactor: Any,
    sharp: IReactorTime,
    wall: Wall,
    report: Report,
    book: DeviceBook,
) -> Field:
    """The field of a configuration, built but not started. `profiles` gives a profile by key; `sharp` is the clock of
    the wires."""
    hub, latest = Hub(), Latest()
    hub.subscribe(latest.reading_received)
    built = Field(book, hub, latest)
    spoken = dialects()
    for name, section in config.lines.items():
        if section.role in SERVED_ROLES:
            line, parameters = _line(name, section, reactor, sharp)
            poller = Poller(line, sharp, wall, hub.publish, report, book.identified)
            built._lines[name] = (section.endpoint, line, poller)
            _add_devices(built, config, name, section, spoken[section.protocol], parameters, profiles)
    return built


def _line(name: str, section: LineSection, reactor: Any, clock: IReactorTime) -> tuple[Line, Mapping[str, object]]:
    endpoint = endpoint_from(reactor, section.endpoint)
    serial = section.serial_address
    if serial is None:
        return Line(name, endpoint, clock), {}
    settings = serial.settings
    return Line(name, endpoint, clock, settings.character_s, rtu_silence_s(settings)), {"settings": settings}


def _add_devices(
    built: Field,
    config: Config,
    line: str,
    section: LineSection,
    dialect: Dialect,
    parameters: Mapping[str, object],
    profiles: Callable[[str], DeviceProfile],
) -> None:
    poller = built._lines[line][2]
    transport = "TCP" if section.protocol == "modbus-tcp" else "RTU"
    for uid, wanted in config.devices.items():
        if wanted.line == line:
            device, profile = wanted.device(uid), profiles(wanted.profile)
            built.book.expect(uid, profile.type, device.serial)
            polled = poller.add(device, dialect.station(profile, device.address, parameters))
            built._devices[uid] = Known(device, profile, f"MB_{transport}_{profile.protocol_label}", polled)
