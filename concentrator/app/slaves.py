"""The slave ports, put together: units on lines and at TCP ports, each with the map or the mirror it shows. Hides that
they come and go while the box runs, and where the windows of the map are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

import concentrator
from concentrator.actions.slave import SlaveState
from concentrator.app.config_sections import Config, LineSection
from concentrator.app.config_slave import KIND, SlaveSection
from concentrator.app.light_reactor import import_endpoints
from concentrator.app.slave_devices import FieldDevices, FieldOriginal
from concentrator.app.slave_map import mapped
from concentrator.line.endpoint import endpoint_from
from concentrator.mbusgate.guests import may_come
from concentrator.model.profile import DeviceProfile
from concentrator.model.reading import Reading
from concentrator.slave.mirror import Mirror
from concentrator.slave.network import TcpServer
from concentrator.slave.register_map import Introduction, RegisterMap
from concentrator.slave.serial_port import SerialPort
from concentrator.slave.unit import Content, Unit
from concentrator.slave.windows import Windows, as_kept, as_they_were
from concentrator.system.files import write_whole
from concentrator.wire.modbus import rtu_silence_s

if TYPE_CHECKING:
    from concentrator.app.ways import Around

FILE = "slave_map.json"
"""Where the windows are kept, in the state folder."""
MAKER = "CcMaster"
ASKED_S = 5.0
"""For how long after a request a slave port on a line counts as being asked."""

log = Logger()


class Place(Protocol):
    """A line or a TCP port with its units."""

    label: str
    units: dict[int, Unit]

    @property
    def is_open(self) -> bool:
        """Whether it can be reached."""

    @property
    def trouble(self) -> str:
        """Why not, in a sentence."""

    @property
    def peers(self) -> Sequence[str]:
        """Who is connected."""

    @property
    def figures(self) -> Mapping[str, int]:
        """What it has counted."""

    def start(self) -> None:
        """Opens it."""

    def stop(self) -> Deferred[Any]:
        """Closes it."""


@frozen(eq=False)
class _Made:
    made_from: tuple[SlaveSection, LineSection | None]
    place: tuple[object, ...]
    unit: Unit
    shown: Content

    @property
    def section(self) -> SlaveSection:
        return self.made_from[0]


@define(eq=False, repr=False)
class Slaves:
    """The slave ports of a configuration, by name; a Way."""

    _around: Around
    _made: dict[str, _Made] = field(factory=dict, init=False)
    _places: dict[tuple[object, ...], Place] = field(factory=dict, init=False)
    _windows: Windows | None = field(default=None, init=False)
    _profiles: dict[str, DeviceProfile] = field(factory=dict, init=False)
    _model: str = field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        self._around.field_.hub.subscribe(self._reading_received)
        self._around.front.sources.is_slave_asked = self.is_asked

    def start(self, config: Config) -> None:
        """Answers wherever the configuration says so and nobody does yet."""
        self._model = config.box.model
        new = []
        for name, made_from in _wanted(config).items():
            if name not in self._made:
                place = self._place(made_from)
                if place not in new and not self._places[place].units:
                    new.append(place)
                self._made[name] = made = self._make(name, made_from, place)
                self._places[place].units[made.section.unit] = made.unit
        for place in new:
            self._places[place].start()

    def leave(self, config: Config) -> Deferred[Any]:
        """Answers no more where the configuration says otherwise, or nothing; fires when that is so."""
        wanted = _wanted(config)
        return self._end([name for name, made in self._made.items() if wanted.get(name) != made.made_from])

    def stop(self) -> Deferred[Any]:
        """Answers nobody any more."""
        return self._end(list(self._made))

    def _end(self, names: Sequence[str]) -> Deferred[Any]:
        emptied = []
        for name in names:
            made = self._made.pop(name)
            units = self._places[made.place].units
            del units[made.section.unit]
            if not units:
                emptied.append(self._places.pop(made.place).stop())
        return DeferredList(emptied)

    # -- what is built

    def _make(self, name: str, made_from: tuple[SlaveSection, LineSection | None], place: tuple[object, ...]) -> _Made:
        section, seconds = made_from[0], self._around.field_.clock.seconds
        shown: RegisterMap | Mirror
        if section.serve == "mirror":
            original = FieldOriginal(self._around, name, section.device)
            shown = Mirror(original, seconds, section.max_age_s, section.ask)
        else:
            shown = RegisterMap.of(
                self.windows(),
                FieldDevices(self._around, name),
                self._around.wall.now,
                max_age_s=section.max_age_s,
                introduction=Introduction(MAKER, self._model, concentrator.__version__, self._around.serial),
                unit=section.unit,
            )
        return _Made(made_from, place, Unit(shown, seconds, section.write), shown)

    def _place(self, made_from: tuple[SlaveSection, LineSection | None]) -> tuple[object, ...]:
        """The place of a section, built where it is not there yet."""
        section, line = made_from
        place = (*section.place, line)
        if place not in self._places:
            self._places[place] = self._serial(section, line) if line is not None else self._tcp(section)
        return place

    def _serial(self, section: SlaveSection, line: LineSection) -> SerialPort:
        address, reactor = line.serial_address, self._around.reactor
        if address is None:
            import_endpoints()
        silence_s = 0.0 if address is None else rtu_silence_s(address.settings)
        return SerialPort(
            section.label, {}, self._around.field_.clock, endpoint_from(reactor, line.endpoint), silence_s
        )

    def _tcp(self, section: SlaveSection) -> TcpServer:
        import_endpoints()
        from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint

        make = TCP6ServerEndpoint if ":" in section.interface else TCP4ServerEndpoint
        endpoint = make(self._around.reactor, section.port, interface=section.interface)

        def let_in(address: str) -> bool:
            return may_come(address, section.allow)

        return TcpServer(section.label, {}, self._around.reactor, endpoint, let_in, section.clients)

    # -- the windows of the map

    def windows(self) -> Windows:
        """The windows, with every device of now."""
        if self._windows is None:
            self._windows = self._kept()
            changed = [self._make_room(uid) for uid in self._around.field_.known()]
            if any(changed):
                self._keep()
        return self._windows

    def _kept(self) -> Windows:
        path = self._around.state_dir / FILE
        try:
            return as_they_were(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Windows()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            # Better a map in another order than none; whoever relies on it hears of it.
            text = f"{path} cannot be read ({error}): the windows of the register map are given anew"
            self._around.report("slave.map_lost", {"text": text})
            return Windows()

    def _keep(self) -> None:
        assert self._windows is not None
        content = json.dumps(as_kept(self._windows), indent=1).encode()
        try:
            write_whole(self._around.state_dir / FILE, content)
        except OSError as error:
            log.error("the windows of the register map are not kept: {error}", error=error)

    def _make_room(self, uid: str) -> bool:
        assert self._windows is not None
        known = self._around.field_.known().get(uid)
        if known is None or self._profiles.get(uid) is known.profile:
            return False
        self._profiles[uid] = known.profile
        before = len(self._windows.left_out)
        has_changed = self._windows.make_room(uid, known.profile.points)
        if len(self._windows.left_out) > before:
            text = f"the register map of the slave ports has no room for all of {uid}"
            self._around.report("slave.map_full", {"device": uid, "text": text})
        return has_changed

    def _reading_received(self, reading: Reading) -> None:
        if self._windows is None:
            return
        if self._make_room(reading.uid):
            self._keep()
        for made in self._made.values():
            if isinstance(made.shown, RegisterMap):
                made.shown.changed(reading.uid)

    # -- what people see

    def states(self) -> list[SlaveState]:
        """How each stands."""
        since = self._around.wall.now() - self._around.field_.clock.seconds()
        return [self._state(name, made, since) for name, made in self._made.items()]

    def is_asked(self) -> bool:
        """Whether a slave port on a line was asked something just now."""
        now = self._around.field_.clock.seconds()
        asked = [made.unit.last_at for made in self._made.values() if made.section.line]
        return any(at is not None and now - at < ASKED_S for at in asked)

    def mapped(self) -> Mapping[str, object]:
        """The register map, as JSON can carry it."""
        return mapped(self.windows(), self._around.field_)

    def _state(self, name: str, made: _Made, since: float) -> SlaveState:
        place, unit, section = self._places[made.place], made.unit, made.section
        return SlaveState(
            name,
            where=section.label,
            unit=section.unit,
            serves=section.serve,
            device=section.device,
            is_writable=section.write,
            is_open=place.is_open,
            trouble=place.trouble,
            clients=list(place.peers),
            reads=unit.reads,
            writes=unit.writes,
            refused={str(code): count for code, count in sorted(unit.refused.items())},
            last_asked=None if unit.last_at is None else unit.last_at + since,
            figures=place.figures,
        )


def _wanted(config: Config) -> dict[str, tuple[SlaveSection, LineSection | None]]:
    """Each slave port that answers, with all of the configuration that it depends on."""
    sections: Mapping[str, SlaveSection] = config.services.get(KIND, {})
    return {
        name: (section, config.lines[section.line] if section.line else None)
        for name, section in sections.items()
        if section.enabled
    }


def build(around: Around) -> Slaves:
    """The way of `[modbus_slave.NAME]`."""
    return Slaves(around)
