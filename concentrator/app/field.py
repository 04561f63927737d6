"""The field side, put together: the wires of the configuration with their devices, and what people see of them. Hides
that devices come and go while the lines are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime

from concentrator.api import DeviceState, LineState, Report, Station, Wall
from concentrator.app.config_rules import SERVED_ROLES
from concentrator.app.config_sections import Config, LineSection
from concentrator.app.wires import FieldSide, Wire, build_wire
from concentrator.hub.hub import Hub
from concentrator.hub.latest import Latest
from concentrator.line.line import Line
from concentrator.line.trace import Traced
from concentrator.model.device import Device
from concentrator.model.errors import Unknown
from concentrator.model.profile import DeviceProfile
from concentrator.model.quantity import Quantity
from concentrator.model.reading import Reading, Value
from concentrator.model.words import hint
from concentrator.poll.counters import CounterWatch, Range, counters_of
from concentrator.poll.meter_status import StatusWatch
from concentrator.poll.polled import Polled
from concentrator.poll.poller import Poller
from concentrator.system.identity import DeviceBook

if TYPE_CHECKING:
    from concentrator.app.gensets import Gensets
    from concentrator.model.genset import Alarm


@frozen(eq=False)
class Made:
    """A device, and the station that will speak to it."""

    device: Device
    station: Station


@frozen(eq=False)
class Known:
    """A device of the configuration with the station that speaks to it, and what the poller knows of it."""

    device: Device
    protocol: str
    station: Station
    polled: Polled

    @property
    def profile(self) -> DeviceProfile:
        """What kind it is, as far as that is known by now: some say only when they answer what they have."""
        return self.station.profile

    def columns(self) -> tuple[Quantity, ...]:
        """The quantities its intervals keep, in the profile's order."""
        return tuple(point.quantity for point in self.profile.points if point.recorded and point.polled)


@define(eq=False, repr=False)
class Field:
    """Every wire and device of the configuration. A device that was removed is remembered until the end, for
    the records that are still on their way."""

    book: DeviceBook
    hub: Hub[Reading]
    latest: Latest
    _clock: IReactorTime
    _wall: Wall
    _report: Report
    _watch: CounterWatch = field(init=False)
    _status: StatusWatch = field(init=False)
    _wires: dict[str, Wire] = field(factory=dict, init=False)
    _devices: dict[str, Known] = field(factory=dict, init=False)
    _removed: dict[str, tuple[Known, str]] = field(factory=dict, init=False)
    _counters: dict[str, tuple[DeviceProfile, Mapping[str, Range]]] = field(factory=dict, init=False)
    gensets: Gensets | None = field(default=None, init=False)
    """The gensets among them, from the first one on."""

    def __attrs_post_init__(self) -> None:
        self._watch = CounterWatch(self._report, self._counters_of)
        self.hub.subscribe(self.latest.reading_received)
        self.hub.subscribe(self._watch.reading_received)
        self._status = StatusWatch(self._report)
        self.hub.subscribe(self._status.reading_received)

    def start(self) -> None:
        """Opens the lines and begins to poll."""
        for wire in self._wires.values():
            wire.start()

    def stop(self) -> Deferred[Any]:
        """Ends polling, then closes the lines; nothing happens the second time."""
        return DeferredList([wire.stop() for wire in self._wires.values()])

    # -- lines

    @property
    def clock(self) -> IReactorTime:
        """The clock of the wires, by which images have their ages."""
        return self._clock

    def wires(self) -> Mapping[str, Wire]:
        """The wires by their line's name."""
        return self._wires

    def line(self, name: str) -> Line:
        """A line; KeyError for an unknown name, here and below."""
        return self._wires[name].line

    def poller(self, name: str) -> Poller:
        """The poller of a line."""
        return self._wires[name].poller

    def protocol(self, name: str) -> str:
        """What is spoken on a line, as the configuration says it."""
        return self._wires[name].section.protocol

    def set_speed(self, name: str, section: LineSection) -> None:
        """Talks on a serial line at the speed of that section from now on; a line that is not read is not ours."""
        if name not in self._wires:
            return
        self._wires[name] = self._wires[name].at_speed_of(section)
        for known in [each for each in self._devices.values() if each.device.line == name]:
            self.put(self.made(known.device, known.profile))

    def traced(self, name: str) -> Sequence[Traced]:
        """The last exchanges of a line, newest last, their moments in UTC seconds."""
        since = self._wall.now() - self._clock.seconds()
        exchanges = self._wires[name].line.trace.exchanges()
        return [evolve(each, began=each.began + since, ended=each.ended + since) for each in exchanges]

    # -- devices

    def known(self) -> Mapping[str, Known]:
        """The devices by short id, in the order of the configuration."""
        return self._devices

    def at(self, name: str) -> Mapping[int | str, Known]:
        """The devices of a line by Modbus ID, or what else they are told apart by; the principal where it has
        secondaries."""
        found: dict[int | str, Known] = {}
        for known in self._devices.values():
            if known.device.line == name and (known.device.secondary is None or known.device.station not in found):
                found[known.device.station] = known
        return found

    def made(self, device: Device, profile: DeviceProfile) -> Made:
        """A device of the configuration, ready to be put in, with its profile or that of its principal."""
        return Made(device, self._wires[device.line].station(device, profile))

    def put(self, made: Made) -> None:
        """Reads a device from now on, or as it is configured now; what is known of it stays where it is the same
        device still."""
        device, profile = made.device, made.station.profile
        uid, wire = device.uid, self._wires[device.line]
        known = self._devices.get(uid)
        if known is not None:
            self._wires[known.device.line].poller.remove(uid)
            if _place(known.device) != _place(device):
                self._forget(uid)
        self.book.expect(uid, profile.type, device.serial, says_serial=profile.point("serial") is not None)
        polled = wire.poller.add(device, made.station)
        self._devices[uid] = Known(device, wire.label(profile), made.station, polled)
        self._removed.pop(uid, None)
        if profile.type == "genset" and self.gensets is None:
            from concentrator.app.gensets import Gensets

            self.gensets = Gensets(self, self._report)

    def remove(self, uid: str) -> None:
        """Reads a device no more, and forgets what it said."""
        known = self._devices.pop(uid)
        wire = self._wires[known.device.line]
        wire.poller.remove(uid)
        wire.writer.forget(uid)
        self._removed[uid] = (known, self.book.serial(uid))
        self._forget(uid)
        self.book.forget(uid)

    def _forget(self, uid: str) -> None:
        self.latest.forget(uid)
        self._watch.forget(uid)
        self._status.forget(uid)
        if self.gensets is not None:
            self.gensets.forget(uid)
        self._counters.pop(uid, None)

    def _counters_of(self, uid: str) -> Mapping[str, Range]:
        known = self._devices.get(uid)
        if known is None:
            return {}
        profile, counters = self._counters.get(uid, (None, {}))
        if profile is not known.profile:
            self._counters[uid] = known.profile, (counters := counters_of(known.profile))
        return counters

    def describe(self, uid: str) -> tuple[str, tuple[Quantity, ...]]:
        """A device's serial and the columns of its records."""
        if uid in self._removed:
            known, serial = self._removed[uid]
            return serial, known.columns()
        return self.book.serial(uid), self._devices[uid].columns()

    def alias(self, uid: str) -> str:
        """The name people see of a device; empty for the box itself."""
        known = self._devices.get(uid) or self._removed.get(uid, (None,))[0]
        return known.device.label if known else ""

    # -- commands

    def write(self, uid: str, name: str, value: Value) -> Deferred[Value]:
        """Writes a variable of a device and fires with it as it was read back; see Writer. Raises Unknown for a device
        that is not there, here and below."""
        known = self._named(uid)
        return self._wires[known.device.line].writer.write(known.device, known.station, name, value)

    def read(self, uid: str, name: str) -> Deferred[Value]:
        """Reads a variable of a device at once and fires with it."""
        known = self._named(uid)
        return self._wires[known.device.line].writer.read(known.device, known.station, name)

    def unit(self, uid: str, name: str) -> str:
        """The unit of a variable of a device; empty where it has none."""
        point = self._named(uid).profile.point(name)
        return point.quantity.unit if point is not None else ""

    def _named(self, uid: str) -> Known:
        if uid not in self._devices:
            raise Unknown(f"device {uid}{hint(uid, self._devices)}")
        return self._devices[uid]

    # -- what people see

    def genset_alarms(self) -> Sequence[Alarm]:
        """The worst alarm of each genset."""
        return () if self.gensets is None else self.gensets.alarms()

    def line_states(self) -> list[LineState]:
        """What people see of each line."""
        return [self._line_state(name, wire) for name, wire in self._wires.items()]

    def device_states(self) -> list[DeviceState]:
        """What people see of each device, in the order of the configuration."""
        return [self._state(known) for known in self._devices.values()]

    def _line_state(self, name: str, wire: Wire) -> LineState:
        line, here = wire.line, self.at(name)
        rounds = [each.round_s for each in wire.poller.polled() if each.round_s and each.health.label == "answering"]
        return LineState(
            name=name,
            endpoint=wire.section.endpoint,
            is_open=line.is_open,
            trouble=line.trouble,
            counters=line.counters.as_mapping(),
            role=wire.section.role,
            stations={
                str(unit): counters.as_mapping()
                for unit, counters in sorted(line.stations().items(), key=lambda each: str(each[0]).rjust(3))
                if unit in here or counters.answers
            },
            utilisation=line.utilisation(),
            round_s=max(rounds, default=None),
            suspended=wire.poller.suspended,
        )

    def _state(self, known: Known) -> DeviceState:
        device, newest, polled = known.device, self.latest.of(known.device.uid), known.polled
        shown = [point for point in known.profile.points if point.polled or point.name in newest.values]
        model, _ = newest.values.get("model", ("", 0.0))
        firmware, _ = newest.values.get("firmware", ("", 0.0))
        return DeviceState(
            uid=device.uid,
            alias=device.label,
            serial=self.book.serial(device.uid),
            model=self._text(known.profile, "model", model) or device.model,
            firmware=str(firmware),
            protocol=known.protocol,
            line=device.line,
            address=device.address,
            selected=device.selected,
            health=polled.health.label,
            last_seen=newest.last_seen,
            trouble=polled.conflict or polled.trouble,
            tries=tuple(polled.tries),
            profile=known.profile.key,
            sign=known.profile.sign.value if known.profile.sign is not None else "",
            values=newest.values,
            points=[(point.name, point.quantity.label, point.quantity.unit) for point in shown],
            quality=polled.quality.value if polled.quality else "",
            secondary=device.secondary,
            round_s=polled.round_s,
            alarm=self.gensets.status(device.uid).alarm if self.gensets and known.profile.genset else "",
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
    hub: Hub[Reading] = Hub(lambda reading: f"a reading of {reading.uid}")
    latest = Latest()
    built = Field(book, hub, latest, sharp, wall, report)

    def newest(uid: str, name: str) -> Value | None:
        value, _ = latest.of(uid).values.get(name, (None, 0.0))
        return value

    side = FieldSide(reactor, sharp, wall, hub.publish, report, book.identified, newest)
    for name, section in config.lines.items():
        if section.role in SERVED_ROLES:
            built._wires[name] = build_wire(name, section, side)
    with book.kept_once():
        for uid, wanted in config.devices.items():
            built.put(built.made(wanted.device(uid), profiles(wanted.profile)))
    return built


def _place(device: Device) -> tuple[object, ...]:
    """What tells whether it is the same device still."""
    return device.line, device.profile, device.station, device.secondary, device.serial
