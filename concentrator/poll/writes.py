"""Commands to the devices of one line: a variable is written and read back, or only read, before all polling. Hides who
may be written to and how often, that nothing is ever sent twice, and what is to be believed of a device that does not
answer.

Theory. A write is one request. Whether it was carried out is told by reading the variable back, after the time the
device needs to settle: also where the answer to the write was missing or damaged, for the device may have done it all
the same. Only a refusal is believed as it stands. What cannot be read back as it was written (a clock, a countdown) is
confirmed by the device's answer alone. Writes to one device wait for one another; those to others do not.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from concentrator.api import Report, Station, Wall
from concentrator.line.line import Line
from concentrator.model.device import Device
from concentrator.model.errors import (
    Busy,
    CommandError,
    ConcentratorError,
    Denied,
    LineError,
    NotConfirmed,
    NotWritable,
    Refused,
    TooOften,
    Unknown,
    WireError,
)
from concentrator.model.reading import Quality, Reading, Value
from concentrator.model.words import hint
from concentrator.poll.sending import sent_once
from concentrator.wire.conversation import Conversation

WRITES, WRITES_PER_S = 5, 1.0
"""Writes to one device at once, and how many a second afterwards."""
READS, READS_PER_S = 10, 2.0
"""The same for reading a variable by command: it, too, goes before polling."""
TRIES = 3
"""How often a variable is read before it is taken as not to be read back."""
RETRY_S = 0.5
"""The time between two of these, in seconds."""

_LATER = (5, 6, 11)
"""Exceptions after which it is worth reading again: acknowledge, busy, and a gateway's target that failed to respond
(Modbus Application Protocol V1.1b3, 7)."""


@define(eq=False)
class Allowance:
    """How often something (`what`, in words) may be done: `most` times at once, `per_s` a second in the long run."""

    what: str
    most: int
    per_s: float
    _left: float = field(init=False)
    _at: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.most

    def take(self, now: float) -> None:
        """Does it once more, at `now`; raises TooOften."""
        self._left = min(self.most, self._left + (now - self._at) * self.per_s)
        self._at = now
        if self._left < 1:
            next_s = (1 - self._left) / self.per_s
            raise TooOften(f"{self.per_s:g} {self.what} a second; the next in {next_s:.1f} s")
        self._left -= 1


@define(eq=False)
class _Known:
    """What is kept of one device: whose turn it is to write to it, and how often it may still be asked."""

    writes: Allowance
    reads: Allowance
    turn: DeferredLock = field(factory=DeferredLock)

    @classmethod
    def new(cls, device: Device) -> _Known:
        """A device to which nothing was done yet."""
        writes = Allowance(f"writes to {device.uid}", WRITES, WRITES_PER_S)
        return cls(writes, Allowance(f"reads of {device.uid}", READS, READS_PER_S))


@define(eq=False)
class _Attempt:
    """A write on its way, and what is unclear about it, if anything."""

    name: str
    value: Value
    doubt: ConcentratorError | None = None

    def unconfirmed(self, why: str) -> NotConfirmed:
        """The error that says what is not known of the write."""
        told = f"; the write itself: {self.doubt}" if self.doubt else ""
        return NotConfirmed(f"{self.name}: {_shown(self.value)} was written, {why}{told}")


@define(eq=False, repr=False)
class Writer:
    """Carries out commands on one line. `publish` gets what was read; `report` the events `device.written` {device,
    name, value, was where it is known} and `device.write_failed` {device, name, value, text}; `suspended` says why the
    line is not to be used now, `conflict` why the device with a short id is not the one it should be, both empty when
    all is well; `newest` is the value last known of a device's variable, None where none is."""

    line: Line
    clock: IReactorTime
    wall: Wall
    publish: Callable[[Reading], None]
    report: Report
    suspended: Callable[[], str] = lambda: ""
    conflict: Callable[[str], str] = lambda uid: ""
    newest: Callable[[str, str], Value | None] = lambda uid, name: None
    _devices: dict[str, _Known] = field(factory=dict, init=False)

    def write(self, device: Device, station: Station, name: str, value: Value) -> Deferred[Value]:
        """Writes a variable and fires with it as it was read back. Before anything is sent, fails with Denied, Unknown,
        NotWritable, OutOfRange, Busy, TooOften or LineLost; then with Refused, in the device's words, or with
        NotConfirmed, where the device has another value or none can be read."""
        return Deferred.fromCoroutine(self._write(device, station, name, value))

    def read(self, device: Device, station: Station, name: str) -> Deferred[Value]:
        """Reads a variable and fires with it. Fails with Unknown, Busy, TooOften, or whatever the device and the line
        fail with."""
        return Deferred.fromCoroutine(self._read(device, station, name))

    def forget(self, uid: str) -> None:
        """The device is no longer there."""
        self._devices.pop(uid, None)

    async def _write(self, device: Device, station: Station, name: str, value: Value) -> Value:
        if not device.allow_write:
            raise Denied(f"allow_write of {device.uid} is false")
        point = station.profile.point(name)
        if point is None:
            known_names = [each.name for each in station.profile.points]
            raise Unknown(f"variable {name} of {device.uid}{hint(name, known_names)}")
        attempt = _Attempt(name, value)
        conversation = station.write(name, value)
        self._see_that_it_is(device)
        known = self._known(device)
        known.writes.take(self.clock.seconds())
        if len(known.turn.waiting) >= WRITES:
            raise TooOften(f"{WRITES} writes to {device.uid} wait already")
        await known.turn.acquire()
        try:
            self._see_that_it_is(device)
            was = self.newest(device.uid, name)
            try:
                found = await self._written(device, station, attempt, conversation, point.stays)
            except (ConcentratorError, CancelledError) as error:
                self._tell("device.write_failed", device, name, value, {"text": str(error)})
                raise
            self._tell("device.written", device, name, found, {} if was is None else {"was": was})
            return found
        finally:
            known.turn.release()

    async def _read(self, device: Device, station: Station, name: str) -> Value:
        conversation = station.read_point(name)
        self._see_that_the_line_is_free()
        self._known(device).reads.take(self.clock.seconds())
        value: Value = await self.line.run(device.address, conversation, urgent=True)
        self._publish(device, name, value)
        return value

    async def _written(
        self, device: Device, station: Station, attempt: _Attempt, conversation: Conversation[None], stays: bool
    ) -> Value:
        """Sends the write, once, and gives what came of it."""
        attempt.doubt = (await sent_once(self.line, device.address, conversation, attempt.name)).doubt
        if not stays:
            if attempt.doubt is not None:
                raise attempt.unconfirmed("and whether the device took it is not known")
            return station.as_read(attempt.name, attempt.value)
        await deferLater(self.clock, station.profile.traits.settle_s)
        found = await self._read_back(device, station, attempt)
        self._publish(device, attempt.name, found)
        if found != station.as_read(attempt.name, attempt.value):
            raise attempt.unconfirmed(f"{_shown(found)} is found")
        return found

    async def _read_back(self, device: Device, station: Station, attempt: _Attempt) -> Value:
        """The value that the device has now; it is asked again where it is busy or not to be understood."""
        for left in reversed(range(TRIES)):
            try:
                found: Value = await self.line.run(device.address, station.read_point(attempt.name), urgent=True)
                return found
            except (WireError, LineError, CommandError) as error:
                if not left or (isinstance(error, Refused) and error.code not in _LATER):
                    raise attempt.unconfirmed(f"but it cannot be read back ({error})") from error
            await deferLater(self.clock, RETRY_S)
        raise AssertionError("the last try returns or raises")

    def _see_that_it_is(self, device: Device) -> None:
        """Raises where the line is not to be used now, is not there, or another device answers there."""
        self._see_that_the_line_is_free()
        conflict = self.conflict(device.uid)
        if conflict:
            raise NotWritable(f"{device.uid}: {conflict}")

    def _see_that_the_line_is_free(self) -> None:
        reason = self.suspended()
        if reason:
            raise Busy(f"line {self.line.name}: {reason}")

    def _known(self, device: Device) -> _Known:
        known = self._devices.get(device.uid)
        if known is None:
            known = self._devices[device.uid] = _Known.new(device)
        return known

    def _publish(self, device: Device, name: str, value: Value) -> None:
        quality = Quality.CONFLICT if self.conflict(device.uid) else Quality.GOOD
        self.publish(Reading(device.uid, self.wall.now(), {name: value}, quality))

    def _tell(self, event: str, device: Device, name: str, value: Value, more: dict[str, object]) -> None:
        self.report(event, {"device": device.uid, "name": name, "value": value, **more})


def _shown(value: Value) -> str:
    return repr(value) if isinstance(value, str) else f"{value:.12g}"
