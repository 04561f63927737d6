"""What the pages show of the states, cell by cell, in one language. A cell has a name and what stands in it; the page
is drawn from cells and kept alive by the ones that changed, so both always say the same. Hides every word and number
made of a state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo

from attrs import frozen

from concentrator.api import DeviceState, LineState, PanelState, UplinkState, Wall
from concentrator.model.profile import Sign
from concentrator.model.reading import Value
from concentrator.portal.line_cells import LINE_TOPIC, LINES_TOPIC, line_cells, line_detail_cells
from concentrator.portal.numbers import MISSING, ago, clock_time, count, joined, shown, since, span
from concentrator.portal.panel_cells import light_cells
from concentrator.portal.scale import needle_of
from concentrator.portal.standing import CLASH, PARTIAL, PAUSED, UNUSED, Bus, Standing, Teller
from concentrator.portal.troubles import OPEN, Trouble, troubles
from concentrator.portal.verdict import verdict
from concentrator.portal.ways import uplink_cells
from concentrator.portal.words import say_in

Cell = Mapping[str, object]
"""What stands in a cell, by part: `text`; `unit` and `last` (what a silent device said last, or which
way a power goes) of a value, and `needle`,
where it stands on its scale, 0 to 100; `words`, a sentence in which {ago} and {span} stand for the age of `at` (UTC
seconds), and `since`, what to say of an old one; `health`, the class it is drawn with."""

INFO_TOPIC = ":info"
ALL, CCM, EXTERNAL = "", ":ccm", ":external"
"""The topics of the pages with all devices, with the meters of the native bus, and with the others."""

POWERS = ("p", "p1", "dc_p")
VOLTAGES = ("v1", "v", "v12")
ENERGIES = ("ea_imp", "e_total", "ea_exp")
CURRENTS = ("i1", "i", "dc_i1")
_COUNTED = (("doubtful", "sum.late"), ("silent", "sum.silent"), (CLASH, "sum.clash"), (PAUSED, "sum.paused"))


@frozen
class Sources:
    """Where the pages take their states from, each a callable that gives the states of now. `box` gives `serial`,
    `model`, `version` and `uptime_s` (seconds)."""

    box: Callable[[], Mapping[str, object]]
    devices: Callable[[], Sequence[DeviceState]]
    lines: Callable[[], Sequence[LineState]]
    uplinks: Callable[[], Sequence[UplinkState]]
    wall: Wall
    zone: tzinfo
    panel: Callable[[], PanelState] = PanelState


class Cells:
    """Makes cells of states, in one language. It remembers which values were last shown in kilo, so their units do not
    flicker."""

    def __init__(self, sources: Sources, language: str) -> None:
        self._sources = sources
        self._language = language
        self._say = say_in(language)
        self._in_kilo: set[str] = set()

    def of_topic(self, topic: str) -> dict[str, Cell] | None:
        """The cells of a device's page, of a line's, of all lines, of the Info page, or of the pages of
        devices; None where there is no such device or line."""
        if topic == INFO_TOPIC:
            return self.info()
        if topic == LINES_TOPIC:
            return self.frame() | self.lines()
        if topic.startswith(LINE_TOPIC):
            line = next((line for line in self._sources.lines() if LINE_TOPIC + line.name == topic), None)
            if line is None:
                return None
            cells = self._line(line, self._bus()) | line_detail_cells(line, self._language)
            return self.frame() | cells | {f"{topic}.verdict": {"text": self._teller().verdict(line, self._bus())}}
        devices = self._sources.devices()
        if topic in (ALL, CCM, EXTERNAL):
            return self.overview(of_kind(devices, topic))
        state = next((state for state in devices if state.uid == topic), None)
        return None if state is None else self.frame() | self.device(state, [name for name, _, _ in state.points])

    def frame(self) -> dict[str, Cell]:
        """What every page has: the lights of the box, and how many troubles are open."""
        number = len(self.troubles())
        return {**light_cells(self._sources.panel(), self._say), OPEN: {"text": count(number) if number else ""}}

    def troubles(self) -> list[Trouble]:
        """What is open now."""
        states = (self._sources.devices(), self._sources.lines(), self._sources.uplinks())
        return list(troubles(*states, self._teller(), self._sources.zone, self._sources.panel().inputs))

    def info(self) -> dict[str, Cell]:
        """The cells of the Info page: the verdict, what is open, uplinks, and lines with how many answer there."""
        now, zone = self._sources.wall.now(), self._sources.zone
        devices, uplinks = self._sources.devices(), self._sources.uplinks()
        cells = self.frame() | {":verdict": {"text": verdict(devices, uplinks, self._say, now, zone, self._language)}}
        cells |= self._uplinks()
        bus = self._bus()
        for line in self._sources.lines():
            on_it = bus.on(line.name)
            fresh = sum(state.health == "answering" for state in on_it)
            said = self._say("info.answer", fresh=count(fresh), n=count(len(on_it)))
            cells |= self._line(line, bus) | {f":fresh.{line.name}": {"text": said}}
        for state in devices:
            trouble = self._teller().device(state, bus).trouble
            cells[f":open.{state.uid}"] = {"text": f"{state.alias or state.uid}: {trouble}" if trouble else ""}
        return cells

    def lines(self) -> dict[str, Cell]:
        """The cells of every line."""
        cells: dict[str, Cell] = {}
        bus = self._bus()
        for line in self._sources.lines():
            cells |= self._line(line, bus) | line_detail_cells(line, self._language)
            cells[f"{LINE_TOPIC}{line.name}.verdict"] = {"text": self._teller().verdict(line, bus)}
        return cells

    def overview(self, devices: Sequence[DeviceState]) -> dict[str, Cell]:
        """The cells of a page of devices: its sentence, lines, uplinks, and of each device the main readouts."""
        bus = self._bus()
        cells = self.frame() | self._uplinks()
        for line in self._sources.lines():
            cells |= self._line(line, bus)
        standings = [self._teller().device(state, bus) for state in devices]
        for state, standing in zip(devices, standings, strict=True):
            cells |= self._device(state, standing, [name for name, _, _ in card_readouts(state)])
        cells[":sentence"] = self._aged(*self._sentence(devices, standings))
        return cells

    def device(self, state: DeviceState, names: Sequence[str]) -> dict[str, Cell]:
        """The cells of a device: how it answers, and the values of those names."""
        return self._device(state, self._teller().device(state, self._bus()), names)

    def troubled(self, devices: Sequence[DeviceState]) -> set[str]:
        """The short ids of those of some devices that want attention."""
        bus, teller = self._bus(), self._teller()
        standings = {state.uid: teller.device(state, bus) for state in devices}
        return {uid for uid, standing in standings.items() if _is_troubled(standing)}

    # -- one thing each

    def _device(self, state: DeviceState, standing: Standing, names: Sequence[str]) -> dict[str, Cell]:
        zone = self._sources.zone
        units = {name: unit for name, _, unit in state.points}
        cells: dict[str, Cell] = {
            f"{state.uid}:health": {"health": standing.health, **self._aged(standing.words, state.last_seen)},
            f"{state.uid}:trouble": {"text": standing.trouble},
            f"{state.uid}:seen": {"text": MISSING if state.last_seen is None else clock_time(state.last_seen, zone)},
        }
        for name in names:
            cells[f"{state.uid}.{name}"] = self._value(state, standing, name, units[name])
        return cells

    def _value(self, state: DeviceState, standing: Standing, name: str, unit: str) -> Cell:
        value, at = state.values.get(name, (None, None))
        text, in_unit = self._shown(f"{state.uid}.{name}", value, unit)
        last = self._way(state, name, value)
        if standing.health in UNUSED and text != MISSING:
            last = self._say("dev.last", v=joined(text, in_unit)) if standing.health == "silent" else ""
            text, value = MISSING, None
        needle = needle_of(state, name, value)
        return {"text": text, "unit": in_unit, "last": last, "needle": needle, **self._aged("{ago}", at)}

    def _way(self, state: DeviceState, name: str, value: Value | None) -> str:
        """Which way a power goes, in a word, where its sign alone would have to be known."""
        if name in POWERS and state.sign == Sign.IMPORT and isinstance(value, int | float) and value < 0:
            return self._say("dev.to_grid")
        return ""

    def _line(self, line: LineState, bus: Bus) -> dict[str, Cell]:
        return line_cells(line, self._say, self._teller().line(line, bus), self._language)

    def _uplinks(self) -> dict[str, Cell]:
        now, zone = self._sources.wall.now(), self._sources.zone
        cells: dict[str, Cell] = {}
        for uplink in self._sources.uplinks():
            cells |= uplink_cells(uplink, self._say, now, zone, self._language)
        return cells

    def _sentence(self, devices: Sequence[DeviceState], standings: Sequence[Standing]) -> tuple[str, float | None]:
        if not devices:
            return self._say("sum.none"), None
        healths = Counter(standing.health for standing in standings)
        answering = healths["answering"] + healths[PARTIAL]
        said = [self._say("sum.answer", n=answering, all=len(devices))]
        said += [
            self._say(key, n=healths[health]) for health, key in (*_COUNTED, ("new", "sum.new")) if healths[health]
        ]
        newest = max((at for state in devices for _, at in state.values.values()), default=None)
        return ", ".join(said) + "." + (
            f" {self._say('sum.newest', ago='{ago}')}" if newest is not None else ""
        ), newest

    def _aged(self, words: str, at: float | None) -> Cell:
        if at is None:
            return {"words": words.replace("{ago}", MISSING), "at": None, "since": ""}
        return {
            "words": words,
            "at": at,
            "since": since(at, self._sources.wall.now(), self._sources.zone, self._language),
        }

    def _shown(self, key: str, value: Value | None, unit: str) -> tuple[str, str]:
        text, in_unit = shown(value, unit, key in self._in_kilo, self._language)
        if in_unit != unit:
            self._in_kilo.add(key)
        else:
            self._in_kilo.discard(key)
        return text, in_unit

    def _bus(self) -> Bus:
        return Bus(self._sources.lines(), self._sources.devices())

    def _teller(self) -> Teller:
        return Teller(self._say, self._language, self._sources.wall.now(), self._sources.zone)


def of_kind(devices: Sequence[DeviceState], topic: str) -> list[DeviceState]:
    """The devices of a page: all, the meters of the native bus (CcM), or the others."""
    return [state for state in devices if topic == ALL or is_ccm(state) == (topic == CCM)]


def is_ccm(state: DeviceState) -> bool:
    """Whether a device is one of the CcM that the native bus is for."""
    return state.protocol.endswith("_CCM")


def main_readouts(state: DeviceState) -> list[tuple[str, str, str]]:
    """The device's three main variables (power, voltage, energy) as (name, label, unit), as far as it has them."""
    return _readouts(state, ((POWERS, "W"), (VOLTAGES, "V"), (ENERGIES, "kWh")))


def card_readouts(state: DeviceState) -> list[tuple[str, str, str]]:
    """What a card shows: power, and on its second line voltage and current, as far as the device has them."""
    return _readouts(state, ((POWERS, "W"), (VOLTAGES, "V"), (CURRENTS, "A")))


def usual_variable(state: DeviceState) -> str:
    """The variable that people want to see first: its power, or else the first it has; empty where it has none."""
    names = [name for name, _, _ in state.points]
    return next((name for name in POWERS if name in names), names[0] if names else "")


def words_of(cell: Cell, now: float, zone: tzinfo, language: str) -> str:
    """A cell's sentence with its ages as they are now."""
    words, at = str(cell["words"]), cell["at"]
    if isinstance(at, float | int):
        words = words.replace("{ago}", ago(at, now, zone, language)).replace("{span}", span(now - at))
    return words


def stamp(wall: Wall, zone: tzinfo) -> dict[str, object]:
    """What the page needs to count ages by the box's clock: UTC seconds of now, and the zone's offset in seconds."""
    now = wall.now()
    offset = datetime.fromtimestamp(now, zone).utcoffset()
    return {"now": round(now, 3), "offset": int(offset.total_seconds()) if offset else 0}


def _is_troubled(standing: Standing) -> bool:
    if standing.health == PAUSED:
        return False
    return bool(standing.trouble) or standing.health not in ("answering", "new", PARTIAL)


def _readouts(state: DeviceState, wanted: Sequence[tuple[Sequence[str], str]]) -> list[tuple[str, str, str]]:
    found = (_first(state.points, preferred, unit) for preferred, unit in wanted)
    return [point for point in found if point is not None]


def _first(points: Sequence[tuple[str, str, str]], preferred: Sequence[str], unit: str) -> tuple[str, str, str] | None:
    by_name = {point[0]: point for point in points}
    named = next((by_name[name] for name in preferred if name in by_name), None)
    return named or next((point for point in points if point[2] == unit), None)
