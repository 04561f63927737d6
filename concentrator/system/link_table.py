"""The file of the ID journals: which meter has which Modbus ID, for every bus of the box, kept in its state folder.
Hides that a change is on the disk, whole, before it counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from concentrator.model.errors import ConfigError, Fault
from concentrator.poll.addresses import Addresses
from concentrator.system.files import write_whole


class LinkTable:
    """`link.json`. Raises ConfigError where it is damaged: IDs are not made up anew while meters have theirs."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "link.json"
        self._lines: dict[str, Mapping[str, Any]] = {}
        try:
            content = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return
        except ValueError as error:
            raise self._damaged(f"damaged JSON ({error})") from None
        lines = content.get("lines") if isinstance(content, dict) else None
        if not isinstance(lines, dict) or not all(isinstance(journal, dict) for journal in lines.values()):
            raise self._damaged('no table "lines" of journals')
        self._lines = lines

    def addresses(self, line: str) -> Addresses:
        """The ID journal of one bus, by its line's name; a change of it raises OSError where the disk does not take
        it. Raises ConfigError where what was kept cannot be one."""
        try:
            return Addresses.from_json(self._lines.get(line, {}), partial(self._keep, line))
        except ValueError as error:
            raise self._damaged(f"lines.{line}: {error}") from None

    def _keep(self, line: str, journal: Mapping[str, Mapping[str, Any]]) -> None:
        lines = {**self._lines, line: dict(journal)}
        write_whole(self._path, json.dumps({"lines": lines}, indent=1).encode())
        self._lines = lines

    def _damaged(self, found: str) -> ConfigError:
        return ConfigError([Fault(str(self._path), "", "", found, "the file as it was written")])
