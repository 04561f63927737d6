"""How far the first run of the box has come, kept in its state folder. Hides that a damaged file is as good as none:
the steps are then shown as open, and everything they set is where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from concentrator.system.files import write_whole


class CommissioningFile:
    """`commissioning.json` in a state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "commissioning.json"

    def steps(self) -> Mapping[str, str]:
        """Step → how it was left."""
        try:
            kept = json.loads(self._path.read_bytes())["steps"]
            return {str(step): str(state) for step, state in kept.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def note(self, step: str, state: str) -> None:
        """Remembers how a step was left. OSError as the system has it."""
        steps = {**self.steps(), step: state}
        write_whole(self._path, json.dumps({"steps": steps}, indent=1).encode())
