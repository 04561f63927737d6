"""The timetable of one line: which jobs are due, most urgent first. Pure: it is told the time and asks nobody.

A job's urgency is how much of its own period has passed beyond its due moment, so that on a line that cannot keep all
periods every job falls behind by the same share and none starves. A late job is replaced, never queued twice. Silent
stations are probed only, each by one job, and so rarely that all probes together take at most `PROBE_SHARE` of the
line; a station that answers again is due at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from attrs import define, field

PROBE_SHARE = 0.05
PROBE_MIN_S = 5.0
"""The least time between two probes of one station."""


@define(eq=False)
class Job:
    """Something to do again and again: `station` it concerns, `key` of what it is, its `period_s`; `is_probe` marks
    the one that goes on while the station is silent or not known yet; `cost_s` is what it takes when nobody answers.
    """

    station: Hashable
    key: Hashable
    period_s: float
    is_probe: bool = False
    cost_s: float = 0.3
    due: float = field(default=0.0, init=False)


@define(eq=False)
class Schedule:
    """The jobs of one line."""

    _jobs: list[Job] = field(factory=list, init=False)
    _new: set[Hashable] = field(factory=set, init=False)
    _silent: set[Hashable] = field(factory=set, init=False)
    _is_suspended: bool = field(default=False, init=False)

    def add(self, station: Hashable, jobs: Iterable[Job], now: float) -> None:
        """A new station with its jobs: its probe is due at once, the others when it has answered."""
        self._new.add(station)
        for job in jobs:
            job.due = now
            self._jobs.append(job)

    def due(self, now: float) -> list[Job]:
        """The jobs that are due, most urgent first."""
        jobs = [job for job in self._open() if job.due <= now]
        jobs.sort(key=lambda job: self._urgency(job, now), reverse=True)
        return jobs

    def wake_at(self) -> float | None:
        """When the next job will be due; None while there is none."""
        return min((job.due for job in self._open()), default=None)

    def settled(self, job: Job, now: float) -> None:
        """The job was done at `now`, well or not: it is due a period after it was due, or at once when that has
        passed; a probe when its share of the line allows."""
        if job.station in self._silent:
            job.due = now + self._probe_period_s()
        elif job.station in self._new:
            job.due = now + PROBE_MIN_S
        else:
            job.due = max(job.due + job.period_s, now)

    def postpone(self, job: Job, until: float) -> None:
        """The job is not due before then."""
        job.due = max(job.due, until)

    def silence(self, station: Hashable, now: float) -> None:
        """The station does not answer: only its probe goes on."""
        self._new.discard(station)
        self._silent.add(station)
        for job in self._of(station):
            job.due = now + self._probe_period_s()

    def resume(self, station: Hashable, now: float) -> None:
        """The station answers: all of it but the probe that just was is due."""
        if station in self._new or station in self._silent:
            self._new.discard(station)
            self._silent.discard(station)
            for job in self._of(station):
                job.due = now + job.period_s if job.is_probe else now

    def suspend(self) -> None:
        """Nothing is due until `go_on`."""
        self._is_suspended = True

    def go_on(self, now: float) -> None:
        """Jobs are due again; what was missed meanwhile is done once."""
        self._is_suspended = False
        for job in self._jobs:
            job.due = max(job.due, now)

    def _urgency(self, job: Job, now: float) -> float:
        """How many of its periods a job is late; a probe, rare enough by its share, does not wait for those."""
        is_probing = job.station in self._silent or job.station in self._new
        return (now - job.due) / (1.0 if is_probing else job.period_s)

    def _probe_period_s(self) -> float:
        cost_s = sum(job.cost_s for job in self._jobs if job.is_probe and job.station in self._silent)
        return max(PROBE_MIN_S, cost_s / PROBE_SHARE)

    def _of(self, station: Hashable) -> Iterable[Job]:
        return (job for job in self._jobs if job.station == station)

    def _open(self) -> Iterable[Job]:
        if self._is_suspended:
            return ()
        return (
            job
            for job in self._jobs
            if job.is_probe or (job.station not in self._new and job.station not in self._silent)
        )
