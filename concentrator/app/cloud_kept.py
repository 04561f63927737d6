"""What is kept of cloud sessions in the state folder: the ID each was given, for life, and the port and baud rate that
were found or that its server wanted, while the settings are those they were found under."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from concentrator.system.files import write_whole
from concentrator.wire.smartgen import LONGEST_HOSTID
from concentrator.wire.smartgen_fields import BAUD_RATES, Wiring

FILE = "smartgen.json"

log = Logger()


def hostid_of(serial: str, session: str) -> str:
    """The ID of a session in a box with that serial: 24 hexadecimal digits, as those of cloud modems are."""
    digest = hashlib.sha256(f"{serial}/{session}".encode()).hexdigest()
    return digest[:LONGEST_HOSTID].upper()


class Kept:
    """The file. What it holds that makes no sense is as if it were not there."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._sessions: dict[str, dict[str, Any]] = {}
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            found = {}
        except (OSError, ValueError) as error:
            log.warn("{path} cannot be read and begins anew: {error}", path=str(self._path), error=error)
            found = {}
        if isinstance(found, dict):
            self._sessions = {name: each for name, each in found.items() if isinstance(each, dict)}

    def hostid(self, session: str, serial: str) -> str:
        """The ID of a session: the one it has, else one made of the box's serial, which it has from now on."""
        kept = self._sessions.get(session, {}).get("hostid")
        if isinstance(kept, str) and 0 < len(kept) <= LONGEST_HOSTID:
            return kept
        made = hostid_of(serial, session)
        self._keep(session, hostid=made)
        return made

    def wiring(self, session: str, settings: str) -> Wiring | None:
        """Port and baud rate kept under these `settings`; None where none are."""
        kept = self._sessions.get(session, {})
        match kept.get("wiring"):
            case [int(port), int(baud)] if 0 <= port <= 4 and 0 <= baud < len(BAUD_RATES):
                return Wiring(port, baud) if kept.get("settings") == settings else None
        return None

    def keep_wiring(self, session: str, settings: str, wiring: Wiring | None) -> None:
        """Keeps them; None: none."""
        pair = None if wiring is None else [wiring.port, wiring.baud]
        self._keep(session, wiring=pair, settings=settings)

    def _keep(self, session: str, **facts: object) -> None:
        entry = {**self._sessions.get(session, {}), **facts}
        if entry != self._sessions.get(session):
            self._sessions[session] = entry
            try:
                write_whole(self._path, json.dumps(self._sessions, indent=1).encode())
            except OSError as error:
                log.warn("{path} cannot be written: {error}", path=str(self._path), error=error)
