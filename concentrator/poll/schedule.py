"""The timetable of one line: which job is the most urgent. Pure: it is told the time and asks nobody.

Theory. A job's urgency is how much of its own period has passed beyond its due moment, so that on a line that cannot
keep all periods every job falls behind by the same share and none starves. A late job is replaced, never queued twice.
The first read of a job after its station came counts as more urgent, and its second comes early by a share of its own,
so that jobs that began together do not stay together.

A station is in one of five standings. `new`: nothing but its probe, once at once. `open`: all its jobs. `doubted`: it
failed; the job that did is tried again, soon and then at the station's pace, and the others wait for that. `silent`:
only its probe goes on. `held`: it answers, but only its probe goes on, at a pace of its own.

What may find nobody is rationed, each kind by one gate for the whole line, so that the stations that answer keep their
pace whoever dies. After a probe of a silent station (or of a new one but its first) the line makes none until its cost
is `PROBE_SHARE` of the time since, nor one of the same station within `PROBE_MIN_S`; the probes go round in turn. Where
nobody at all answers there is nobody to take time from: then a probe is made every `PROBE_MIN_S` at the latest, so that
a line's recovery is seen as soon as that. Retries that found nobody have `RETRY_SHARE` in the same way, but whatever
is left of the line besides: they wait for the gate only while something else is due.

Jobs of one scale of urgency keep their order whatever the time, so each scale has a heap, and only the heads compete.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count
from math import inf

from attrs import define, field

PROBE_SHARE = 0.05
PROBE_MIN_S = 5.0
"""The least time between two probes of one station, and the most between two of a line on which nobody answers."""
RETRY_SHARE = 0.1
RETRY_S = 0.5
"""How soon a failed job is tried again at the earliest."""

_AT_ONCE_S = 0.001
"""The scale of urgency of a new station's first probe: it waits for nobody."""
_RATIONED_S = 1.0
"""The scale of urgency of what is rationed: rare enough by its share, it does not wait for those that are late."""
_FIRST_SHARE, _FIRST_MAX_S = 1 / 3, 10.0
"""A first read is urgent as if its period were a third, and no longer than this."""
_MADE_UP_SHARE = 0.25
"""How late a job may be, as a share of its period, and still be due next when it would have been."""
_SAME_S = 1e-6  # moments that are sums of the same terms in another order
_CATCH_UP_S = 1.0
_GOLDEN = 0.6180339887  # multiples of it, modulo 1, are spread as evenly as can be


class Standing(StrEnum):
    """How a station is asked."""

    NEW = "new"
    OPEN = "open"
    DOUBTED = "doubted"
    SILENT = "silent"
    HELD = "held"


@define(eq=False)
class _Lane:
    """Jobs of one scale of urgency, the one that is due first on top; none before `gate`."""

    scale_s: float
    gate: float = -inf
    _heap: list[tuple[float, int, Job]] = field(factory=list)

    def top(self) -> Job | None:
        """The job that is due first. What was moved since it was put in is dropped when it comes up."""
        heap = self._heap
        while heap:
            due, _, job = heap[0]
            if job.lane is self and job.due == due:
                return job
            heappop(heap)
        return None

    def put(self, job: Job, number: int) -> None:
        """Takes a job in."""
        job.lane = self
        heappush(self._heap, (job.due, number, job))


@define(eq=False)
class Job:
    """Something to do again and again: `station` it concerns, `key` of what it is, its `period_s`; `is_probe` marks
    the one that goes on while the station does not answer or is held; `due` when it is to be done."""

    station: Hashable
    key: Hashable
    period_s: float
    is_probe: bool = False
    due: float = field(default=0.0, init=False)
    is_first: bool = field(default=True, init=False)
    lane: _Lane | None = field(default=None, init=False, repr=False)


@define(eq=False)
class _Timetable:
    """The jobs of one station, and its standing."""

    jobs: list[Job]
    standing: Standing = Standing.NEW
    pace_s: float = 0.0
    """The period of its probe while it is held."""

    @property
    def quickest_s(self) -> float:
        """The shortest of its periods."""
        return min(job.period_s for job in self.jobs)


@define(eq=False)
class Schedule:
    """The jobs of one line."""

    _stations: dict[Hashable, _Timetable] = field(factory=dict, init=False)
    _lanes: dict[object, _Lane] = field(init=False)
    _probes: _Lane = field(factory=lambda: _Lane(_RATIONED_S), init=False)
    _retries: _Lane = field(factory=lambda: _Lane(_RATIONED_S), init=False)
    _first_probes: _Lane = field(factory=lambda: _Lane(_AT_ONCE_S), init=False)
    _is_suspended: bool = field(default=False, init=False)
    _numbers: count[int] = field(factory=count, init=False)
    _phase: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._lanes = {"probe": self._probes, "retry": self._retries, "first": self._first_probes}

    def add(self, station: Hashable, jobs: Iterable[Job], now: float) -> None:
        """A new station with its jobs: its probe is due at once, the others when it has answered."""
        timetable = self._stations[station] = _Timetable(list(jobs))
        for job in timetable.jobs:
            if job.is_probe:
                self._put(job, now, self._first_probes)

    def remove(self, station: Hashable) -> None:
        """The station is asked for nothing any more."""
        for job in self._stations.pop(station).jobs:
            job.lane = None

    def replace(self, job: Job, jobs: Sequence[Job], now: float) -> None:
        """Other jobs are done in place of one; they are due at once where the station's jobs are."""
        timetable = self._stations[job.station]
        place = timetable.jobs.index(job)
        timetable.jobs[place : place + 1] = jobs
        job.lane = None
        if timetable.standing is Standing.OPEN:
            for each in jobs:
                self._put(each, now)

    def renew(self, station: Hashable, jobs: Sequence[Job], now: float) -> None:
        """Other jobs are done in place of all but the probe; they are due at once where the station's jobs are."""
        timetable = self._stations[station]
        probes = [job for job in timetable.jobs if job.is_probe]
        for job in timetable.jobs:
            if not job.is_probe:
                job.lane = None
        timetable.jobs = [*probes, *jobs]
        if timetable.standing is Standing.OPEN:
            for each in jobs:
                self._put(each, now)
        elif timetable.standing is Standing.DOUBTED and all(probe.lane is None for probe in probes):
            for probe in probes:
                self._put(probe, now + RETRY_S, self._retries)

    def standing(self, station: Hashable) -> Standing:
        """How a station is asked."""
        return self._stations[station].standing

    def most_urgent(self, now: float) -> Job | None:
        """The most urgent of the jobs that are due; None where none is."""
        if self._is_suspended:
            return None
        best, most = None, -1.0
        late = now + _SAME_S
        for lane in self._lanes.values():
            job = lane.top()
            if job is not None:
                due, gate = job.due, lane.gate
                urgency = (late - (due if due > gate else gate)) / lane.scale_s
                if urgency >= 0 and urgency > most:
                    best, most = job, urgency
        if best is None:
            retry = self._retries.top()
            return retry if retry is not None and retry.due <= late else None
        return best

    def wake_at(self) -> float | None:
        """When the next job will be due; None while there is none."""
        if self._is_suspended:
            return None
        moments = []
        for lane in self._lanes.values():
            job = lane.top()
            if job is not None:
                moments.append(job.due if lane is self._retries else max(job.due, lane.gate))
        return min(moments, default=None)

    def answered(self, job: Job, now: float) -> None:
        """The job was done at `now` and its station answered, if only with a refusal: it is due a period after it was
        due, or nearly a period from now when it was late. All that waited for its station to answer is due again: at
        once, where the station is back."""
        timetable = self._stations[job.station]
        standing = timetable.standing
        if standing is not Standing.OPEN and standing is not Standing.HELD:
            timetable.standing = Standing.OPEN
            for other in timetable.jobs:
                if standing is Standing.DOUBTED:
                    self._put(other, other.due)
                else:
                    other.is_first = True
                    self._put(other, now)
        self._settle(job, timetable, now)

    def passed_over(self, job: Job, now: float) -> None:
        """The job came to nothing for which its station cannot be blamed; its turn comes again as after an answer."""
        timetable = self._stations[job.station]
        if timetable.standing is Standing.OPEN or timetable.standing is Standing.HELD:
            self._settle(job, timetable, now)
        elif timetable.standing is Standing.DOUBTED:
            self._put(job, now + RETRY_S, self._retries)
        elif job.lane is not self._first_probes:
            self._put(job, now + PROBE_MIN_S, self._probes)

    def failed(self, job: Job, now: float, cost_s: float, is_mute: bool) -> None:
        """The job was done at `now` and failed: its station is in doubt. `cost_s`: the line's time it took, to be made
        up for where nothing came at all (`is_mute`)."""
        timetable = self._stations[job.station]
        standing = timetable.standing
        if standing is Standing.NEW or standing is Standing.SILENT:
            if job.lane is not self._first_probes:
                self._charge_probe(now, cost_s)
            self._put(job, now + PROBE_MIN_S, self._probes)
        elif standing is Standing.HELD:
            self._settle(job, timetable, now)
        else:
            if is_mute:
                self._retries.gate = max(self._retries.gate, now) + cost_s / RETRY_SHARE
            if standing is Standing.OPEN:
                timetable.standing = Standing.DOUBTED
                for other in timetable.jobs:
                    other.lane = None
                self._put(job, now + RETRY_S, self._retries)
            else:
                self._put(job, now + max(RETRY_S, timetable.quickest_s), self._retries)

    def bring_forward(self, job: Job, until: float) -> None:
        """The job is due then at the latest."""
        if job.lane is not None:
            self._put(job, min(job.due, until), job.lane)

    def postpone(self, job: Job, until: float) -> None:
        """The job is not due before then."""
        if job.lane is not None:
            self._put(job, max(job.due, until), job.lane)

    def rest(self, station: Hashable, until: float) -> None:
        """Nothing of the station is due before then."""
        for job in self._stations[station].jobs:
            if job.due < until:
                self.postpone(job, until)

    def silence(self, station: Hashable, now: float) -> None:
        """The station does not answer: only its probe goes on."""
        self._only_probe(station, Standing.SILENT, now + PROBE_MIN_S, self._probes)

    def probe_at_once(self, station: Hashable, now: float) -> None:
        """A silent station may be back: it is probed at once, as a new one is."""
        self._only_probe(station, Standing.SILENT, now, self._first_probes)

    def hold(self, station: Hashable, now: float, pace_s: float) -> None:
        """Only the station's probe goes on, every `pace_s` seconds, until it is released."""
        self._stations[station].pace_s = pace_s
        self._only_probe(station, Standing.HELD, now + pace_s, None)

    def release(self, station: Hashable, now: float) -> None:
        """All of a station that was held is due again, but for the probe that just was."""
        timetable = self._stations[station]
        timetable.standing = Standing.OPEN
        for job in timetable.jobs:
            job.is_first = not job.is_probe
            self._put(job, now + job.period_s if job.is_probe else now)

    def suspend(self) -> None:
        """Nothing is due until `go_on`."""
        self._is_suspended = True

    def go_on(self, now: float) -> None:
        """Jobs are due again; what was missed meanwhile is done once."""
        self._is_suspended = False
        for timetable in self._stations.values():
            for job in timetable.jobs:
                if job.lane is not None and job.due < now:
                    self._put(job, now, job.lane)

    def _settle(self, job: Job, timetable: _Timetable, now: float) -> None:
        if timetable.standing is Standing.HELD:
            self._put(job, now + timetable.pace_s)
        elif job.is_first:
            job.is_first = False
            self._phase = (self._phase + _GOLDEN) % 1.0
            self._put(job, now + job.period_s * self._phase)
        else:
            self._put(job, max(job.due, now - job.period_s * _MADE_UP_SHARE) + job.period_s)

    def _charge_probe(self, now: float, cost_s: float) -> None:
        """Shuts the probes' gate for as long as a probe that took `cost_s` has to be made up for. One that was late
        for its moment does not make the next one late."""
        shut_s = cost_s / PROBE_SHARE
        if not any(each.standing in _ANSWERING for each in self._stations.values()):
            shut_s = min(shut_s, PROBE_MIN_S)
        began = now - cost_s
        self._probes.gate = max(self._probes.gate, began - _CATCH_UP_S) + shut_s

    def _only_probe(self, station: Hashable, standing: Standing, due: float, lane: _Lane | None) -> None:
        timetable = self._stations[station]
        timetable.standing = standing
        for job in timetable.jobs:
            job.lane = None
            if job.is_probe:
                self._put(job, due, lane)

    def _put(self, job: Job, due: float, lane: _Lane | None = None) -> None:
        """Makes a job due at a moment; in the lane of its own scale where no other is named."""
        if lane is None:
            scale_s = min(job.period_s * _FIRST_SHARE, _FIRST_MAX_S) if job.is_first else job.period_s
            lane = self._lanes.get(scale_s)
            if lane is None:
                lane = self._lanes[scale_s] = _Lane(scale_s)
        job.due = due
        lane.put(job, next(self._numbers))


_ANSWERING = (Standing.OPEN, Standing.DOUBTED, Standing.HELD)
