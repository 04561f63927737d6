"""Searching an M-Bus for meters, reading one and telling it something: for a running box, beside polling; with a port
that nobody else holds; and from outside through the box that does. Hides who holds the port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from concentrator.actions.devices import Devices
from concentrator.actions.mbus import mbus_actions, reset_action, set_address_action, set_speed_action
from concentrator.actions.settings import Settings
from concentrator.actions.table import Action, Caller
from concentrator.actions.tasks import Tasks, Tell
from concentrator.app.address import demand_wire
from concentrator.app.config import load
from concentrator.app.control import act
from concentrator.app.field import Field
from concentrator.app.mbus_speed import speed_beside
from concentrator.app.mbus_told import Said, told
from concentrator.app.progress import Bar
from concentrator.app.scan import awaited, opened, run_alone
from concentrator.app.wires import Wire
from concentrator.line.endpoint import SerialEndpoint, endpoint_from
from concentrator.line.line import Line
from concentrator.line.serial_address import M_BUS_PORT, SerialAddress, parse_serial
from concentrator.model.device import Device
from concentrator.model.errors import (
    Busy,
    ConfigError,
    Denied,
    Garbled,
    LineLost,
    NotConfirmed,
    NotWritable,
    OutOfRange,
    Unknown,
    WrongArguments,
)
from concentrator.model.words import hint
from concentrator.poll.mbus_search import FoundMeter, MeterSearch
from concentrator.profile.mbus import M_BUS
from concentrator.wire.mbus_address import SecondaryAddress, parse_address
from concentrator.wire.mbus_frame import silence_s
from concentrator.wire.mbus_talk import Place, moved, read, reset_application, wait_s

# --- in a running box ------------------------------------------------------------------------------------------------


def checked(wires: Mapping[str, Wire], name: str) -> Wire:
    """The M-Bus line of that name. Raises Unknown, and WrongArguments where it is another kind of line."""
    if name not in wires:
        raise Unknown(f"line {name}{hint(name, wires)}")
    if wires[name].section.protocol != M_BUS:
        raise WrongArguments(f"line {name} is no M-Bus")
    return wires[name]


def mbus_actions_of(field_: Field, tasks: Tasks, listed: Devices, settings: Settings) -> Iterable[Action]:
    """What can be asked of the M-Bus lines of a field. What meters are told goes into the configuration, which `listed`
    and `settings` change."""

    def check(line: str) -> None:
        wire = checked(field_.wires(), line)
        if wire.poller.suspended:
            raise Busy(f"line {line}: {wire.poller.suspended}")

    def devices(line: str) -> list[Device]:
        known = [evolve(each.device, serial=field_.book.serial(uid)) for uid, each in field_.known().items()]
        return [each for each in known if each.line == line]

    def search(line: str, is_primary: bool, mask: SecondaryAddress, tell: Tell) -> Deferred[object]:
        return search_beside(checked(field_.wires(), line), devices(line), is_primary, mask, tell)

    def said(line: str, place: Place) -> Deferred[object]:
        return read_beside(checked(field_.wires(), line), place)

    def move(line: str, place: Place, primary: int) -> Deferred[object]:
        def keep(uid: str, primary: int) -> None:
            listed.change(uid, address=primary)

        return move_beside(checked(field_.wires(), line), devices(line), place, primary, keep)

    def reset(line: str, place: Place) -> Deferred[object]:
        return reset_beside(checked(field_.wires(), line), devices(line), place)

    def spur(line: str, baudrate: int, caller: Caller, tell: Tell) -> Deferred[object]:
        def keep(endpoint: str) -> object:
            return settings.change({f"line.{line}": {"endpoint": endpoint}}, caller, is_trial=False)

        return speed_beside(checked(field_.wires(), line), devices(line), baudrate, keep, tell)

    return (
        *mbus_actions(tasks, check, search, said),
        set_address_action(check, move),
        reset_action(check, reset),
        set_speed_action(tasks, check, spur),
    )


def search_beside(
    wire: Wire, devices: Iterable[Device], is_primary: bool, mask: SecondaryAddress, tell: Tell
) -> Deferred[object]:
    """A search that shares the line with polling: it rests as long as a probe may take after each."""
    wait, clock = _wait_of(wire.line, wire.section.serial_address), wire.line.clock
    search = MeterSearch(
        wire.line.run,
        wait,
        lambda done, text, found: tell(done, text, _listed(found)),
        known=_known(devices),
        character_s=wire.line.character_s,
        rest=lambda: deferLater(clock, wait),
    )
    return (search.primary() if is_primary else search.secondary(mask)).addCallback(_listed)


def read_beside(wire: Wire, place: Place) -> Deferred[object]:
    """What a meter says now."""
    wait = _wait_of(wire.line, wire.section.serial_address)
    station = str(place.selected) if place.selected else place.primary
    return wire.line.run(station, read(place, wait), urgent=True).addCallback(told)


def move_beside(
    wire: Wire, devices: Sequence[Device], place: Place, primary: int, keep: Callable[[str, int], object]
) -> Deferred[object]:
    """Gives a device another primary address, and `keep` it where the device is configured by its former one. Raises
    Denied where it is none, or one that is not to be written to, NotWritable where another meter answers in its place,
    and OutOfRange where another one is configured at the new address; fails as `moved`, and with NotConfirmed where the
    configuration did not take it."""
    device = _writable(wire, devices, place)
    for each in devices:
        if each is not device and not each.selected and each.address == primary:
            raise OutOfRange(f"primary address {primary} is that of {each.uid}")
    conversation = moved(place, primary, _wait_of(wire.line, wire.section.serial_address), wire.line.character_s)

    def told(address: SecondaryAddress | None) -> dict[str, object]:
        if not device.selected and device.address != primary:
            try:
                keep(device.uid, primary)
            except ConfigError as error:
                found = f"{device.uid} answers at primary address {primary}, which the configuration did not take"
                raise NotConfirmed(f"{found}: {error.detail}") from error
        return {"uid": device.uid, "address": str(address or ""), "primary": primary}

    return wire.line.run(device.station, conversation, urgent=True).addCallback(told)


def reset_beside(wire: Wire, devices: Sequence[Device], place: Place) -> Deferred[object]:
    """Has a device begin anew with its first telegram. Raises Denied and NotWritable as `move_beside`; fails with
    NoReply and WireError where it does not acknowledge."""
    device = _writable(wire, devices, place)
    conversation = reset_application(place, _wait_of(wire.line, wire.section.serial_address))
    return wire.line.run(device.station, conversation, urgent=True).addCallback(lambda _: {"uid": device.uid})


def _writable(wire: Wire, devices: Sequence[Device], place: Place) -> Device:
    """The device at a place, where it may be told something."""
    uid = _known(devices)(place.selected, None if place.selected else place.primary)
    device = next((each for each in devices if each.uid == uid), None)
    if device is None:
        raise Denied("the meter is no device of the configuration")
    if not device.allow_write:
        raise Denied(f"allow_write of {uid} is false")
    conflict = next((each.conflict for each in wire.poller.polled() if each.device.uid == uid), "")
    if conflict:
        raise NotWritable(f"{uid}: {conflict}")
    return device


def _wait_of(line: Line, port: SerialAddress | None) -> float:
    return wait_s(port.settings if port is not None and line.character_s else None)


def _known(devices: Iterable[Device]) -> Callable[[SecondaryAddress | None, int | None], str]:
    """Which device an address belongs to: by its serial, by what it is selected by, or by its primary address."""
    listed = list(devices)

    def known(address: SecondaryAddress | None, primary: int | None) -> str:
        serial = "" if address is None else address.as_serial
        for each in listed:
            if each.selected:
                is_it = address is not None and parse_address(each.selected).matches(address)
            else:
                is_it = primary is not None and each.address == primary
            if is_it or (serial and each.serial == serial):
                return each.uid
        return ""

    return known


def _listed(found: Sequence[FoundMeter]) -> list[dict[str, object]]:
    return [each.as_json() for each in found]


# --- with the port to itself -----------------------------------------------------------------------------------------


@frozen
class Port:
    """An M-Bus that is to be used alone: the endpoint, the serial port where it is one, and the devices that the
    configuration has there. `line` is its name, empty where it is no line of the configuration."""

    endpoint: str
    serial: SerialAddress | None
    devices: tuple[Device, ...] = ()
    line: str = ""

    def made(self, reactor: Any, clock: Any) -> Line:
        """A line of its own, not started."""
        if self.serial is None:
            return Line(self.endpoint, endpoint_from(reactor, self.endpoint), clock)
        settings = self.serial.settings
        end = SerialEndpoint(reactor, self.serial)
        return Line(self.serial.path, end, clock, settings.character_s, silence_s(settings))


def port_of(name: str, config: Path, baudrate: int | None = None) -> Port:
    """The line of that name in a configuration file, or the endpoint that the name is; at another speed where one is
    given. Raises Unknown, WrongArguments, and ConfigError with every fault of the file."""
    if ":" in name:
        try:
            port = Port(name, parse_serial(name, M_BUS_PORT))
            demand_wire(name)
        except ValueError as error:
            raise WrongArguments(f"{name}: {error}") from error
    else:
        found = load(config)
        if name not in found.lines:
            raise Unknown(f"line {name}{hint(name, found.lines)}")
        line = found.lines[name]
        if line.protocol != M_BUS:
            raise WrongArguments(f"line {name} is no M-Bus")
        devices = tuple(each.device(uid) for uid, each in found.devices.items() if each.line == name)
        port = Port(line.endpoint, line.serial_address, devices, name)
    if baudrate is not None and port.serial is not None:
        return evolve(port, serial=evolve(port.serial, baudrate=baudrate))
    return port


@define(eq=False)
class SearchAlone:
    """A search of a port that nobody else holds. `found` are the finds so far."""

    port: Port
    is_primary: bool
    mask: SecondaryAddress
    tell: Callable[[float, str], None]
    found: list[dict[str, object]] = field(factory=list, init=False)

    async def over(self, reactor: Any, clock: Any) -> object:
        """Looks for all. Raises LineLost, and Garbled where there is nothing but noise."""
        line = self.port.made(reactor, clock)
        await opened(line, clock)

        def heard(done: float, text: str, found: Sequence[FoundMeter]) -> None:
            self.found = _listed(found)
            self.tell(done, f"{text}, {len(found)} found")

        wait = _wait_of(line, self.port.serial)
        search = MeterSearch(line.run, wait, heard, _known(self.port.devices), character_s=line.character_s)
        try:
            return await (search.primary() if self.is_primary else search.secondary(self.mask))
        finally:
            await line.stop()


@define(eq=False)
class ReadAlone:
    """One read of a meter on a port that nobody else holds; `said` is what it says."""

    port: Port
    place: Place
    said: list[Said] = field(factory=list, init=False)

    async def over(self, reactor: Any, clock: Any) -> object:
        """Reads it. Raises LineLost, NoReply, WireError."""
        line = self.port.made(reactor, clock)
        await opened(line, clock)
        try:
            self.said = told(await line.run(self.place.address, read(self.place, _wait_of(line, self.port.serial))))
        finally:
            await line.stop()
        return self.said


def search_alone(port: Port, is_primary: bool, mask: SecondaryAddress, bar: Bar) -> tuple[list[Said], str, bool]:
    """Searches a port that nobody else uses; gives the finds, the words of what went wrong if anything did, and whether
    it came to its end. Ctrl-C gives it up."""
    search = SearchAlone(port, is_primary, mask, bar.tell)
    try:
        is_whole = run_alone(search)  # whose finds are there only afterwards
        return search.found, "", is_whole
    except LineLost as error:
        return search.found, _said_of(error, port, "search"), False
    except Garbled as error:
        return search.found, error.sentence, False


def read_alone(port: Port, place: Place) -> list[Said]:
    """What a meter says, on a port that nobody else uses. Raises LineLost, NoReply, WireError."""
    reading = ReadAlone(port, place)
    try:
        run_alone(reading)
    except LineLost as error:
        raise LineLost(_said_of(error, port, "read", sentence=False)) from error
    return reading.said


def _said_of(error: LineLost, port: Port, what: str, *, sentence: bool = True) -> str:
    is_held = bool(port.line) and "holds the port" in error.detail
    asking = f"; if that is the concentrator, `ccmaster mbus {what} {port.line} … --while-polling` asks it"
    return (error.sentence if sentence else error.detail) + (asking if is_held else "")


# --- through the box that holds the port -----------------------------------------------------------------------------


def search_through(state_dir: Path, line: str, is_primary: bool, mask: str, bar: Bar) -> tuple[list[Said], str, bool]:
    """Has the running box search beside polling; gives the same as `search_alone`."""
    by = "primary" if is_primary else "secondary"
    id = act(state_dir, "mbus.search", line=line, by=by, mask=mask)["task"]
    task = awaited(state_dir, id, lambda task: bar.tell(task["progress"], f"{task['text']}, {_count(task)} found"))
    error = task["error"]["message"] if task["error"] else ""
    return task["result"] or [], error, task["state"] == "done"


def _count(task: Mapping[str, Any]) -> int:
    return len(task["result"] or ())
