"""One device of a line as its poller knows it: how often what is read, how it is doing, what was last seen of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from attrs import define, field

from concentrator.api import Station
from concentrator.model.device import Device
from concentrator.model.profile import Block, Rate
from concentrator.model.reading import Quality
from concentrator.poll.health import FAILURES, StationHealth
from concentrator.poll.rightful import Rightful
from concentrator.poll.schedule import Job
from concentrator.profile.mbus import KEY as M_BUS_METER
from concentrator.profile.plan import RATE_S


def period_s(block: Block, device: Device) -> float:
    """How often a block of a device is wanted, in seconds."""
    return block.every_s or (device.interval_s if block.rate is Rate.FAST else RATE_S[block.rate])


@define(eq=False)
class Polled:
    """One device of the line: how it is asked, how it is, and why its values are not used, if so. `quality`: of its
    newest reading, None before the first; `round_s`: the seconds between the last two reads of what is read most
    often, None where there were not two in a row; `tries`: how the last ones went, each the kind of what was wrong,
    empty where there was an answer."""

    device: Device
    station: Station
    health: StationHealth = field(init=False)
    trouble: str = field(default="", init=False)
    quality: Quality | None = field(default=None, init=False)
    round_s: float | None = field(default=None, init=False)
    tries: deque[str] = field(factory=lambda: deque(maxlen=FAILURES), init=False)
    rightful: Rightful = field(init=False)
    _blocks: Sequence[Block] = field(init=False)
    _beat: Job | None = field(default=None, init=False)
    _beat_at: float | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        device = self.device
        place = f"{'M-Bus address' if device.profile == M_BUS_METER else 'Modbus ID'} {device.station}"
        self.rightful = Rightful(device.uid, device.address, place)
        self._blocks = self.station.blocks

    @property
    def conflict(self) -> str:
        """Why its values are not used; empty when they are."""
        return self.rightful.conflict

    def jobs(self, blocks: Sequence[Block]) -> list[Job]:
        """The jobs of reading blocks."""
        jobs = [Job(self.device.uid, block, period_s(block, self.device)) for block in blocks]
        for job in jobs:
            if self._beat is None or job.period_s < self._beat.period_s:
                self._beat = job
        return jobs

    def renewed(self) -> list[Job] | None:
        """The jobs to do in place of all there were, where the station has found out that it reads other blocks; None
        where it has not."""
        if self._blocks is self.station.blocks:
            return None
        self._blocks = self.station.blocks
        self._beat = self._beat_at = None
        return self.jobs(self._blocks)

    def replaced(self, job: Job, jobs: Sequence[Job]) -> None:
        """Jobs are done in place of one, as the station has it in its blocks."""
        self._blocks = self.station.blocks
        if self._beat is job:
            self._beat, self._beat_at = jobs[0], None

    def done(self, job: Job, now: float) -> None:
        """A job brought what it was to bring."""
        if job is self._beat:
            if self._beat_at is not None:
                self.round_s = now - self._beat_at
            self._beat_at = now

    def paused(self) -> None:
        """What is read next does not follow what was read last."""
        self._beat_at = None
