"""Who is at one Modbus ID of a line: of a running box beside its polling, or of a port that nobody else holds. Hides
the search for the serial settings that a device was left with, which only a line without other devices can bear, and
the words for what was found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field

from concentrator.api import Station
from concentrator.app.control import act, table
from concentrator.app.progress import Bar
from concentrator.app.recognising import profiles_of, sunspec_of
from concentrator.app.scan import Place, Row, Wire, awaited, line_of, opened, run_alone
from concentrator.dialect.modbus import dialects
from concentrator.line.line import Line
from concentrator.line.serial_address import parse_serial
from concentrator.model.errors import LineLost
from concentrator.model.profile import DeviceProfile, SerialDefaults
from concentrator.poll.enquiry import TIMEOUT_S, Enquiry
from concentrator.poll.identify import Identify, Identity
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.recognise import usual_settings

Tell = Callable[[float, str], None]
Look = Callable[[Line, Tell], Awaitable[Identity]]
"""`look(line, tell)`: asks the Modbus ID on an open line."""


def look_at(
    unit: int,
    protocol: str,
    catalogue: Catalogue,
    station: Callable[[DeviceProfile, int], Station] | None = None,
    timeout_s: float = TIMEOUT_S,
    rest: Callable[[Line], Any] | None = None,
) -> Look:
    """What asks a Modbus ID by a protocol. `station` gives what reads a device of a profile, where the protocol's own
    way is not enough; `rest(line)` fires when the next question may be asked."""
    dialect = dialects()[protocol]

    async def look(line: Line, tell: Tell) -> Identity:
        options = {} if rest is None else {"rest": lambda: rest(line)}
        enquiry = Enquiry(line.run, dialect.framing(), timeout_s, **options)
        return await Identify(
            enquiry,
            station or (lambda profile, unit: dialect.station(profile, unit, {})),
            lambda: profiles_of(catalogue, line.clock, with_marks=True),
            line.clock.seconds,
            tell,
            (sunspec_of(dialect.framing(), catalogue, line.clock),),
        ).over(unit)

    return look


@define(eq=False)
class Search:
    """A look at one Modbus ID with one serial setting after the other, until somebody answers as devices do. `make`
    gives a line of its own over a wire; `tried` are the settings that were, `untried` those the port did not take, with
    the reason."""

    look: Look
    make: Callable[[Wire], Line]
    tell: Tell
    tried: list[str] = field(factory=list, init=False)
    untried: list[str] = field(factory=list, init=False)
    found: tuple[Wire, Identity] | None = field(default=None, init=False)

    async def over(self, wires: Sequence[Wire], clock: Any) -> None:
        """Tries every wire in turn, past those that cannot be opened. Raises LineLost where none could be so far."""
        for place, wire in enumerate(wires):
            line = self.make(wire)
            try:
                await opened(line, clock)
            except LineLost as error:
                self.untried.append(f"{wire.settings}: {error.detail}".removeprefix(": "))
                if not self.tried and len(self.untried) == len(wires):
                    raise
                continue
            try:
                if self.seen(wire, await self.look(line, self._part(wire, place, len(wires)))):
                    return
            finally:
                await line.stop()

    def seen(self, wire: Wire, identity: Identity) -> bool:
        """Takes note of what was found with some settings; gives whether that is a device. Damaged answers are kept for
        want of better ones: with other settings they may be whole."""
        self.tried.append(wire.settings)
        is_device = identity.sign is not None and not identity.sign.trouble
        if is_device or self.found is None or self.found[1].sign is None:
            self.found = wire, identity
        return is_device

    def told(self, line: str, own: Wire, why_not_more: str = "", known: str = "") -> Row:
        """What was found, as JSON carries it: `own` is how the line is configured, `known` the device of the
        configuration with that ID."""
        assert self.found is not None, "nothing was tried"
        wire, identity = self.found
        row = identity.as_json() | {"line": line, "settings": wire.settings, "known": known, "tried": len(self.tried)}
        row["line_settings"] = own.settings
        row["endpoint"] = own.endpoint if wire.serial == own.serial else endpoint_of(wire)
        row["untried"] = self.untried
        return row | {"text": _text(row, why_not_more)}

    def _part(self, wire: Wire, place: int, of: int) -> Tell:
        words = f"{wire.settings} " if wire.settings else ""
        return lambda done, text: self.tell((place + done) / of, words + text)


def further_wires(own: Wire, usual: Sequence[SerialDefaults]) -> list[Wire]:
    """The same port with the settings that devices leave the factory with, but for those it has."""
    at = own.serial
    if at is None:
        return []
    others = [
        evolve(at, baudrate=each.baudrate, bytesize=each.bytesize, parity=each.parity, stopbits=each.stopbits)
        for each in usual
    ]
    return [Wire(own.endpoint, other) for other in dict.fromkeys(others) if other != at]


@define(eq=False)
class OfflineIdentify:
    """A look at one Modbus ID of a port that nobody else holds: with the settings of `wires`, and where `may_search` is
    true with the usual ones of the catalogue's devices too. `row` is what came of it."""

    place: Place
    wires: Sequence[Wire]
    unit: int
    timeout_s: float
    may_search: bool
    tell: Tell
    row: Row | None = field(default=None, init=False)

    async def over(self, reactor: Any, clock: Any) -> Row:
        """Looks; raises LineLost where the port cannot be opened."""
        look = look_at(self.unit, self.place.protocol, self.place.catalogue, timeout_s=self.timeout_s)
        search = Search(look, lambda wire: line_of(wire, reactor, clock), self.tell)
        wires = list(self.wires)
        if self.may_search and wires[0].serial is not None:
            usual = usual_settings(await profiles_of(self.place.catalogue, clock, dialect=None))
            wires += [wire for wire in further_wires(wires[0], usual) if wire not in wires]
        await search.over(wires, clock)
        self.row = search.told(self.place.line, self.wires[0], known=self.place.known.get(self.unit, ""))
        return self.row


def identify_alone(search: OfflineIdentify, bar: Bar) -> tuple[Row | None, str]:
    """Looks at a Modbus ID of a port that nobody else uses; gives what was found, None where that was interrupted, and
    the words of what went wrong, if anything did."""
    try:
        run_alone(search)
        return search.row, ""
    except LineLost as error:
        return None, error.sentence
    finally:
        bar.end()


def identify_through_the_box(state_dir: Any, line: str, unit: int, bar: Bar) -> tuple[Row | None, str]:
    """The same through the running box that holds the port. Raises NotAnswering where none runs, NotDone where it does
    not do it."""
    id = act(state_dir, "device.identify", line=line, address=unit)["task"]
    try:
        task = awaited(state_dir, id, lambda task: bar.tell(task["progress"], task["text"]))
    finally:
        bar.end()
    return task["result"], task["error"]["message"] if task["error"] else ""


def identity_lines(row: Mapping[str, Any]) -> Iterator[str]:
    """Who is there, for people: the sentence, the profiles, what it says of itself, the first values, what to do."""
    yield row["text"]
    if not row["profiles"]:
        return
    yield ""
    rows = [["PROFILE", "RULES", "VALUES", "MISSING", "BRAND", "SERIES", "STATUS"]]
    for each in row["profiles"]:
        counts = ("" if each[key] is None else str(each[key]) for key in ("values", "missing"))
        rows.append([each["profile"], str(each["rules"]), *counts, each["brand"], each["series"], each["status"]])
    yield from table(rows)
    yield from value_lines(row)
    if row["known"]:
        yield f"It is {row['known']} in the configuration."
    elif row["line"]:
        profile, line = row["profiles"][0]["profile"], row["line"]
        yield f"To add it: ccmaster devices add UID --line {line} --profile {profile} --address {row['unit']}"


def value_lines(row: Mapping[str, Any]) -> Iterator[str]:
    """What a device says of itself and its first values, as `device.identify` and `device.probe` give them, in blank
    lines."""
    who = ", ".join(f"{name} {row[name]}" for name in ("model", "serial", "firmware") if row[name])
    values = {each["name"]: each for each in row["values"]}
    shown = [
        [each["name"], each["label"], "-" if each["value"] is None else str(each["value"]), each["unit"]]
        for each in (values[name] for name in row["first"])
    ]
    yield ""
    if who:
        yield who
    yield from (f"  {line}" for line in table(shown)) if shown else ["  no value came"]
    if more := len(values) - len(shown):
        yield f"  and {more} more value{'s' if more != 1 else ''}"
    if row["missing"]:
        yield f"  missing: {', '.join(row['missing'])}"
    yield ""


def endpoint_of(wire: Wire) -> str:
    """The endpoint with a wire's settings in it."""
    at = wire.serial
    if at is None or at == parse_serial(wire.endpoint):
        return wire.endpoint
    said = {"baudrate": at.baudrate, "bytesize": at.bytesize, "parity": at.parity, "stopbits": at.stopbits}
    kind, path, *options = wire.endpoint.replace("\\:", "\0").split(":")
    kept = [option for option in options if option.partition("=")[0] not in said]
    usual = {"bytesize": 8, "parity": "N", "stopbits": 1}
    told = [f"{key}={value}" for key, value in said.items() if usual.get(key) != value]
    return ":".join((kind, path, *told, *kept)).replace("\0", "\\:")


def _text(row: Mapping[str, Any], why_not_more: str) -> str:
    """What was found, in a sentence or two."""
    unit, settings = row["unit"], row["settings"]
    with_ = f" with {settings}" if settings else ""
    if not row["answered"]:
        own = f" with {row['line_settings']}" if row["line_settings"] else ""
        count = row["tried"]
        tried = f" Tried {count} setting{'s' if count != 1 else ''}{why_not_more}." if own else ""
        return f"Nothing answered at ID {unit}{own}.{tried}"
    if row["trouble"]:
        return f"What answers at ID {unit}{with_} is not to be understood: {row['trouble'].rstrip('.')}."
    other = ""
    if settings != row["line_settings"]:
        other = f" The line has {row['line_settings']}: its endpoint must be {row['endpoint']} to read it."
    if not row["profiles"]:
        return f"A device answers at ID {unit}{with_}, but fits no profile's rules: choose one by its name.{other}"
    best, *others = row["profiles"]
    rules = f"{best['rules']} rules" if best["rules"] != 1 else "rule"
    also = " It may be another one of the list." if others else ""
    return f"What answers at ID {unit}{with_} fits the {rules} of {best['brand']} {best['series']}.{also}{other}"
