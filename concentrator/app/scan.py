"""Looking for devices from the command line: with the port to itself, over Modbus IDs and serial settings, or through
the running box that holds the port. Hides the reactor that has to run meanwhile, the order in which settings are tried,
and that whoever loses patience still sees what was found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from concentrator.app.address import demand_wire
from concentrator.app.config import load
from concentrator.app.control import act, table
from concentrator.app.progress import Bar
from concentrator.app.recognising import sunspec_of
from concentrator.dialect.modbus import dialects
from concentrator.line.endpoint import SerialEndpoint, endpoint_from
from concentrator.line.line import Line
from concentrator.line.serial_address import PREFIX, SerialAddress, parse_serial
from concentrator.model.errors import LineLost, Unknown
from concentrator.model.profile import DeviceProfile
from concentrator.model.words import hint
from concentrator.poll.enquiry import TIMEOUT_S
from concentrator.poll.identify import Recogniser
from concentrator.poll.scan import Found, Scan
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.recognise import recognisable
from concentrator.wire.modbus import rtu_silence_s

BAUDRATES, PARITIES, STOPBITS = (9600, 19200), ("N", "E"), (1,)
"""The settings that are tried where nobody says any."""
_OPEN_S = 5.0
_LOOK_S = 0.5
_SAID = ("serial", "model", "firmware", "known")

Row = dict[str, object]


@frozen
class Wire:
    """One way to open the line: the endpoint, and how characters travel where it is a serial port."""

    endpoint: str
    serial: SerialAddress | None

    @property
    def settings(self) -> str:
        """The settings in words, "9600 8N1"; empty where there are none."""
        return self.serial.framing if self.serial is not None else ""


def wires_of(
    endpoint: str, baudrates: Sequence[int] = (), parities: Sequence[str] = (), stopbits: Sequence[int] = ()
) -> tuple[Wire, ...]:
    """The ways to open an endpoint, the likeliest settings first: those given; where none are, what the endpoint says;
    where it says nothing, the usual ones. ValueError on a wrong endpoint."""
    at = parse_serial(endpoint)
    if at is None:
        demand_wire(endpoint)
        return (Wire(endpoint, None),)
    named = {option.partition("=")[0] for option in endpoint.split(":")}
    speeds = baudrates or ((at.baudrate,) if "baudrate" in named else BAUDRATES)
    evenness = parities or ((at.parity,) if "parity" in named else PARITIES)
    stops = stopbits or ((at.stopbits,) if "stopbits" in named else STOPBITS)
    tried = [(speed, parity, stop) for stop in stops for parity in evenness for speed in speeds]
    return tuple(Wire(endpoint, evolve(at, baudrate=b, parity=p, stopbits=s)) for b, p, s in tried)


@define(eq=False)
class OfflineScan:
    """A scan of ports that nobody else holds. `rows` are the finds so far, each with the settings it answers to;
    `untried` are the settings the port did not take, with the reason."""

    wires: Sequence[Wire]
    units: Sequence[int]
    profiles: Sequence[DeviceProfile]
    protocol: str
    timeout_s: float
    known: Mapping[int, str]
    tell: Callable[[float, str], None]
    recognisers: Sequence[Recogniser] = ()
    rows: list[Row] = field(factory=list, init=False)
    untried: list[str] = field(factory=list, init=False)

    async def over(self, reactor: Any, clock: Any) -> list[Row]:
        """Tries every wire in turn, past those that cannot be opened: drivers do not bear all settings. Raises LineLost
        where none can be, or one is lost."""
        for place, wire in enumerate(self.wires):
            line = line_of(wire, reactor, clock)
            try:
                await opened(line, clock)
            except LineLost as error:
                self.untried.append(f"{wire.settings}: {error.detail}".removeprefix(": "))
                if len(self.untried) == len(self.wires):
                    raise
            else:
                await self._try(wire, line, place)
        return self.rows

    async def _try(self, wire: Wire, line: Line, place: int) -> None:
        before = self.rows
        dialect = dialects()[self.protocol]

        def told(done: float, text: str, found: Sequence[Found]) -> None:
            self.rows = [*before, *(self._row(wire, each) for each in found)]
            words = " ".join(filter(None, (wire.settings, text)))
            self.tell((place + done) / len(self.wires), f"{words}, {len(self.rows)} found")

        try:
            scan = Scan(
                line.run,
                dialect.framing(),
                lambda profile, unit: dialect.station(profile, unit, {}),
                self.profiles,
                told,
                timeout_s=self.timeout_s,
                recognisers=self.recognisers,
            )
            await scan.over(self.units)
        finally:
            await line.stop()

    def _row(self, wire: Wire, found: Found) -> Row:
        return {"settings": wire.settings} | evolve(found, known=self.known.get(found.unit, "")).as_json()


def line_of(wire: Wire, reactor: Any, clock: Any) -> Line:
    """A line of its own over a wire, not started."""
    if wire.serial is None:
        return Line("scan", endpoint_from(reactor, wire.endpoint), clock)
    at, settings = wire.serial, wire.serial.settings
    return Line(at.path, SerialEndpoint(reactor, at), clock, settings.character_s, rtu_silence_s(settings))


async def opened(line: Line, clock: Any) -> None:
    """Opens a line, or raises LineLost with the reason."""
    untried, until = line.trouble, clock.seconds() + _OPEN_S
    line.start()
    while not line.is_open:
        if line.trouble != untried or clock.seconds() > until:
            reason = line.trouble
            await line.stop()
            raise LineLost(reason)
        await deferLater(clock, 0.02)


@frozen
class Place:
    """What is to be scanned: the endpoint, what is spoken there, which device of the configuration has which Modbus ID,
    and the catalogue of profiles. `line` is its name, empty where it is no line of the configuration."""

    endpoint: str
    protocol: str
    known: Mapping[int, str]
    catalogue: Catalogue
    line: str = ""


def place_of(name: str, config: Path, protocol: str | None) -> Place:
    """The line of that name in a configuration file, or the endpoint that the name is. `protocol`: what is spoken
    there; where it is not said, what the line's is, or is usual there. Raises Unknown, and ConfigError with every fault
    of the file."""
    if ":" in name:
        usual = "modbus-rtu" if name.startswith(PREFIX) else "modbus-tcp"
        return Place(name, protocol or usual, {}, Catalogue())
    found = load(config)
    if name not in found.lines:
        raise Unknown(f"line {name}{hint(name, found.lines)}")
    line = found.lines[name]
    spoken = protocol or line.protocol
    if spoken not in dialects():
        raise Unknown(f"line {name}: nobody is looked for by {spoken}, only by {' and '.join(dialects())}")
    known: dict[int, str] = {}
    for uid, device in found.devices.items():
        if device.line == name and device.secondary is None:
            known[device.device(uid).address] = uid
    return Place(line.endpoint, spoken, known, Catalogue(found.box.plugin_dirs), name)


def alone(
    place: Place,
    units: Sequence[int],
    settings: tuple[Sequence[int], Sequence[str], Sequence[int]],
    timeout_s: float | None,
    bar: Bar,
) -> tuple[list[Row], str, bool]:
    """Scans a place that nobody else uses, by baudrates, parities and stop bits; gives the rows, the words of what went
    wrong if anything did, and whether it came to its end. Ctrl-C gives the scan up."""
    try:
        wires = wires_of(place.endpoint, *settings)
    except ValueError as error:
        return [], f"{place.endpoint}: {error}", True
    profiles = recognisable(place.catalogue)
    scan = OfflineScan(wires, units, profiles, place.protocol, timeout_s or TIMEOUT_S, place.known, bar.tell)
    scan.recognisers = (sunspec_of(dialects()[place.protocol].framing(), place.catalogue, None),)
    try:
        is_whole = run_alone(scan)
        return scan.rows, f"not tried: {'; '.join(scan.untried)}" if scan.untried else "", is_whole
    except LineLost as error:
        asking = f"; if that is the concentrator, `ccmaster scan {place.line} --while-polling` asks it"
        return scan.rows, error.sentence + (asking if place.line and "holds the port" in error.detail else ""), False


class Alone(Protocol):
    """What is done with a port that nobody else holds."""

    async def over(self, reactor: Any, clock: Any) -> object:
        """Does it; gives the port up when it is cancelled."""


def run_alone(scan: Alone) -> bool:
    """Runs a scan, or whatever else, to its end in a reactor of its own; False where it was interrupted (Ctrl-C).
    Raises what it failed with."""
    from concentrator.app.clocks import SharpClock, make_monotonic
    from concentrator.app.light_reactor import import_reactor

    reactor = import_reactor()
    make_monotonic(reactor)
    clock = SharpClock(reactor)
    outcome: list[object] = []
    under_way: list[Deferred[None]] = []
    is_ending = False

    def ending() -> Deferred[None] | None:
        """Gives the scan up while there is a reactor yet that its line can be closed with."""
        nonlocal is_ending
        is_ending = True  # whatever fails from now on fails because nobody waits for it any more
        for scanning in under_way:
            scanning.cancel()
        return under_way[0] if under_way else None

    def over(result: object) -> None:
        if not is_ending:
            outcome.append(result)
            reactor.stop()

    def begin() -> None:
        clock.start()
        under_way.append(Deferred.fromCoroutine(scan.over(reactor, clock)).addBoth(over))

    reactor.addSystemEventTrigger("before", "shutdown", ending)
    reactor.callWhenRunning(begin)
    reactor.run()
    if outcome and isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return bool(outcome)


def through_the_box(state_dir: Path, line: str, first: int, last: int, bar: Bar) -> tuple[list[Row], str, bool]:
    """Has the running box scan beside polling; gives the rows, the words of what went wrong if anything did, and
    whether it came to its end. Ctrl-C gives the scan up."""
    id = act(state_dir, "scan", line=line, first=first, last=last, while_polling=True)["task"]
    task = awaited(state_dir, id, lambda task: bar.tell(task["progress"], _found_so_far(task)))
    error = task["error"]["message"] if task["error"] else ""
    return task["result"] or [], error, task["state"] == "done"


def awaited(state_dir: Path, id: str, look: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    """A task of the running box when it is over; `look` sees it now and then until then. Ctrl-C gives it up."""
    task: dict[str, Any]
    try:
        while (task := act(state_dir, "task.get", id=id))["state"] == "running":
            look(task)
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        task = act(state_dir, "task.cancel", id=id)
    return task


def _found_so_far(task: Mapping[str, Any]) -> str:
    return f"{task['text']}, {len(task['result'] or ())} found"


def found_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The finds as a table, or that there are none."""
    listed = [["ID", "SETTINGS", "PROFILE", "SERIAL", "MODEL", "FIRMWARE", "KNOWN AS", "ANSWERED"]]
    for each in rows:
        answered = "; ".join(filter(None, (each["answered"], each["trouble"])))
        cells = (each.get("settings", ""), " ".join(each["profiles"]), *(each[key] for key in _SAID), answered)
        listed.append([str(each["unit"]), *cells])
    yield from table(listed) if len(listed) > 1 else ["nobody answers"]
