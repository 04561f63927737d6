"""The poller of one line: asks its stations as the schedule says and publishes what they answer. It hides identifying
a station before anything else, what a failure means for its health and for its line's, reading around what a device
refuses, and keeping back values that come from another device than the expected one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from concentrator.api import Report, Station, Taken, Wall
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.errors import (
    Busy,
    Cancelled,
    ConcentratorError,
    LineLost,
    NoReply,
    NotOfProfile,
    Refused,
    WireError,
)
from concentrator.model.profile import Block, Rate
from concentrator.model.reading import Quality, Reading, Value
from concentrator.model.trouble import kind_of, trouble_of
from concentrator.poll.company import Company
from concentrator.poll.health import StationHealth
from concentrator.poll.polled import Polled
from concentrator.poll.schedule import Job, Schedule, Standing
from concentrator.profile.plan import RATE_S
from concentrator.wire.conversation import Conversation

IDENTIFY_S = RATE_S[Rate.NORMAL]
CONFLICT_S = 10.0
"""How often a device in conflict is asked who it is, in seconds; it is asked nothing else."""
REFUSED_S = RATE_S[Rate.SLOW]
"""How long a block that the device refused is left alone, in seconds."""
BUSY_S = 5.0
"""How soon a device that was busy is asked again, in seconds, where its turn does not come sooner."""
OPENING_S = 5.0
"""How long a line may take to open before it is told to be missing, in seconds."""
WHO = "who"

_NOT_THERE = (1, 2, 3)  # Modbus Application Protocol V1.1b3, 7: illegal function, address, value
_BUSY = (5, 6)  # acknowledge, busy
_NOT_ITS_OWN = (10, 11)  # a gateway's word about a device behind it

Identified = Callable[[str, Mapping[str, Value]], str]
"""`identified(uid, values)`: a device has said who it is. Gives an empty string when it is the expected one, else the
sentence that says why its values must not be used."""

log = Logger()


@define(eq=False, repr=False)
class Poller:
    """Keeps one line busy as far as its schedule says."""

    line: Line
    clock: IReactorTime
    wall: Wall
    publish: Callable[[Reading], None]
    report: Report
    identified: Identified
    schedule: Schedule = field(factory=Schedule)
    suspended: str = field(default="", init=False)
    """Why nothing is asked now; empty when the line is read."""
    _company: Company = field(init=False)
    _polled: dict[str, Polled] = field(factory=dict, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _opening: IDelayedCall | None = field(default=None, init=False)
    _running: Deferred[None] | None = field(default=None, init=False)
    _began: float = field(default=0.0, init=False)
    _is_started: bool = field(default=False, init=False)
    _is_line_missing: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._company = Company(self.line.name, self.report)

    def add(self, device: Device, station: Station) -> Polled:
        """Reads a device from now on; gives what there is to know about it."""
        polled = Polled(device, station)
        polled.health = StationHealth(lambda: self._fell_silent(polled))
        self._polled[device.uid] = polled
        self._company.add(device.uid)
        who = Job(device.uid, WHO, station.profile.traits.identify_s, is_probe=True)
        has_values = bool(station.profile.points)  # what is only passed through to is asked nothing, and stays new
        jobs = [who, *polled.jobs(station.blocks)] if has_values else []
        self.schedule.add(device.uid, jobs, self.clock.seconds())
        self._next()
        return polled

    def remove(self, uid: str) -> None:
        """Asks a device nothing more; what it is just answering is not published."""
        del self._polled[uid]
        self.schedule.remove(uid)
        self._company.remove(uid)
        self._next()

    def polled(self) -> Sequence[Polled]:
        """The line's devices."""
        return tuple(self._polled.values())

    def start(self) -> None:
        """Begins to ask, as soon as the line is open."""
        self._is_started = True
        self.line.on_change = self._line_changed
        if not self.line.is_open:
            self._opening = self.clock.callLater(OPENING_S, self._line_is_missing)
        self._next()

    def stop(self) -> Deferred[None]:
        """Asks nothing more; fires when the exchange in progress is over."""
        self._is_started = False
        self._stop_timer()
        self._stop_waiting_for_the_line()
        return self._idle()

    def suspend(self, reason: str) -> Deferred[None]:
        """Asks nothing more until `go_on`, and tells of every device that it is not read; fires when the exchange in
        progress is over. Fails with Busy where the line is suspended already."""
        if self.suspended:
            return fail(Busy(f"{self.line.name} is not read now: {self.suspended}"))
        self.suspended = reason
        self.schedule.suspend()
        self._stop_timer()
        return self._idle().addCallback(self._tell_suspended)

    def go_on(self) -> None:
        """Asks again; nothing happens where it does."""
        if self.suspended:
            self.suspended = ""
            self.schedule.go_on(self.clock.seconds())
            self._next()

    # -- one job after the other

    def _next(self) -> None:
        """Runs the most urgent job, or waits for the next one to be due."""
        self._stop_timer()
        if not self._is_started or self._running is not None or not self.line.is_open:
            return
        now = self.clock.seconds()
        job = self.schedule.most_urgent(now)
        if job is not None:
            self._run(job)
        elif (moment := self.schedule.wake_at()) is not None:
            self._timer = self.clock.callLater(max(moment - now, 0.0), self._next)

    def _run(self, job: Job) -> None:
        polled = self._polled[str(job.station)]
        block = job.key if isinstance(job.key, Block) else None
        address: int | str = polled.device.station
        if block is None:
            conversation = polled.station.identify()
        else:
            conversation = polled.station.read(block)
            address = address if block.unit_id is None else block.unit_id
        self._running = self.line.run(address, self._timed(conversation))
        self._running.addCallbacks(
            self._taken, self._failed, callbackArgs=(polled, job, block), errbackArgs=(polled, job, block)
        )
        self._running.addErrback(lambda failure: log.failure("a reading could not be published", failure=failure))
        self._running.addCallback(self._ran, polled, address)

    def _timed(self, conversation: Conversation[Taken]) -> Conversation[Taken]:
        """The conversation, whose beginning is when it gets the wire."""
        self._began = self.clock.seconds()
        return (yield from conversation)

    def _ran(self, _: None, polled: Polled, address: int | str) -> None:
        self._running = None
        now, clear_at = self.clock.seconds(), self.line.clear_at(address)
        if clear_at > now:  # it may still answer, or wants to be left alone: others go first
            for other in self._polled.values():
                if other is polled or other.device.station == address:
                    self.schedule.rest(other.device.uid, clear_at)
        self._next()

    def _taken(self, taken: Taken, polled: Polled, job: Job, block: Block | None) -> None:
        if self._polled.get(polled.device.uid) is not polled:
            return
        now = self.clock.seconds()
        polled.trouble = ""
        polled.tries.append("")
        self._answered(polled, job, now)
        if block is None or taken.tells_who:
            self._identified(polled, taken, now)
        if block is not None:
            polled.rightful.answered()
            polled.done(job, now)
        self._see_blocks(polled, now)
        quality = Quality.PARTIAL if taken.missing else Quality.GOOD
        self._publish(polled, taken.values, taken.missing, quality)

    def _failed(self, failure: Failure, polled: Polled, job: Job, block: Block | None) -> None:
        if self._polled.get(polled.device.uid) is not polled:
            return
        now = self.clock.seconds()
        if failure.check(LineLost, Cancelled):
            self.schedule.passed_over(job, now)
            return
        error = failure.value
        polled.trouble = trouble_of(error, **({} if block is None else {"register": block.address}))
        missing = tuple(point.name for point in block.points) if block else ()
        is_refusal = isinstance(error, Refused) and error.code not in _NOT_ITS_OWN
        if is_refusal or isinstance(error, NotOfProfile):
            polled.tries.append("")
            self._answered(polled, job, now)
            polled.rightful.answered()
            if block is None or not isinstance(error, Refused) or not self._refused(polled, job, block, error, now):
                self._publish(polled, {}, missing, Quality.PARTIAL)
            self._see_blocks(polled, now)
            return
        if not isinstance(error, ConcentratorError):
            log.failure("{uid} could not be read", uid=polled.device.uid, failure=failure)
        polled.tries.append(kind_of(polled.trouble))
        self._unanswered(polled, job, error, now)
        self._see_blocks(polled, now)
        self._publish(polled, {}, missing, Quality.SILENT if polled.health.label == "silent" else Quality.PARTIAL)

    # -- what an answer and a failure mean

    def _answered(self, polled: Polled, job: Job, now: float) -> None:
        self.schedule.answered(job, now)
        polled.health.answered()
        for uid in self._company.answered(polled.device.uid):
            if self.schedule.standing(uid) is Standing.SILENT:
                self.schedule.probe_at_once(uid, now)
        if polled.conflict and self.schedule.standing(job.station) is not Standing.HELD:
            self.schedule.hold(job.station, now, CONFLICT_S)

    def _unanswered(self, polled: Polled, job: Job, error: BaseException | None, now: float) -> None:
        self.schedule.failed(job, now, now - self._began, isinstance(error, NoReply))
        self._claim(polled, lambda: polled.rightful.failed(isinstance(error, WireError)), now)
        self._company.failed(polled.device.uid, polled.trouble)
        polled.health.failed()

    def _refused(self, polled: Polled, job: Job, block: Block, error: Refused, now: float) -> bool:
        """A device that knows no such address is asked for less, and for what it refuses alone only now and then.
        Gives whether something else is read in the block's place."""
        uid = polled.device.uid
        if error.code in _BUSY:
            self.schedule.bring_forward(job, now + BUSY_S)
        if error.code not in _NOT_THERE:
            return False
        pieces = polled.station.refused(block, error.code)
        is_less = len(pieces) != 1 or pieces[0].count < block.count
        log.warn(
            "{uid} refused {count} registers at {address}: {error}; {then}",
            uid=uid,
            count=block.count,
            address=block.address,
            error=error.detail,
            then=f"reading {len(pieces)} parts instead" if is_less else f"asking again in {REFUSED_S:.0f} s",
        )
        if is_less:
            jobs = polled.jobs(pieces)
            polled.replaced(job, jobs)
            self.schedule.replace(job, jobs, now)
        else:
            self.schedule.postpone(job, now + REFUSED_S)
        return is_less

    def _see_blocks(self, polled: Polled, now: float) -> None:
        """Reads other blocks from now on where the station has found others in the device."""
        jobs = polled.renewed()
        if jobs is not None:
            self.schedule.renew(polled.device.uid, jobs, now)

    def _identified(self, polled: Polled, taken: Taken, now: float) -> None:
        said = self.identified(polled.device.uid, taken.values)
        self._claim(polled, lambda: polled.rightful.identified(said), now)

    def _claim(self, polled: Polled, learn: Callable[[], None], now: float) -> None:
        """Learns something about whose the address is, and tells when a conflict begins and when it is over."""
        uid, before = polled.device.uid, polled.conflict
        learn()
        after = polled.conflict
        if after and not before:
            self.report("device.conflict", {"device": uid, "text": after})
            if self.schedule.standing(uid) is Standing.OPEN:
                self.schedule.hold(uid, now, CONFLICT_S)
            polled.paused()
        elif before and not after:
            self.report("device.conflict_over", {"device": uid, "text": "the expected device answers alone again"})
            self.schedule.release(uid, now)

    def _fell_silent(self, polled: Polled) -> None:
        polled.paused()
        self.schedule.silence(polled.device.uid, self.clock.seconds())
        self._company.fell_silent(polled.device.uid, polled.trouble)

    def _publish(self, polled: Polled, values: Mapping[str, Value], missing: tuple[str, ...], quality: Quality) -> None:
        if polled.conflict:
            values, quality = {}, Quality.CONFLICT
        polled.quality = quality
        self.publish(Reading(polled.device.uid, self.wall.now(), values, quality, missing))

    # -- the line itself

    def _line_changed(self) -> None:
        self._stop_waiting_for_the_line()
        if not self.line.is_open:
            self._line_is_missing()
            return
        self._company.reopened()
        for polled in self._polled.values():
            polled.station.lost()
        if self._is_line_missing:
            self._is_line_missing = False
            self.report("line.found", {"line": self.line.name, "text": "it is open again"})
        self._next()

    def _line_is_missing(self) -> None:
        self._stop_timer()
        for polled in self._polled.values():
            polled.paused()
        if self._is_started and not self._is_line_missing:
            self._is_line_missing = True
            self.report("line.lost", {"line": self.line.name, "text": self.line.trouble})

    def _tell_suspended(self, _: None) -> None:
        for polled in self._polled.values() if self.suspended else ():
            polled.paused()
            polled.quality = Quality.SUSPENDED
            self.publish(Reading(polled.device.uid, self.wall.now(), {}, Quality.SUSPENDED))

    def _idle(self) -> Deferred[None]:
        """Fires when no exchange of this poller is in progress."""
        idle: Deferred[None] = Deferred()
        if self._running is None:
            idle.callback(None)
        else:
            self._running.addBoth(lambda _: idle.callback(None))
        return idle

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _stop_waiting_for_the_line(self) -> None:
        if self._opening is not None and self._opening.active():
            self._opening.cancel()
