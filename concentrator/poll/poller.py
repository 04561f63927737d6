"""The poller of one line: asks its stations as the schedule says and publishes what they answer. It hides identifying
a station before anything else, what a failure means for its health, and refusing values that come from another device
than the expected one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report, Station, Taken, Wall
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.errors import Cancelled, ConcentratorError, LineLost, Refused
from concentrator.model.profile import Block, Rate
from concentrator.model.reading import Quality, Reading, Value
from concentrator.poll.health import StationHealth
from concentrator.poll.schedule import Job, Schedule
from concentrator.profile.plan import RATE_S

IDENTIFY_S = RATE_S[Rate.NORMAL]
REFUSED_S = RATE_S[Rate.SLOW]
"""How long a block that the device refused is left alone, in seconds."""
WHO = "who"

Identified = Callable[[str, Mapping[str, Value]], str]
"""`identified(uid, values)`: a device has said who it is. Gives an empty string when it is the expected one, else the
sentence that says why its values must not be used."""

log = Logger()


def period_s(block: Block, device: Device) -> float:
    """How often a block of a device is wanted, in seconds."""
    return block.every_s or (device.interval_s if block.rate is Rate.FAST else RATE_S[block.rate])


@define(eq=False)
class Polled:
    """One device of the line: how it is asked, how it is, and why its values are not used, if so."""

    device: Device
    station: Station
    health: StationHealth = field(init=False)
    conflict: str = field(default="", init=False)
    trouble: str = field(default="", init=False)


@define(eq=False)
class Poller:
    """Keeps one line busy as far as its schedule says."""

    line: Line
    clock: IReactorTime
    wall: Wall
    publish: Callable[[Reading], None]
    report: Report
    identified: Identified
    schedule: Schedule = field(factory=Schedule)
    _polled: dict[str, Polled] = field(factory=dict, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _running: Deferred[None] | None = field(default=None, init=False)
    _is_started: bool = field(default=False, init=False)

    def add(self, device: Device, station: Station) -> Polled:
        """Reads a device from now on; gives what there is to know about it."""
        polled = Polled(device, station)
        polled.health = StationHealth(lambda: self._lost(polled), lambda: self._found(polled))
        self._polled[device.uid] = polled
        jobs = [Job(device.uid, WHO, IDENTIFY_S, is_probe=True)]
        jobs += [Job(device.uid, n, period_s(block, device)) for n, block in enumerate(station.blocks)]
        self.schedule.add(device.uid, jobs, self.clock.seconds())
        return polled

    def polled(self) -> Sequence[Polled]:
        """The line's devices."""
        return tuple(self._polled.values())

    def start(self) -> None:
        """Begins to ask, as soon as the line is open."""
        self._is_started = True
        self.line.on_change = self._line_changed
        self._next()

    def stop(self) -> Deferred[None]:
        """Asks nothing more; fires when the exchange in progress is over."""
        self._is_started = False
        self._stop_timer()
        stopped: Deferred[None] = Deferred()
        if self._running is None:
            stopped.callback(None)
        else:
            self._running.addBoth(lambda _: stopped.callback(None))
        return stopped

    def _line_changed(self) -> None:
        if self.line.is_open:
            for polled in self._polled.values():
                polled.station.lost()
        self._next()

    def _next(self) -> None:
        """Runs the most urgent job, or waits for the next one to be due."""
        self._stop_timer()
        if not self._is_started or self._running is not None or not self.line.is_open:
            return
        now = self.clock.seconds()
        due = self.schedule.due(now)
        if due:
            self._run(due[0])
        elif (moment := self.schedule.wake_at()) is not None:
            self._timer = self.clock.callLater(moment - now, self._next)

    def _run(self, job: Job) -> None:
        polled = self._polled[str(job.station)]
        station = polled.station
        block = None if job.key == WHO else station.blocks[int(str(job.key))]
        conversation = station.identify() if block is None else station.read(block)
        self._running = self.line.run(polled.device.uid, conversation)
        self._running.addCallbacks(
            self._taken, self._failed, callbackArgs=(polled, job, block), errbackArgs=(polled, job, block)
        )
        self._running.addErrback(lambda failure: log.failure("a reading could not be published", failure=failure))
        self._running.addCallback(self._ran)

    def _ran(self, _: None) -> None:
        self._running = None
        self._next()

    def _taken(self, taken: Taken, polled: Polled, job: Job, block: Block | None) -> None:
        now = self.clock.seconds()
        self.schedule.settled(job, now)
        if block is None:
            self._identified(polled, taken)
        polled.trouble = ""
        polled.health.answered()
        self.schedule.resume(job.station, now)
        quality = Quality.PARTIAL if taken.missing else Quality.GOOD
        self._publish(polled, taken.values, taken.missing, quality)

    def _failed(self, failure: Failure, polled: Polled, job: Job, block: Block | None) -> None:
        now = self.clock.seconds()
        self.schedule.settled(job, now)
        if failure.check(LineLost, Cancelled):
            return
        if not failure.check(ConcentratorError):
            log.failure("{uid} could not be read", uid=polled.device.uid, failure=failure)
        error = failure.value
        polled.trouble = failure.getErrorMessage()
        missing = tuple(point.name for point in block.points) if block else ()
        if isinstance(error, Refused):
            polled.health.answered()
            self.schedule.resume(job.station, now)
            if block is not None:
                self._refused(polled, job, block, error)
        else:
            polled.health.failed()
        self._publish(polled, {}, missing, Quality.SILENT if polled.health.label == "silent" else Quality.PARTIAL)

    def _refused(self, polled: Polled, job: Job, block: Block, error: Refused) -> None:
        """A device that knows no such address is not asked for it every few seconds."""
        if error.code in (1, 2, 3):
            self.schedule.postpone(job, self.clock.seconds() + REFUSED_S)
            log.warn(
                "{uid} refused {count} registers at {address}: {error}",
                uid=polled.device.uid,
                count=block.count,
                address=block.address,
                error=error.detail,
            )

    def _identified(self, polled: Polled, taken: Taken) -> None:
        conflict = self.identified(polled.device.uid, taken.values)
        if conflict and conflict != polled.conflict:
            self.report("device.conflict", {"device": polled.device.uid, "text": conflict})
        polled.conflict = conflict

    def _publish(self, polled: Polled, values: Mapping[str, Value], missing: tuple[str, ...], quality: Quality) -> None:
        quality = Quality.CONFLICT if polled.conflict else quality
        self.publish(Reading(polled.device.uid, self.wall.now(), values, quality, missing))

    def _lost(self, polled: Polled) -> None:
        self.schedule.silence(polled.device.uid, self.clock.seconds())
        self.report("device.lost", {"device": polled.device.uid, "text": polled.trouble})

    def _found(self, polled: Polled) -> None:
        self.report("device.found", {"device": polled.device.uid})

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
