"""A made-up box with a real configuration file under it, and everything that its pages of services and settings ask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import succeed

from concentrator.actions.certificates import certificate_actions
from concentrator.actions.commissioning import commissioning_actions
from concentrator.actions.settings import settings_actions
from concentrator.actions.standing import ClockState, StoreState, standing_actions
from concentrator.actions.tasks import Tasks, task_actions
from concentrator.actions.trials import Trials, trial_actions
from concentrator.app.certificates import Certificates
from concentrator.app.config import load
from concentrator.app.config_file import ConfigFile
from concentrator.app.settings import BoxSettings, effective
from concentrator.system.commissioning import CommissioningFile
from tests.support.web import NOW, FakeBox

TEXT = """# Ours
[box]
state_dir = "state"

[line.native]
endpoint = "serial:/dev/ttyUSB0:baudrate=9600"
role = "spare"

[mqtt]
host = "mqtts://broker.example"   # the cloud
user = "box"
password = "hunter2"
latency = "60 s"

[ftp]
enabled = false
server = "ftp.example"
"""


class PlayedTrials:
    """Trials that end as they are told, and what they were of."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.ends: Any = None

    def mqtt(self, section: str, keys: Mapping[str, Any]) -> Any:
        return self._trial(section, keys)

    def ftp(self, keys: Mapping[str, Any]) -> Any:
        return self._trial("ftp", keys)

    def _trial(self, section: str, keys: Mapping[str, Any]) -> Any:
        self.asked.append((section, keys))
        return lambda tell: self.ends(tell)


class ConfigBox(FakeBox):
    """The box, its file in `folder`; `trials` are played ones where none are given."""

    def __init__(self, folder: Path, text: str = TEXT, trials: Trials | None = None) -> None:
        super().__init__()
        self.path = folder / "ccmaster.toml"
        self.path.write_text(text)
        self.state_dir = folder / "state"
        self.state_dir.mkdir()
        self.config = load(self.path)
        self.file = ConfigFile(self.path)
        self.settings = BoxSettings(self.file, lambda: (self.config, {}), self._apply, self.wall.now)
        self.tasks = Tasks(self.wall)
        self.played = PlayedTrials()
        self.store = StoreState(312 * 2**20, 2 * 2**30, 9 * 2**30, NOW - 86_400)
        self.clock_state = ClockState(True, "Europe/Madrid")
        self.commissioning = CommissioningFile(self.state_dir)
        for actions in (
            settings_actions(self.settings),
            task_actions(self.tasks),
            trial_actions(trials or self.played, self.tasks, self.settings.is_secret),
            certificate_actions(Certificates(self.state_dir, self.file.text).keep),
            standing_actions(lambda: succeed(self.store), lambda: self.clock_state, self.wall),
            commissioning_actions(self.commissioning),
        ):
            for action in actions:
                self.table.register(action)

    @property
    def text(self) -> str:
        """What the file holds."""
        return self.path.read_text()

    def _apply(self, config: Any) -> None:
        self.config = effective(self.config, config)
