"""A controller's own registers as another master sees them: from what the box has read of it anyway, at most so old.
Hides what of a device is read at all, and how often.

Theory. What the box reads of the device is in its register image with its age. A read that lies in it whole and is
young enough is answered from it. Too old: the device does not answer (exception 11), or it does and the box has not
read it, because its line is lent, say (4). Registers that the box never reads are not there (2), unless it may ask the
device for them: then such reads, and the too old ones, go through to it, one at a time, and what it said serves
everybody for as long as anything else does. A device that did not answer is left alone for ten times as long as it was
waited for: whoever asks for it again and again must not have its whole line. Where it may be asked, nothing that was
read before the last write is shown after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Protocol, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from concentrator.model.errors import LineError
from concentrator.model.profile import Block, Function
from concentrator.wire.modbus_server import (
    DEVICE_BUSY,
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    TARGET_SILENT,
    Read,
    Refusal,
    Write,
)

T = TypeVar("T")
_SAID_MOST = 64  # answers of the device that are kept
_REST_TIMES, _LONGEST_REST_S = 10, 10.0
_ROUNDS = 3  # what is read more rarely than max_age may be so many of its rounds old


class Image(Protocol):
    """What was read last of a device."""

    def content(self, function: Function, address: int, count: int) -> tuple[bytes, float] | None:
        """Registers or bits as they travel, and the clock's seconds at which the oldest of them came."""


class Original(Protocol):
    """The device that is mirrored. It may be gone, or another kind of device, from one moment to the next."""

    def image(self) -> Image | None:
        """What was read of it; None where there is none."""

    def blocks(self) -> Sequence[tuple[Block, float]]:
        """What is read of it, and how often, in seconds."""

    def is_answering(self) -> bool:
        """Whether it answers the box."""

    def fetch(self, wanted: Read) -> Deferred[bytes]:
        """Reads from it what is wanted; fires with the content as it travels."""

    def pass_on(self, pdu: bytes, by: str) -> Deferred[bytes]:
        """Has it carry out a request that writes, on behalf of somebody; fires with the PDU of the answer."""


@define(eq=False)
class Mirror:
    """The mirror of one device, as a Content; `seconds` is the clock of its image. `may_ask`: what the image has not,
    or not young enough, is asked of the device."""

    _original: Original
    _seconds: Callable[[], float]
    _max_age_s: float
    _may_ask: bool = False
    _is_asking: bool = field(default=False, init=False)
    _said: dict[Read, tuple[bytes, float]] = field(factory=dict, init=False)
    _written_at: float = field(default=-inf, init=False)
    _rests_until: float = field(default=-inf, init=False)

    def read(self, wanted: Read) -> bytes | Deferred[bytes]:
        """What is wanted, now, or when the device has answered. Raises Refusal."""
        image = self._original.image()
        found = None if image is None else image.content(wanted.function, wanted.address, wanted.count)
        if found is not None and self._is_young(wanted, found[1]):
            return found[0]
        if self._may_ask:
            said = self._said.get(wanted)
            if said is not None and max(self._seconds() - self._max_age_s, self._written_at) <= said[1]:
                return said[0]
            return self._asked(wanted)
        if image is not None and found is None and not self._round_s(wanted):
            raise Refusal(ILLEGAL_ADDRESS)
        is_there = image is not None and self._original.is_answering()
        raise Refusal(DEVICE_FAILURE if is_there else TARGET_SILENT)

    def write(self, pdu: bytes, wanted: Write, by: str) -> Deferred[object]:
        """Passes the request on as it came."""

        def over(result: T) -> T:
            self._written_at = self._seconds()
            return result

        passed = self._original.pass_on(pdu, by)
        passed.addBoth(over)
        return passed.addCallback(lambda _: None)

    def _is_young(self, wanted: Read, at: float) -> bool:
        if self._may_ask and at < self._written_at:
            return False
        age_s = self._seconds() - at
        return age_s <= self._max_age_s or age_s <= _ROUNDS * self._round_s(wanted)

    def _round_s(self, wanted: Read) -> float:
        """How often the slowest of what holds these registers is read; 0 where one of them is not read at all."""
        left, slowest_s = set(range(wanted.address, wanted.address + wanted.count)), 0.0
        for block, round_s in self._original.blocks():
            for part in block.parts or (block,):
                held = left.intersection(range(part.address, part.address + part.count))
                if held and part.function is wanted.function and block.unit_id is None:
                    left -= held
                    slowest_s = max(slowest_s, round_s)
        return 0.0 if left else slowest_s

    def _asked(self, wanted: Read) -> Deferred[bytes]:
        """The device's own answer; whoever comes while it is awaited may come again."""
        if self._is_asking:
            raise Refusal(DEVICE_BUSY)
        began = self._seconds()
        if began < self._rests_until:
            raise Refusal(TARGET_SILENT)
        self._is_asking = True

        def answered(content: bytes) -> bytes:
            self._is_asking = False
            while len(self._said) >= _SAID_MOST:
                del self._said[next(iter(self._said))]
            self._said[wanted] = content, self._seconds()
            return content

        def failed(failure: Failure) -> Failure:
            self._is_asking = False
            if failure.check(LineError):
                now = self._seconds()
                self._rests_until = now + min(_REST_TIMES * (now - began), _LONGEST_REST_S)
            return failure

        self._said.pop(wanted, None)
        return self._original.fetch(wanted).addCallbacks(answered, failed)
