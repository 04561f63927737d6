"""One unit: what answers at one Modbus ID of a slave port, whichever way requests come in. Hides how a request is
judged before anything is looked up, and which exception code every trouble becomes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from concentrator.model.errors import (
    Busy,
    Denied,
    LineError,
    NotWritable,
    OutOfRange,
    Refused,
    TooOften,
    Unknown,
)
from concentrator.wire.modbus_server import (
    DEVICE_BUSY,
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    TARGET_SILENT,
    Read,
    Refusal,
    Write,
    asked,
    exception,
    read_reply,
    write_reply,
)

Reply = bytes | Deferred[bytes]
"""A PDU, now or later; a Deferred does not fail."""


class Content(Protocol):
    """What a unit shows. Both raise Refusal."""

    def read(self, wanted: Read) -> bytes | Deferred[bytes]:
        """The content as it travels."""

    def write(self, pdu: bytes, wanted: Write, by: str) -> Deferred[object]:
        """Has a request carried out, `pdu` as it came, on behalf of `by`; fires when it is."""


@define(eq=False)
class Unit:
    """A unit with its figures: how many requests came, by what they wanted, how many were refused, by exception code,
    and when the last one came (`seconds` of the clock, None before the first). With `may_write` it can be written to,
    else it knows no function that writes."""

    content: Content
    _seconds: Callable[[], float]
    may_write: bool = False
    reads: int = field(default=0, init=False)
    writes: int = field(default=0, init=False)
    refused: Counter[int] = field(factory=Counter, init=False)
    last_at: float | None = field(default=None, init=False)

    def answer(self, pdu: bytes, by: str) -> Reply:
        """The answer to a request of somebody; a read is answered at once where its content is there."""
        self.last_at = self._seconds()
        try:
            wanted = asked(pdu)
            if isinstance(wanted, Read):
                self.reads += 1
                content = self.content.read(wanted)
                if isinstance(content, bytes):
                    return read_reply(pdu, content)
                return content.addCallbacks(lambda found: read_reply(pdu, found), self._failed, errbackArgs=(pdu,))
            if not self.may_write:
                raise Refusal(ILLEGAL_FUNCTION)
            self.writes += 1
            writing = self.content.write(pdu, wanted, by)
        except Refusal as refusal:
            return self._refused(pdu, refusal.code)
        return writing.addCallbacks(lambda _: write_reply(pdu), self._failed, errbackArgs=(pdu,))

    def _failed(self, failure: Failure, pdu: bytes) -> bytes:
        return self._refused(pdu, code_of(failure.value))

    def _refused(self, pdu: bytes, code: int) -> bytes:
        self.refused[code] += 1
        return exception(pdu, code)


# The first class that fits counts.
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (Denied, ILLEGAL_FUNCTION),
    (Unknown, ILLEGAL_ADDRESS),
    (NotWritable, ILLEGAL_ADDRESS),
    (OutOfRange, ILLEGAL_VALUE),
    (Busy, DEVICE_BUSY),
    (TooOften, DEVICE_BUSY),
    (LineError, TARGET_SILENT),
)


def code_of(error: BaseException | None) -> int:
    """The exception code of what went wrong: a device's own where it refused, else the nearest there is (Modbus
    Application Protocol V1.1b3, 7); what has none is a failure of the server."""
    if isinstance(error, Refusal | Refused):
        return error.code
    return next((code for kind, code in _CODES if isinstance(error, kind)), DEVICE_FAILURE)
