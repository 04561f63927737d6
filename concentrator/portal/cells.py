"""What the pages show of the states, cell by cell. A cell has a name and what stands in it; the page is drawn from
cells and kept alive by the ones that changed, so both always say the same. Hides every word and number made of a
state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo

from attrs import frozen

from concentrator.api import DeviceState, LineState, MonthsTraffic, UplinkState, Wall
from concentrator.model.reading import Value
from concentrator.portal.numbers import GAP, MISSING, ago, clock_time, count, fixed, joined, moment, shown, since, span

Cell = Mapping[str, object]
"""What stands in a cell, by part: `text`; `unit` and `last` (what a silent device said last) of a value; `words`, a
sentence in which {ago} and {span} stand for the age of `at` (UTC seconds), and `since`, what to say of an old one;
`health`, the class it is drawn with."""

LINE_TOPIC = ":line."
"""How the topic of a line's page begins; its name follows. No short id of a device begins so."""
STATION_COUNTS = (
    ("requests", "Requests"),
    ("answers", "Answers"),
    ("timeouts", "Time-outs"),
    ("garbled", "Damaged"),
    ("refusals", "Exceptions"),
    ("late", "Late"),
    ("bytes_out", "Bytes out"),
    ("bytes_in", "Bytes in"),
)
"""What the page of a line counts for each Modbus ID: the counter's name, and the column's."""

POWERS = ("p", "p1", "dc_p")
VOLTAGES = ("v1", "v", "v12")
ENERGIES = ("ea_imp", "e_total", "ea_exp")

# What an uplink without a lasting connection does instead: when it works, when it does not, before its first time.
_WORDS = {"ftp": ("Delivering", "Not delivering", "Nothing delivered yet")}


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


class Cells:
    """Makes cells of states. It remembers which values were last shown in kilo, so their units do not flicker."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._in_kilo: set[str] = set()

    def of_topic(self, topic: str) -> dict[str, Cell] | None:
        """The cells of a device's page, of a line's, or of the overview for the empty topic; None where there is no
        such device or line."""
        if topic.startswith(LINE_TOPIC):
            line = next((line for line in self._sources.lines() if LINE_TOPIC + line.name == topic), None)
            return None if line is None else self.frame() | _line(line) | _line_stations(line)
        devices = self._sources.devices()
        if not topic:
            return self.overview(devices)
        state = next((state for state in devices if state.uid == topic), None)
        return None if state is None else self.frame() | self.device(state, [name for name, _, _ in state.points])

    def frame(self) -> dict[str, Cell]:
        """What every page has: the state of the way out."""
        return {":way-out": _way_out(self._sources.uplinks())}

    def overview(self, devices: Sequence[DeviceState]) -> dict[str, Cell]:
        """The cells of the overview: its sentence, lines, uplinks, and of each device the main readouts."""
        now, zone = self._sources.wall.now(), self._sources.zone
        cells = self.frame() | {":sentence": self._aged(*_sentence(devices))}
        for line in self._sources.lines():
            cells |= _line(line)
        for uplink in self._sources.uplinks():
            cells |= _uplink(uplink, now, zone)
        for state in devices:
            cells |= self.device(state, [name for name, _, _ in main_readouts(state)])
        return cells

    def device(self, state: DeviceState, names: Sequence[str]) -> dict[str, Cell]:
        """The cells of a device: how it answers, and the values of those names."""
        now, zone = self._sources.wall.now(), self._sources.zone
        units = {name: unit for name, _, unit in state.points}
        cells: dict[str, Cell] = {
            f"{state.uid}:health": {
                "health": state.health,
                **self._aged(_badge(state, now, zone), state.last_seen),
            },
            f"{state.uid}:trouble": {"text": state.trouble},
            f"{state.uid}:seen": {"text": MISSING if state.last_seen is None else clock_time(state.last_seen, zone)},
        }
        for name in names:
            cells[f"{state.uid}.{name}"] = self._value(state, name, units[name])
        return cells

    def _value(self, state: DeviceState, name: str, unit: str) -> Cell:
        value, at = state.values.get(name, (None, None))
        text, in_unit = self._shown(f"{state.uid}.{name}", value, unit)
        last = ""
        if state.health == "silent" and text != MISSING:
            text, last = MISSING, f"last {joined(text, in_unit)}"
        return {"text": text, "unit": in_unit, "last": last, **self._aged("{ago}", at)}

    def _aged(self, words: str, at: float | None) -> Cell:
        if at is None:
            return {"words": words.replace("{ago}", MISSING), "at": None, "since": ""}
        return {"words": words, "at": at, "since": since(at, self._sources.wall.now(), self._sources.zone)}

    def _shown(self, key: str, value: Value | None, unit: str) -> tuple[str, str]:
        text, in_unit = shown(value, unit, key in self._in_kilo)
        if in_unit != unit:
            self._in_kilo.add(key)
        else:
            self._in_kilo.discard(key)
        return text, in_unit


def main_readouts(state: DeviceState) -> list[tuple[str, str, str]]:
    """The device's three main variables (power, voltage, energy) as (name, label, unit), as far as it has them."""
    found = (
        _first(state.points, preferred, unit) for preferred, unit in ((POWERS, "W"), (VOLTAGES, "V"), (ENERGIES, "kWh"))
    )
    return [point for point in found if point is not None]


def is_troubled(state: DeviceState) -> bool:
    """Whether something about the device wants attention."""
    return state.health in ("doubtful", "silent") or bool(state.trouble)


def words_of(cell: Cell, now: float, zone: tzinfo) -> str:
    """A cell's sentence with its ages as they are now."""
    words, at = str(cell["words"]), cell["at"]
    if isinstance(at, float | int):
        words = words.replace("{ago}", ago(at, now, zone)).replace("{span}", span(now - at))
    return words


def stamp(wall: Wall, zone: tzinfo) -> dict[str, object]:
    """What the page needs to count ages by the box's clock: UTC seconds of now, and the zone's offset in seconds."""
    now = wall.now()
    offset = datetime.fromtimestamp(now, zone).utcoffset()
    return {"now": round(now, 3), "offset": int(offset.total_seconds()) if offset else 0}


def _first(points: Sequence[tuple[str, str, str]], preferred: Sequence[str], unit: str) -> tuple[str, str, str] | None:
    by_name = {point[0]: point for point in points}
    named = next((by_name[name] for name in preferred if name in by_name), None)
    return named or next((point for point in points if point[2] == unit), None)


def _sentence(devices: Sequence[DeviceState]) -> tuple[str, float | None]:
    if not devices:
        return "No devices yet: the configuration names none.", None
    healths = Counter(state.health for state in devices)
    said = [f"{healths['answering']} of {len(devices)} devices answer"]
    if late := healths["doubtful"]:
        said.append(f"{late} {'answers' if late == 1 else 'answer'} late")
    if silent := healths["silent"]:
        said.append(f"{silent} {'is' if silent == 1 else 'are'} silent")
    if new := healths["new"]:
        said.append(f"{new} {'is' if new == 1 else 'are'} not read yet")
    newest = max((at for state in devices for _, at in state.values.values()), default=None)
    return ", ".join(said) + "." + (" Newest value {ago}." if newest is not None else ""), newest


def _badge(state: DeviceState, now: float, zone: tzinfo) -> str:
    if state.health == "silent":
        return "No answer yet" if state.last_seen is None else f"No answer since {moment(state.last_seen, now, zone)}"
    if state.last_seen is None:
        return "Not read yet"
    return f"Stale{GAP}{{span}}" if state.health == "doubtful" else "{ago}"


def _line(line: LineState) -> dict[str, Cell]:
    if line.is_open:
        said, health = line.suspended.capitalize() or "Open", "down" if line.trouble else "up"
    else:
        said, health = ("Not open", "down") if line.trouble else ("Opening", "idle")
    return {
        f":line.{line.name}": {"text": said, "health": health},
        f":line.{line.name}.trouble": {"text": line.trouble},
        f":line.{line.name}.counts": {"text": _line_counts(line.counters)},
    }


def _line_stations(line: LineState) -> dict[str, Cell]:
    """What the line's own page has besides: how busy it is, and the counters of each Modbus ID."""
    cell = f"{LINE_TOPIC}{line.name}"
    round_s = MISSING if line.round_s is None else f"{fixed(line.round_s, 1)}{GAP}s"
    cells: dict[str, Cell] = {
        f"{cell}.used": {"text": f"{fixed(100 * line.utilisation, 0)}{GAP}%"},
        f"{cell}.round": {"text": round_s},
    }
    for station, counters in line.stations.items():
        for key, _ in STATION_COUNTS:
            cells[f"{cell}.at.{station}.{key}"] = {"text": count(counters.get(key, 0))}
    return cells


def _line_counts(counters: Mapping[str, float]) -> str:
    asked, answered = counters.get("requests", 0), counters.get("answers", 0)
    if not asked:
        return "nothing asked yet"
    said = [f"{count(asked)} requests", f"{_percent(answered, asked)}{GAP}% answered"]
    said += [
        f"{count(number)} {word}"
        for word, number in (("timed out", counters.get("timeouts", 0)), ("damaged", counters.get("garbled", 0)))
        if number
    ]
    return " · ".join(said)


def _percent(part: float, whole: float) -> str:
    """A share in percent, rounded down, so that 100 means every single one."""
    return f"{int(1000 * part / whole) / 10:g}"


def _uplink(uplink: UplinkState, now: float, zone: tzinfo) -> dict[str, Cell]:
    up, down, idle = _WORDS.get(uplink.kind, ("Connected", "Not connected", "Connecting"))
    since = "" if uplink.since is None else f" since {moment(uplink.since, now, zone)}"
    if uplink.is_up:
        said, health = up + since, "up"
    elif uplink.trouble or uplink.last_success is not None:
        said, health = down + since, "down"
    else:
        said, health = idle, "idle"
    counts = [] if uplink.waiting is None else [f"{count(uplink.waiting)} waiting"]
    counts.append(f"{count(uplink.delivered)} delivered")
    if uplink.rejected:
        counts.append(f"{count(uplink.rejected)} rejected")
    if uplink.traffic is not None:
        counts.append(_traffic(uplink.traffic))
    if uplink.last_success is not None:
        counts.append(f"last {clock_time(uplink.last_success, zone)}")
    return {
        f":uplink.{uplink.name}": {"text": said, "health": health},
        f":uplink.{uplink.name}.trouble": {"text": uplink.trouble},
        f":uplink.{uplink.name}.counts": {"text": " · ".join(counts)},
    }


def _traffic(traffic: MonthsTraffic) -> str:
    """What this month has had, both ways, and of what."""
    used = f"{(traffic.received + traffic.sent) / 2**20:.1f}"
    return f"{used} of {traffic.cap / 2**20:g} MiB this month" if traffic.cap else f"{used} MiB this month"


def _way_out(uplinks: Sequence[UplinkState]) -> Cell:
    """The green light's word: the data server is reached when every uplink is up (CcMaster user manual, 4, LEDs)."""
    up = sum(uplink.is_up for uplink in uplinks)
    if not uplinks:
        return {"text": "No uplink", "health": "down"}
    if up == len(uplinks):
        return {"text": "Data server", "health": "up"}
    return {"text": "Offline" if not up else f"{up} of {len(uplinks)} uplinks", "health": "down"}
