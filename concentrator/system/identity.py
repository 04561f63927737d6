"""Who the box is and who its devices are, kept in its state folder. Hides that a serial number, once given or seen,
never changes by itself, and that numbers of our own never repeat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

from concentrator.model.errors import ConfigError, Fault
from concentrator.model.reading import Value
from concentrator.model.trouble import Trouble
from concentrator.system.files import write_whole

MODEL_CODES = {"Lite": 41, "Lite Plus": 42, "Lite NBIoT": 43, "PRO": 44}
"""First two digits of the serials we make. 42 is the Lite Plus in the CcMaster user manual; the others are ours."""
PREFIXES = {"inverter": "INV", "analyser": "ANA", "meter": "MET", "genset": "GEN"}
"""How the internal serials of devices without one begin, by profile type; INV as in the CcMaster user manual."""


def box_serial(state_dir: Path, model: str, provisioned: str, now: float) -> str:
    """The box's ten-digit serial: the provisioned one, else the one kept, else a new one made at `now` (UTC seconds)
    and kept. A provisioned one that is not the one kept raises ConfigError: a box keeps its identity for life."""
    path = state_dir / "identity.json"
    kept = _read(path).get("serial", "")
    if kept and provisioned and kept != provisioned:
        raise ConfigError(
            [Fault(str(path), "", "serial", f'"{provisioned}" configured', f'"{kept}", which this box has had before')]
        )
    serial = str(kept or provisioned or _new_serial(model, now))
    if serial != kept:
        write_whole(path, json.dumps({"serial": serial}).encode())
    return serial


def kept_serial(state_dir: Path) -> str:
    """The box's serial as it is kept in its state folder; empty where it has none yet. Raises ConfigError where what is
    kept is damaged."""
    return str(_read(state_dir / "identity.json").get("serial", ""))


def _new_serial(model: str, now: float) -> str:
    """Model, year, month and four digits of chance (CC-ID1: 2 + 2 + 2 + 4)."""
    made = datetime.fromtimestamp(now, UTC)
    return f"{MODEL_CODES[model]:02}{made.year % 100:02}{made.month:02}{SystemRandom().randrange(10000):04}"


class DeviceBook:
    """Which serial each device has: the configured one, else the one it said when it was first seen, else one of our
    own where it has none to say."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "devices.json"
        kept = _read(self._path)
        self._serials: dict[str, str] = dict(kept.get("serials", {}))
        self._last: dict[str, int] = dict(kept.get("last", {}))
        self._types: dict[str, str] = {}
        self._is_waiting = self._is_changed = False

    @contextmanager
    def kept_once(self) -> Iterator[None]:
        """Whatever changes within is written once, at the end."""
        self._is_waiting = True
        try:
            yield
        finally:
            self._is_waiting = False
            if self._is_changed:
                self._keep()

    def expect(self, uid: str, device_type: str, serial: str, *, says_serial: bool = True) -> None:
        """A configured device: its profile's type, its configured serial or an empty string, and whether it can say
        one; where it cannot, it has one of our own from now on."""
        self._types[uid] = device_type
        if not serial and not says_serial and uid not in self._serials:
            serial = self._next(uid)
        if serial and self._serials.get(uid) != serial:
            self._serials[uid] = serial
            self._keep()

    def forget(self, uid: str) -> None:
        """A device that is gone for good: another one may come under its short id. No number is given again."""
        if self._serials.pop(uid, None) is not None:
            self._keep()

    def serial(self, uid: str) -> str:
        """The device's serial; empty while it is not known."""
        return self._serials.get(uid, "")

    def identified(self, uid: str, values: Mapping[str, Value]) -> str:
        """The device has said who it is: a first serial is kept. Gives an empty string when all is well, else the
        sentence that says who answers in its place."""
        said = str(values.get("serial", ""))
        known = self.serial(uid)
        if said and known and said != known and not self._is_ours(known):
            sentence = f"serial {said} answers where {known} is expected"
            return Trouble(sentence, "foreign", found=said, expected=known)
        if not known or (said and said != known):
            self._serials[uid] = said or self._next(uid)
            self._keep()
        return ""

    def _is_ours(self, serial: str) -> bool:
        return serial[:3] in PREFIXES.values() and serial[3:4] == "_"

    def _next(self, uid: str) -> str:
        prefix = PREFIXES.get(self._types.get(uid, ""), "DEV")
        self._last[prefix] = self._last.get(prefix, 0) + 1
        return f"{prefix}_{self._last[prefix]:06}"

    def _keep(self) -> None:
        self._is_changed = self._is_waiting
        if self._is_waiting:
            return
        write_whole(self._path, json.dumps({"serials": self._serials, "last": self._last}, indent=1).encode())


def _read(path: Path) -> dict[str, Any]:
    """A kept file's content; empty where there is none. ConfigError where it is damaged: nothing is made up then."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ConfigError([Fault(str(path), "", "", f"damaged JSON ({error})", "the file as it was written")]) from None
    return dict(content)
