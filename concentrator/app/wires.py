"""A wire put together: the line, the poller and the writer of one section `[line.NAME]`, and how a device on it is
spoken to. Hides which class speaks which protocol, and whether there is a serial port behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from attrs import Factory, evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from concentrator.api import Dialect, Report, Station, Wall
from concentrator.app.config_sections import LineSection
from concentrator.app.light_reactor import import_endpoints
from concentrator.dialect.modbus import dialects
from concentrator.line.arrivals import Arrivals
from concentrator.line.endpoint import SerialEndpoint, endpoint_from
from concentrator.line.line import CEILING_S, Line
from concentrator.line.serial_address import SerialAddress
from concentrator.model.device import Device
from concentrator.model.profile import DeviceProfile
from concentrator.model.reading import Reading, Value
from concentrator.poll.poller import Identified, Poller
from concentrator.poll.writes import Writer
from concentrator.profile.mbus import M_BUS
from concentrator.wire.conversation import LineSettings
from concentrator.wire.mbus_frame import answer_s
from concentrator.wire.mbus_frame import silence_s as mbus_silence_s
from concentrator.wire.modbus import rtu_silence_s


@frozen
class FieldSide:
    """What every wire needs: the reactor, the clock of the wires and the wall clock, where readings and events go, who
    knows the devices by their serial and the newest values, and what can be spoken, besides M-Bus; `arrivals`: where
    all network lines are looked at."""

    reactor: Any
    sharp: IReactorTime
    wall: Wall
    publish: Callable[[Reading], None]
    report: Report
    identified: Identified
    newest: Callable[[str, str], Value | None]
    spoken: Mapping[str, Dialect] = field(factory=dialects)
    arrivals: Arrivals = field(default=Factory(lambda side: Arrivals(side.reactor), takes_self=True), init=False)


@frozen(eq=False)
class Wire:
    """A line of the configuration with all that works on it; `tuned` gives another line of its serial port, at other
    settings, for while it is lent."""

    section: LineSection
    line: Line
    poller: Poller
    writer: Writer
    dialect: Dialect
    parameters: Mapping[str, object]
    tuned: Callable[[SerialAddress], Line]

    @property
    def is_linked(self) -> bool:
        """Whether its meters can be given their Modbus ID: the native bus."""
        return self.section.role == "native" and self.section.protocol == "modbus-rtu"

    def station(self, device: Device, profile: DeviceProfile) -> Station:
        """How a device is spoken to. Raises ConcentratorError where it cannot be, with that profile."""
        parameters = {**self.parameters, "secondary": device.secondary, "selected": device.selected}
        return self.dialect.station(profile, device.address, parameters)

    def label(self, profile: DeviceProfile) -> str:
        """The protocol of a device as people know it (CC-N2), such as MB_RTU_CCM."""
        if self.section.protocol == M_BUS:
            return "MBUS"
        transport = "TCP" if self.section.protocol == "modbus-tcp" else "RTU"
        return f"MB_{transport}_{profile.protocol_label}"

    @asynccontextmanager
    async def lent(self, reason: str) -> AsyncIterator[None]:
        """The port without its line, which is closed meanwhile and opened again at the end; nobody is told that it was
        lost. Raises Busy where it is suspended already."""
        await self.poller.suspend(reason)
        told, self.line.on_change = self.line.on_change, lambda: None
        try:
            await self.line.stop()
            yield
        finally:
            self.line.on_change = told
            self.line.start()
            self.poller.go_on()

    def at_speed_of(self, section: LineSection) -> Wire:
        """The same wire, whose serial line talks at the speed of that section from now on; stations made before still
        wait as long as the former one wanted."""
        address = section.serial_address
        assert address is not None, "only serial lines have a speed"
        self.line.ceiling_s = _ceiling_of(section)
        self.line.set_speed(address.settings, _silence_of(section)(address.settings))
        return evolve(self, section=section, parameters={**self.parameters, "settings": address.settings})

    def start(self) -> None:
        """Opens the line and begins to poll."""
        self.line.start()
        self.poller.start()

    def stop(self) -> Deferred[Any]:
        """Ends polling, then closes the line; nothing happens the second time."""
        return self.poller.stop().addCallback(lambda _: self.line.stop())


def _silence_of(section: LineSection) -> Callable[[LineSettings], float]:
    return mbus_silence_s if section.protocol == M_BUS else rtu_silence_s


def _ceiling_of(section: LineSection) -> float:
    if section.protocol != M_BUS:
        return CEILING_S
    from concentrator.wire.mbus_talk import NETWORK_LATEST_S

    serial = section.serial_address
    return NETWORK_LATEST_S if serial is None else max(CEILING_S, 2 * answer_s(serial.settings))


def _dialect(protocol: str, side: FieldSide) -> Dialect:
    if protocol != M_BUS:
        return side.spoken[protocol]
    from concentrator.dialect.mbus import MbusDialect

    return MbusDialect()


def build_wire(name: str, section: LineSection, side: FieldSide) -> Wire:
    """The wire of a section, built but not started."""
    serial = section.serial_address
    if serial is None:
        import_endpoints()  # without TLS, unless the wire wants it and was looked at before
    parameters: dict[str, object] = {"seconds": side.sharp.seconds}
    silence_s = _silence_of(section)
    if serial is None:
        line = Line(name, endpoint_from(side.reactor, section.endpoint), side.sharp, arrivals=side.arrivals)
    else:
        settings = serial.settings
        end = SerialEndpoint(side.reactor, serial)
        line = Line(name, end, side.sharp, settings.character_s, silence_s(settings))
        parameters["settings"] = settings
    line.ceiling_s = _ceiling_of(section)
    poller = Poller(line, side.sharp, side.wall, side.publish, side.report, side.identified)

    def conflict(uid: str) -> str:
        return next((each.conflict for each in poller.polled() if each.device.uid == uid), "")

    writer = Writer(
        line,
        side.sharp,
        side.wall,
        side.publish,
        side.report,
        suspended=lambda: poller.suspended,
        conflict=conflict,
        newest=side.newest,
    )

    def tuned(at: SerialAddress) -> Line:
        end = SerialEndpoint(side.reactor, at)
        return Line(name, end, side.sharp, at.settings.character_s, silence_s(at.settings))

    return Wire(section, line, poller, writer, _dialect(section.protocol, side), parameters, tuned)
