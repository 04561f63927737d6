"""What is open now: troubles that want somebody, each once. Hides that a line that is gone explains the silence of all
its devices. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from attrs import frozen

from concentrator.api import DeviceState, InputState, LineState, UplinkState
from concentrator.panel.functions import ALARMS
from concentrator.portal.addresses import address_of, address_of_line
from concentrator.portal.standing import CLASH, PAUSED, Bus, Teller
from concentrator.portal.verdict import service_name
from concentrator.portal.ways import uplink_cells

OPEN = ":open"
"""The cell with how many there are."""


@frozen
class Trouble:
    """A trouble: how much it matters (as events say it), what has it, that one's page (empty where it has none), and
    what is wrong in a sentence."""

    severity: str
    name: str
    address: str
    sentence: str


_ALARMS = {"warning": "warning", "trip": "trouble", "shutdown": "trouble"}


def troubles(
    devices: Sequence[DeviceState],
    lines: Sequence[LineState],
    uplinks: Sequence[UplinkState],
    teller: Teller,
    zone: tzinfo,
    inputs: Sequence[InputState] = (),
) -> Iterator[Trouble]:
    """The open troubles: alarms of inputs first, then of lines, of devices that no line's trouble explains with the
    alarms of gensets, of uplinks."""
    bus = Bus(lines, devices)
    for number, each in enumerate(inputs, 1):
        if each.is_active and each.function in ALARMS:
            yield Trouble(
                "trouble", teller.say("panel.input", n=number), "/panel", teller.say(f"inputs.open_{each.function}")
            )
    for line in lines:
        if sentence := teller.line(line, bus):
            is_bad = bus.is_away(line.name) or bus.is_silent(line.name)
            yield Trouble("trouble" if is_bad else "warning", line.name, address_of_line(line.name), sentence)
    for state in devices:
        if bus.is_away(state.line) or bus.is_silent(state.line):
            continue
        if state.alarm in _ALARMS:
            said = teller.say(f"genset.alarm_{state.alarm}")
            yield Trouble(_ALARMS[state.alarm], state.alias or state.uid, f"{address_of(state.uid)}/genset", said)
        standing = teller.device(state, bus)
        if standing.trouble and standing.health != PAUSED:
            is_bad = standing.health in ("silent", CLASH)
            name = state.alias or state.uid
            yield Trouble("trouble" if is_bad else "warning", name, address_of(state.uid), standing.trouble)
    for uplink in uplinks:
        cells = uplink_cells(uplink, teller.say, teller.now, zone, teller.language)
        if cells[f":uplink.{uplink.name}"]["health"] == "down":
            said = ". ".join(filter(None, (_text(cells, uplink, ""), _text(cells, uplink, ".trouble"))))
            yield Trouble("trouble", service_name(uplink), "", said)


def _text(cells: Mapping[str, Mapping[str, object]], uplink: UplinkState, part: str) -> str:
    return str(cells[f":uplink.{uplink.name}{part}"]["text"])
