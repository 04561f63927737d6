"""What the pages of services and settings need beyond the settings themselves, put together: trials of the ways out,
certificates, how store and clock are, and how far the first run has come."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define
from twisted.internet.defer import Deferred

from concentrator.actions.table import Action
from concentrator.actions.tasks import Tasks
from concentrator.api import UplinkState, Wall
from concentrator.app.config_file import ConfigFile
from concentrator.app.config_sections import Config
from concentrator.app.past import Past
from concentrator.app.settings import BoxSettings
from concentrator.app.trust import is_synchronised

if TYPE_CHECKING:
    from concentrator.actions.standing import ClockState, StoreState


@define(eq=False)
class Services:
    """The parts of a box that these actions are about: its configuration file and its settings, `running` the
    configuration that runs, its past, its serial."""

    file: ConfigFile
    settings: BoxSettings
    running: Callable[[], Config]
    past: Past
    serial: str
    state_dir: Path
    reactor: Any
    synchronised: Callable[[], bool] = is_synchronised

    def store(self) -> Deferred[StoreState]:
        """How the journal is."""
        from concentrator.actions.standing import StoreState

        journal, folder, running = self.past.journal, self.state_dir, self.running()

        def told(oldest: float | None) -> StoreState:
            disk = os.statvfs(folder)
            free = disk.f_bavail * disk.f_frsize
            return StoreState(journal.used, running.journal.max_size_bytes, free, oldest)

        return journal.query(lambda tables: _oldest(tables, running)).addCallback(told)

    def clock(self) -> ClockState:
        """How the clock is."""
        from concentrator.actions.standing import ClockState

        try:
            is_kept_right: bool | None = self.synchronised()
        except (OSError, AttributeError):  # a machine whose kernel has no such call
            is_kept_right = None
        return ClockState(is_kept_right, str(self.past.config.box.timezone))


def service_actions(
    services: Services, tasks: Tasks, uplinks: Callable[[], Sequence[UplinkState]], wall: Wall
) -> Iterator[Action]:
    """All of them."""
    from concentrator.actions.certificates import certificate_actions
    from concentrator.actions.commissioning import commissioning_actions
    from concentrator.actions.standing import standing_actions
    from concentrator.actions.trials import trial_actions
    from concentrator.app.certificates import Certificates
    from concentrator.app.trials import BoxTrials
    from concentrator.system.commissioning import CommissioningFile

    def is_up(place: str) -> bool:
        return any(state.name == place and state.is_up for state in uplinks())

    trials = BoxTrials(services.file, services.serial, services.reactor, wall, is_up)
    yield from trial_actions(trials, tasks, services.settings.is_secret)
    yield from certificate_actions(Certificates(services.state_dir, services.file.text).keep)
    yield from standing_actions(services.store, services.clock, wall)
    yield from commissioning_actions(CommissioningFile(services.state_dir))


def _oldest(tables: Any, config: Config) -> float | None:
    """The end of the oldest interval of any length that this configuration keeps."""
    ends = (tables.next_end(period, 0) for period in {config.base_interval_s, *config.latencies_s.values()})
    return min((end for end in ends if end is not None), default=None)
