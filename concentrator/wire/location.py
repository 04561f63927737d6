"""Where a machine is, as ModemManager and gpsd say it: their JSON as a location. It hides that numbers come as texts,
and the ways to say that there is no fix.

Sources: ModemManager 1.20, `mmcli --location-get` with JSON output (a value that is not known is "--"); gpsd 3.22,
JSON protocol, TPV and SKY objects (mode 2 is a fix without, 3 one with altitude).
"""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

from concentrator.model.errors import Garbled


@frozen
class Fix:
    """A place in degrees, and metres above the sea; `satellites` in use, None where that is not said."""

    longitude: float
    latitude: float
    altitude_m: float = 0.0
    satellites: int | None = None


def from_modem_manager(text: str) -> Fix | None:
    """What `mmcli -J --location-get` printed; None where there is no fix. Raises Garbled for no JSON."""
    gps = _within(_object(text), "modem", "location", "gps")
    return _fix(gps.get("longitude"), gps.get("latitude"), gps.get("altitude"), _satellites(gps.get("nmea")))


def from_gpsd(line: str) -> Fix | None:
    """One line of gpsd's; None where it is no fix. Raises Garbled for no JSON."""
    report = _object(line)
    if report.get("class") != "TPV" or report.get("mode") not in (2, 3):
        return None
    altitude = next((report[key] for key in ("altMSL", "alt", "altHAE") if key in report), 0.0)
    return _fix(report.get("lon"), report.get("lat"), altitude, None)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Garbled("no JSON", text.encode(errors="replace")[:64]) from None
    return found if isinstance(found, dict) else {}


def _within(value: Any, *path: str) -> dict[str, Any]:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _fix(longitude: Any, latitude: Any, altitude: Any, satellites: int | None) -> Fix | None:
    place = _number(longitude), _number(latitude)
    if place[0] is None or place[1] is None or abs(place[0]) > 180 or abs(place[1]) > 90:
        return None
    return Fix(place[0], place[1], _number(altitude) or 0.0, satellites)


def _number(value: Any) -> float | None:
    """A number, or its text with a point or the comma of some locales; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value.strip().replace(",", ".") if isinstance(value, str) else value)
    except ValueError:
        return None
    return found if abs(found) < 1e9 else None


def _satellites(nmea: Any) -> int | None:
    """The satellites of the GGA sentence (NMEA 0183), the seventh field behind its name."""
    sentences = nmea if isinstance(nmea, list) else [nmea]
    for sentence in sentences:
        parts = sentence.split(",") if isinstance(sentence, str) else []
        if len(parts) > 7 and parts[0].endswith("GGA") and parts[7].isdecimal() and len(parts[7]) <= 3:
            return int(parts[7])
    return None
